/** Another system wants to sign the person in: asks for consent, once, and sends the browser back with the answer. */
import "./oidc.css";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { Navigate, useLocation } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { sessionQuery } from "../../lib/session.ts";
import { Failed, Loading } from "../../ui/states.tsx";
import { answerActions } from "./actions.tsx";
import { Card, Wanted } from "./card.tsx";
import { answerSignIn, refuseSilently, signInQuery } from "./queries.ts";

export function Page() {
  const { t } = useT();
  const location = useLocation();
  const { pathname, search } = location;
  const session = useQuery(sessionQuery);
  const question = useQuery({ ...signInQuery(search), enabled: Boolean(session.data) });
  const [failure, setFailure] = useState<unknown>(null);
  const went = useRef(false);

  /** Goes where `find` says, once. */
  const go = async (find: () => Promise<string | null>) => {
    if (went.current) return;
    went.current = true;
    try {
      const to = await find();
      if (to) window.location.assign(to);
    } catch (error) {
      went.current = false;
      setFailure(error);
    }
  };
  const isSilent = (new URLSearchParams(search).get("prompt") ?? "").split(" ").includes("none");
  const asked = question.data;
  const isAnswered = asked !== undefined && !asked.needs_sign_in && !asked.needs_consent;

  // biome-ignore lint/correctness/useExhaustiveDependencies: goes once, whatever is drawn anew
  useEffect(() => {
    if (session.data === null && isSilent) void go(() => refuseSilently(search));
    else if (asked?.redirect_to) void go(async () => asked.redirect_to);
    // Who said yes before is not asked again.
    else if (isAnswered) void go(() => answerSignIn(search, true));
  }, [session.data, isSilent, asked, isAnswered, search]);

  const error = failure ?? session.error ?? question.error;
  if (error) {
    return (
      <Card title={t("oidc.failed")}>
        <Failed error={error} />
        <p className="quiet">{t("oidc.back")}</p>
      </Card>
    );
  }
  const signsIn = (session.data === null && !isSilent) || (asked?.needs_sign_in && !asked.redirect_to);
  if (signsIn) return <Navigate to="/sign-in" state={{ from: pathname + search }} replace />;
  if (!asked || asked.redirect_to || isAnswered) return <Loading tall />;
  const client = asked.client_name;
  const answer = (approve: boolean) => go(() => answerSignIn(search, approve));
  return (
    <Card title={t("oidc.title", { client })}>
      <p>{t("oidc.wants", { client, host: asked.client_host })}</p>
      <Wanted scopes={asked.scopes} />
      <div className="oidc-answers">
        <ActionBar actions={answerActions} context={{ answer }} />
      </div>
    </Card>
  );
}
