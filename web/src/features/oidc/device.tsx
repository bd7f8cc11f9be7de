/** A device without a browser shows a code; its person types it here and says yes or no. */
import "./oidc.css";
import { useQuery } from "@tanstack/react-query";
import { Alert, Button, Form, Input, Result } from "antd";
import { useState } from "react";
import { Navigate, useLocation } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar } from "../../lib/actions.tsx";
import { ApiError } from "../../lib/api.ts";
import { sessionQuery } from "../../lib/session.ts";
import type { DeviceQuestion } from "../../lib/types.ts";
import { errorText, Failed, Loading } from "../../ui/states.tsx";
import { answerActions } from "./actions.tsx";
import { Card, Wanted } from "./card.tsx";
import { answerDevice, askDevice } from "./queries.ts";

/** Letters of a code, without what people type between them. */
const letters = (typed: string) => typed.replace(/[^a-z]/gi, "").toUpperCase();

export function DevicePage() {
  const { t } = useT();
  const { pathname, search } = useLocation();
  const session = useQuery(sessionQuery);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [asked, setAsked] = useState<{ code: string; question: DeviceQuestion } | null>(null);
  const [approved, setApproved] = useState<boolean | null>(null);

  if (session.data === null) return <Navigate to="/sign-in" state={{ from: pathname + search }} replace />;
  if (session.error) return <Failed error={session.error} retry={() => void session.refetch()} />;
  if (!session.data) return <Loading tall />;

  const ask = async ({ code }: { code: string }) => {
    setBusy(true);
    setError(null);
    try {
      setAsked({ code, question: await askDevice(code) });
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const answer = async (approve: boolean) => {
    if (!asked) return;
    try {
      await answerDevice(asked.code, approve);
      setApproved(approve);
    } catch (failure) {
      setError(failure);
      setAsked(null);
    }
  };
  if (approved !== null) {
    return (
      <Card title={t("oidc.device")}>
        <Result
          status={approved ? "success" : "info"}
          title={t(approved ? "oidc.device-approved" : "oidc.device-denied")}
        />
      </Card>
    );
  }
  if (asked) {
    const client = asked.question.client_name;
    return (
      <Card title={t("oidc.title", { client })}>
        <p>{t("oidc.device-wants", { client })}</p>
        <Wanted scopes={asked.question.scopes} />
        <Alert type="warning" showIcon title={t("oidc.device-warning")} style={{ marginBottom: 16 }} />
        <div className="oidc-answers">
          <ActionBar actions={answerActions} context={{ answer }} />
        </div>
      </Card>
    );
  }
  /** In the reader's language where there is a line for it. */
  const said = (failure: unknown) => {
    const key = failure instanceof ApiError ? keyOf("problem", failure.code) : undefined;
    return key ? t(key) : errorText(failure, t);
  };
  const offered = new URLSearchParams(search).get("user_code") ?? "";
  return (
    <Card title={t("oidc.device")}>
      <Form
        layout="vertical"
        requiredMark={false}
        onFinish={ask}
        disabled={busy}
        size="large"
        initialValues={{ code: offered }}
      >
        <Form.Item
          name="code"
          label={t("oidc.device-code")}
          rules={[
            {
              validator: (_, typed: string) =>
                letters(typed ?? "").length === 8
                  ? Promise.resolve()
                  : Promise.reject(new Error(t("oidc.device-missing"))),
            },
          ]}
        >
          <Input
            autoFocus
            autoComplete="off"
            autoCapitalize="characters"
            maxLength={20}
            placeholder="XXXX-XXXX"
          />
        </Form.Item>
        {error !== null && (
          <Alert type="error" showIcon role="alert" title={said(error)} style={{ marginBottom: 16 }} />
        )}
        <Button type="primary" htmlType="submit" block loading={busy}>
          {t("oidc.device-next")}
        </Button>
      </Form>
    </Card>
  );
}
