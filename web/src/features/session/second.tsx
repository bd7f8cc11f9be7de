/** The second step of signing in: a code, a recovery code or a passkey; or setting a second factor up, where the role asks. */
import { KeyOutlined } from "@ant-design/icons";
import { useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Form, Input, Tabs } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import {
  type Enrolled,
  enrolPasskey,
  enrolTotp,
  enrolTotpConfirm,
  signInWithCode,
  signInWithPasskey,
} from "../../lib/session.ts";
import type { SecondStep, User } from "../../lib/types.ts";
import { CodeItem, RecoveryCodeList, TotpSecret, useNewTotp } from "../account/totp.tsx";
import "../account/account.css";

interface Props {
  /** Whether this page can use passkeys. */
  canUsePasskeys: boolean;
  busy: boolean;
  /** Runs one try; what goes wrong is shown by the page. */
  attempt: (perform: () => Promise<User | null>) => Promise<void>;
}

interface Stepping extends Props {
  step: SecondStep;
  /** Whether an outside provider stood in for the password. */
  isOutside: boolean;
}

export function Second({ step, isOutside, ...props }: Stepping) {
  return step.enrol ? <Enrol {...props} /> : <Show step={step} isOutside={isOutside} {...props} />;
}

function Show({ step, isOutside, canUsePasskeys, busy, attempt }: Stepping) {
  const { t } = useT();
  const queryClient = useQueryClient();
  const hasCode = step.totp || step.recovery;
  const hasPasskey = step.passkey && canUsePasskeys;
  return (
    <>
      <h2>{t("sign-in.second")}</h2>
      <p className="quiet">{t(isOutside ? "sign-in.second-outside" : "sign-in.second-text")}</p>
      {hasPasskey && (
        <Button
          type={step.totp ? "default" : "primary"}
          block
          size="large"
          icon={<KeyOutlined />}
          loading={busy}
          data-testid="second-passkey"
          onClick={() => void attempt(() => signInWithPasskey(queryClient))}
        >
          {t("sign-in.passkey")}
        </Button>
      )}
      {hasCode && (
        <Form
          layout="vertical"
          requiredMark={false}
          size="large"
          disabled={busy}
          onFinish={({ code }: { code: string }) => attempt(() => signInWithCode(queryClient, code))}
        >
          <Form.Item
            name="code"
            label={t("sign-in.code")}
            rules={[{ required: true, whitespace: true, message: t("sign-in.code-missing") }]}
          >
            <Input autoComplete="one-time-code" autoFocus autoCapitalize="none" className="mono" />
          </Form.Item>
          <Button type="primary" htmlType="submit" block loading={busy}>
            {t("sign-in.confirm")}
          </Button>
        </Form>
      )}
      {!hasPasskey && !hasCode && <Alert type="warning" showIcon title={t("sign-in.no-way")} />}
    </>
  );
}

function Enrol({ canUsePasskeys, busy, attempt }: Props) {
  const { t } = useT();
  const [done, setDone] = useState<Enrolled | null>(null);
  if (done) {
    return (
      <>
        <h2>{t("account.recovery")}</h2>
        <Alert type="warning" showIcon title={t("account.recovery-once")} style={{ marginBottom: 12 }} />
        <RecoveryCodeList codes={done.recoveryCodes} />
        <Button
          type="primary"
          block
          size="large"
          style={{ marginTop: 16 }}
          data-testid="recovery-kept"
          onClick={() => void attempt(async () => done.enter())}
        >
          {t("sign-in.enter")}
        </Button>
      </>
    );
  }
  /** The codes are shown first; the person goes in when they are kept. */
  const set = (perform: () => Promise<Enrolled>) =>
    attempt(async () => {
      setDone(await perform());
      return null;
    });
  const ways = [
    {
      key: "totp",
      label: t("account.totp"),
      children: <EnrolTotp busy={busy} set={set} />,
    },
    ...(canUsePasskeys
      ? [{ key: "passkey", label: t("account.passkeys"), children: <EnrolPasskey busy={busy} set={set} /> }]
      : []),
  ];
  return (
    <>
      <h2>{t("sign-in.enrol")}</h2>
      <p className="quiet">{t("sign-in.enrol-text")}</p>
      <Tabs items={ways} />
    </>
  );
}

interface Setting {
  busy: boolean;
  set: (perform: () => Promise<Enrolled>) => Promise<void>;
}

function EnrolTotp({ busy, set }: Setting) {
  const { t } = useT();
  const queryClient = useQueryClient();
  const shown = useNewTotp(enrolTotp);
  return (
    <Form
      layout="vertical"
      requiredMark={false}
      disabled={busy}
      onFinish={({ code }: { code: string }) => set(() => enrolTotpConfirm(queryClient, code))}
    >
      <TotpSecret shown={shown} />
      <CodeItem />
      <Button type="primary" htmlType="submit" block loading={busy} data-testid="enrol-totp">
        {t("account.totp-confirm")}
      </Button>
    </Form>
  );
}

function EnrolPasskey({ busy, set }: Setting) {
  const { t } = useT();
  const queryClient = useQueryClient();
  return (
    <Form
      layout="vertical"
      requiredMark={false}
      disabled={busy}
      onFinish={({ name }: { name: string }) => set(() => enrolPasskey(queryClient, name.trim()))}
    >
      <p className="quiet">{t("account.passkeys-text")}</p>
      <Form.Item
        name="name"
        label={t("account.passkey-name")}
        rules={[{ required: true, whitespace: true, message: t("account.passkey-name-missing") }]}
      >
        <Input maxLength={60} />
      </Form.Item>
      <Button type="primary" htmlType="submit" block loading={busy}>
        {t("account.passkey-add")}
      </Button>
    </Form>
  );
}
