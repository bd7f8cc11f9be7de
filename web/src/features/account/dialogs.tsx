/** Dialogs of the account's page: another password, a passkey's name, time-based codes, recovery codes. */
import { Alert, Button, Form, Input, Modal } from "antd";
import { useT } from "../../i18n/index.tsx";
import { turnedBack } from "../../lib/passkey.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { addPasskey, beginTotp, changePassword, confirmTotp } from "./queries.ts";
import { CodeItem, RecoveryCodeList, TotpSecret, useNewTotp } from "./totp.tsx";

/** As the server asks. */
const PASSWORD_CHARS_MIN = 12;
const NAME_CHARS_MAX = 60;

interface Passwords {
  old: string;
  next: string;
  again: string;
}

export function PasswordDialog({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const { t } = useT();
  const [form] = Form.useForm<Passwords>();
  useFocusBack();
  return (
    <FormDialog
      form={form}
      perform={async ({ old, next }) => {
        await changePassword(old, next);
        onDone();
      }}
      onClose={onClose}
      title={t("account.password-change")}
      okText={t("account.password-change")}
      submitId="password-submit"
    >
      <Form.Item
        name="old"
        label={t("account.password-old")}
        rules={[{ required: true, message: t("account.password-missing") }]}
      >
        <Input.Password autoComplete="current-password" autoFocus />
      </Form.Item>
      <Form.Item
        name="next"
        label={t("account.password-new")}
        rules={[
          { required: true, message: t("account.password-missing") },
          { min: PASSWORD_CHARS_MIN, message: t("account.password-short") },
        ]}
      >
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      <Form.Item
        name="again"
        label={t("account.password-repeat")}
        dependencies={["next"]}
        rules={[
          {
            validator: async (_, value) => {
              if (value !== form.getFieldValue("next")) throw new Error(t("account.password-differs"));
            },
          },
        ]}
      >
        <Input.Password autoComplete="new-password" />
      </Form.Item>
    </FormDialog>
  );
}

export function PasskeyDialog({
  onClose,
  onDone,
}: {
  onClose: () => void;
  onDone: (recoveryCodes: string[]) => void;
}) {
  const { t } = useT();
  const [form] = Form.useForm<{ name: string }>();
  useFocusBack();
  return (
    <FormDialog
      form={form}
      perform={async ({ name }) => {
        try {
          onDone((await addPasskey(name.trim())).recovery_codes);
        } catch (error) {
          if (!turnedBack(error)) throw error;
        }
      }}
      onClose={onClose}
      title={t("account.passkey-add")}
      okText={t("account.passkey-add")}
      submitId="passkey-submit"
    >
      <Form.Item
        name="name"
        label={t("account.passkey-name")}
        rules={[{ required: true, whitespace: true, message: t("account.passkey-name-missing") }]}
      >
        <Input autoFocus maxLength={NAME_CHARS_MAX} />
      </Form.Item>
    </FormDialog>
  );
}

export function TotpDialog({
  onClose,
  onDone,
}: {
  onClose: () => void;
  onDone: (recoveryCodes: string[]) => void;
}) {
  const { t } = useT();
  const [form] = Form.useForm<{ code: string }>();
  const shown = useNewTotp(beginTotp);
  useFocusBack();
  return (
    <FormDialog
      form={form}
      perform={async ({ code }) => onDone(await confirmTotp(code))}
      onClose={onClose}
      title={t("account.totp-add")}
      okText={t("account.totp-confirm")}
      submitId="totp-submit"
      intro={<TotpSecret shown={shown} />}
    >
      <CodeItem />
    </FormDialog>
  );
}

/** Shown until the person says that they are kept: closing it by mistake would lose them. */
export function RecoveryDialog({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  const { t } = useT();
  return (
    <Modal
      open
      title={t("account.recovery")}
      closable={false}
      mask={{ closable: false }}
      keyboard={false}
      footer={
        <Button type="primary" onClick={onClose} data-testid="recovery-kept">
          {t("account.recovery-kept")}
        </Button>
      }
    >
      <div className="stack">
        <Alert type="warning" showIcon title={t("account.recovery-once")} />
        <RecoveryCodeList codes={codes} />
      </div>
    </Modal>
  );
}
