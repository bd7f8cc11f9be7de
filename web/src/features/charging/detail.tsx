/** One session: its facts, its bill line by line, what is in doubt, what is decided on it, and what the station told. */
import { ArrowLeftOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Button, Card, Input } from "antd";
import { type ReactNode, useMemo, useState } from "react";
import { Link, useParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar } from "../../lib/actions.tsx";
import { ZONE_LABEL } from "../../lib/format.ts";
import type { ChargingBill, ChargingDoubt, ChargingSessionDetail } from "../../lib/types.ts";
import { errorText, Loaded, Nothing } from "../../ui/states.tsx";
import { CopyButton, Time } from "../../ui/tags.tsx";
import { yuan } from "../projects/money.ts";
import { type DecisionKind, decisionActions, sessionActions } from "./actions.tsx";
import "./charging.css";
import {
  Card as CardMark,
  CorrectedTag,
  Energy,
  eventWord,
  money,
  operatorWord,
  StandingTag,
  StateTag,
  StationLink,
} from "./marks.tsx";
import { OrderDialog } from "./order-dialog.tsx";
import { Payments } from "./payments.tsx";
import { decide, ROOM, sessionQuery, sessionsPath } from "./queries.ts";
import { POINTS_MIN, RegisterChart, readingsOf } from "./register-chart.tsx";
import { kwh, lasted } from "./say.ts";

const NOTE_CHARS_MAX = 1_000;

export function Page() {
  const { t } = useT();
  const id = useParams().id ?? "";
  const session = useQuery(sessionQuery(id));
  return (
    <div className="page">
      <Link to="/charging?view=sessions" className="back">
        <ArrowLeftOutlined /> {t("charging.back")}
      </Link>
      <Loaded query={session} tall>
        {(detail) => <Detail key={detail.session.id} detail={detail} />}
      </Loaded>
    </div>
  );
}

function Detail({ detail }: { detail: ChargingSessionDetail }) {
  const { t } = useT();
  const [stopping, setStopping] = useState(false);
  const { session, bill, correction, money: ledger } = detail;
  return (
    <>
      <header className="page-head">
        <h1>{t("charging.session", { id: session.id })}</h1>
        <StateTag state={session.state} />
        {session.corrected && <CorrectedTag />}
        <span className="grow" />
        <ActionBar actions={sessionActions} context={{ detail, stop: () => setStopping(true) }} />
      </header>
      {bill?.standing === "held" && (
        <Doubts title={t("charging.doubts", { n: bill.doubts.length })} doubts={bill.doubts} />
      )}
      <div className={bill?.standing === "held" ? "charging-two charging-held" : "charging-two"}>
        <div className="stack">
          <Card size="small" title={t("charging.facts")}>
            <Facts detail={detail} />
          </Card>
          <Card size="small" title={t("charging.ledger")} data-testid="charging-ledger">
            <dl className="problem charging-sums">
              <dt>{t("charging.ledger-billed")}</dt>
              <dd>{money(ledger.billed_fen, t)}</dd>
              <dt>{t("charging.ledger-paid")}</dt>
              <dd>{money(ledger.paid_fen, t)}</dd>
              <dt>{t("charging.ledger-refunded")}</dt>
              <dd>{money(ledger.refunded_fen, t)}</dd>
            </dl>
          </Card>
        </div>
        <div className="stack">
          <Card
            size="small"
            title={t("charging.bill")}
            extra={bill && <StandingTag standing={bill.standing} />}
            data-testid="charging-bill"
          >
            {bill ? <Bill bill={bill} number={detail.tariff_number} /> : <NoBill state={session.state} />}
          </Card>
          {bill?.standing === "held" && detail.may_manage && <Decide detail={detail} bill={bill} />}
          {bill && correction && <Correction bill={bill} correction={correction} />}
          {bill && ledger.billed_fen > 0 && <Payments detail={detail} />}
        </div>
      </div>
      <Told detail={detail} />
      {stopping && (
        <OrderDialog
          station={session.station}
          order="stop"
          filled={{ transaction: session.transaction_id }}
          onClose={() => setStopping(false)}
        />
      )}
    </>
  );
}

function Doubts({ title, doubts, info }: { title: string; doubts: ChargingDoubt[]; info?: boolean }) {
  const { p } = useT();
  return (
    <Alert
      type={info ? "info" : "warning"}
      showIcon
      title={title}
      data-testid="charging-doubts"
      description={
        <ul className="charging-doubts">
          {doubts.map((doubt) => (
            <li key={`${doubt.at} ${doubt.text_en}`}>{p(doubt.text_zh, doubt.text_en)}</li>
          ))}
        </ul>
      }
    />
  );
}

