/** The city at a glance: the plan's goals, the register and its rates, and the same by operator and by place. */
import { Card, Progress, Table } from "antd";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { number, pick } from "../../lib/format.ts";
import type { ChargingGoal, ChargingSupervised, ChargingSupervision } from "../../lib/types.ts";
import { Nothing } from "../../ui/states.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { duration } from "../cases/due.tsx";
import { operatorWord } from "../charging/marks.tsx";
import { sessionsPath } from "../charging/queries.ts";
import { energyAbout, kwh } from "../charging/say.ts";
import { OutOfOrder, Unheard } from "./figures.tsx";
import { AskedCard, Figure, kilowatts, percent, Thing } from "./parts.tsx";

export function Overview({ found }: { found: ChargingSupervision }) {
  return (
    <>
      <Goals found={found} />
      <Figures found={found} />
      <Groups found={found} of="operators" />
      <Groups found={found} of="places" />
    </>
  );
}

function Goals({ found }: { found: ChargingSupervision }) {
  const { t } = useT();
  return (
    <AskedCard title={t("supervision.goals")} how="goals" found={found} testId="supervision-goals">
      {found.goals.length === 0 && <Nothing title={t("supervision.goals-none")} />}
      <ul className="plain-list supervision-goals">
        {found.goals.map((goal) => (
          <Goal key={goal.id} goal={goal} />
        ))}
      </ul>
    </AskedCard>
  );
}

function Goal({ goal }: { goal: ChargingGoal }) {
  const { t, language } = useT();
  const unit = pick(language, goal.unit_zh, goal.unit_en) ?? "";
  const value = goal.value ?? 0;
  const done = goal.target > 0 ? value / goal.target : 0;
  const target = { target: number(goal.target), unit, year: goal.target_year };
  const baseline = goal.baseline;
  return (
    <li>
      <span className="supervision-goal-head">
        <Link to={`/plan/${encodeURIComponent(goal.id)}`}>{pick(language, goal.name_zh, goal.name_en)}</Link>
        <strong className="number">
          {typeof goal.value === "number" ? `${number(goal.value)} ${unit}` : t("supervision.goal-none")}
        </strong>
      </span>
      <Progress
        percent={Math.min(100, done * 100)}
        format={() => percent(done)}
        aria-label={t("supervision.percent-done", { n: percent(done) })}
      />
      <span className="quiet charging-of">
        {typeof baseline === "number"
          ? t("supervision.goal-of", { ...target, baseline: number(baseline), base_year: goal.baseline_year })
          : t("supervision.goal-target", target)}
      </span>
    </li>
  );
}

function Figures({ found }: { found: ChargingSupervision }) {
  const { t } = useT();
  const all = found.overall;
  const title = (key: "points" | "places" | "power" | "online" | "time" | "energy") =>
    t(`supervision.${key}`);
  if (all.points === 0 && all.sessions === 0) {
    return <Nothing title={t("supervision.none")} mend={t("supervision.none-mend")} />;
  }
  const other = all.points - all.direct - all.alternating;
  const lasting = (seconds: number) => duration(seconds, true, t);
  return (
    <ul className="charging-figures" data-testid="supervision-figures">
      <Figure
        title={title("points")}
        how="register"
        found={found}
        of={t("supervision.points-of", {
          direct: number(all.direct),
          alternating: number(all.alternating),
          other: number(other),
          without: number(all.without_place),
        })}
      >
        {number(all.points)}
      </Figure>
      <Figure title={title("places")} how="register" found={found} of={t("supervision.places-of")}>
        {number(found.places_known)}
      </Figure>
      <Figure
        title={title("power")}
        how="register"
        found={found}
        of={t("supervision.power-of", { rated: number(all.rated) })}
      >
        {kilowatts(all.rated_w)}
      </Figure>
      <Figure
        title={title("online")}
        how="online"
        found={found}
        of={t("supervision.online-of", { online: number(all.online), all: number(all.points) })}
      >
        {percent(all.online_rate)}
      </Figure>
      <Figure
        title={title("time")}
        how="time"
        found={found}
        of={t("supervision.time-of", { time: lasting(all.charging_seconds) })}
      >
        {percent(all.time_rate)}
      </Figure>
      <Figure
        title={t("supervision.energy-rate")}
        how="energy"
        found={found}
        of={t("supervision.energy-rate-of", { possible: energyAbout(all.possible_wh) })}
      >
        {percent(all.energy_rate)}
      </Figure>
      <Figure
        title={title("energy")}
        how="energy"
        found={found}
        of={
          <Link className="charging-link" to={sessionsPath({ from: found.from, to: found.to })}>
            {t("supervision.energy-of", { sessions: number(all.sessions) })}
          </Link>
        }
      >
        {energyAbout(all.energy_wh)}
      </Figure>
      <Unheard found={found} />
      <OutOfOrder found={found} />
    </ul>
  );
}

