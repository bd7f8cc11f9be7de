/** My account: how a person signs in, where they are signed in, and what they gave to other systems. */
import "./account.css";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Button, Tag } from "antd";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar } from "../../lib/actions.tsx";
import { time } from "../../lib/format.ts";
import { canUsePasskeys } from "../../lib/passkey.ts";
import { endSession as endOwnSession } from "../../lib/session.ts";
import type { OidcGrant, OwnSession, Passkey } from "../../lib/types.ts";
import { errorText, Failed, Loading } from "../../ui/states.tsx";
import { useNow } from "../../ui/tags.tsx";
import { Contacts } from "../notifications/contacts.tsx";
import {
  type AccountContext,
  grantActions,
  passkeyActions,
  passkeyListActions,
  passwordActions,
  recoveryActions,
  sessionActions,
  sessionListActions,
  totpActions,
} from "./actions.tsx";
import { PasskeyDialog, PasswordDialog, RecoveryDialog, TotpDialog } from "./dialogs.tsx";
import { Identities } from "./identities.tsx";
import {
  accountQuery,
  endGrant,
  endOtherSessions,
  endSession,
  grantsQuery,
  removePasskey,
  removeTotp,
  renewRecoveryCodes,
} from "./queries.ts";

type Open = "password" | "passkey" | "totp" | null;