function Facts({ detail }: { detail: ChargingSessionDetail }) {
  const { t } = useT();
  const { session, holder } = detail;
  const length = lasted(session.started_at, session.ended_at, t);
  const rows: [string, ReactNode][] = [
    [
      t("charging.station"),
      <>
        <StationLink session={session} /> ·{" "}
        <Link className="charging-link" to={sessionsPath({ station: session.station })}>
          {t("charging.station-sessions")}
        </Link>
      </>,
    ],
    [t("charging.operator"), operatorWord(session.operator, t)],
    [t("charging.transaction"), <code key="transaction">{session.transaction_id}</code>],
    [
      t("charging.card"),
      session.card ? (
        <>
          <CardMark card={session.card} />
          <CopyButton text={session.card} label={t("charging.card-pseudonym-copy")} />{" "}
          <Link className="charging-link" to={sessionsPath({ card: session.card })}>
            {t("charging.card-sessions")}
          </Link>
        </>
      ) : (
        t("charging.no-card")
      ),
    ],
    [
      t("charging.holder"),
      holder ?? <span className="quiet">{session.card ? t("charging.holder-unknown") : "—"}</span>,
    ],
    [t("charging.began"), <Time key="began" at={session.started_at} />],
    [
      t("charging.ended"),
      session.ended_at ? <Time key="ended" at={session.ended_at} /> : t("charging.goes-on"),
    ],
    ...(length ? ([[t("charging.lasted"), length]] as [string, ReactNode][]) : []),
    [t("charging.energy"), <Energy key="energy" wh={session.energy_wh} />],
    [t("charging.changed"), <Time key="changed" at={session.changed_at} age />],
  ];
  return (
    <dl className="problem charging-facts" data-testid="charging-facts">
      {rows.map(([title, value]) => (
        <div key={title} style={{ display: "contents" }}>
          <dt>{title}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function NoBill({ state }: { state: string }) {
  const { t } = useT();
  const mend = keyOf("charging-bill-none", state);
  return <Nothing title={t("charging.bill-none")} mend={mend && t(mend)} />;
}

/** The kinds of lines, in the order in which they are summed. */
const KINDS = ["energy", "service", "parking", "idle"] as const;

function Bill({ bill, number }: { bill: ChargingBill; number: number | null }) {
  const { t } = useT();
  const wasDecided = bill.decided_by !== null;
  return (
    <>
      <p className="quiet charging-counted">
        {number === null
          ? t("charging.by-tariff-only", { tariff: bill.tariff })
          : t("charging.by-tariff", { tariff: bill.tariff, number })}
      </p>
      <Lines bill={bill} />
      {wasDecided && (
        <div className="charging-decided" data-testid="charging-decided">
          <dl className="problem">
            <dt>{t("charging.decided-by")}</dt>
            <dd>
              {bill.decided_by} · <Time at={bill.decided_at} />
            </dd>
            <dt>{t("charging.decide-note")}</dt>
            <dd className="prose">{bill.decided_note}</dd>
          </dl>
          {bill.doubts.length > 0 && (
            <Doubts info title={t("charging.doubts-were", { n: bill.doubts.length })} doubts={bill.doubts} />
          )}
        </div>
      )}
    </>
  );
}

/** The lines as people read them, each with what it comes to; then what each kind comes to, and all. */
function Lines({ bill }: { bill: ChargingBill }) {
  const { t, p } = useT();
  const sums = KINDS.flatMap((kind) => {
    const own = bill.lines.filter((line) => line.kind === kind);
    return own.length > 0 ? [{ kind, fen: own.reduce((sum, { amount_fen }) => sum + amount_fen, 0) }] : [];
  });
  if (bill.lines.length === 0) {
    return (
      <p>
        {t("charging.lines-none")} {t("charging.total")} <strong>{money(bill.total_fen, t)}</strong>
      </p>
    );
  }
  return (
    <table className="charging-bill">
      <thead>
        <tr>
          <th scope="col">{t("charging.line")}</th>
          <th scope="col">{t("charging.amount")}</th>
        </tr>
      </thead>
      <tbody>
        {bill.lines.map((line) => (
          <tr key={`${line.kind} ${line.from} ${line.amount_fen}`}>
            <td>{p(line.text_zh, line.text_en)}</td>
            <td>{yuan(line.amount_fen)}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        {sums.length > 1 &&
          sums.map(({ kind, fen }) => (
            <tr key={kind} className="quiet">
              <th scope="row">{t(`charging-line.${kind}`)}</th>
              <td>{yuan(fen)}</td>
            </tr>
          ))}
        <tr className="charging-total">
          <th scope="row">{t("charging.total")}</th>
          <td>{yuan(bill.total_fen)}</td>
        </tr>
        {bill.due_fen !== null && bill.due_fen !== bill.total_fen && (
          <tr className="charging-total">
            <th scope="row">{t("charging.due")}</th>
            <td>{yuan(bill.due_fen)}</td>
          </tr>
        )}
      </tfoot>
    </table>
  );
}

/** What is said to a bill that is held: charge it, or charge nothing; with a reason, and asked once more. */
function Decide({ detail, bill }: { detail: ChargingSessionDetail; bill: ChargingBill }) {
  const { t } = useT();
  const { modal, message } = App.useApp();
  const queryClient = useQueryClient();
  const [note, setNote] = useState("");
  const [isMissing, setMissing] = useState(false);
  const amount = money(bill.total_fen, t);
  const { session } = detail;
  const ask = (decision: DecisionKind) => {
    const reason = note.trim();
    setMissing(reason === "");
    if (!reason) return;
    modal.confirm({
      title: decision === "accept" ? t("charging.accept-confirm", { amount }) : t("charging.waive-confirm"),
      content: <p className="prose">{t("charging.decide-final", { note: reason })}</p>,
      okText: t(`charging.${decision}`),
      cancelText: t("word.cancel"),
      okButtonProps: { "data-testid": "charging-decide-sure" },
      onOk: async () => {
        try {
          const next = await decide(session.id, { decision, note: reason });
          queryClient.setQueryData(sessionQuery(String(session.id)).queryKey, next);
          message.success(t("charging.decided"));
        } catch (error) {
          message.error(errorText(error, t), 6);
        }
        // Also when it was refused: somebody else may have decided.
        void queryClient.invalidateQueries({ queryKey: ROOM });
      },
    });
  };
  return (
    <Card size="small" title={t("charging.decide")} className="charging-decide" data-testid="charging-decide">
      <p>{t("charging.decide-about", { amount })}</p>
      {session.card === null && <p className="charging-wrong">{t("charging.decide-no-card")}</p>}
      {session.card !== null && bill.total_fen === 0 && (
        <p className="charging-wrong">{t("charging.decide-nothing")}</p>
      )}
      <Input.TextArea
        rows={3}
        value={note}
        maxLength={NOTE_CHARS_MAX}
        status={isMissing ? "error" : undefined}
        aria-label={t("charging.decide-note")}
        aria-invalid={isMissing}
        placeholder={t("charging.decide-note-hint")}
        onChange={({ target }) => {
          setNote(target.value);
          setMissing(false);
        }}
      />
      {isMissing && (
        <p className="charging-wrong" role="alert">
          {t("charging.decide-note-missing")}
        </p>
      )}
      <div className="toolbar charging-decide-bar">
        <ActionBar actions={decisionActions} context={{ detail, decide: ask }} />
      </div>
    </Card>
  );
}

function Correction({ bill, correction }: { bill: ChargingBill; correction: ChargingBill }) {
  const { t } = useT();
  const difference = correction.total_fen - bill.total_fen;
  // What is held itself has no figure that anybody could settle by.
  const isSure = correction.standing !== "held";
  return (
    <Card size="small" title={t("charging.correction")} data-testid="charging-correction">
      <p className="quiet charging-counted">{t("charging.correction-about")}</p>
      <dl className="problem charging-sums">
        <dt>{t("charging.correction-was")}</dt>
        <dd>{money(bill.total_fen, t)}</dd>
        <dt>{t("charging.correction-is")}</dt>
        <dd>{isSure ? money(correction.total_fen, t) : t("charging.correction-unsure")}</dd>
        {isSure && (
          <>
            <dt>{t("charging.correction-difference")}</dt>
            <dd>
              <strong>
                {difference > 0 && "+"}
                {money(difference, t)}
              </strong>
            </dd>
          </>
        )}
      </dl>
      {correction.doubts.length > 0 && (
        <Doubts
          title={t("charging.doubts-correction", { n: correction.doubts.length })}
          doubts={correction.doubts}
        />
      )}
      {isSure && correction.lines.length > 0 && (
        <details className="charging-correction-lines">
          <summary>{t("charging.line")}</summary>
          <Lines bill={correction} />
        </details>
      )}
    </Card>
  );
}

/** Rows of the table until all are asked for: a charge of some hours has thousands. */
const EVENTS_SHOWN = 60;

function Told({ detail }: { detail: ChargingSessionDetail }) {
  const { t } = useT();
  const [isWhole, setWhole] = useState(false);
  const { events } = detail;
  const readings = useMemo(() => {
    const doubts = [detail.bill, detail.correction].flatMap((bill) => bill?.doubts ?? []);
    return readingsOf(detail.events, doubts);
  }, [detail]);
  const shown = isWhole ? events : events.slice(0, EVENTS_SHOWN);
  return (
    <Card size="small" title={t("charging.told")} data-testid="charging-told">
      {events.length === 0 && <p className="quiet">{t("charging.told-none")}</p>}
      {readings.length >= POINTS_MIN && <RegisterChart readings={readings} />}
      {events.length > 0 && (
        // Rolled by the keyboard too.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what rolls has to be reachable
        <section className="charging-sheet" tabIndex={0} aria-label={t("charging.told")}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("charging.told-what")}</th>
                <th scope="col">{`${t("charging.told-at")} (${ZONE_LABEL})`}</th>
                <th scope="col" className="charging-right">
                  {t("charging.told-register")}
                </th>
                <th scope="col">{`${t("charging.told-received")} (${ZONE_LABEL})`}</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((event, n) => (
                <tr key={n}>
                  <td>{eventWord(event.kind, t)}</td>
                  <td>
                    <Time at={event.at} bare />
                  </td>
                  <td className="charging-right">
                    {event.register_wh === null ? "—" : kwh(event.register_wh)}
                  </td>
                  <td>
                    <Time at={event.received_at} bare />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {shown.length < events.length && (
        <Button type="link" onClick={() => setWhole(true)}>
          {t("charging.told-all", { n: events.length })}
        </Button>
      )}
    </Card>
  );
}
