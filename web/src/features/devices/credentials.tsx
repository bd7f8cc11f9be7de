/** What a device signs in with: its password or key and how old it is, the one before, certificates and when they end. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Button, Form, Input, InputNumber, Modal, Tag } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import type { Key } from "../../i18n/words.ts";
import { ActionBar } from "../../lib/actions.tsx";
import { time } from "../../lib/format.ts";
import type { Device, DeviceCredential, DeviceSecretKind, RotatedDevice } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { Failed, Loading } from "../../ui/states.tsx";
import { CopyButton, useNow } from "../../ui/tags.tsx";
import { certificateActions, credentialsActions } from "./actions.tsx";
import { KindChoice } from "./kind-choice.tsx";
import { addCertificate, credentialsQuery, removeCertificate, rotateDevice } from "./queries.ts";

const KINDS: Record<string, Key> = {
  password: "device.credential-password",
  psk: "device.credential-psk",
  x509: "device.credential-x509",
};
/** As the command line: a day. */
const OVERLAP_HOURS = 24;
/** As the server: ninety days. */
const OVERLAP_HOURS_MAX = 90 * 24;
/** A certificate that ends within this time is marked, milliseconds. */
const SOON_MS = 30 * 86_400_000;

export function CredentialsDialog({ device, onClose }: { device: Device; onClose: () => void }) {
  const { t } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const found = useQuery(credentialsQuery(device.client_id));
  const [open, setOpen] = useState<"rotate" | "certificate" | null>(null);
  const [rotated, setRotated] = useState<RotatedDevice | null>(null);
  const now = useNow();
  useFocusBack();
  const fresh = () => void queryClient.invalidateQueries({ queryKey: ["devices"] });
  const remove = async (credential: DeviceCredential) => {
    await removeCertificate(device.client_id, credential.fingerprint ?? "");
    message.success(t("device.certificate-removed"));
    fresh();
  };
  const until = (credential: DeviceCredential) => {
    if (!credential.expires_at) return <Tag>{t("device.credential-endless")}</Tag>;
    if (credential.is_over) return <Tag color="red">{t("device.credential-over")}</Tag>;
    const isSoon = Date.parse(credential.expires_at) - now < SOON_MS;
    return (
      <Tag color={isSoon ? "orange" : "green"}>
        {t("device.credential-until", { time: time(credential.expires_at) })}
      </Tag>
    );
  };
  const list = () => {
    if (found.error) return <Failed error={found.error} retry={() => void found.refetch()} />;
    if (!found.data) return <Loading />;
    return (
      <ul className="card-list">
        {found.data.items.map((credential) => (
          <li
            key={credential.fingerprint ?? credential.created_at}
            className="item-card"
            style={{ cursor: "default" }}
            data-testid="credential"
          >
            <span className="item-card-head">
              <strong>{t(KINDS[credential.kind] ?? "device.credential-password")}</strong>
              {until(credential)}
            </span>
            {credential.subject && <span>{credential.subject}</span>}
            {credential.fingerprint && (
              <code className="quiet" style={{ overflowWrap: "anywhere" }}>
                SHA-256 {credential.fingerprint}
              </code>
            )}
            <span className="quiet">
              {t("device.credential-since", { time: time(credential.created_at) })}
              {credential.kind === "psk" && (
                <>
                  {" · "}
                  {credential.last_used_at
                    ? t("device.credential-used", { time: time(credential.last_used_at) })
                    : t("device.credential-unused")}
                </>
              )}
            </span>
            <span>
              <ActionBar actions={certificateActions} context={{ credential, remove }} size="small" />
            </span>
          </li>
        ))}
      </ul>
    );
  };
  return (
    <Modal
      open
      onCancel={onClose}
      title={t("device.credentials-of", { name: device.name || device.client_id })}
      footer={
        <ActionBar
          actions={credentialsActions}
          context={{ rotate: () => setOpen("rotate"), addCertificate: () => setOpen("certificate") }}
        />
      }
    >
      <div className="stack">
        {rotated && <NewSecret rotated={rotated} onKept={() => setRotated(null)} />}
        {list()}
      </div>
      {open === "rotate" && (
        <RotateDialog
          clientId={device.client_id}
          kind={found.data?.items[0]?.kind === "psk" ? "psk" : "password"}
          onClose={() => setOpen(null)}
          onDone={(made) => {
            setOpen(null);
            setRotated(made);
            fresh();
          }}
        />
      )}
      {open === "certificate" && (
        <CertificateDialog
          clientId={device.client_id}
          onClose={() => setOpen(null)}
          onDone={() => {
            setOpen(null);
            message.success(t("device.certificate-added"));
            fresh();
          }}
        />
      )}
    </Modal>
  );
}

