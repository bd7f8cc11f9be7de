/** One charge: its way from the money that is set aside to the bill, live while it goes on; stopped, paid and complained of here. */
import { ArrowLeftOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Card, Steps } from "antd";
import { useState } from "react";
import { useParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionButton, available } from "../../lib/actions.tsx";
import { useUser } from "../../lib/session.ts";
import { Loading, useFailure } from "../../ui/states.tsx";
import { CopyButton, Time, useNow } from "../../ui/tags.tsx";
import { duration } from "../cases/due.tsx";
import { POINTS_MIN, RegisterChart } from "../charging/register-chart.tsx";
import { energy, lasted } from "../charging/say.ts";
import { type OrderContext, orderActions } from "./actions.tsx";
import { BillCard } from "./bill.tsx";
import { ComplaintDialog } from "./complaint.tsx";
import { AsOf, money, OrderTag, powerWord, Sandbox, To, toldWord } from "./marks.tsx";
import { IS_LIVE, orderQuery, pay, placesQuery, ROOM, stop } from "./queries.ts";
import { Refused } from "./refused.tsx";
import type { Order, OrderDetail, OrderState, Payment } from "./types.ts";
import { useWhere } from "./use-where.ts";

/** How long one waits for the station before a hint says what helps, seconds. */
const SLOW_S = 30;

export function OrderPage() {
  const { t } = useT();
  const id = useParams().id ?? "";
  const detail = useQuery(orderQuery(id));
  const failure = useFailure(detail);
  return (
    <>
      <To to="/charge/orders" className="back">
        <ArrowLeftOutlined /> {t("charge.back-orders")}
      </To>
      <AsOf query={detail} />
      {detail.data ? <Shown key={id} detail={detail.data} /> : (failure ?? <Loading tall />)}
    </>
  );
}

function Shown({ detail }: { detail: OrderDetail }) {
  const { t } = useT();
  const whereWord = useWhere();
  const { modal } = App.useApp();
  const user = useUser();
  const queryClient = useQueryClient();
  const payment = useQuery({ ...placesQuery, refetchInterval: false }).data?.payment;
  const [refused, setRefused] = useState<unknown>(null);
  const [complaining, setComplaining] = useState(false);
  const [caseNumber, setCaseNumber] = useState<string | null>(null);
  const { order, bill, readings } = detail;
  const perform = async (send: (id: string) => Promise<Order>) => {
    setRefused(null);
    try {
      const next = await send(order.id);
      queryClient.setQueryData(orderQuery(order.id).queryKey, (now) => now && { ...now, order: next });
    } catch (error) {
      setRefused(error);
    }
    // Also when it was refused: it may have ended by itself.
    await queryClient.invalidateQueries({ queryKey: ROOM });
  };
  const context: OrderContext = {
    order,
    stop: () => {
      modal.confirm({
        title: t("charge.stop-confirm"),
        content: t("charge.stop-about"),
        okText: t("charge.stop"),
        cancelText: t("charge.stop-not"),
        okButtonProps: { danger: true, "data-testid": "charge-stop-sure" },
        onOk: () => perform(stop),
      });
    },
    pay: () => {
      modal.confirm({
        title: t("charge.pay-confirm", { amount: money(order.owed_fen, t) }),
        content: payment?.is_sandbox ? <Sandbox payment={payment} /> : undefined,
        okText: t("charge.pay"),
        cancelText: t("word.cancel"),
        okButtonProps: { "data-testid": "charge-pay-sure" },
        onOk: () => perform(pay),
      });
    },
    complain: () => setComplaining(true),
  };
  const shown = available(orderActions, context, user);
  const isLive = IS_LIVE.has(order.state);
  return (
    <>
      <div className={bill || readings.length >= POINTS_MIN ? "charge-two" : "charge-one"}>
        <div className="charge-column">
          <Card size="small" className="charge-live" data-testid="charge-live" data-state={order.state}>
            <span className="item-card-head">
              <h2>{whereWord(order)}</h2>
              <OrderTag order={order} />
            </span>
            <StateHint order={order} />
            {(order.state === "holding" || order.state === "starting") && <Way state={order.state} />}
            {order.energy_wh !== null && <Figures order={order} />}
            <Times order={order} />
            {refused !== null && <Refused error={refused} look="/charge/orders" />}
            <span className="charge-buttons">
              {shown.map((action) => (
                <ActionButton
                  key={action.name}
                  action={action}
                  context={context}
                  size={action.name === "charge.complain" ? "middle" : "large"}
                  block={action.name !== "charge.complain"}
                />
              ))}
            </span>
          </Card>
          {caseNumber !== null && (
            <Alert
              type="success"
              showIcon
              title={
                <>
                  {t("charge.complaint-taken", { number: caseNumber })} <CopyButton text={caseNumber} />
                </>
              }
              description={t("charge.complaint-next")}
              data-testid="charge-complaint-taken"
            />
          )}
          {!isLive && order.state !== "refused" && <Paid order={order} payment={payment} />}
        </div>
        {(bill || readings.length >= POINTS_MIN) && (
          <div className="charge-column">
            {bill && <BillCard bill={bill} />}
            {readings.length >= POINTS_MIN && (
              <Card size="small" title={t("charge.curve")}>
                <RegisterChart
                  readings={readings.map(({ at, register_wh }) => ({ at, wh: register_wh, mark: null }))}
                />
              </Card>
            )}
          </div>
        )}
      </div>
      {complaining && (
        <ComplaintDialog order={order} onClose={() => setComplaining(false)} onTaken={setCaseNumber} />
      )}
    </>
  );
}

