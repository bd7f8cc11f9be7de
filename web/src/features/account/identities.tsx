/** Who a person is at outside providers, such as the province's: what is linked, and linking and unlinking. Nothing where the city has none. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Tag } from "antd";
import { useEffect } from "react";
import { useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { time } from "../../lib/format.ts";
import { methodsQuery } from "../../lib/session.ts";
import type { OutsideIdentity, OutsideProvider } from "../../lib/types.ts";
import { Failed, Loading } from "../../ui/states.tsx";
import { identityActions, providerActions } from "./actions.tsx";
import { identitiesQuery, linkIdentity, unlinkIdentity } from "./queries.ts";

/** Who somebody is at a provider, since when, and when it last opened the account. */
export function IdentityLine({ identity }: { identity: OutsideIdentity }) {
  const { t, p } = useT();
  return (
    <span>
      <strong>{p(identity.name_zh, identity.name_en) || identity.provider}</strong> ·{" "}
      {identity.shown || identity.subject}{" "}
      {identity.linked_by === "claim" && <Tag>{t("account.outside-by-claim")}</Tag>}
      {identity.name_zh === null && <Tag color="orange">{t("account.outside-gone")}</Tag>}
      <div className="quiet">
        {t("account.outside-since", { time: time(identity.linked_at) })} ·{" "}
        {identity.last_used_at
          ? t("account.used", { time: time(identity.last_used_at) })
          : t("account.never-used")}
      </div>
    </span>
  );
}

interface Props {
  confirm: (title: string, content: string | undefined, perform: () => Promise<void>) => unknown;
}

export function Identities({ confirm }: Props) {
  const { t, p } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [query, setQuery] = useSearchParams();
  const providers = useQuery(methodsQuery).data?.providers ?? [];
  const identities = useQuery({ ...identitiesQuery, enabled: providers.length > 0 });
  const isLinked = query.has("linked");

  useEffect(() => {
    if (!isLinked) return;
    message.success(t("account.outside-linked"));
    setQuery({}, { replace: true });
  }, [isLinked, message, setQuery, t]);

  if (providers.length === 0) return null;
  const link = (provider: OutsideProvider) => linkIdentity(provider.id);
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
      <ul className="account-list">
        {linked.map((identity) => (
          <li key={identity.id} data-testid="identity">
            <IdentityLine identity={identity} />
            <ActionBar actions={identityActions} context={{ identity, unlink }} size="small" />
          </li>
        ))}
        {identities.data &&
          free.map((provider) => (
            <li key={provider.id} data-testid={`free-${provider.id}`}>
              <span>
                <strong>{p(provider.name_zh, provider.name_en)}</strong>
                <div className="quiet">{t("account.outside-none")}</div>
              </span>
              <ActionBar actions={providerActions} context={{ provider, link }} size="small" />
            </li>
          ))}
      </ul>
    </section>
  );
}
