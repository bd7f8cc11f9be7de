/** What charging comes to on the chosen days, and how the charge points stand now, each figure with what it is counted from. */
import { useQuery } from "@tanstack/react-query";
import { Card, Table } from "antd";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { useAddress } from "../../lib/address.ts";
import { attributeText, number, ZONE_LABEL } from "../../lib/format.ts";
import type { ChargingFigures } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { typesQuery } from "../map/queries.ts";
import { yuan } from "../projects/money.ts";
import { ChosenDays } from "./days.tsx";
import { money, operatorWord } from "./marks.tsx";
import { figuresQuery, sessionsPath } from "./queries.ts";
import { dayOf, energy, energyAbout, kwh, type Sums, spanOf, sumsOf } from "./say.ts";

const POINT = "ChargePoint";

export function Overview() {
  const [parameters] = useAddress();
  const today = dayOf(Date.now());
  const span = spanOf(parameters, today);
  const figures = useQuery(figuresQuery(span.from, span.to));
  return (
    <>
      <ChosenDays span={span} today={today} />
      <Loaded query={figures} tall>
        {(found) => (
          <div className={figures.isPlaceholderData ? "charging-parts charging-stale" : "charging-parts"}>
            <OfDays figures={found} />
            <div className="charging-two">
              <Points figures={found} />
              <Towns figures={found} />
            </div>
          </div>
        )}
      </Loaded>
    </>
  );
}

function Figure({ title, of, children }: { title: string; of: ReactNode; children: ReactNode }) {
  return (
    <li>
      <span>{title}</span>
      <span className="big-value">{children}</span>
      <span className="quiet charging-of">{of}</span>
    </li>
  );
}

function OfDays({ figures }: { figures: ChargingFigures }) {
  const { t } = useT();
  const { from, to, at } = figures;
  const { all, operators } = sumsOf(figures);
  return (
    <section aria-label={t("charging.sessions")} data-testid="charging-days">
      <h2 className="charging-heading">
        {from === to ? t("charging.of-day", { day: from }) : t("charging.of-days", { from, to })}
      </h2>
      <p className="quiet charging-counted">
        {t("charging.counted", { zone: ZONE_LABEL })} <Time at={at} />
      </p>
      <ul className="charging-figures">
        <Figure
          title={t("charging.sessions")}
          of={t("charging.sessions-of", { charging: number(all.charging) })}
        >
          <Link className="charging-link" to={sessionsPath({ from, to })}>
            {number(all.sessions)}
          </Link>
        </Figure>
        <Figure title={t("charging.energy")} of={t("charging.energy-of")}>
          {energyAbout(all.energy_wh)}
        </Figure>
        <Figure title={t("charging.money")} of={t("charging.money-of")}>
          {money(all.billed_fen, t)}
        </Figure>
        <Figure
          title={t("charging.held")}
          of={
            <>
              {t("charging.held-of")}{" "}
              <Link className="charging-link" to={sessionsPath({ state: "doubtful" })}>
                {t("charging.held-all")}
              </Link>
            </>
          }
        >
          <span className={all.held > 0 ? "charging-wrong" : undefined}>{number(all.held)}</span>
        </Figure>
      </ul>
      <h3 className="charging-subheading">{t("charging.by-operator")}</h3>
      {operators.length === 0 ? (
        <Nothing title={t("charging.none-days")} mend={t("charging.none-days-mend")} />
      ) : (
        <Operators operators={operators} all={all} days={{ from, to }} />
      )}
    </section>
  );
}

/** What an operator's sessions come to, and where they are. */
type Row = Sums & { name: string; path: string };

interface OperatorsProps {
  operators: [string, Sums][];
  all: Sums;
  days: { from: string; to: string };
}

