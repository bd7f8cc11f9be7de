/** The systems that people sign in to with their account here (接入系统): registered, changed, given new secrets, removed. */
import "./clients.css";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Descriptions, Tag } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import type { NewOidcClient, OidcClient } from "../../lib/types.ts";
import { errorText, Loaded, Nothing } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { clientActions, pageActions } from "./actions.tsx";
import { ClientDialog, SecretDialog } from "./dialogs.tsx";
import { changeClient, clientsQuery, removeClient, rotateSecret } from "./queries.ts";

/** How long an error stays, seconds: it says what, where and the mend. */
const ERROR_S = 6;

export function Page() {
  const { t } = useT();
  const { modal, message } = App.useApp();
  const queryClient = useQueryClient();
  const clients = useQuery(clientsQuery);
  const [form, setForm] = useState<{ client?: OidcClient } | null>(null);
  const [made, setMade] = useState<NewOidcClient | null>(null);
  const context = { add: () => setForm({}) };
  useActionKeys(pageActions, form || made ? null : context);

  const confirm = (title: string, content: string, act: () => Promise<unknown>) =>
    modal.confirm({
      title,
      content,
      okText: t("client.yes"),
      cancelText: t("word.cancel"),
      okButtonProps: { danger: true },
      onOk: async () => {
        try {
          await act();
        } catch (error) {
          message.error(errorText(error, t), ERROR_S);
        }
        void queryClient.invalidateQueries({ queryKey: clientsQuery.queryKey });
      },
    });
  const doings = {
    edit: (client: OidcClient) => setForm({ client }),
    rotate: ({ client_id, name }: OidcClient) =>
      confirm(t("client.secret-confirm", { name }), t("client.secret-text"), async () =>
        setMade(await rotateSecret(client_id)),
      ),
    access: ({ client_id, name }: OidcClient, disabled: boolean) =>
      disabled
        ? confirm(t("client.close-confirm", { name }), t("client.close-text"), () =>
            changeClient(client_id, { disabled }),
          )
        : changeClient(client_id, { disabled }).then(() =>
            queryClient.invalidateQueries({ queryKey: clientsQuery.queryKey }),
          ),
    remove: ({ client_id, name }: OidcClient) =>
      confirm(t("client.remove-confirm", { name }), t("client.remove-text"), () => removeClient(client_id)),
  };

  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("client.title")}</h1>
        <span className="quiet">{t("client.about")}</span>
        <span className="grow" />
        <ActionBar actions={pageActions} context={context} />
      </header>
      <Loaded query={clients} tall>
        {({ items }) =>
          items.length === 0 ? (
            <Nothing title={t("client.none")} mend={t("client.none-mend")} />
          ) : (
            <ul className="card-list">
              {items.map((client) => (
                <li key={client.client_id} className="item-card client-card" data-testid="client">
                  <Client client={client} />
                  <span className="client-acts">
                    <ActionBar actions={clientActions} context={{ client, ...doings }} size="small" />
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      {form && <ClientDialog client={form.client} made={setMade} onClose={() => setForm(null)} />}
      {made && <SecretDialog made={made} onClose={() => setMade(null)} />}
    </div>
  );
}

function Client({ client }: { client: OidcClient }) {
  const { t } = useT();
  const row = (key: string, label: string, children: React.ReactNode) => ({ key, label, children });
  const each = (values: string[]) =>
    values.length === 0
      ? "—"
      : values.map((value) => (
          <div key={value}>
            <code className="client-value">{value}</code>
          </div>
        ));
  return (
    <>
      <span className="item-card-head">
        <strong>{client.name}</strong>
        {client.is_public && <Tag>{t("client.public")}</Tag>}
        {!client.asks_consent && <Tag>{t("client.no-consent")}</Tag>}
        {client.disabled && <Tag color="red">{t("client.closed")}</Tag>}
      </span>
      <Descriptions
        size="small"
        column={{ xs: 1, md: 2 }}
        items={[
          row("id", "client_id", <code className="client-value">{client.client_id}</code>),
          row(
            "secret",
            t("client.secret-set"),
            client.secret_set_at === null ? "—" : <Time at={client.secret_set_at} />,
          ),
          row("redirects", t("client.redirects"), <div>{each(client.redirect_uris)}</div>),
          row("grants", t("client.grants"), <div>{each(client.grants)}</div>),
          row("scopes", t("client.scopes"), client.scopes.join(" ") || "—"),
          row(
            "made",
            t("client.registered"),
            <span>
              <Time at={client.created_at} /> · {client.created_by}
            </span>,
          ),
        ]}
      />
    </>
  );
}
