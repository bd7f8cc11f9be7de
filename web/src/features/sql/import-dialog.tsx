/**
 * Make a department's file a table, or take a file in whose columns are those of a declared table: choose it, look at what is in it
 * and what is wrong, then import it.
 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Checkbox, Form, Input, InputNumber, Modal, Select, Upload } from "antd";
import { useEffect, useRef, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import type { ImportReport, IntakeReport } from "../../lib/types.ts";
import { useFocusBack } from "../../ui/keyboard.ts";
import { errorText } from "../../ui/states.tsx";
import { Doing, type Sent } from "./import-doing.tsx";
import { Report } from "./import-report.tsx";
import { type ImportWords, importFile, intakeFile, intakesQuery } from "./queries.ts";

/** `intake`: the file's rows become readings and registers of the city's entities. */
export function ImportDialog({ of = "table", onClose }: { of?: "table" | "intake"; onClose: () => void }) {
  const { t } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [form] = Form.useForm<ImportWords>();
  const [file, setFile] = useState<File | null>(null);
  const [report, setReport] = useState<ImportReport | IntakeReport | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [skips, setSkips] = useState(false);
  const [sent, setSent] = useState<Sent | null>(null);
  const stopper = useRef<AbortController | null>(null);
  useFocusBack();
  // A page that is left does not go on sending.
  useEffect(() => () => stopper.current?.abort(), []);
  // What was looked at is what is imported: after a change it is looked at again.
  const changed = () => {
    setReport(null);
    setSkips(false);
    setError(null);
  };
  const may = report !== null && (report.problems_count === 0 || skips);
  const busy = sent !== null;
  // Once a file that is to be written has arrived whole, the server goes on whatever happens here.
  const mayStop = !busy || !may || sent.bytes < sent.total;
  const run = async () => {
    const words = await form.validateFields().catch(() => null);
    if (!words || !file) return;
    const mine = new AbortController();
    stopper.current = mine;
    const job = jobName();
    const onSent = (bytes: number, total: number) => setSent({ job, bytes, total });
    onSent(0, file.size);
    setError(null);
    try {
      const sending = { job, signal: mine.signal, onSent };
      const send = of === "intake" ? intakeFile : importFile;
      const answer = await send(file, { ...words, skip: skips }, !may, sending);
      if (!answer.written) {
        setReport(answer);
        // Nothing of it is new.
        if (may) message.info(t("intake.nothing"), 6);
        return;
      }
      const n = written(answer).toLocaleString("en-US");
      message.success(t("import.done", { n, table: answer.table }));
      await queryClient.invalidateQueries(of === "table" ? { queryKey: ["tables"] } : undefined);
      onClose();
    } catch (failure) {
      if (!mine.signal.aborted) setError(failure);
    } finally {
      setSent(null);
    }
  };
  const choose = (chosen: File) => {
    setFile(chosen);
    changed();
    if (of === "table" && !form.getFieldValue("table")) form.setFieldValue("table", tableName(chosen.name));
    // It is sent by the button, not by choosing it.
    return false;
  };
  return (
    <Modal
      open
      width={760}
      onCancel={() => (busy ? stopper.current?.abort() : onClose())}
      onOk={run}
      closable={mayStop}
      keyboard={mayStop}
      mask={{ closable: !busy }}
      title={t(of === "table" ? "import.title" : "intake.title")}
      okText={t(may ? "import.import" : "import.check")}
      // Not `confirmLoading`, which would leave the other button without effect.
      okButtonProps={{ disabled: file === null, loading: busy, "data-testid": "import-submit" }}
      cancelText={busy ? t("import.cancel") : undefined}
      cancelButtonProps={{ disabled: !mayStop, "data-testid": "import-cancel" }}
    >
      <p className="quiet">{t(of === "table" ? "import.rule" : "intake.rule")}</p>
      <Form
        form={form}
        layout="vertical"
        disabled={busy}
        onValuesChange={changed}
        initialValues={{ merged: "refuse" }}
      >
        <Form.Item label={t("import.file")}>
          <Upload.Dragger
            accept=".csv,.tsv,.txt,.xlsx,.xlsm,.parquet"
            maxCount={1}
            beforeUpload={choose}
            onRemove={() => {
              setFile(null);
              changed();
            }}
          >
            <p>{t("import.drop")}</p>
          </Upload.Dragger>
        </Form.Item>
        {of === "intake" && <IntakeChoice />}
        <div className="sql-import-fields">
          {of === "table" && (
            <>
              <Form.Item
                name="table"
                label={t("import.table")}
                extra={t("import.table-hint")}
                rules={[{ required: true, whitespace: true, message: t("import.table-hint") }]}
              >
                <Input maxLength={63} />
              </Form.Item>
              <Form.Item name="title_zh" label={t("import.title-zh")}>
                <Input maxLength={200} />
              </Form.Item>
              <Form.Item name="title_en" label={t("import.title-en")}>
                <Input maxLength={200} />
              </Form.Item>
            </>
          )}
          <Form.Item name="sheet" label={t("import.sheet")}>
            <Input placeholder={t("import.sheet-first")} />
          </Form.Item>
          <Form.Item name="header_line" label={t("import.header-line")}>
            <InputNumber min={1} style={{ width: "100%" }} placeholder={t("import.header-first")} />
          </Form.Item>
          <Form.Item name="merged" label={t("import.merged")}>
            <Select
              options={[
                { value: "refuse", label: t("import.merged-refuse") },
                { value: "fill", label: t("import.merged-fill") },
                { value: "first", label: t("import.merged-first") },
              ]}
            />
          </Form.Item>
        </div>
        {of === "table" && (
          <Form.Item name="replace" valuePropName="checked" noStyle>
            <Checkbox>{t("import.replace")}</Checkbox>
          </Form.Item>
        )}
      </Form>
      {sent && <Doing sent={sent} />}
      {error !== null && (
        <Alert type="error" showIcon title={t("import.failed")} description={errorText(error, t)} />
      )}
      {report && (
        <Report report={report}>
          {report.problems_count > 0 && (
            <Checkbox checked={skips} disabled={busy} onChange={(e) => setSkips(e.target.checked)}>
              {t("import.skip", { n: report.rows_bad.toLocaleString("en-US") })}
            </Checkbox>
          )}
        </Report>
      )}
    </Modal>
  );
}

