/** Who a person is at outside providers, such as the province's: what is linked, and linking and unlinking. Nothing where the city has none. */
import { IdcardOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Tag } from "antd";
import { useEffect, useState } from "react";
import { useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { time } from "../../lib/format.ts";
import { methodsQuery } from "../../lib/session.ts";
import type { OutsideIdentity } from "../../lib/types.ts";
import { errorText, Failed, Loading } from "../../ui/states.tsx";
import { identityActions } from "./actions.tsx";
import { identitiesQuery, linkIdentity, unlinkIdentity } from "./queries.ts";

interface Props {
  confirm: (title: string, content: string | undefined, perform: () => Promise<void>) => unknown;
}

export function Identities({ confirm }: Props) {
  const { t, language } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [query, setQuery] = useSearchParams();
  const [busy, setBusy] = useState(false);
  const providers = useQuery(methodsQuery).data?.providers ?? [];
  const identities = useQuery({ ...identitiesQuery, enabled: providers.length > 0 });
  const isLinked = query.has("linked");

  useEffect(() => {
    if (!isLinked) return;
    message.success(t("account.outside-linked"));
    setQuery({}, { replace: true });
  }, [isLinked, message, setQuery, t]);

  if (providers.length === 0) return null;
  const named = (of: { name_zh: string | null; name_en: string | null }) =>
    language === "zh" ? of.name_zh : of.name_en;
  const link = async (provider: string) => {
    setBusy(true);
    try {
      await linkIdentity(provider);
    } catch (error) {
      message.error(errorText(error, t), 6);
      setBusy(false);
    }
  };
  const unlink = (identity: OutsideIdentity) =>
    confirm(
      t("account.outside-unlink-confirm", { name: identity.shown || identity.subject }),
      t("account.outside-unlink-text"),
      async () => {
        await unlinkIdentity(identity.id);
        message.success(t("account.outside-unlinked"));
        void queryClient.invalidateQueries({ queryKey: identitiesQuery.queryKey });
      },
    );
  const linked = identities.data?.items ?? [];
  const free = providers.filter((provider) => linked.every((one) => one.provider !== provider.id));

  return (
    <section className="account-part" aria-label={t("account.outside")}>
      <h2>{t("account.outside")}</h2>
      <p className="quiet">{t("account.outside-text")}</p>
      {identities.error && <Failed error={identities.error} retry={() => void identities.refetch()} />}
      {identities.isLoading && <Loading />}
      {identities.data && linked.length === 0 && <p className="quiet">{t("account.outside-none")}</p>}
      <ul className="account-list">
        {linked.map((identity) => (
          <li key={identity.id} data-testid="identity">
            <span>
              <strong>{named(identity) ?? identity.provider}</strong> · {identity.shown || identity.subject}{" "}
              {identity.linked_by === "claim" && <Tag>{t("account.outside-by-claim")}</Tag>}
              {identity.name_zh === null && <Tag color="orange">{t("account.outside-gone")}</Tag>}
              <div className="quiet">
                {t("account.outside-since", { time: time(identity.linked_at) })} ·{" "}
                {identity.last_used_at
                  ? t("account.used", { time: time(identity.last_used_at) })
                  : t("account.never-used")}
              </div>
            </span>
            <ActionBar actions={identityActions} context={{ identity, unlink }} size="small" />
          </li>
        ))}
      </ul>
      {identities.data && (
        <div className="account-bar">
          {free.map((provider) => (
            <Button
              key={provider.id}
              icon={<IdcardOutlined />}
              loading={busy}
              data-testid={`link-${provider.id}`}
              onClick={() => void link(provider.id)}
            >
              {t("account.outside-link", { name: named(provider) ?? provider.id })}
            </Button>
          ))}
        </div>
      )}
    </section>
  );
}
