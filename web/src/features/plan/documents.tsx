/** Documents of the plan office (公文): which, of which month or year, numbered or a draft, as which file; made and handed over. */
import { App, DatePicker, Form, InputNumber, Segmented } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useT } from "../../i18n/index.tsx";
import { hand } from "../../lib/download.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { type DocumentFormat, type DocumentKind, readDocument } from "./queries.ts";

const KINDS: DocumentKind[] = ["circular", "meeting", "assessment"];
const FORMATS: DocumentFormat[] = ["pdf", "docx", "xlsx"];
/** Largest number of a document in a year. */
const NUMBER_MAX = 9_999;

interface Entered {
  kind: DocumentKind;
  period: Dayjs;
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

export function DocumentDialog({ plan, onClose }: { plan: string | null; onClose: () => void }) {
  const { t, language } = useT();
  const { message } = App.useApp();
  const [form] = Form.useForm<Entered>();
  const kind = Form.useWatch("kind", form) ?? "circular";
  const isYear = kind === "assessment";
  const today = dayjs();
  const perform = async ({ period, number, format, ...asked }: Entered) => {
    const told = period.format(asked.kind === "assessment" ? "YYYY" : "YYYY-MM");
    const made = await readDocument({
      kind: asked.kind,
      period: told,
      format,
      language,
      number: number ?? null,
      plan,
    });
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
      okText={t("document.make")}
      submitId="document-submit"
      initialValues={{ kind: "circular", period: firstPeriod("circular", today), format: "pdf" }}
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
      <Form.Item
        name="number"
        label={`${t("document.number")} (${t("word.optional")})`}
        extra={t("document.number-rule")}
      >
        <InputNumber min={1} max={NUMBER_MAX} precision={0} style={{ width: "100%" }} />
      </Form.Item>
      <Form.Item name="format" label={t("document.format")}>
        <Segmented<DocumentFormat>
          block
          options={FORMATS.map((value) => ({ value, label: t(`document.format-${value}`) }))}
        />
      </Form.Item>
    </FormDialog>
  );
}
