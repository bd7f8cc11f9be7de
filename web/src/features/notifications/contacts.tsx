/** How I am reached, and when I am left in peace: a part of my account. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Input, Modal, Tag } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { errorText, Failed } from "../../ui/states.tsx";
import { contactActions } from "./actions.tsx";
import { contactsQuery, removeContact, setContact, setQuietHours, verifyContact } from "./queries.ts";

const KINDS = ["email", "phone"] as const;
type Kind = (typeof KINDS)[number];

export function Contacts() {
  const { t } = useT();
  const { message, modal } = App.useApp();
  const queryClient = useQueryClient();
  const contacts = useQuery(contactsQuery);
  const [setting, setSetting] = useState<Kind | null>(null);
  const fresh = () => void queryClient.invalidateQueries({ queryKey: contactsQuery.queryKey });
  if (contacts.error) return <Failed error={contacts.error} />;
  const found = contacts.data;
  if (!found) return null;
  const shown = KINDS.filter(
    (kind) => found.kinds.includes(kind) || found.items.some((one) => one.kind === kind),
  );
  const remove = (kind: string) =>
    modal.confirm({
      title: t("contact.remove-confirm"),
      okButtonProps: { danger: true },
      onOk: async () => {
        try {
          await removeContact(kind);
          fresh();
        } catch (error) {
          message.error(errorText(error, t));
        }
      },
    });
  return (
    <section className="account-part" aria-label={t("contact.title")}>
      <h2>{t("contact.title")}</h2>
      <p className="quiet">{t("contact.text")}</p>
      {shown.length === 0 && <p className="quiet">{t("contact.none")}</p>}
      <ul className="account-list">
        {shown.map((kind) => {
          const contact = found.items.find((one) => one.kind === kind);
          return (
            <li key={kind} data-testid={`contact-${kind}`}>
              <span>
                <strong>{t(`contact.kind-${kind}`)}</strong> {contact?.shown}{" "}
                {contact && (
                  <Tag color={contact.verified_at ? "green" : "orange"}>
                    {t(contact.verified_at ? "contact.proven" : "contact.not-proven")}
                  </Tag>
                )}
              </span>
              <ActionBar
                actions={contactActions}
                context={{ kind, contact, set: () => setSetting(kind), remove }}
                size="small"
              />
            </li>
          );
        })}
      </ul>
      <QuietHours from={found.quiet_from ?? ""} until={found.quiet_until ?? ""} done={fresh} />
      {setting && (
        <ContactDialog
          kind={setting}
          onClose={() => {
            setSetting(null);
            fresh();
          }}
        />
      )}
    </section>
  );
}

function QuietHours({ from, until, done }: { from: string; until: string; done: () => void }) {
  const { t } = useT();
  const { message } = App.useApp();
  const [begin, setBegin] = useState(from);
  const [end, setEnd] = useState(until);
  const save = async () => {
    try {
      await setQuietHours(begin || null, end || null);
      message.success(t("contact.quiet-saved"));
      done();
    } catch (error) {
      message.error(errorText(error, t));
    }
  };
  return (
    <>
      <p className="quiet">{t("contact.quiet-text")}</p>
      <div className="account-bar">
        <Input
          type="time"
          className="contact-time"
          aria-label={t("contact.quiet-from")}
          value={begin}
          onChange={(e) => setBegin(e.target.value)}
        />
        <Input
          type="time"
          className="contact-time"
          aria-label={t("contact.quiet-until")}
          value={end}
          onChange={(e) => setEnd(e.target.value)}
        />
        <Button onClick={() => void save()}>{t("contact.quiet-save")}</Button>
      </div>
    </>
  );
}

function ContactDialog({ kind, onClose }: { kind: Kind; onClose: () => void }) {
  const { t } = useT();
  const { message } = App.useApp();
  const [value, setValue] = useState("");
  const [code, setCode] = useState("");
  const [isSent, setIsSent] = useState(false);
  const [busy, setBusy] = useState(false);
  const go = async () => {
    setBusy(true);
    try {
      if (isSent) {
        await verifyContact(kind, code);
        message.success(t("contact.verified"));
        onClose();
      } else {
        await setContact(kind, value);
        setIsSent(true);
      }
    } catch (error) {
      message.error(errorText(error, t), 6);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      open
      title={t(`contact.kind-${kind}`)}
      okText={t(isSent ? "contact.verify" : "contact.send-code")}
      confirmLoading={busy}
      onOk={() => void go()}
      onCancel={onClose}
    >
      <Input
        value={value}
        disabled={isSent}
        type={kind === "email" ? "email" : "tel"}
        aria-label={t(`contact.kind-${kind}`)}
        onChange={(e) => setValue(e.target.value)}
      />
      {isSent && (
        <>
          <p>{t("contact.code-text")}</p>
          <Input
            value={code}
            inputMode="numeric"
            autoComplete="one-time-code"
            maxLength={6}
            aria-label={t("contact.code")}
            onChange={(e) => setCode(e.target.value)}
          />
        </>
      )}
    </Modal>
  );
}
