/** A new secret for time-based codes: the picture, the secret to type, and the field for the first code. */
import { useQuery } from "@tanstack/react-query";
import { Form, Input } from "antd";
import { useT } from "../../i18n/index.tsx";
import type { NewTotp } from "../../lib/types.ts";
import { Failed, Loading } from "../../ui/states.tsx";
import { CopyButton } from "../../ui/tags.tsx";

/** The server draws a new secret each time it is asked, so it is asked once for each showing. */
export function useNewTotp(ask: () => Promise<NewTotp>) {
  return useQuery({
    queryKey: ["new-totp"],
    queryFn: ask,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
  });
}

export function TotpSecret({ shown }: { shown: ReturnType<typeof useNewTotp> }) {
  const { t } = useT();
  if (shown.error) return <Failed error={shown.error} />;
  if (!shown.data) return <Loading />;
  const { qr_svg, secret } = shown.data;
  return (
    <div className="totp">
      <p>{t("account.totp-scan")}</p>
      {qr_svg && (
        <img
          className="totp-qr"
          src={`data:image/svg+xml,${encodeURIComponent(qr_svg)}`}
          alt={t("account.totp-qr")}
        />
      )}
      <p>
        {t("account.totp-secret")}
        <code className="totp-secret" data-testid="totp-secret">
          {secret.replace(/(.{4})(?=.)/g, "$1 ")}
        </code>{" "}
        <CopyButton text={secret} />
      </p>
    </div>
  );
}

/** The field for a code of six digits; telephones show digits and offer what just came. */
export function CodeItem() {
  const { t } = useT();
  return (
    <Form.Item
      name="code"
      label={t("account.totp-code")}
      rules={[{ required: true, pattern: /^\s*\d{3}\s*\d{3}\s*$/, message: t("account.totp-code-missing") }]}
    >
      <Input inputMode="numeric" autoComplete="one-time-code" maxLength={8} className="mono" />
    </Form.Item>
  );
}

/** Recovery codes, to be copied this once. */
export function RecoveryCodeList({ codes }: { codes: string[] }) {
  return (
    <div>
      <ul className="recovery-codes" data-testid="recovery-codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <CopyButton text={codes.join("\n")} />
    </div>
  );
}
