/** Report a value of an indicator that nobody can compute: with period and evidence, or not at all. */
import { useQueryClient } from "@tanstack/react-query";
import { App, Form, Input, InputNumber, Modal } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import type { Indicator, IndicatorReport } from "../../lib/types.ts";
import { useFocusBack } from "../../ui/keyboard.ts";
import { errorText } from "../../ui/states.tsx";
import { report } from "./queries.ts";

export function ReportDialog({ indicator, onClose }: { indicator: Indicator; onClose: () => void }) {
  const { t, p } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [form] = Form.useForm<IndicatorReport>();
  const [busy, setBusy] = useState(false);
  const required = { required: true, message: t("plan.report-missing") };
  const submit = async () => {
    const entered = await form.validateFields().catch(() => null);
    if (!entered) return;
    setBusy(true);
    try {
      await report(indicator.id, {
        value: entered.value,
        period: entered.period.trim(),
        evidence: entered.evidence.trim(),
        note: entered.note?.trim() ?? "",
      });
      message.success(t("plan.report-saved"));
      void queryClient.invalidateQueries({ queryKey: ["plan"] });
      onClose();
    } catch (error) {
      message.error(errorText(error, t), 6);
    } finally {
      setBusy(false);
    }
  };
  useFocusBack();
  return (
    <Modal
      open
      onCancel={onClose}
      onOk={submit}
      confirmLoading={busy}
      title={`${t("plan.report")} · ${p(indicator.name_zh, indicator.name_en)}`}
      okText={t("plan.report-save")}
      okButtonProps={{ "data-testid": "report-submit" }}
    >
      <p className="quiet">{t("plan.report-rule")}</p>
      <Form form={form} layout="vertical">
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
      </Form>
    </Modal>
  );
}