/** How many rows came in. */
function written(answer: ImportReport | IntakeReport): number {
  return "taken" in answer ? answer.taken.rows_new : answer.rows_good;
}

/** Which declared table the file's columns are of, and which those are. */
function IntakeChoice() {
  const { t, p } = useT();
  const intakes = useQuery(intakesQuery);
  const table = Form.useWatch<string | undefined>("table");
  const items = intakes.data?.items ?? [];
  const chosen = items.find((one) => one.table === table);
  const columns = chosen && {
    needs: chosen.needs.join(p("、", ", ")),
    takes: chosen.takes.join(p("、", ", ")),
  };
  return (
    <Form.Item
      name="table"
      label={t("intake.table")}
      extra={columns && t(chosen.has_times ? "intake.columns" : "intake.columns-register", columns)}
      rules={[{ required: true, message: t("intake.table-needed") }]}
    >
      <Select
        showSearch={{ optionFilterProp: "label" }}
        loading={intakes.isFetching}
        options={items.map((one) => ({
          value: one.table,
          label: `${p(one.title_zh, one.title_en)} (${one.table})`,
        }))}
        notFoundContent={t(intakes.isError ? "state.error" : "intake.none")}
      />
    </Form.Item>
  );
}

/** A name that SQL needs no quotes for, made of a file's name. */
export function tableName(file: string): string {
  const stem = file.replace(/\.[^.]*$/, "").toLowerCase();
  const name = stem.replace(/[^\p{L}\p{N}_]+/gu, "_").replace(/^[^\p{L}]+|_+$/gu, "");
  return [...name].slice(0, 63).join("");
}

/** A name that no other import of this person has; no secret, and there also without HTTPS. */
function jobName(): string {
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
}
