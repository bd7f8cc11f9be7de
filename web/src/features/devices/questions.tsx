/** Asks a device something over its own protocol, or sets something at it (召测、参数设置), and shows what it answers. */
import { useQuery } from "@tanstack/react-query";
import { Alert, DatePicker, Form, InputNumber, Select, Table } from "antd";
import type { Dayjs } from "dayjs";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import type { Device, DeviceAskable, DeviceAsked, DeviceReply } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { Failed, Loading, Nothing } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { askDevice, questionsQuery } from "./queries.ts";

/** As the server: the most codes of one question. */
const CODES_MAX = 32;

interface Entered {
  question: string;
  codes?: string[] | string;
  period?: [Dayjs, Dayjs];
  step_minutes?: number;
  values?: Record<string, number>;
}

export function askedOf(question: DeviceAskable, entered: Entered): DeviceAsked {
  const codes = [entered.codes ?? []].flat();
  if (question.takes === "values")
    return {
      question: question.name,
      values: Object.fromEntries(codes.map((code) => [code, entered.values?.[code] ?? 0])),
    };
  const asked: DeviceAsked = { question: question.name };
  if (codes.length > 0) asked.codes = codes;
  if (entered.period) {
    asked.from = entered.period[0].toISOString();
    asked.to = entered.period[1].toISOString();
    asked.step_minutes = entered.step_minutes;
  }
  return asked;
}

/** What stands in an answer, one value a row: those of SL 651 are reports of stations, or parameters. */
interface Row {
  code: string;
  name: string;
  value: string;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const recordsOf = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isRecord) : [];

export function rowsOf(answer: unknown): Row[] {
  const body = isRecord(answer) && isRecord(answer.body) ? answer.body : {};
  const told = [
    ...recordsOf(body.stations).flatMap((station) => recordsOf(station.entries)),
    ...recordsOf(body.parameters),
  ];
  return told
    .filter((one) => typeof one.element === "string" || typeof one.parameter === "string")
    .map((one) => ({
      code: String(one.element ?? one.parameter),
      name: typeof one.name_zh === "string" ? one.name_zh : "",
      value: [one.value, one.unit]
        .filter((part) => part !== null && part !== undefined && part !== "")
        .map((part) => (typeof part === "object" ? JSON.stringify(part) : String(part)))
        .join(" "),
    }));
}

export function QuestionsDialog({ device, onClose }: { device: Device; onClose: () => void }) {
  const { t, p } = useT();
  const found = useQuery(questionsQuery(device.client_id));
  const [form] = Form.useForm<Entered>();
  const [answer, setAnswer] = useState<DeviceReply | null>(null);
  const name = Form.useWatch("question", form);
  const codes = [Form.useWatch("codes", form) ?? []].flat();
  const question = found.data?.items.find((one) => one.name === name);
  useFocusBack();
  const perform = async (entered: Entered) => {
    setAnswer(null);
    const chosen = found.data?.items.find((one) => one.name === entered.question);
    if (chosen) setAnswer(await askDevice(device.client_id, askedOf(chosen, entered)));
  };
  const choices = question?.codes.map((one) => ({
    value: one.code,
    label: `${one.code} ${one.title_zh}${one.unit ? ` (${one.unit})` : ""}`,
  }));
  const which = () => {
    if (!question || question.takes === "nothing") return null;
    const isOne = question.takes === "one-code-and-period";
    const isNeeded = question.name !== "running-read";
    return (
      <Form.Item
        name="codes"
        label={t("device.question-codes")}
        extra={isNeeded ? undefined : t("device.question-codes-all")}
        rules={isNeeded ? [{ required: true, message: t("device.question-codes-missing") }] : []}
      >
        <Select
          mode={isOne ? undefined : "multiple"}
          maxCount={isOne ? undefined : CODES_MAX}
          showSearch={{ optionFilterProp: "label" }}
          options={choices}
        />
      </Form.Item>
    );
  };
  const content = () => {
    if (found.error) return <Failed error={found.error} retry={() => void found.refetch()} />;
    if (!found.data) return <Loading />;
    if (found.data.items.length === 0)
      return <Nothing title={t("device.question-none")} mend={t("device.question-none-mend")} />;
    return (
      <>
        <Form.Item
          name="question"
          label={t("device.question")}
          rules={[{ required: true, message: t("device.question-missing") }]}
        >
          <Select
            autoFocus
            onChange={() => {
              setAnswer(null);
              form.resetFields(["codes", "values", "period", "step_minutes"]);
            }}
            options={found.data.items.map((one) => ({
              value: one.name,
              label: p(one.title_zh, one.title_en),
            }))}
          />
        </Form.Item>
        {question?.changes && <Alert type="warning" showIcon title={t("device.question-changes")} />}
        {which()}
        {question?.takes === "one-code-and-period" && (
          <>
            <Form.Item
              name="period"
              label={t("device.question-period")}
              rules={[{ required: true, message: t("device.question-period-missing") }]}
            >
              <DatePicker.RangePicker showTime={{ format: "HH" }} format="YYYY-MM-DD HH:00" />
            </Form.Item>
            <Form.Item name="step_minutes" label={t("device.question-step")} initialValue={60}>
              <InputNumber min={1} max={1440} precision={0} suffix="min" />
            </Form.Item>
          </>
        )}
        {question?.takes === "values" &&
          codes.map((code) => {
            const one = question.codes.find((known) => known.code === code);
            return (
              <Form.Item
                key={code}
                name={["values", code]}
                label={`${code} ${one?.title_zh ?? ""}`}
                rules={[{ required: true, message: t("device.question-value-missing") }]}
              >
                <InputNumber precision={one?.decimals} suffix={one?.unit} style={{ width: "100%" }} />
              </Form.Item>
            );
          })}
        {answer && <Answered answer={answer} />}
      </>
    );
  };
  return (
    <FormDialog
      form={form}
      perform={perform}
      onClose={onClose}
      title={t("device.questions-of", { name: device.name || device.client_id })}
      okText={t(question?.changes ? "device.question-set" : "device.question-ask")}
      danger={question?.changes}
      submitId="question-submit"
    >
      {content()}
    </FormDialog>
  );
}

function Answered({ answer }: { answer: DeviceReply }) {
  const { t } = useT();
  const rows = rowsOf(answer.answer);
  return (
    <section data-testid="device-answer">
      <h3>
        {t("device.question-answered")} <Time at={answer.at} />
      </h3>
      {rows.length > 0 && (
        <Table
          size="small"
          rowKey={(row) => row.code}
          dataSource={rows}
          pagination={false}
          columns={[
            { title: t("device.question-code"), dataIndex: "code", width: 80 },
            { title: t("word.name"), dataIndex: "name" },
            { title: t("word.value"), dataIndex: "value", align: "right" },
          ]}
        />
      )}
      <details open={rows.length === 0}>
        <summary>{t("device.question-whole")}</summary>
        <pre className="raw">{JSON.stringify(answer.answer, null, 2)}</pre>
      </details>
    </section>
  );
}
