/** Documents of the plan office (公文): which, of which month or year, a draft or with the register's number, as which file. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, DatePicker, Form, InputNumber, Segmented } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useT } from "../../i18n/index.tsx";
import { download, hand } from "../../lib/download.ts";
import { can, useUser } from "../../lib/session.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import {
  type DocumentFormat,
  type DocumentKind,
  giveNumber,
  numberedFile,
  numbersQuery,
  readDocument,
} from "./queries.ts";

const KINDS: DocumentKind[] = ["circular", "meeting", "assessment"];
const FORMATS: DocumentFormat[] = ["pdf", "docx", "xlsx"];
/** Largest number of a document in a year. */
const NUMBER_MAX = 9_999;

interface Entered {
  kind: DocumentKind;
  period: Dayjs;
  as: "draft" | "numbered";
  number?: number | null;
  format: DocumentFormat;
}

/** Of which period a document is wanted first: the month before, the meeting of this one, the year before. */
export function firstPeriod(kind: DocumentKind, today: Dayjs): Dayjs {
  if (kind === "assessment") return today.subtract(1, "year");
  return kind === "meeting" ? today : today.subtract(1, "month");
}

/** Whether a period is still to come; only the next month's meeting is prepared ahead. */
export function isToCome(kind: DocumentKind, period: Dayjs, today: Dayjs): boolean {
  if (kind === "assessment") return period.isAfter(today, "year");
  return period.isAfter(kind === "meeting" ? today.add(1, "month") : today, "month");
}

export function DocumentDialog({
  plan,
  onClose,
  onGiven,
}: {
  plan: string | null;
  onClose: () => void;
  /** Called when a number was given. */
  onGiven?: () => void;
}) {
  const { t, language } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const mayGive = can(useUser(), "indicator.lock");
  const [form] = Form.useForm<Entered>();
  const kind = Form.useWatch("kind", form) ?? "circular";
  const as = Form.useWatch("as", form);
  const isNumbered = mayGive && as === "numbered";
  const register = useQuery({ ...numbersQuery(null), enabled: isNumbered }).data;
  const isYear = kind === "assessment";
  const today = dayjs();
  const perform = async ({ period, number, format, ...asked }: Entered) => {
    const told = period.format(asked.kind === "assessment" ? "YYYY" : "YYYY-MM");
    if (isNumbered) {
      const wanted = { kind: asked.kind, period: told, language, plan, number: number ?? null };
      const given = await giveNumber(wanted);
      void queryClient.invalidateQueries({ queryKey: ["plan", "numbers"] });
      download(numberedFile(given, format));
      message.success(t("document.given", { name: given.name }));
      onClose();
      onGiven?.();
      return;
    }
    const made = await readDocument({ kind: asked.kind, period: told, format, language, plan });
    hand(`plan-${asked.kind}-${told}.${format}`, made);
    message.success(t("document.done"));
    onClose();
  };
  useFocusBack();
  return (
    <FormDialog<Entered>
      form={form}
      perform={perform}
      onClose={onClose}
      title={t("document.title")}
      okText={t(isNumbered ? "document.give" : "document.make")}
      submitId="document-submit"
      initialValues={{ kind: "circular", period: firstPeriod("circular", today), as: "draft", format: "pdf" }}
      intro={<p className="quiet">{t("document.rule")}</p>}
    >
      <Form.Item name="kind" label={t("document.kind")}>
        <Segmented<DocumentKind>
          block
          options={KINDS.map((value) => ({ value, label: t(`document.kind-${value}`) }))}
          onChange={(value) => form.setFieldValue("period", firstPeriod(value, dayjs()))}
        />
      </Form.Item>
      <Form.Item
        name="period"
        label={t(isYear ? "document.year" : "document.month")}
        extra={t(`document.about-${kind}`)}
        rules={[{ required: true, message: t("plan.report-missing") }]}
      >
        <DatePicker
          picker={isYear ? "year" : "month"}
          allowClear={false}
          disabledDate={(day) => isToCome(kind, day, today)}
          style={{ width: "100%" }}
        />
      </Form.Item>
      {mayGive && (
        <Form.Item name="as" label={t("document.as")} extra={t("document.as-rule")}>
          <Segmented<Entered["as"]>
            block
            options={[
              { value: "draft", label: t("document.as-draft") },
              { value: "numbered", label: t("document.as-numbered") },
            ]}
          />
        </Form.Item>
      )}
      {isNumbered && (
        <Form.Item
          name="number"
          label={`${t("document.number")} (${t("word.optional")})`}
          extra={register && t("document.number-rule", { name: register.next_name })}
        >
          <InputNumber min={1} max={NUMBER_MAX} precision={0} style={{ width: "100%" }} />
        </Form.Item>
      )}
      <Form.Item name="format" label={t("document.format")}>
        <Segmented<DocumentFormat>
          block
          options={FORMATS.map((value) => ({ value, label: t(`document.format-${value}`) }))}
        />
      </Form.Item>
    </FormDialog>
  );
}
