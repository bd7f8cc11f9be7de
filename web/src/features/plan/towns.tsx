/** An indicator's towns side by side: who has how much of the city's figure, what changed since a day, and what has no town. */
import { useQuery } from "@tanstack/react-query";
import { Alert, Button, Card, Input, Select, Table } from "antd";
import { useState } from "react";
import { type Translate, useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { number } from "../../lib/format.ts";
import type { ComparedTown, IndicatorDetail, TownComparison } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { townActions } from "./actions.tsx";
import { townsQuery } from "./queries.ts";
import { barOf, compareTowns, ORDERS, type Order, ordered, percentOf } from "./towns.ts";

/** Opens the rows behind one town's figure. */
type OnTown = (town: { code: string; name: string }) => void;

export function Towns({ indicator, onTown }: { indicator: IndicatorDetail; onTown: OnTown }) {
  const { t } = useT();
  const [since, setSince] = useState("");
  const found = useQuery({
    ...townsQuery(indicator.id, indicator.plan, since),
    enabled: indicator.towns !== null,
  });
  if (indicator.towns === null) return null;
  return (
    <Card
      size="small"
      title={t("plan.towns")}
      data-testid="towns"
      extra={
        <span className="towns-since">
          {t("plan.towns-since")}{" "}
          <Input
            type="date"
            size="small"
            value={since}
            onChange={(event) => setSince(event.target.value)}
            aria-label={t("plan.towns-since")}
          />
        </span>
      }
    >
      <Loaded query={found}>
        {(towns) => <Compared found={towns} indicator={indicator} onTown={onTown} />}
      </Loaded>
    </Card>
  );
}

/** “原旧河镇，2024-05-01 并入竟陵街道”. */
export function mergedWord(town: ComparedTown["merged"][number], t: Translate): string {
  return t("plan.town-merged", { name: town.name, day: town.on, into: town.into_name });
}

function Compared({
  found,
  indicator,
  onTown,
}: {
  found: TownComparison;
  indicator: IndicatorDetail;
  onTown: OnTown;
}) {
  const { t, p } = useT();
  const phone = usePhone();
  const unit = p(indicator.unit_zh, indicator.unit_en);
  const said = (value: number | null) => (value === null ? "—" : `${number(value)} ${unit}`.trim());
  const isSum = found.aggregation === "sum";
  const isEmpty = found.unknown.length === 0 && found.without_town === null && found.total === null;
  if (isEmpty) return <Nothing title={t("plan.towns-none")} />;
  const merged = (town: ComparedTown["merged"][number]) => mergedWord(town, t);
  const notes = { merged, unknown: t("plan.towns-unknown-note"), without: t("plan.towns-without-note") };
  return (
    <>
      <div className="towns-head">
        <p className="outlook-line">
          {t(isSum ? "plan.towns-sum" : "plan.towns-mean", { value: said(found.total) })}{" "}
          {found.difference !== null && t("plan.towns-difference", { value: said(found.difference) })}{" "}
          {found.without_town !== null && t("plan.towns-without", { value: said(found.without_town) })}
        </p>
        <span className="grow" />
        <ActionBar actions={townActions} context={{ found, notes }} />
      </div>
      {found.unknown.map((town) => (
        <Alert
          key={town.code}
          type="warning"
          showIcon
          data-testid="unknown-town"
          title={t("plan.towns-unknown", { code: town.code, value: said(town.value) })}
          description={p(town.mend_zh, town.mend_en)}
        />
      ))}
      <History found={found} said={said} />
      {phone ? (
        <TownCards found={found} said={said} onTown={onTown} />
      ) : (
        <TownTable found={found} unit={unit} merged={merged} onTown={onTown} />
      )}
      <details className="towns-method">
        <summary>{t("plan.towns-method")}</summary>
        <p>{t(isSum ? "plan.towns-method-sum" : "plan.towns-method-mean")}</p>
        <p>{t("plan.towns-method-change")}</p>
        <p>{t("plan.towns-method-merged", { day: found.day })}</p>
      </details>
    </>
  );
}

/** What came of all towns together since the day that was chosen, or why nothing can be said. */
function History({ found, said }: { found: TownComparison; said: (value: number | null) => string }) {
  const { t } = useT();
  if (found.since === null) return null;
  if (found.history !== "known") {
    const why = found.history === "nothing" ? "plan.towns-history-nothing" : "plan.towns-history-not_kept";
    return <p className="quiet outlook-line">{t(why, { day: found.since })}</p>;
  }
  return (
    <p className="outlook-line" data-testid="towns-history">
      {t("plan.towns-changed", {
        day: found.since,
        before: said(found.total_before),
        change: signed(found.change),
      })}{" "}
      {found.way !== null && t("plan.towns-way", { percent: number(percentOf(found.way)) })}
    </p>
  );
}

/** With its sign, so that a fall is seen. */
function signed(value: number | null): string {
  if (value === null) return "—";
  return value > 0 ? `+${number(value)}` : number(value);
}

function Bar({ share }: { share: number }) {
  return (
    <div className="town-bar" aria-hidden="true">
      <div style={{ width: `${share * 100}%` }} />
    </div>
  );
}

/** The share of the city's figure, or by how much the town moves the mean. */
function partWord(town: ComparedTown): string {
  if (town.share !== null) return `${number(percentOf(town.share))}%`;
  return town.pull === null ? "—" : signed(town.pull);
}

function wayWord(town: ComparedTown): string {
  return town.way === null ? "—" : `${number(percentOf(town.way))}%`;
}

/** A town's figure, which opens the rows behind it. */
function TownFigure({ town, said, onTown }: { town: ComparedTown; said: string; onTown: OnTown }) {
  const { t } = useT();
  if (town.value === null) return "—";
  return (
    <Button
      type="link"
      size="small"
      className="town-figure"
      aria-label={t("proof.town-open", { town: town.name, value: said })}
      onClick={() => onTown(town)}
    >
      {said}
    </Button>
  );
}

function TownTable({
  found,
  unit,
  merged,
  onTown,
}: {
  found: TownComparison;
  unit: string;
  onTown: OnTown;
  merged: (town: ComparedTown["merged"][number]) => string;
}) {
  const { t } = useT();
  const withHistory = found.history === "known";
  const isSum = found.aggregation === "sum";
  const by = (order: Order) => ({
    sorter: (a: ComparedTown, b: ComparedTown) => compareTowns(a, b, order),
  });
  return (
    <Table
      size="small"
      rowKey="code"
      dataSource={found.towns}
      pagination={false}
      scroll={{ x: 640 }}
      columns={[
        { title: t("plan.town-rank"), width: 70, render: (_, town) => town.rank ?? "—", ...by("rank") },
        {
          title: t("plan.town"),
          render: (_, town) => (
            <>
              {town.name}
              {town.merged.map((former) => (
                <div key={former.code} className="quiet town-merged">
                  {merged(former)}: {number(former.value)}
                </div>
              ))}
            </>
          ),
          ...by("name"),
        },
        {
          title: unit ? t("plan.town-value-unit", { unit }) : t("plan.town-value"),
          width: 110,
          align: "right",
          className: "number",
          render: (_, town) => <TownFigure town={town} said={number(town.value ?? 0)} onTown={onTown} />,
          ...by("value"),
        },
        {
          title: "",
          width: 190,
          render: (_, town) => <Bar share={barOf(town.value, found.towns)} />,
        },
        {
          title: t(isSum ? "plan.town-share" : "plan.town-pull"),
          width: 120,
          align: "right",
          className: "number",
          render: (_, town) => partWord(town),
        },
        ...(withHistory
          ? [
              {
                title: t("plan.town-change"),
                width: 110,
                align: "right" as const,
                className: "number",
                render: (_: unknown, town: ComparedTown) => signed(town.change),
                ...by("change"),
              },
              {
                title: t("plan.town-way"),
                width: 130,
                align: "right" as const,
                className: "number",
                render: (_: unknown, town: ComparedTown) => wayWord(town),
                ...by("way"),
              },
            ]
          : []),
      ]}
    />
  );
}

function TownCards({
  found,
  said,
  onTown,
}: {
  found: TownComparison;
  said: (value: number | null) => string;
  onTown: OnTown;
}) {
  const { t } = useT();
  const [order, setOrder] = useState<Order>("rank");
  const withHistory = found.history === "known";
  const offered = ORDERS.filter((each) => withHistory || (each !== "change" && each !== "way"));
  const isSum = found.aggregation === "sum";
  return (
    <>
      <Select<Order>
        size="small"
        className="towns-order"
        aria-label={t("plan.towns-order")}
        value={order}
        onChange={setOrder}
        options={offered.map((value) => ({ value, label: t(`plan.towns-order-${value}`) }))}
      />
      <ul className="plain-list">
        {ordered(found.towns, order).map((town) => (
          <li key={town.code} className="town-card">
            <div className="town-card-head">
              <span>
                {town.rank !== null && <span className="quiet">{town.rank}. </span>}
                {town.name}
              </span>
              <strong className="number">
                <TownFigure town={town} said={said(town.value)} onTown={onTown} />
              </strong>
            </div>
            <Bar share={barOf(town.value, found.towns)} />
            <div className="quiet town-card-foot">
              {town.value !== null && (
                <span>
                  {t(isSum ? "plan.town-share" : "plan.town-pull")} {partWord(town)}
                </span>
              )}
              {withHistory && (
                <span>
                  {t("plan.town-change")} {signed(town.change)} · {t("plan.town-way")} {wayWord(town)}
                </span>
              )}
              {town.merged.map((former) => (
                <span key={former.code}>
                  {mergedWord(former, t)}: {said(former.value)}
                </span>
              ))}
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}