function NewSecret({ rotated, onKept }: { rotated: RotatedDevice; onKept: () => void }) {
  const { t } = useT();
  const secret = rotated.key ?? rotated.password ?? "";
  const label = t(rotated.key ? "device.key" : "device.password");
  return (
    <Alert
      type="warning"
      showIcon
      title={t("device.once")}
      description={
        <div className="stack">
          <span data-testid="rotated-password">
            <code style={{ overflowWrap: "anywhere" }}>{secret}</code>{" "}
            <CopyButton text={secret} label={`${t("word.copy")} ${label}`} />
          </span>
          <span>{t("device.old-until", { time: time(rotated.old_until) })}</span>
          <Button size="small" onClick={onKept}>
            {t("device.saved")}
          </Button>
        </div>
      }
    />
  );
}

function RotateDialog({
  clientId,
  kind,
  onClose,
  onDone,
}: {
  clientId: string;
  /** What it has now. */
  kind: DeviceSecretKind;
  onClose: () => void;
  onDone: (made: RotatedDevice) => void;
}) {
  const { t } = useT();
  const [form] = Form.useForm<{ hours: number; kind: DeviceSecretKind }>();
  useFocusBack();
  return (
    <FormDialog
      form={form}
      perform={async ({ hours, kind }) => onDone(await rotateDevice(clientId, hours, kind))}
      onClose={onClose}
      title={t("device.rotate")}
      okText={t("device.rotate")}
      submitId="rotate-submit"
      initialValues={{ hours: OVERLAP_HOURS, kind }}
      intro={<p className="quiet">{t("device.rotate-text")}</p>}
    >
      <Form.Item
        name="hours"
        label={t("device.rotate-hours")}
        rules={[{ required: true, message: t("device.rotate-hours-missing") }]}
      >
        <InputNumber min={0} max={OVERLAP_HOURS_MAX} precision={0} autoFocus style={{ width: "100%" }} />
      </Form.Item>
      <KindChoice />
    </FormDialog>
  );
}

function CertificateDialog({
  clientId,
  onClose,
  onDone,
}: {
  clientId: string;
  onClose: () => void;
  onDone: () => void;
}) {
  const { t } = useT();
  const [form] = Form.useForm<{ pem: string }>();
  useFocusBack();
  return (
    <FormDialog
      form={form}
      perform={async ({ pem }) => {
        await addCertificate(clientId, pem.trim());
        onDone();
      }}
      onClose={onClose}
      title={t("device.certificate-add")}
      okText={t("device.certificate-add")}
      submitId="certificate-submit"
      intro={<p className="quiet">{t("device.certificate-text")}</p>}
    >
      <Form.Item
        name="pem"
        label={t("device.certificate-pem")}
        rules={[{ required: true, whitespace: true, message: t("device.certificate-missing") }]}
      >
        <Input.TextArea
          rows={8}
          className="mono"
          spellCheck={false}
          placeholder="-----BEGIN CERTIFICATE-----"
          autoFocus
        />
      </Form.Item>
    </FormDialog>
  );
}
