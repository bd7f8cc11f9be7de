/** What personal data is looked at for: one of the city's purposes (用途), chosen before anything is shown. */
import { Form, Radio } from "antd";
import { useT } from "../../i18n/index.tsx";
import { useCity } from "../../lib/session.ts";

export function PurposeField() {
  const { t, p } = useT();
  const purposes = useCity()?.purposes ?? [];
  return (
    <Form.Item
      name="purpose"
      label={t("personal.purpose")}
      rules={[{ required: true, message: t("personal.purpose-missing") }]}
    >
      <Radio.Group
        vertical
        options={purposes.map(({ id, title_zh, title_en }) => ({ value: id, label: p(title_zh, title_en) }))}
      />
    </Form.Item>
  );
}