export function Page() {
  const { t } = useT();
  const { modal, message } = App.useApp();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const account = useQuery(accountQuery);
  const grants = useQuery(grantsQuery);
  const [open, setOpen] = useState<Open>(null);
  const [codes, setCodes] = useState<string[]>([]);
  const now = useNow();

  const fresh = () => {
    void queryClient.invalidateQueries({ queryKey: accountQuery.queryKey });
    void queryClient.invalidateQueries({ queryKey: grantsQuery.queryKey });
  };
  /** Says that it is done, and shows recovery codes where there are new ones. */
  const done = (said: string, recoveryCodes: string[] = []) => {
    setOpen(null);
    message.success(said);
    setCodes(recoveryCodes);
    fresh();
  };
  const confirm = (title: string, content: string | undefined, perform: () => Promise<void>) =>
    modal.confirm({
      title,
      content,
      okButtonProps: { danger: true },
      onOk: async () => {
        try {
          await perform();
        } catch (error) {
          message.error(errorText(error, t), 6);
        }
      },
    });

  if (account.error) {
    return (
      <div className="page">
        <Failed error={account.error} retry={() => void account.refetch()} />
      </div>
    );
  }
  if (!account.data) return <Loading tall />;
  const found = account.data;
  const isYoung = Date.parse(found.young_until) > now;
  const here = canUsePasskeys(found.passkey_origin);
  const context: AccountContext = {
    account: found,
    canUsePasskeys: here,
    changePassword: () => setOpen("password"),
    addPasskey: () => setOpen("passkey"),
    addTotp: () => setOpen("totp"),
    removeTotp: () =>
      confirm(t("account.totp-remove-confirm"), undefined, async () => {
        await removeTotp();
        done(t("account.totp-removed"));
      }),
    renewRecoveryCodes: () =>
      confirm(t("account.recovery-renew-confirm"), undefined, async () => {
        setCodes(await renewRecoveryCodes());
        fresh();
      }),
    endOtherSessions: () =>
      confirm(t("account.session-end-others-confirm"), undefined, async () => {
        await endOtherSessions();
        done(t("account.session-ended"));
      }),
  };
  const remove = (passkey: Passkey) =>
    confirm(
      t("account.passkey-remove-confirm", { name: passkey.name }),
      t("account.passkey-remove-text"),
      async () => {
        await removePasskey(passkey.id);
        done(t("account.removed"));
      },
    );
  const end = async (session: OwnSession) => {
    await endSession(session.id);
    done(t("account.session-ended"));
  };
  const takeBack = (grant: OidcGrant) =>
    confirm(t("account.grant-end-confirm", { name: grant.client_name }), undefined, async () => {
      await endGrant(grant.client_id);
      done(t("account.grant-ended"));
    });
  const signInAgain = async () => {
    await endOwnSession(queryClient);
    navigate("/sign-in", { replace: true, state: { from: "/account" } });
  };
  const beganBy = (session: OwnSession) => {
    const key = keyOf("began-by", session.began_by);
    return key ? t(key) : session.began_by;
  };

  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("account.title")}</h1>
      </header>
      <div className="account">
        {found.second_factor_required && <Alert type="info" showIcon title={t("account.required")} />}
        {!isYoung && (
          <Alert
            type="info"
            showIcon
            title={t("account.young")}
            action={
              <Button size="small" onClick={() => void signInAgain()}>
                {t("account.again")}
              </Button>
            }
          />
        )}

        <section className="account-part" aria-label={t("account.passkeys")}>
          <h2>{t("account.passkeys")}</h2>
          <p className="quiet">{t("account.passkeys-text")}</p>
          {found.passkey_origin === null && <p>{t("account.passkeys-nowhere")}</p>}
          {found.passkey_origin !== null && !here && (
            <p>{t("account.passkeys-elsewhere", { origin: found.passkey_origin })}</p>
          )}
          {found.passkeys.length === 0 && <p className="quiet">{t("account.passkeys-none")}</p>}
          <ul className="account-list">
            {found.passkeys.map((passkey) => (
              <li key={passkey.id} data-testid="passkey">
                <span>
                  <strong>{passkey.name}</strong>{" "}
                  {passkey.is_synced && <Tag>{t("account.passkey-synced")}</Tag>}
                  <div className="quiet">
                    {t("account.since", { time: time(passkey.created_at) })} ·{" "}
                    {passkey.last_used_at
                      ? t("account.used", { time: time(passkey.last_used_at) })
                      : t("account.never-used")}
                  </div>
                </span>
                <ActionBar actions={passkeyActions} context={{ passkey, remove }} size="small" />
              </li>
            ))}
          </ul>
          <div className="account-bar">
            <ActionBar actions={passkeyListActions} context={context} />
          </div>
        </section>

        <section className="account-part" aria-label={t("account.totp")}>
          <h2>{t("account.totp")}</h2>
          <p className="quiet">{t("account.totp-text")}</p>
          <p data-testid="totp-state">
            {found.totp_since
              ? t("account.totp-since", { time: time(found.totp_since) })
              : t("account.totp-off")}
          </p>
          <div className="account-bar">
            <ActionBar actions={totpActions} context={context} />
          </div>
        </section>

        <section className="account-part" aria-label={t("account.recovery")}>
          <h2>{t("account.recovery")}</h2>
          <p className="quiet">{t("account.recovery-text")}</p>
          <p>{t("account.recovery-left", { n: found.recovery_codes_left })}</p>
          <div className="account-bar">
            <ActionBar actions={recoveryActions} context={context} />
          </div>
        </section>

        <section className="account-part" aria-label={t("account.password")}>
          <h2>{t("account.password")}</h2>
          <p className="quiet">{t("account.password-set", { time: time(found.password_set_at) })}</p>
          <div className="account-bar">
            <ActionBar actions={passwordActions} context={context} />
          </div>
        </section>

        <Contacts />

        <Identities confirm={confirm} />

        <section className="account-part" aria-label={t("account.sessions")}>
          <h2>{t("account.sessions")}</h2>
          <ul className="account-list">
            {found.sessions.map((session) => (
              <li key={session.id} data-testid="session">
                <span>
                  {t("account.session-where", { peer: session.peer })} · {beganBy(session)}{" "}
                  {session.is_this && <Tag color="green">{t("account.session-this")}</Tag>}
                  <div className="quiet">
                    {t("account.session-since", { time: time(session.created_at) })} ·{" "}
                    {t("account.session-seen", { time: time(session.last_seen_at) })}
                  </div>
                </span>
                <ActionBar actions={sessionActions} context={{ session, end }} size="small" />
              </li>
            ))}
          </ul>
          <div className="account-bar">
            <ActionBar actions={sessionListActions} context={context} />
          </div>
        </section>

        <section className="account-part" aria-label={t("account.grants")}>
          <h2>{t("account.grants")}</h2>
          {grants.error && <Failed error={grants.error} />}
          {grants.data?.items.length === 0 && <p className="quiet">{t("account.grants-none")}</p>}
          <ul className="account-list">
            {grants.data?.items.map((grant) => (
              <li key={grant.client_id}>
                <span>
                  <strong>{grant.client_name}</strong>
                  <div className="quiet">
                    {t("account.grant-since", { time: time(grant.since), n: grant.sign_ins })}
                  </div>
                </span>
                <ActionBar actions={grantActions} context={{ grant, end: takeBack }} size="small" />
              </li>
            ))}
          </ul>
        </section>
      </div>
      {open === "password" && (
        <PasswordDialog onClose={() => setOpen(null)} onDone={() => done(t("account.password-changed"))} />
      )}
      {open === "passkey" && (
        <PasskeyDialog
          onClose={() => setOpen(null)}
          onDone={(recovery) => done(t("account.passkey-added"), recovery)}
        />
      )}
      {open === "totp" && (
        <TotpDialog
          onClose={() => setOpen(null)}
          onDone={(recovery) => done(t("account.totp-added"), recovery)}
        />
      )}
      {codes.length > 0 && <RecoveryDialog codes={codes} onClose={() => setCodes([])} />}
    </div>
  );
}
