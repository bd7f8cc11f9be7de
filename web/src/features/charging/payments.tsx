/** How the bill of a session was paid, what of it was given back, and giving some back, with a reason that is asked once more. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Card, Input, Tag } from "antd";
import { useRef, useState } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import type { ChargingPayments, ChargingSessionDetail } from "../../lib/types.ts";
import { uuid } from "../../lib/uuid.ts";
import { errorText, Loaded } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { fenOf, yuanText } from "../projects/money.ts";
import { money } from "./marks.tsx";
import { paymentsQuery, ROOM, refund } from "./queries.ts";

const REASON_CHARS_MAX = 1_000;
const COLOURS: Record<string, string> = { open: "gold", held: "blue", done: "green", refused: "red" };

function PaidTag({ state }: { state: string }) {
  const { t } = useT();
  const key = keyOf("charging-payment", state);
  return (
    <Tag color={COLOURS[state]} style={{ marginInlineEnd: 0 }}>
      {key ? t(key) : state}
    </Tag>
  );
}

export function Payments({ detail }: { detail: ChargingSessionDetail }) {
  const { t } = useT();
  const payments = useQuery(paymentsQuery(detail.session.id));
  return (
    <Card size="small" title={t("charging.payments")} data-testid="charging-payments">
      <Loaded query={payments}>
        {(found) => <Found id={detail.session.id} found={found} mayManage={detail.may_manage} />}
      </Loaded>
    </Card>
  );
}

function Found({ id, found, mayManage }: { id: number; found: ChargingPayments; mayManage: boolean }) {
  const { t } = useT();
  return (
    <>
      {found.payments.length === 0 && <p className="quiet">{t("charging.payments-none")}</p>}
      <ul className="charging-payments">
        {found.payments.map((payment) => (
          <li key={payment.id}>
            <PaidTag state={payment.state} /> <Time at={payment.changed_at} /> <code>{payment.id}</code>
          </li>
        ))}
        {found.refunds.map((back) => (
          <li key={`refund ${back.part}`}>
            <PaidTag state={back.state} /> {t("charging.refund-of", { amount: money(back.fen, t) })} ·{" "}
            {back.asked_by} · <Time at={back.made_at} />
            <div className="prose">{back.reason}</div>
          </li>
        ))}
        {found.cases.map((number) => (
          <li key={`case ${number}`}>
            <Link to={`/cases/${number}`}>{t("charging.case", { id: number })}</Link>
          </li>
        ))}
      </ul>
      {mayManage && found.refundable_fen > 0 && <Refund id={id} most={found.refundable_fen} />}
    </>
  );
}

function Refund({ id, most }: { id: number; most: number }) {
  const { t } = useT();
  const { modal, message } = App.useApp();
  const queryClient = useQueryClient();
  const [amount, setAmount] = useState(yuanText(most));
  const [reason, setReason] = useState("");
  const [wrong, setWrong] = useState<"charging.refund-amount-wrong" | "charging.refund-reason-missing">();
  // The same while it is sent again, so that what was asked for once is given back once.
  const key = useRef(uuid());
  const ask = () => {
    const fen = fenOf(amount);
    const why = reason.trim();
    const isAmount = fen !== null && fen > 0 && fen <= most;
    setWrong(
      isAmount ? (why ? undefined : "charging.refund-reason-missing") : "charging.refund-amount-wrong",
    );
    if (!isAmount || !why) return;
    modal.confirm({
      title: t("charging.refund-confirm", { amount: money(fen, t) }),
      content: <p className="prose">{t("charging.decide-final", { note: why })}</p>,
      okText: t("charging.refund"),
      cancelText: t("word.cancel"),
      okButtonProps: { "data-testid": "charging-refund-sure" },
      onOk: async () => {
        try {
          const next = await refund(id, { fen, reason: why, key: key.current });
          queryClient.setQueryData(paymentsQuery(id).queryKey, next);
          key.current = uuid();
          setReason("");
          message.success(t("charging.refund-done"));
        } catch (error) {
          message.error(errorText(error, t), 6);
        }
        void queryClient.invalidateQueries({ queryKey: ROOM });
      },
    });
  };
  return (
    <form
      className="charging-refund"
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <Input
        value={amount}
        inputMode="decimal"
        suffix={t("charging.refund-unit")}
        aria-label={t("charging.refund-amount")}
        onChange={({ target }) => setAmount(target.value)}
      />
      <Input
        value={reason}
        maxLength={REASON_CHARS_MAX}
        aria-label={t("charging.refund-reason")}
        placeholder={t("charging.refund-reason")}
        onChange={({ target }) => setReason(target.value)}
      />
      <Button htmlType="submit" danger>
        {t("charging.refund")}
      </Button>
      {wrong && (
        <p className="charging-wrong" role="alert">
          {t(wrong, { amount: money(most, t) })}
        </p>
      )}
    </form>
  );
}
