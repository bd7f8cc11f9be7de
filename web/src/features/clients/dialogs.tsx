/** Register a system or change it; show its secret, once. */
import { useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Checkbox, Descriptions, Form, Input, Modal } from "antd";
import { useT } from "../../i18n/index.tsx";
import { type Key, keyOf } from "../../i18n/words.ts";
import type { NewOidcClient, OidcClient } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { CopyButton } from "../../ui/tags.tsx";
import { addClient, changeClient, clientsQuery } from "./queries.ts";

/** The grants (RFC 6749, RFC 8628) and scopes that there are; the server checks again. */
const GRANTS = ["authorization_code", "refresh_token", "client_credentials", "device_code"] as const;
const SCOPES = ["openid", "profile", "organisation", "role", "offline_access"] as const;
/** Longest name, characters. */
const NAME_CHARS_MAX = 128;

interface Entered {
  name: string;
  is_public?: boolean;
  redirects?: string;
  bye?: string;
  logout?: string;
  grants: string[];
  scopes: string[];
  asks_consent: boolean;
}

/** The lines of a field with something in them. */
const lines = (text: string | undefined) =>
  (text ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

export function ClientDialog({
  client,
  made,
  onClose,
}: {
  client?: OidcClient;
  /** Hears of a system that is new, with its secret. */
  made: (made: NewOidcClient) => void;
  onClose: () => void;
}) {
  const { t } = useT();
  const queryClient = useQueryClient();
  const [form] = Form.useForm<Entered>();
  const grants = Form.useWatch("grants", form) ?? [];
  useFocusBack();
  const perform = async (entered: Entered) => {
    const said = {
      name: entered.name.trim(),
      redirect_uris: lines(entered.redirects),
      post_logout_redirect_uris: lines(entered.bye),
      backchannel_logout_uri: entered.logout?.trim() ?? "",
      grants: entered.grants,
      scopes: entered.scopes,
      asks_consent: entered.asks_consent,
    };
    if (client) await changeClient(client.client_id, said);
    else {
      const draft = { ...said, backchannel_logout_uri: said.backchannel_logout_uri || null };
      made(await addClient({ ...draft, is_public: entered.is_public ?? false }));
    }
    void queryClient.invalidateQueries({ queryKey: clientsQuery.queryKey });
    onClose();
  };
  const choice = (value: string, key: Key | undefined) => ({
    value,
    label: key ? `${t(key)} (${value})` : value,
  });
  const addresses = (name: keyof Entered, label: Key, hint: string, needed = false) => (
    <Form.Item
      name={name}
      label={t(label)}
      extra={hint}
      rules={[{ required: needed, whitespace: true, message: t("client.redirects-missing") }]}
    >
      <Input.TextArea rows={3} className="mono" spellCheck={false} />
    </Form.Item>
  );
  return (
    <FormDialog<Entered>
      form={form}
      perform={perform}
      onClose={onClose}
      title={t(client ? "client.change" : "client.add")}
      okText={t(client ? "client.save" : "client.add")}
      submitId="client-submit"
      initialValues={
        client
          ? {
              name: client.name,
              redirects: client.redirect_uris.join("\n"),
              bye: client.post_logout_redirect_uris.join("\n"),
              logout: client.backchannel_logout_uri ?? "",
              grants: client.grants,
              scopes: client.scopes,
              asks_consent: client.asks_consent,
            }
          : { grants: ["authorization_code"], scopes: ["openid", "profile"], asks_consent: true }
      }
    >
      <Form.Item
        name="name"
        label={t("client.name")}
        rules={[{ required: true, whitespace: true, message: t("client.name-missing") }]}
      >
        <Input autoFocus maxLength={NAME_CHARS_MAX} />
      </Form.Item>
      {!client && (
        <Form.Item name="is_public" valuePropName="checked" extra={t("client.public-hint")}>
          <Checkbox>{t("client.public")}</Checkbox>
        </Form.Item>
      )}
      <Form.Item name="grants" label={t("client.grants")}>
        <Checkbox.Group options={GRANTS.map((value) => choice(value, keyOf("client-grant", value)))} />
      </Form.Item>
      {addresses(
        "redirects",
        "client.redirects",
        t("client.redirects-hint"),
        grants.includes("authorization_code"),
      )}
      {addresses("bye", "client.bye", t("client.line-each"))}
      <Form.Item name="logout" label={t("client.logout")} extra={t("client.logout-hint")}>
        <Input className="mono" spellCheck={false} />
      </Form.Item>
      <Form.Item name="scopes" label={t("client.scopes")}>
        <Checkbox.Group options={SCOPES.map((value) => choice(value, keyOf("oidc-scope", value)))} />
      </Form.Item>
      <Form.Item name="asks_consent" valuePropName="checked" extra={t("client.consent-hint")}>
        <Checkbox>{t("client.consent")}</Checkbox>
      </Form.Item>
    </FormDialog>
  );
}

/** What the system is told. Not closed by chance: the secret is shown this once. */
export function SecretDialog({ made, onClose }: { made: NewOidcClient; onClose: () => void }) {
  const { t } = useT();
  useFocusBack();
  const field = (key: string, value: string) => ({
    key,
    label: key,
    children: (
      <span data-testid={key}>
        <code className="client-value">{value}</code>{" "}
        <CopyButton text={value} label={`${t("word.copy")} ${key}`} />
      </span>
    ),
  });
  return (
    <Modal
      open
      title={t("client.made", { name: made.client.name })}
      closable={false}
      mask={{ closable: false }}
      keyboard={false}
      footer={
        <Button type="primary" onClick={onClose}>
          {t("client.kept")}
        </Button>
      }
    >
      <div className="stack">
        {made.client_secret !== null && <Alert type="warning" showIcon title={t("client.once")} />}
        <Descriptions
          size="small"
          bordered
          column={1}
          items={[
            field("client_id", made.client.client_id),
            ...(made.client_secret === null ? [] : [field("client_secret", made.client_secret)]),
          ]}
        />
        <p className="quiet hint">{t("client.discovery")}</p>
      </div>
    </Modal>
  );
}
