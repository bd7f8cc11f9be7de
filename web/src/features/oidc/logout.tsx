/** Another system sends the person here to sign out: asks, unless the system has shown that it means this session. */
import "./oidc.css";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Result, Space } from "antd";
import { useEffect, useRef, useState } from "react";
import { useLocation, useNavigate } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { sessionQuery } from "../../lib/session.ts";
import { Failed, Loading } from "../../ui/states.tsx";
import { Card } from "./card.tsx";
import { leave, logoutQuery } from "./queries.ts";

export function LogoutPage() {
  const { t } = useT();
  const { search } = useLocation();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const session = useQuery(sessionQuery);
  const question = useQuery(logoutQuery(search));
  const [isOver, setIsOver] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const went = useRef(false);
  const asked = question.data;

  const go = async () => {
    if (went.current) return;
    went.current = true;
    try {
      const to = session.data ? await leave(search) : (asked?.redirect_to ?? null);
      queryClient.setQueryData(sessionQuery.queryKey, null);
      if (to) window.location.assign(to);
      setIsOver(true);
    } catch (error) {
      went.current = false;
      setFailure(error);
    }
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: goes once, whatever is drawn anew
  useEffect(() => {
    const isKnown = asked !== undefined && session.data !== undefined;
    if (isKnown && (session.data === null || asked.is_this_session)) void go();
  }, [asked, session.data]);

  const error = failure ?? session.error ?? question.error;
  if (error) return <Failed error={error} />;
  if (isOver) {
    return (
      <Card title={t("oidc.logout")}>
        <Result status="success" title={t("oidc.logout-done")} />
      </Card>
    );
  }
  if (!asked || !session.data || asked.is_this_session) return <Loading tall />;
  return (
    <Card title={t("oidc.logout")}>
      {asked.client_name && <p>{t("oidc.logout-wants", { client: asked.client_name })}</p>}
      <p>{t("oidc.logout-text")}</p>
      <Space>
        <Button onClick={() => navigate("/")}>{t("oidc.logout-stay")}</Button>
        <Button type="primary" onClick={() => void go()}>
          {t("oidc.logout")}
        </Button>
      </Space>
    </Card>
  );
}
