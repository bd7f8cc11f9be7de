/** The exchange with other charging platforms (互联互通): partners, days whose orders differ, a month's money, the newest orders. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Checkbox, Table, Tag, Tooltip } from "antd";
import { useMemo } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { useAddress } from "../../lib/address.ts";
import { number, pick, time, ZONE_LABEL } from "../../lib/format.ts";
import type {
  ChargingExchange,
  ExchangeComparison,
  ExchangeOrder,
  ExchangePartner,
} from "../../lib/types.ts";
import { More } from "../../ui/more.tsx";
import { Loaded, Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { yuan } from "../projects/money.ts";
import { ExchangeMoney } from "./exchange-money.tsx";
import { exchangeOrdersQuery, exchangeQuery } from "./queries.ts";
import { kwh } from "./say.ts";

const ORDER_COLOURS: Record<string, string> = {
  starting: "cyan",
  charging: "blue",
  ended: "gold",
  settled: "green",
  failed: "default",
};

export function Exchange() {
  const { t } = useT();
  const exchange = useQuery(exchangeQuery);
  return (
    <Loaded query={exchange} tall>
      {(found) =>
        found.is_open ? (
          <div className="charging-parts">
            <Partners exchange={found} />
            <Comparisons exchange={found} />
            <ExchangeMoney />
            <Orders />
          </div>
        ) : (
          <Nothing title={t("exchange.closed")} mend={t("exchange.closed-mend")} />
        )
      }
    </Loaded>
  );
}

/** The partner's name; its id where it is no partner any more. */
const nameOf = (partners: ExchangePartner[], id: string) =>
  partners.find(({ operator_id }) => operator_id === id)?.name ?? id;

function Partners({ exchange: { partners, operator_id } }: { exchange: ChargingExchange }) {
  const { t } = useT();
  return (
    <section aria-label={t("exchange.partners")}>
      <h2 className="charging-heading">{t("exchange.partners")}</h2>
      <p className="quiet">{t("exchange.own", { id: operator_id ?? "" })}</p>
      {partners.length === 0 ? (
        <Nothing title={t("exchange.partners-none")} mend={t("exchange.partners-none-mend")} />
      ) : (
        <Table<ExchangePartner>
          size="small"
          rowKey="operator_id"
          dataSource={partners}
          pagination={false}
          className="tabular"
          scroll={{ x: "max-content" }}
          onRow={() => ({ "data-testid": "exchange-partner" }) as React.HTMLAttributes<HTMLElement>}
          columns={[
            {
              title: t("exchange.partner"),
              render: (_, { name, operator_id }) => (
                <>
                  {name} <span className="quiet">{operator_id}</span>
                </>
              ),
            },
            {
              title: t("exchange.role"),
              render: (_, { role }) => {
                const key = keyOf("exchange-role", role);
                return key ? t(key) : role;
              },
            },
            { title: t("exchange.heard"), render: (_, { heard_at }) => <Time at={heard_at} /> },
            {
              title: t("exchange.line"),
              render: (_, { asked, problem, problem_at }) => {
                if (!asked) return <span className="quiet">{t("exchange.not-asked")}</span>;
                if (!problem) return t("exchange.line-good");
                return (
                  <Tooltip title={`${problem} · ${time(problem_at)}`}>
                    <Tag color="red">{t("exchange.line-bad")}</Tag>
                  </Tooltip>
                );
              },
            },
            { title: t("exchange.orders"), align: "right", render: (_, { orders }) => number(orders) },
            {
              title: t("exchange.disputed"),
              align: "right",
              render: (_, { disputed }) => (disputed > 0 ? <Tag color="red">{number(disputed)}</Tag> : 0),
            },
            { title: t("exchange.waiting"), align: "right", render: (_, { waiting }) => number(waiting) },
            {
              title: t("exchange.given-up"),
              align: "right",
              render: (_, { given_up }) => (given_up > 0 ? <Tag color="red">{number(given_up)}</Tag> : 0),
            },
          ]}
        />
      )}
    </section>
  );
}

