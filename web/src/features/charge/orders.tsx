/** My charging (我的充电): what is owed, then every charge, the newest first. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Alert } from "antd";
import { useT } from "../../i18n/index.tsx";
import { More } from "../../ui/more.tsx";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { energy } from "../charging/say.ts";
import { AsOf, money, OrderTag, To, toldWord } from "./marks.tsx";
import { mineQuery, orderPath } from "./queries.ts";
import type { Order } from "./types.ts";
import { useWhere } from "./use-where.ts";

export function Orders() {
  const { t } = useT();
  const mine = useInfiniteQuery(mineQuery);
  const failure = useFailure(mine);
  const items = mine.data?.pages.flatMap((page) => page.items) ?? [];
  const owed = mine.data?.pages[0]?.owed_fen ?? 0;
  const debt = items.find(({ owed_fen }) => owed_fen > 0);
  return (
    <>
      <AsOf query={mine} />
      {!mine.data && (failure ?? <Loading tall />)}
      {owed > 0 && (
        <Alert
          type="warning"
          showIcon
          title={t("charge.owed-all", { amount: money(owed, t) })}
          description={
            <>
              {t("charge.owed-mend")} {debt && <To to={orderPath(debt.id)}>{t("charge.owed-go")}</To>}
            </>
          }
          data-testid="charge-owed"
        />
      )}
      {mine.data && items.length === 0 && (
        <Nothing
          title={t("charge.orders-none")}
          mend={t("charge.orders-none-mend")}
          action={
            <To to="/charge" className="charge-button charge-button-main">
              {t("charge-part.find")}
            </To>
          }
        />
      )}
      {items.length > 0 && (
        <ul className="card-list" data-testid="charge-orders">
          {items.map((order) => (
            <li key={order.id}>
              <OrderCard order={order} />
            </li>
          ))}
        </ul>
      )}
      <More list={mine} />
    </>
  );
}

/** What a charge comes to: what is to be paid, or what it would be now. */
export function amountWord(
  { due_fen: due, estimate_fen: estimate }: Order,
  about: string,
  amount: (fen: number) => string,
) {
  if (due !== null) return amount(due);
  return estimate !== null ? `${about} ${amount(estimate)}` : null;
}

function OrderCard({ order }: { order: Order }) {
  const { t } = useT();
  const whereWord = useWhere();
  const amount = amountWord(order, t("charge.about"), (fen) => money(fen, t));
  const facts = [order.energy_wh === null ? null : energy(order.energy_wh), amount].filter(Boolean);
  return (
    <To to={orderPath(order.id)} className="item-card charge-order" data-testid="charge-order">
      <span className="item-card-head">
        <strong>{whereWord(order)}</strong>
        <OrderTag order={order} />
      </span>
      <span className="charge-card-line">
        <Time at={order.started_at ?? order.asked_at} />
        <span className="number">{facts.join(" · ")}</span>
      </span>
      {order.told && <span className="quiet">{toldWord(order.told, t)}</span>}
      {order.owed_fen > 0 && (
        <span className="charge-why">{t("charge.owed-one", { amount: money(order.owed_fen, t) })}</span>
      )}
    </To>
  );
}
