/** Report a value of an indicator that nobody can compute: with period and evidence, or not at all. */
import { useQueryClient } from "@tanstack/react-query";
import { App, Form, Input, InputNumber } from "antd";
import { useT } from "../../i18n/index.tsx";
import type { Indicator, IndicatorReport } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { report } from "./queries.ts";

export function ReportDialog({ indicator, onClose }: { indicator: Indicator; onClose: () => void }) {
  const { t, p } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [form] = Form.useForm<IndicatorReport>();
  const required = { required: true, message: t("plan.report-missing") };
  const perform = async (entered: IndicatorReport) => {
    await report(indicator.id, {
      value: entered.value,
      period: entered.period.trim(),
      evidence: entered.evidence.trim(),
      note: entered.note?.trim() ?? "",
    });
    message.success(t("plan.report-saved"));
    void queryClient.invalidateQueries({ queryKey: ["plan"] });
    onClose();
  };
  useFocusBack();
  return (
    <FormDialog
      form={form}
      perform={perform}
      onClose={onClose}
      title={`${t("plan.report")} · ${p(indicator.name_zh, indicator.name_en)}`}
      okText={t("plan.report-save")}
      submitId="report-submit"
      intro={<p className="quiet">{t("plan.report-rule")}</p>}
    >
      <Form.Item name="value" label={t("plan.report-value")} rules={[required]}>
        <InputNumber autoFocus style={{ width: "100%" }} suffix={p(indicator.unit_zh, indicator.unit_en)} />
      </Form.Item>
      <Form.Item name="period" label={t("plan.report-period")} rules={[{ ...required, whitespace: true }]}>
        <Input maxLength={40} />
      </Form.Item>
      <Form.Item
        name="evidence"
        label={t("plan.report-evidence")}
        rules={[{ ...required, whitespace: true }]}
      >
        <Input.TextArea rows={2} maxLength={1_000} />
      </Form.Item>
      <Form.Item name="note" label={`${t("plan.report-note")} (${t("word.optional")})`}>
        <Input.TextArea rows={2} maxLength={1_000} />
      </Form.Item>
    </FormDialog>
  );
}