function Operators({ operators, all, days }: OperatorsProps) {
  const { t } = useT();
  const phone = usePhone();
  const row = (sums: Sums, name: string, operator?: string): Row => ({
    ...sums,
    name,
    path: sessionsPath({ ...days, operator }),
  });
  const rows = operators.map(([operator, sums]) => row(sums, operatorWord(operator, t), operator));
  if (rows.length > 1) rows.push(row(all, t("charging.all-operators")));
  if (phone) {
    return (
      <ul className="card-list">
        {rows.map((row) => (
          <li key={row.name} className="item-card charging-plain">
            <span className="item-card-head">
              <strong>{row.name}</strong>
              <span className="number">{money(row.billed_fen, t)}</span>
            </span>
            <span className="number">
              <Link className="charging-link" to={row.path}>
                {t("charging.sessions")} {number(row.sessions)}
              </Link>{" "}
              · {energy(row.energy_wh)}
            </span>
            <span className="quiet number">
              {t("charging-state.charging")} {row.charging} · {t("charging-state.waiting")} {row.waiting} ·{" "}
              {t("charging-state.unpriced")} {row.unpriced} · {t("charging-state.doubtful")} {row.held}
            </span>
          </li>
        ))}
      </ul>
    );
  }
  const column = (title: string, of: (row: Row) => string) => ({
    title,
    align: "right" as const,
    width: 130,
    render: (_: unknown, row: Row) => of(row),
  });
  return (
    <Table
      size="small"
      rowKey="name"
      dataSource={rows}
      pagination={false}
      className="tabular"
      scroll={{ x: "max-content" }}
      columns={[
        { title: t("charging.operator"), dataIndex: "name" },
        {
          title: t("charging.sessions"),
          align: "right" as const,
          width: 130,
          render: (_: unknown, row: Row) => <Link to={row.path}>{number(row.sessions)}</Link>,
        },
        column(t("charging-state.charging"), (row) => number(row.charging)),
        column(t("charging-state.waiting"), (row) => number(row.waiting)),
        column(t("charging-state.unpriced"), (row) => number(row.unpriced)),
        column(t("charging-state.doubtful"), (row) => number(row.held)),
        column(t("charging.energy-kwh"), (row) => kwh(row.energy_wh)),
        column(t("charging.amount"), (row) => yuan(row.billed_fen)),
      ]}
    />
  );
}

/** Shares in a hundred, with one decimal. */
const percent = (part: number, whole: number) => `${((part / whole) * 100).toFixed(1)} %`;

/** States that keep an outlet from charging anybody. */
const OUT = ["Faulted", "Unavailable"];

function Points({ figures }: { figures: ChargingFigures }) {
  const { t, language } = useT();
  const words = useQuery(typesQuery).data?.get(POINT)?.attributes.status?.words;
  const { points, statuses, stations, stations_online: online, at } = figures;
  const counted = Object.entries(statuses).sort(([, one], [, other]) => other - one);
  const word = (status: string) =>
    status ? attributeText(language, status, null, words) : t("charging.status-unknown");
  return (
    <Card size="small" title={t("charging.now")} extra={<Time at={at} />} data-testid="charging-now">
      <ul className="charging-figures charging-figures-two">
        <Figure title={t("charging.points")} of={t("charging.points-of")}>
          {number(points)}
        </Figure>
        <Figure
          title={t("charging.online")}
          of={
            stations > 0
              ? t("charging.online-of", { all: number(stations), online: number(online) })
              : t("charging.online-none")
          }
        >
          {stations > 0 ? percent(online, stations) : "—"}
        </Figure>
      </ul>
      {points === 0 ? (
        <Nothing title={t("charging.points-none")} mend={t("charging.points-none-mend")} />
      ) : (
        <ul className="plain-list charging-shares">
          {counted.map(([status, n]) => (
            <li key={status}>
              <span>{word(status)}</span>
              <span className="charging-share" aria-hidden="true">
                <span
                  className={OUT.includes(status) ? "charging-share-out" : undefined}
                  style={{ width: `${(n / points) * 100}%` }}
                />
              </span>
              <span className="number">
                {number(n)} <span className="quiet">{percent(n, points)}</span>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

/** Towns shown at once: more than a county-level city has. */
const TOWNS_MAX = 60;

function Towns({ figures }: { figures: ChargingFigures }) {
  const { t } = useT();
  const { towns } = figures;
  return (
    <Card size="small" title={t("charging.towns")} data-testid="charging-towns">
      <p className="quiet charging-counted">{t("charging.towns-of")}</p>
      <Table
        size="small"
        rowKey="code"
        dataSource={towns.slice(0, TOWNS_MAX)}
        pagination={false}
        className="tabular"
        locale={{ emptyText: t("charging.points-none") }}
        columns={[
          {
            title: t("charging.town"),
            className: "charging-town",
            render: (_, { name, code }) => name || code || t("charging.town-unknown"),
          },
          { title: t("charging.town-points"), dataIndex: "points", align: "right" },
          { title: t("charging.town-charging"), dataIndex: "charging", align: "right" },
          {
            title: t("charging.town-out"),
            align: "right",
            render: (_, { out_of_order: n }) => (
              <span className={n > 0 ? "charging-wrong" : undefined}>{n}</span>
            ),
          },
        ]}
      />
    </Card>
  );
}
