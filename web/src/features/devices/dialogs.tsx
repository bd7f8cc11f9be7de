/** Add a device; show its credentials once, with a command that tries them. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Descriptions, Form, Input, Modal, Select, Tabs } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import type { NewDevice } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { errorText } from "../../ui/states.tsx";
import { CopyButton } from "../../ui/tags.tsx";
import { typesQuery } from "../map/queries.ts";
import { examplePayload, keyCommand, keyProgram, mosquittoCommand, pahoProgram } from "./example.ts";
import { KindChoice } from "./kind-choice.tsx";
import { addDevice, type DeviceDraft } from "./queries.ts";

/** An NGSI-LD id without spaces or control characters. The server checks again. */
const URN = /^urn:ngsi-ld:[^:\s]+:\S+$/;

export function AddDeviceDialog({ onClose }: { onClose: () => void }) {
  const { t, p } = useT();
  const queryClient = useQueryClient();
  const types = useQuery(typesQuery);
  const [form] = Form.useForm<DeviceDraft>();
  const [made, setMade] = useState<NewDevice | null>(null);
  const perform = async (entered: DeviceDraft) => {
    setMade(await addDevice({ ...entered, id: entered.id.trim(), name: entered.name?.trim() || undefined }));
    void queryClient.invalidateQueries({ queryKey: ["devices"] });
  };
  useFocusBack();
  if (made) return <Credentials device={made} onClose={onClose} />;
  return (
    <FormDialog
      form={form}
      perform={perform}
      onClose={onClose}
      title={t("device.add")}
      okText={t("device.add")}
      submitId="device-submit"
      initialValues={{ kind: "password" }}
    >
      <Form.Item
        name="type"
        label={t("word.type")}
        rules={[{ required: true, message: t("device.form-type-missing") }]}
      >
        <Select
          showSearch={{ optionFilterProp: "label" }}
          loading={types.isPending}
          notFoundContent={types.error ? errorText(types.error, t) : undefined}
          onChange={(type: string) => {
            if (!form.getFieldValue("id")) form.setFieldValue("id", `urn:ngsi-ld:${type}:`);
          }}
          options={[...(types.data?.values() ?? [])].map((kind) => ({
            value: kind.name,
            label: `${p(kind.title_zh, kind.title_en)} (${kind.name})`,
          }))}
        />
      </Form.Item>
      <Form.Item
        name="id"
        label={t("device.form-id")}
        extra={t("device.form-id-hint")}
        rules={[
          { required: true, message: t("device.form-id-missing") },
          { pattern: URN, message: t("device.form-id-shape") },
        ]}
      >
        <Input autoFocus className="mono" spellCheck={false} autoCapitalize="none" />
      </Form.Item>
      <Form.Item name="name" label={`${t("word.name")} (${t("word.optional")})`}>
        <Input maxLength={120} />
      </Form.Item>
      <KindChoice />
    </FormDialog>
  );
}

function Credentials({ device, onClose }: { device: NewDevice; onClose: () => void }) {
  const { t } = useT();
  const kind = useQuery(typesQuery).data?.get(device.type);
  const payload = examplePayload(device, kind);
  const examples = device.key
    ? [
        { key: "mosquitto", label: "mosquitto_pub", text: keyCommand(device, device.key, payload) },
        { key: "paho", label: "Paho (Python)", text: keyProgram(device, device.key, payload) },
      ]
    : [
        { key: "mosquitto", label: "mosquitto_pub", text: mosquittoCommand(device, payload) },
        { key: "paho", label: "Paho (Python)", text: pahoProgram(device, payload) },
      ];
  const field = (key: string, label: string, value: string) => ({
    key,
    label,
    children: (
      <span data-testid={`device-${key}`}>
        <code style={{ overflowWrap: "anywhere" }}>{value}</code>{" "}
        <CopyButton text={value} label={`${t("word.copy")} ${label}`} />
      </span>
    ),
  });
  return (
    <Modal
      open
      width={640}
      title={t("device.added")}
      closable={false}
      mask={{ closable: false }}
      keyboard={false}
      footer={
        <Button type="primary" onClick={onClose}>
          {t("device.saved")}
        </Button>
      }
    >
      <div className="stack">
        <Alert type="warning" showIcon title={t("device.once")} />
        <Descriptions
          size="small"
          bordered
          column={1}
          items={[
            field("client", t("device.client"), device.client_id),
            field("username", t("device.username"), device.username),
            device.key
              ? field("key", t("device.key"), device.key)
              : field("password", t("device.password"), device.password ?? ""),
            field("topic", t("device.topic"), device.topic),
          ]}
        />
        <section>
          <h3>{t("device.try")}</h3>
          <Tabs
            size="small"
            items={examples.map(({ key, label, text }) => ({
              key,
              label,
              children: (
                <div className="example">
                  <pre className="raw">{text}</pre>
                  <CopyButton text={text} />
                </div>
              ),
            }))}
          />
          <p className="quiet hint">{t("device.address-hint")}</p>
        </section>
      </div>
    </Modal>
  );
}
