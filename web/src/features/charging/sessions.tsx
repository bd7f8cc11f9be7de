/** Sessions of charging, newest first, by state, station, operator, card, and whether something was told after the bill. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Button, Checkbox, Input, Select, Table, Tag } from "antd";
import { useMemo } from "react";
import { Link, useNavigate } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { useAddress } from "../../lib/address.ts";
import { ZONE_LABEL } from "../../lib/format.ts";
import type { ChargingSession } from "../../lib/types.ts";
import { openableRow } from "../../ui/keyboard.ts";
import { More } from "../../ui/more.tsx";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { yuan } from "../projects/money.ts";
import {
  Card as CardMark,
  CorrectedTag,
  Energy,
  money,
  operatorWord,
  outletWord,
  StateTag,
} from "./marks.tsx";
import { figuresBesideQuery, type SessionFilter, STATES, sessionPath, sessionsQuery } from "./queries.ts";
import { dayOf, daysBefore, isDay, kwh, lasted, SPANS, shortCard } from "./say.ts";

/** The filter that an address holds; what it holds wrongly is left out. */
export function filterOf(parameters: URLSearchParams): SessionFilter {
  const text = (name: string) => parameters.get(name)?.trim() || undefined;
  const day = (name: string) => (isDay(parameters.get(name)) ? text(name) : undefined);
  return {
    state: STATES.find((state) => state === parameters.get("state")),
    station: text("station"),
    operator: text("operator"),
    card: text("card"),
    corrected: parameters.get("corrected") === "1" || undefined,
    from: day("from"),
    to: day("to"),
  };
}

const NONE = {
  state: undefined,
  station: undefined,
  operator: undefined,
  card: undefined,
  from: undefined,
  to: undefined,
};

interface Filtered {
  filter: SessionFilter;
  go: (next: SessionFilter) => void;
}

export function Sessions() {
  const [parameters, set] = useAddress();
  const go = ({ corrected, ...rest }: SessionFilter) =>
    set({ ...NONE, ...rest, corrected: corrected ? "1" : undefined });
  const filtered = { filter: filterOf(parameters), go };
  return (
    <>
      <Filters {...filtered} />
      <List {...filtered} />
    </>
  );
}

function Filters({ filter, go }: Filtered) {
  const { t } = useT();
  const today = dayOf(Date.now());
  // Whoever had a session in the last weeks can be chosen.
  const figures = useQuery(figuresBesideQuery(daysBefore(today, SPANS.month), today)).data;
  const operators = new Set(figures?.sums.map(({ operator }) => operator));
  if (filter.operator) operators.add(filter.operator);
  return (
    <fieldset className="toolbar charging-filters" aria-label={t("charging.filters")}>
      <Select
        allowClear
        value={filter.state}
        onChange={(state?: string) => go({ ...filter, state })}
        placeholder={t("word.state")}
        aria-label={t("word.state")}
        popupMatchSelectWidth={false}
        options={STATES.map((state) => ({ value: state, label: t(`charging-state.${state}`) }))}
      />
      <Select
        allowClear
        showSearch={{ optionFilterProp: "label" }}
        value={filter.operator}
        onChange={(operator?: string) => go({ ...filter, operator })}
        placeholder={t("charging.operator")}
        aria-label={t("charging.operator")}
        popupMatchSelectWidth={false}
        options={[...operators]
          .sort()
          .map((operator) => ({ value: operator, label: operatorWord(operator, t) }))}
      />
      <Input.Search
        key={filter.station ?? ""}
        allowClear
        defaultValue={filter.station}
        placeholder={t("charging.filter-station")}
        aria-label={t("charging.filter-station")}
        onSearch={(text) => go({ ...filter, station: text.trim() || undefined })}
      />
      <Checkbox
        checked={filter.corrected ?? false}
        onChange={({ target }) => go({ ...filter, corrected: target.checked || undefined })}
      >
        {t("charging.filter-corrected")}
      </Checkbox>
      {(filter.from || filter.to) && (
        <Tag closable onClose={() => go({ ...filter, from: undefined, to: undefined })}>
          {t("charging.filter-days", { from: filter.from ?? today, to: filter.to ?? today })}
        </Tag>
      )}
      {filter.card && (
        <Tag closable onClose={() => go({ ...filter, card: undefined })}>
          {t("charging.filter-card", { card: shortCard(filter.card) })}
        </Tag>
      )}
    </fieldset>
  );
}