const STEPS = ["holding", "starting", "charging"] as const;

/** How far a charge is that has not begun yet. */
function Way({ state }: { state: "holding" | "starting" }) {
  const { t } = useT();
  return (
    <Steps
      size="small"
      className="charge-steps"
      current={STEPS.indexOf(state)}
      responsive={false}
      items={STEPS.map((step) => ({ title: t(`charge-step.${step}`) }))}
    />
  );
}

/** What the state means, and what helps where it does not go on. */
function StateHint({ order }: { order: Order }) {
  const { t } = useT();
  const now = useNow(5_000);
  const waited = (now - Date.parse(order.asked_at)) / 1_000;
  const isSlow = (order.state === "holding" || order.state === "starting") && waited > SLOW_S;
  if (order.state === "refused") {
    return (
      <Alert
        type="error"
        showIcon
        title={t("charge.not-begun")}
        description={order.told ? toldWord(order.told, t) : t("charge.not-begun-mend")}
        data-testid="charge-told"
      />
    );
  }
  const hinted: OrderState[] = ["holding", "starting", "ended", "review", "paying"];
  if (!hinted.includes(order.state)) return null;
  const state = order.state as "holding" | "starting" | "ended" | "review" | "paying";
  return (
    <p role="status" className="charge-hint">
      {order.told ? toldWord(order.told, t) : t(`charge-hint.${state}`)}
      {isSlow && <span className="quiet"> {t("charge.slow")}</span>}
    </p>
  );
}

function Figures({ order }: { order: Order }) {
  const { t } = useT();
  const now = useNow(1_000);
  const { started_at: from, ended_at: until, state } = order;
  const isOn = state === "charging";
  const seconds = from ? Math.max(0, ((until ? Date.parse(until) : now) - Date.parse(from)) / 1_000) : null;
  const cost = order.due_fen ?? order.estimate_fen;
  const figures: [string, string][] = [
    [t("charge.energy"), energy(order.energy_wh ?? 0)],
    ...(isOn && order.power_w !== null
      ? [[t("charge.power-now"), powerWord(order.power_w)] as [string, string]]
      : []),
    ...(seconds !== null ? [[t("charge.lasted"), duration(seconds, true, t)] as [string, string]] : []),
    ...(cost !== null
      ? [[t(order.due_fen === null ? "charge.estimate" : "charge.due"), money(cost, t)] as [string, string]]
      : []),
  ];
  return (
    <dl className="charge-figures" data-testid="charge-figures">
      {figures.map(([title, value]) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Times({ order }: { order: Order }) {
  const { t } = useT();
  const { asked_at, started_at, ended_at } = order;
  const whole = lasted(started_at, ended_at, t);
  return (
    <dl className="problem charge-facts">
      {started_at === null && (
        <>
          <dt>{t("charge.asked")}</dt>
          <dd>
            <Time at={asked_at} />
          </dd>
        </>
      )}
      {started_at !== null && (
        <>
          <dt>{t("charge.began")}</dt>
          <dd>
            <Time at={started_at} />
          </dd>
        </>
      )}
      {ended_at !== null && (
        <>
          <dt>{t("charge.ended")}</dt>
          <dd>
            <Time at={ended_at} />
            {whole && order.energy_wh === null && <span className="quiet"> · {whole}</span>}
          </dd>
        </>
      )}
    </dl>
  );
}

/** What was paid, given back, is being paid and is owed. */
function Paid({ order, payment }: { order: Order; payment: Payment | undefined }) {
  const { t } = useT();
  const { state, due_fen, paid_fen, refunded_fen, owed_fen } = order;
  return (
    <Card
      size="small"
      title={t("charge.payment")}
      extra={<Sandbox payment={payment} />}
      data-testid="charge-payment"
    >
      <dl className="problem charge-sums">
        {due_fen !== null && (
          <>
            <dt>{t("charge.due")}</dt>
            <dd>{money(due_fen, t)}</dd>
          </>
        )}
        <dt>{t("charge.paid")}</dt>
        <dd>{money(paid_fen, t)}</dd>
        {refunded_fen > 0 && (
          <>
            <dt>{t("charge.refunded")}</dt>
            <dd>{money(refunded_fen, t)}</dd>
          </>
        )}
        {state === "paying" && due_fen !== null && (
          <>
            <dt>{t("charge.paying")}</dt>
            <dd>{money(due_fen - paid_fen, t)}</dd>
          </>
        )}
        {owed_fen > 0 && (
          <>
            <dt>{t("charge.owed")}</dt>
            <dd className="charge-why">
              <strong>{money(owed_fen, t)}</strong>
            </dd>
          </>
        )}
      </dl>
      {owed_fen > 0 && !order.may_pay && payment && !payment.is_open && (
        <p className="quiet">{t("charge.payment-closed")}</p>
      )}
    </Card>
  );
}
