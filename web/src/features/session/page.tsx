/** Sign-in: by password, with a second step where there is one, by passkey, or with an outside provider; clear errors, and when attempts are limited, the time of the next one. */
import { IdcardOutlined, KeyOutlined, LockOutlined, UserOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Divider, Form, Input } from "antd";
import { useEffect, useState } from "react";
import { useLocation, useNavigate, useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ApiError } from "../../lib/api.ts";
import { time, ZONE_LABEL } from "../../lib/format.ts";
import { readKept } from "../../lib/kept.ts";
import { canUsePasskeys, turnedBack } from "../../lib/passkey.ts";
import { methodsQuery, secondStep, signIn, signInOutside, signInWithPasskey } from "../../lib/session.ts";
import type { SecondStep, User } from "../../lib/types.ts";
import { firstPage } from "../../shell/navigation.tsx";
import { LanguageSwitch } from "../../shell/shell.tsx";
import { errorText } from "../../ui/states.tsx";
import { Second } from "./second.tsx";

export function Page() {
  const { t, language } = useT();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const [query] = useSearchParams();
  // Whoever comes back from an outside provider has the way in the address; it must be one of ours.
  const isSecond = query.has("second");
  const from = (useLocation().state as { from?: string } | null)?.from ?? ownPage(query.get("return_to"));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [blockedUntil, setBlockedUntil] = useState<number | null>(null);
  const secondsLeft = useCountdown(blockedUntil);

  const [step, setStep] = useState<SecondStep | null>(null);
  const methods = useQuery({ ...methodsQuery, retry: false }).data;
  const passkeys = canUsePasskeys(methods?.passkey_origin);
  const providers = methods?.providers ?? [];

  /** One try; gives who is in, a second step, or nothing when more is to be done first. */
  const attempt = async (perform: () => Promise<User | SecondStep | null>) => {
    setBusy(true);
    setError(null);
    try {
      const answer = await perform();
      if (answer && "permissions" in answer) navigate(from ?? firstPage(answer), { replace: true });
      else if (answer) setStep(answer);
    } catch (failure) {
      if (turnedBack(failure)) return;
      setError(failure);
      if (failure instanceof ApiError && failure.code === "sign-in-begin-again") setStep(null);
      if (failure instanceof ApiError && failure.status === 429 && failure.retryAfterSeconds) {
        setBlockedUntil(Date.now() + failure.retryAfterSeconds * 1_000);
      }
    } finally {
      setBusy(false);
    }
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked once, when the page is come to
  useEffect(() => {
    if (isSecond) void attempt(secondStep);
  }, [isSecond]);
  const submit = (values: { username: string; password: string }) =>
    attempt(() => signIn(queryClient, values.username.trim(), values.password));

  const message = () => {
    if (blockedUntil && secondsLeft > 0) {
      const at = `${time(blockedUntil).slice(11)} ${ZONE_LABEL}`;
      return t("sign-in.limited", { time: at, seconds: secondsLeft });
    }
    if (!(error instanceof ApiError)) return error ? errorText(error, t) : null;
    if (error.status === 429) return error.retryAfterSeconds ? null : t("sign-in.limited-unknown");
    const known = keyOf("problem", error.code);
    if (known) return t(known);
    // The server says no more than that to anybody.
    return error.status === 401 && step === null ? t("sign-in.wrong") : errorText(error, t);
  };
  const shown = message();
  const failed = shown && (
    <Alert type="error" showIcon title={shown} role="alert" style={{ marginBottom: 16 }} />
  );

  return (
    <div className="sign-in">
      <div className="sign-in-language">
        <LanguageSwitch light />
      </div>
      <main className="sign-in-card">
        <img src="/favicon.svg" alt="" width={52} height={52} />
        <h1>{t("app.name")}</h1>
        <p className="quiet">{t("app.subtitle")}</p>
        {step ? (
          <div className="stack">
            <Second
              step={step}
              isOutside={isSecond}
              canUsePasskeys={passkeys}
              busy={busy}
              attempt={attempt}
            />
            {failed}
            <Button type="link" disabled={busy} onClick={() => setStep(null)}>
              {t("sign-in.back")}
            </Button>
          </div>
        ) : (
          <>
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
              {failed}
              <Button type="primary" htmlType="submit" block loading={busy} disabled={secondsLeft > 0}>
                {t("sign-in.submit")}
              </Button>
            </Form>
            {(passkeys || providers.length > 0) && <Divider plain>{t("sign-in.or")}</Divider>}
            <div className="stack">
              {passkeys && (
                <Button
                  block
                  size="large"
                  icon={<KeyOutlined />}
                  disabled={busy}
                  data-testid="sign-in-passkey"
                  onClick={() => void attempt(() => signInWithPasskey(queryClient))}
                >
                  {t("sign-in.passkey")}
                </Button>
              )}
              {providers.map((provider) => (
                <Button
                  key={provider.id}
                  block
                  size="large"
                  icon={<IdcardOutlined />}
                  disabled={busy || secondsLeft > 0}
                  data-testid={`sign-in-${provider.id}`}
                  onClick={() =>
                    void attempt(async () => {
                      await signInOutside(provider.id, from);
                      return null;
                    })
                  }
                >
                  {t("sign-in.outside", { name: language === "zh" ? provider.name_zh : provider.name_en })}
                </Button>
              ))}
            </div>
            <KeptTasks />
            <p className="quiet sign-in-help">{t("sign-in.help")}</p>
          </>
        )}
      </main>
    </div>
  );
}

/** Without a network nobody can sign in, but a field worker's tasks as last read are there. */
function KeptTasks() {
  const { t } = useT();
  const { error } = useQuery({ ...methodsQuery, retry: false });
  const isUnreached = error instanceof ApiError && error.passing;
  const kept = useQuery({ queryKey: ["kept"], queryFn: () => readKept(), enabled: isUnreached }).data;
  if (!isUnreached || !kept) return null;
  // A new visit, which begins with what is kept.
  return <a href="/field">{t("sign-in.kept", { time: time(kept.at) })}</a>;
}

/** A page of ours, as the server gave it; nothing that a browser would read as another site. */
function ownPage(path: string | null): string | undefined {
  return path && /^\/(?![/\\])/.test(path) ? path : undefined;
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