/** The columns that every comparison has, each sorted by a click. */
export function useColumns<Row extends { figures: ChargingSupervised }>() {
  const { t } = useT();
  const column = (title: string, value: (of: ChargingSupervised) => number, text: (n: number) => string) => ({
    title,
    align: "right" as const,
    sorter: (one: Row, other: Row) => value(one.figures) - value(other.figures),
    sortDirections: ["descend" as const, "ascend" as const],
    render: (_: unknown, row: Row) => {
      const n = value(row.figures);
      return n < 0 ? "—" : text(n);
    },
  });
  // What is no share of anything comes behind everything that is.
  const share = (of: number | null | undefined) => of ?? -1;
  return [
    column(t("supervision.points"), (f) => f.points, number),
    column(
      t("supervision.kw"),
      (f) => f.rated_w / 1_000,
      (n) => number(n, 1),
    ),
    column(t("supervision.online"), (f) => share(f.online_rate), percent),
    column(t("supervision.kwh"), (f) => f.energy_wh, kwh),
    column(t("supervision.time"), (f) => share(f.time_rate), percent),
    column(t("supervision.energy-rate"), (f) => share(f.energy_rate), percent),
    column(t("supervision.missing"), (f) => share(f.missing_rate), percent),
    column(t("supervision.faults"), (f) => f.faults, number),
  ];
}

/** Rows that are shown at once. */
const ROWS_MAX = 20;

function Groups({ found, of }: { found: ChargingSupervision; of: "operators" | "places" }) {
  const { t } = useT();
  const phone = usePhone();
  type Row = ChargingSupervision["operators"][number];
  const columns = useColumns<Row>();
  const isPlaces = of === "places";
  const title = t(isPlaces ? "supervision.by-place" : "supervision.by-operator");
  const rows = found[of];
  if (rows.length === 0) return null;
  const name = (row: Row) => {
    if (!isPlaces) return operatorWord(row.key, t);
    if (!row.key) return t("supervision.no-place");
    return <Thing id={row.key} name={row.name} />;
  };
  return (
    <Card size="small" title={title} data-testid={`supervision-${of}`}>
      <Table<Row>
        size="small"
        rowKey="key"
        dataSource={rows}
        pagination={rows.length > ROWS_MAX ? { pageSize: ROWS_MAX, showSizeChanger: false } : false}
        className="tabular"
        scroll={{ x: "max-content" }}
        columns={[
          {
            title: t(isPlaces ? "supervision.place" : "supervision.operator"),
            fixed: phone ? undefined : ("left" as const),
            render: (_, row) => name(row),
          },
          ...(isPlaces
            ? [
                {
                  title: t("supervision.operator"),
                  render: (_: unknown, row: Row) => (row.operator ? operatorWord(row.operator, t) : "—"),
                },
              ]
            : []),
          ...columns,
        ]}
      />
      {isPlaces && found.places_left_out > 0 && (
        <p className="quiet">{t("supervision.left-out", { n: number(found.places_left_out) })}</p>
      )}
      {!isPlaces && found.sessions_elsewhere > 0 && (
        <p className="quiet">{t("supervision.elsewhere", { n: number(found.sessions_elsewhere) })}</p>
      )}
    </Card>
  );
}
