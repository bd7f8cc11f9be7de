/** A complaint about a charge: it becomes a case, whose number the driver is told. */
import { Form, Input } from "antd";
import { useT } from "../../i18n/index.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { COMPLAINT_CHARS_MAX, complain } from "./queries.ts";
import type { Order } from "./types.ts";
import { useWhere } from "./use-where.ts";

export function ComplaintDialog({
  order,
  onClose,
  onTaken,
}: {
  order: Order;
  onClose: () => void;
  onTaken: (caseNumber: string) => void;
}) {
  const { t } = useT();
  const whereWord = useWhere();
  const [form] = Form.useForm<{ text: string }>();
  return (
    <FormDialog
      form={form}
      title={t("charge.complaint-title")}
      okText={t("charge.complaint-send")}
      submitId="charge-complaint-send"
      onClose={onClose}
      intro={<p className="quiet">{t("charge.complaint-about", { where: whereWord(order) })}</p>}
      perform={async ({ text }) => {
        const taken = await complain(order.id, text.trim());
        onTaken(taken.case);
        onClose();
      }}
    >
      <Form.Item
        name="text"
        label={t("charge.complaint-text")}
        rules={[{ required: true, whitespace: true, message: t("charge.complaint-missing") }]}
      >
        <Input.TextArea rows={5} maxLength={COMPLAINT_CHARS_MAX} showCount autoFocus />
      </Form.Item>
    </FormDialog>
  );
}