function Comparisons({ exchange: { partners, comparisons } }: { exchange: ChargingExchange }) {
  const { t, language } = useT();
  const pair = (ours: string, theirs: string) => (
    <span className={ours === theirs ? "number" : "number charging-apart"}>
      {ours} / {theirs}
    </span>
  );
  return (
    <section aria-label={t("exchange.comparisons")}>
      <h2 className="charging-heading">{t("exchange.comparisons")}</h2>
      <p className="quiet">{t("exchange.comparisons-of")}</p>
      {comparisons.length === 0 ? (
        <Nothing title={t("exchange.comparisons-none")} />
      ) : (
        <Table<ExchangeComparison>
          size="small"
          rowKey={({ partner, from, until }) => `${partner} ${from} ${until}`}
          dataSource={comparisons}
          pagination={comparisons.length > 10 ? { pageSize: 10, showSizeChanger: false } : false}
          className="tabular"
          scroll={{ x: "max-content" }}
          onRow={() => ({ "data-testid": "exchange-comparison" }) as React.HTMLAttributes<HTMLElement>}
          expandable={{
            rowExpandable: ({ differences }) => differences.length > 0,
            expandedRowRender: ({ differences, difference_count }) => (
              <>
                <ul>
                  {differences.map(({ order, text_zh, text_en }) => (
                    <li key={`${order} ${text_zh}`}>{pick(language, text_zh, text_en)}</li>
                  ))}
                </ul>
                {difference_count > differences.length && (
                  <p className="quiet">{t("exchange.more", { n: difference_count - differences.length })}</p>
                )}
              </>
            ),
          }}
          columns={[
            { title: t("exchange.partner"), render: (_, { partner }) => nameOf(partners, partner) },
            {
              title: `${t("exchange.time")} (${ZONE_LABEL})`,
              render: (_, { from, until }) => `${time(from)} – ${time(until)}`,
            },
            {
              title: t("exchange.differences"),
              align: "right",
              render: (_, { difference_count }) => (
                <Tag color={difference_count > 0 ? "red" : "green"}>{number(difference_count)}</Tag>
              ),
            },
            {
              title: t("exchange.counts"),
              align: "right",
              render: (_, row) => pair(number(row.our_count), number(row.their_count)),
            },
            {
              title: t("exchange.kwh"),
              align: "right",
              render: (_, row) => pair(kwh(row.our_wh), kwh(row.their_wh)),
            },
            {
              title: t("exchange.yuan"),
              align: "right",
              render: (_, row) => pair(yuan(row.our_fen), yuan(row.their_fen)),
            },
            {
              title: t("exchange.case"),
              render: (_, { case_id }) =>
                case_id === null ? "—" : <Link to={`/cases/${case_id}`}>{t("exchange.case-open")}</Link>,
            },
          ]}
        />
      )}
    </section>
  );
}

function Orders() {
  const { t } = useT();
  const [parameters, set] = useAddress();
  const disputed = parameters.get("disputed") === "1";
  const orders = useInfiniteQuery({ ...exchangeOrdersQuery(disputed), placeholderData: keepPreviousData });
  const items = useMemo(() => orders.data?.pages.flatMap((page) => page.items) ?? [], [orders.data]);
  const failure = useFailure(orders);
  return (
    <section aria-label={t("exchange.orders-all")}>
      <h2 className="charging-heading">{t("exchange.orders-all")}</h2>
      <Checkbox
        checked={disputed}
        onChange={({ target }) => set({ disputed: target.checked ? "1" : undefined })}
      >
        {t("exchange.only-disputed")}
      </Checkbox>
      {failure ??
        (!orders.data ? (
          <Loading />
        ) : items.length === 0 ? (
          <Nothing title={t("exchange.orders-none")} />
        ) : (
          <>
            <Table<ExchangeOrder>
              size="small"
              rowKey="id"
              dataSource={items}
              pagination={false}
              className="tabular"
              scroll={{ x: "max-content" }}
              onRow={() => ({ "data-testid": "exchange-order" }) as React.HTMLAttributes<HTMLElement>}
              columns={[
                { title: t("exchange.order"), dataIndex: "order_no" },
                {
                  title: t("word.state"),
                  render: (_, order) => <Standing order={order} />,
                },
                {
                  title: t("exchange.side"),
                  render: (_, { side }) => {
                    const key = keyOf("exchange-side", side);
                    return key ? t(key) : side;
                  },
                },
                { title: t("exchange.connector"), dataIndex: "connector_id" },
                {
                  title: `${t("charging.began")} (${ZONE_LABEL})`,
                  render: (_, { started_at }) => <Time at={started_at} bare />,
                },
                {
                  title: t("exchange.kwh-one"),
                  align: "right",
                  render: (_, { energy_wh }) => (energy_wh === null ? "—" : kwh(energy_wh)),
                },
                {
                  title: t("exchange.yuan-one"),
                  align: "right",
                  render: (_, { electricity_fen, service_fen }) =>
                    electricity_fen === null || service_fen === null
                      ? "—"
                      : yuan(electricity_fen + service_fen),
                },
                {
                  title: t("exchange.case"),
                  render: (_, { case_id }) =>
                    case_id === null ? "—" : <Link to={`/cases/${case_id}`}>{t("exchange.case-open")}</Link>,
                },
              ]}
            />
            <More list={orders} />
          </>
        ))}
    </section>
  );
}

/** How far an order is, and whether the two sides agree. */
function Standing({ order: { state, confirm_result, doubts } }: { order: ExchangeOrder }) {
  const { t } = useT();
  const stateKey = keyOf("exchange-state", state);
  const doubtWord = (doubt: string) => {
    const key = keyOf("exchange-doubt", doubt);
    return key ? t(key) : doubt;
  };
  return (
    <>
      <Tag color={ORDER_COLOURS[state]}>{stateKey ? t(stateKey) : state}</Tag>
      {confirm_result !== null && confirm_result !== 0 && (
        <Tooltip title={doubts.map(doubtWord).join(t("exchange.comma"))}>
          <Tag color="red">{t("exchange.is-disputed")}</Tag>
        </Tooltip>
      )}
    </>
  );
}