/** What its bill comes to; of a bill that is held nobody knows yet. */
function Amount({ session, unit }: { session: ChargingSession; unit?: boolean }) {
  const { t } = useT();
  const { total_fen: fen, state } = session;
  if (fen === null) return <span className="quiet">—</span>;
  if (state === "doubtful") return <span className="quiet">{t("charging.amount-held")}</span>;
  return <span className="number">{unit ? money(fen, t) : yuan(fen)}</span>;
}

function List({ filter, go }: Filtered) {
  const { t } = useT();
  const phone = usePhone();
  const navigate = useNavigate();
  const sessions = useInfiniteQuery({ ...sessionsQuery(filter), placeholderData: keepPreviousData });
  const items = useMemo(() => sessions.data?.pages.flatMap((page) => page.items) ?? [], [sessions.data]);
  const failure = useFailure(sessions);
  if (failure) return failure;
  if (!sessions.data) return <Loading tall />;
  if (items.length === 0) {
    const isFiltered = Object.values(filter).some((value) => value !== undefined);
    if (!isFiltered) return <Nothing title={t("charging.none")} mend={t("charging.none-mend")} />;
    return (
      <Nothing
        title={t("charging.none-match")}
        action={<Button onClick={() => go({})}>{t("charging.filter-clear")}</Button>}
      />
    );
  }
  if (phone) {
    return (
      <>
        <ul className="card-list">
          {items.map((session) => (
            <li key={session.id}>
              <Link className="item-card" to={sessionPath(session.id)} data-testid="charging-session">
                <span className="item-card-head">
                  <strong>
                    {session.station} · {outletWord(session.connector, t)}
                  </strong>
                  {session.corrected && <CorrectedTag />}
                  <StateTag state={session.state} />
                </span>
                <span>
                  <Energy wh={session.energy_wh} /> · <Amount session={session} unit />
                </span>
                <span>
                  <Time at={session.started_at} /> ·{" "}
                  {lasted(session.started_at, session.ended_at, t) ?? t("charging.goes-on")}
                </span>
                <span className="quiet">
                  {t("charging.number")} {session.id} · {operatorWord(session.operator, t)} ·{" "}
                  <CardMark card={session.card} />
                </span>
              </Link>
            </li>
          ))}
        </ul>
        <More list={sessions} />
      </>
    );
  }
  return (
    <>
      <Table<ChargingSession>
        size="small"
        rowKey="id"
        dataSource={items}
        loading={sessions.isPlaceholderData}
        pagination={false}
        className="tabular"
        scroll={{ x: 1_120 }}
        rowClassName="row-link"
        onRow={(session) =>
          ({
            ...openableRow(() => navigate(sessionPath(session.id))),
            "data-testid": "charging-session",
          }) as React.HTMLAttributes<HTMLElement>
        }
        columns={[
          {
            title: t("charging.number"),
            width: 90,
            align: "right",
            render: (_, { id }) => <Link to={sessionPath(id)}>{id}</Link>,
          },
          {
            title: t("word.state"),
            width: 150,
            render: (_, session) => (
              <>
                <StateTag state={session.state} /> {session.corrected && <CorrectedTag />}
              </>
            ),
          },
          {
            title: t("charging.station"),
            render: (_, session) => (
              <>
                {session.station} <span className="quiet">{outletWord(session.connector, t)}</span>
              </>
            ),
          },
          {
            title: t("charging.operator"),
            width: 140,
            render: (_, session) => operatorWord(session.operator, t),
          },
          { title: t("charging.card"), width: 130, render: (_, session) => <CardMark card={session.card} /> },
          {
            title: `${t("charging.began")} (${ZONE_LABEL})`,
            width: 170,
            render: (_, session) => <Time at={session.started_at} bare />,
          },
          {
            title: t("charging.lasted"),
            width: 110,
            align: "right",
            render: (_, session) => lasted(session.started_at, session.ended_at, t) ?? t("charging.goes-on"),
          },
          {
            title: t("charging.energy-kwh"),
            width: 110,
            align: "right",
            render: (_, { energy_wh: wh }) => (
              <span className={wh < 0 ? "charging-wrong" : undefined}>{kwh(wh)}</span>
            ),
          },
          {
            title: t("charging.amount"),
            width: 120,
            align: "right",
            render: (_, session) => <Amount session={session} />,
          },
        ]}
      />
      <More list={sessions} />
    </>
  );
}
