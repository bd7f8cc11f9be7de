/** Sign-in: clear errors, and when attempts are limited, the time of the next one. */
import { LockOutlined, UserOutlined } from "@ant-design/icons";
import { useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Form, Input } from "antd";
import { useEffect, useState } from "react";
import { useLocation, useNavigate } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ApiError } from "../../lib/api.ts";
import { time, ZONE_LABEL } from "../../lib/format.ts";
import { signIn } from "../../lib/session.ts";
import { firstPage } from "../../shell/navigation.tsx";
import { LanguageSwitch } from "../../shell/shell.tsx";
import { errorText } from "../../ui/states.tsx";

export function Page() {
  const { t } = useT();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const from = (useLocation().state as { from?: string } | null)?.from;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [blockedUntil, setBlockedUntil] = useState<number | null>(null);
  const secondsLeft = useCountdown(blockedUntil);

  const submit = async (values: { username: string; password: string }) => {
    setBusy(true);
    setError(null);
    try {
      const user = await signIn(queryClient, values.username.trim(), values.password);
      navigate(from ?? firstPage(user), { replace: true });
    } catch (failure) {
      setError(failure);
      if (failure instanceof ApiError && failure.status === 429 && failure.retryAfterSeconds) {
        setBlockedUntil(Date.now() + failure.retryAfterSeconds * 1_000);
      }
    } finally {
      setBusy(false);
    }
  };

  const message = () => {
    if (blockedUntil && secondsLeft > 0) {
      const at = `${time(blockedUntil).slice(11)} ${ZONE_LABEL}`;
      return t("sign-in.limited", { time: at, seconds: secondsLeft });
    }
    if (!(error instanceof ApiError)) return error ? errorText(error, t) : null;
    if (error.status === 401) return t("sign-in.wrong");
    if (error.status === 429) return error.retryAfterSeconds ? null : t("sign-in.limited-unknown");
    return errorText(error, t);
  };
  const shown = message();

  return (
    <div className="sign-in">
      <div className="sign-in-language">
        <LanguageSwitch light />
      </div>
      <main className="sign-in-card">
        <img src="/favicon.svg" alt="" width={52} height={52} />
        <h1>{t("app.name")}</h1>
        <p className="quiet">{t("app.subtitle")}</p>
        <Form layout="vertical" requiredMark={false} onFinish={submit} disabled={busy} size="large">
          <Form.Item
            name="username"
            label={t("sign-in.username")}
            rules={[{ required: true, whitespace: true, message: t("sign-in.username-missing") }]}
          >
            <Input prefix={<UserOutlined />} autoComplete="username" autoFocus autoCapitalize="none" />
          </Form.Item>
          <Form.Item
            name="password"
            label={t("sign-in.password")}
            rules={[{ required: true, message: t("sign-in.password-missing") }]}
          >
            <Input.Password prefix={<LockOutlined />} autoComplete="current-password" />
          </Form.Item>
          {shown && <Alert type="error" showIcon title={shown} role="alert" style={{ marginBottom: 16 }} />}
          <Button type="primary" htmlType="submit" block loading={busy} disabled={secondsLeft > 0}>
            {t("sign-in.submit")}
          </Button>
        </Form>
        <p className="quiet sign-in-help">{t("sign-in.help")}</p>
      </main>
    </div>
  );
}

/** Whole seconds until a time; 0 when it is past or null. */
function useCountdown(until: number | null): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (until === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [until]);
  return until === null ? 0 : Math.max(0, Math.ceil((until - now) / 1_000));
}
