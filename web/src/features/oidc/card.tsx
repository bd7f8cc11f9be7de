/** The frame of a page on which one thing is asked, and what a system would get. */
import type { ReactNode } from "react";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { useUser } from "../../lib/session.ts";
import { LanguageSwitch } from "../../shell/shell.tsx";

export function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="sign-in">
      <div className="sign-in-language">
        <LanguageSwitch light />
      </div>
      <main className="sign-in-card">
        <img src="/favicon.svg" alt="" width={52} height={52} />
        <h1>{title}</h1>
        {children}
      </main>
    </div>
  );
}

/** What the system would get, and who is asked. */
export function Wanted({ scopes }: { scopes: string[] }) {
  const { t } = useT();
  const user = useUser();
  return (
    <>
      <ul className="oidc-scopes">
        {scopes.map((scope) => {
          const key = keyOf("oidc-scope", scope);
          return <li key={scope}>{key ? t(key) : scope}</li>;
        })}
      </ul>
      {user && <p className="quiet">{t("oidc.as", { name: user.name, username: user.username })}</p>}
    </>
  );
}
