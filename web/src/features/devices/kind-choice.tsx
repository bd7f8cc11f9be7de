/** Whether a device is to have a password or a key, as a part of a form. */
import { Form, Radio } from "antd";
import { useT } from "../../i18n/index.tsx";

export function KindChoice() {
  const { t } = useT();
  return (
    <Form.Item name="kind" label={t("device.kind")} extra={t("device.kind-hint")}>
      <Radio.Group
        options={[
          { value: "password", label: t("device.credential-password") },
          { value: "psk", label: t("device.credential-psk") },
        ]}
      />
    </Form.Item>
  );
}
