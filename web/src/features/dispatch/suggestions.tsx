/** What is suggested for each chain of reservoir, reach, gate and pumps: what to do now, why, beside doing nothing, and what is in doubt. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Tag } from "antd";
import { useMemo } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar } from "../../lib/actions.tsx";
import { number, shortTime, unitSymbol } from "../../lib/format.ts";
import { can, useUser } from "../../lib/session.ts";
import type { Run, RunDefinition, RunDetail } from "../../lib/types.ts";
import { AXIS, Chart, type ChartOption } from "../../ui/chart.tsx";
import { Loaded, Loading, Nothing } from "../../ui/states.tsx";
import { Age, Time } from "../../ui/tags.tsx";
import { ProblemBox } from "../provenance/drawer.tsx";
import { definitionsQuery, runQuery } from "../runs/queries.ts";
import { suggestedActions, suggestionActions } from "./actions.tsx";
import type { Filled } from "./dialogs.tsx";
import { newestQuery, reservoirsQuery, thingQuery } from "./queries.ts";
import {
  lineOf,
  newestOf,
  type Sentence,
  type Suggested,
  type Suggestion,
  suggestionOf,
} from "./suggestion.ts";

/** The engine whose runs are suggestions. */
const ENGINE = "water.joint-dispatch";
/** Lines of the chart: the colour of what stays, and of what is suggested. */
const STAYS_COLOUR = "#8a989d";
const SUGGESTED_COLOUR = "#3f57c4";

export type Ask = (filled: Filled) => void;

export function Suggestions({ ask }: { ask: Ask }) {
  const user = useUser();
  return can(user, "run.read") ? <Declared ask={ask} /> : null;
}

function Declared({ ask }: { ask: Ask }) {
  const { t } = useT();
  const definitions = useQuery(definitionsQuery);
  const declared = definitions.data?.find(({ engine }) => engine === ENGINE);
  // A city without the water system has nothing to suggest, and need not be told so.
  if (definitions.isSuccess && !declared) return null;
  return (
    <section aria-label={t("suggest.title")}>
      <h2 className="dispatch-heading">{t("suggest.title")}</h2>
      <Loaded query={definitions}>{() => declared && <Chains declared={declared} ask={ask} />}</Loaded>
    </section>
  );
}

function Chains({ declared, ask }: { declared: RunDefinition; ask: Ask }) {
  const { t } = useT();
  const queryClient = useQueryClient();
  const runs = useQuery(newestQuery(declared.id));
  const context = {
    definition: declared.id,
    done: () => void queryClient.invalidateQueries({ queryKey: ["runs"] }),
  };
  return (
    <>
      <div className="toolbar">
        <span className="quiet">
          {t("suggest.next")} <Time at={declared.next_at} />
        </span>
        <ActionBar actions={suggestionActions} context={context} size="small" />
      </div>
      <Loaded query={runs}>
        {({ items }) => {
          const newest = newestOf(items);
          if (newest.length === 0) return <None />;
          return newest.map((run) => <Chain key={run.id} run={run} ask={ask} />);
        }}
      </Loaded>
    </>
  );
}

/** Nothing was reckoned yet: whether there is anything to reckon with. */
function None() {
  const { t } = useT();
  const reservoirs = useQuery(reservoirsQuery);
  if (!reservoirs.data) return <Loading />;
  return reservoirs.data.items.length === 0 ? (
    <Nothing title={t("suggest.no-reservoir")} mend={t("suggest.no-reservoir-mend")} />
  ) : (
    <Nothing title={t("suggest.no-run")} mend={t("suggest.no-run-mend")} />
  );
}

function Chain({ run, ask }: { run: Run; ask: Ask }) {
  const { t } = useT();
  const whole = useQuery(runQuery(String(run.id)));
  return (
    <article className="item-card dispatch-thing" data-testid="suggestion">
      <strong>{run.target_name ?? run.target_id}</strong>
      <span className="quiet">
        <Time at={run.due_at} /> (<Age at={run.due_at} />) ·{" "}
        <Link to={`/runs/${run.id}`}>{t("run.number", { id: run.id })}</Link>
      </span>
      {run.problems.map((problem) => (
        <ProblemBox key={`${problem.code} ${problem.place} ${problem.what}`} problem={problem} />
      ))}
      {run.outcome === "running" && <Alert type="info" showIcon title={t("run.goes-on")} />}
      {run.outcome === "done" && <Loaded query={whole}>{(found) => <Told run={found} ask={ask} />}</Loaded>}
    </article>
  );
}

function Told({ run, ask }: { run: RunDetail; ask: Ask }) {
  const { t, language } = useT();
  const suggestion = useMemo(() => suggestionOf(run), [run]);
  if (!suggestion) return <Nothing title={t("suggest.unreadable")} />;
  const doubts = suggestion.doubts[language];
  return (
    <>
      <h3>
        {t("suggest.now")} <Choice choice={suggestion.choice} />
      </h3>
      <ul className="plain-list dispatch-suggested" aria-label={t("suggest.now")}>
        {suggestion.actions.map((action) => (
          <Step key={action.kind} run={run} action={action} ask={ask} />
        ))}
      </ul>
      <Sentences title={t("suggest.why")} all={suggestion.reasons} />
      {suggestion.violations.length > 0 && (
        <Alert
          type="warning"
          showIcon
          className="dispatch-told"
          data-testid="suggestion-violations"
          title={t("suggest.violations")}
          description={<List all={suggestion.violations} />}
        />
      )}
      <Comparison suggestion={suggestion} />
      <div className="dispatch-charts">
        <Beside run={run} column="section_m3s" unit="MQS" limit={suggestion.limits.safe_m3s} />
        <Beside run={run} column="level_m" unit="MTR" limit={suggestion.limits.limit_m} />
        <Beside run={run} column="polder_m" unit="MTR" limit={suggestion.limits.polder_limit_m} />
      </div>
      {doubts.length > 0 && (
        <details>
          <summary>{t("suggest.doubts", { n: doubts.length })}</summary>
          <ul className="dispatch-why">
            {doubts.map((doubt) => (
              <li key={doubt}>{doubt}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Choice({ choice }: { choice: string }) {
  const { t } = useT();
  const key = keyOf("suggest-choice", choice);
  return <Tag color={choice === "keep" ? "success" : "gold"}>{key ? t(key) : choice}</Tag>;
}

/** One thing: what it does now, what it is to do, and the button that asks for it. */
function Step({ run, action, ask }: { run: RunDetail; action: Suggested; ask: Ask }) {
  const { t } = useT();
  const thing = useQuery(thingQuery(action.thing ?? "")).data;
  const key = keyOf("suggest-kind", action.kind);
  // No gauge shows thousandths of a discharge.
  const said = (value: number) =>
    `${number(value, action.kind === "release" ? 0 : 2)} ${unitSymbol(action.unit)}`;
  const reason = t("suggest.reason", { run: `run-${run.id}`, time: shortTime(run.due_at, Date.now()) });
  return (
    <li data-testid="suggested" data-kind={action.kind}>
      <span>
        {key ? t(key) : action.kind} {thing?.name ?? action.thing ?? ""}{" "}
        {action.is_change ? (
          <>
            {said(action.now)} → <strong className="number">{said(action.value)}</strong>
          </>
        ) : (
          <>
            {t("suggest.keep")} <span className="number">{said(action.now)}</span>
          </>
        )}
        {action.command === null && action.is_change && (
          <span className="quiet"> · {t("suggest.no-command")}</span>
        )}
      </span>{" "}
      <ActionBar actions={suggestedActions} context={{ action, thing, reason, ask }} size="small" />
    </li>
  );
}

function List({ all }: { all: Sentence[] }) {
  const { p } = useT();
  return (
    <ul className="dispatch-why">
      {all.map((one) => (
        <li key={one.en}>{p(one.zh, one.en)}</li>
      ))}
    </ul>
  );
}

function Sentences({ title, all }: { title: string; all: Sentence[] }) {
  return (
    <>
      <h3>{title}</h3>
      <List all={all} />
    </>
  );
}

function Comparison({ suggestion }: { suggestion: Suggestion }) {
  const { t } = useT();
  const cell = (value: number | null) => (value === null ? "—" : number(value, 2));
  return (
    <>
      <h3>{t("suggest.beside")}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section className="dispatch-sheet" tabIndex={0} aria-label={t("suggest.beside")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("suggest.measure")}</th>
              <th scope="col">{t("suggest.nothing")}</th>
              <th scope="col">{t("suggest.rules")}</th>
              <th scope="col">{t("suggest.suggested")}</th>
            </tr>
          </thead>
          <tbody>
            {suggestion.comparison.map((row) => {
              const key = keyOf("suggest-measure", row.measure);
              return (
                <tr key={row.measure}>
                  <th scope="row">
                    {key ? t(key) : row.measure} <span className="quiet">{unitSymbol(row.unit)}</span>
                  </th>
                  <td className="number">{cell(row.nothing)}</td>
                  <td className="number">{cell(row.rules)}</td>
                  <td className="number">
                    <strong>{cell(row.suggested)}</strong>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
    </>
  );
}

/** A small chart of one number: what stays and what is suggested. */
function Beside({
  run,
  column,
  unit,
  limit,
}: {
  run: RunDetail;
  column: "section_m3s" | "level_m" | "polder_m";
  unit: string;
  limit: number | null | undefined;
}) {
  const { t } = useT();
  const stays = useMemo(() => lineOf(run, `nothing_${column}`), [run, column]);
  const suggested = useMemo(() => lineOf(run, `suggested_${column}`), [run, column]);
  const title = t(`suggest-chart.${column}`);
  const option = useMemo<ChartOption>(() => {
    const now = Date.parse(run.due_at);
    const line = (name: string, data: [number, number][], color: string, type: "solid" | "dashed") => ({
      type: "line" as const,
      name,
      data,
      symbol: "none",
      lineStyle: { width: 2, type, color },
      itemStyle: { color },
    });
    const mark =
      typeof limit === "number"
        ? {
            silent: true,
            symbol: "none",
            lineStyle: { color: "#c9252d", type: "dashed" as const },
            label: { formatter: number(limit, 2) },
            data: [{ yAxis: limit }],
          }
        : undefined;
    return {
      animation: false,
      grid: { left: 10, right: 44, top: 52, bottom: 6, containLabel: true },
      legend: { top: 0, left: 0 },
      tooltip: { trigger: "axis" },
      xAxis: {
        type: "time",
        ...AXIS,
        axisLabel: { ...AXIS.axisLabel, hideOverlap: true, formatter: (at: number) => shortTime(at, now) },
        splitLine: { show: false },
      },
      yAxis: {
        type: "value",
        scale: true,
        name: unitSymbol(unit),
        nameTextStyle: { align: "left", color: "#5d7078" },
        ...AXIS,
      },
      series: [
        line(t("suggest.nothing"), stays, STAYS_COLOUR, "dashed"),
        { ...line(t("suggest.suggested"), suggested, SUGGESTED_COLOUR, "solid"), markLine: mark },
      ],
    };
  }, [stays, suggested, unit, limit, run.due_at, t]);
  if (suggested.length === 0) return null;
  return (
    <figure>
      <figcaption className="quiet">{title}</figcaption>
      <Chart option={option} label={t("suggest.chart-label", { title })} height={200} />
    </figure>
  );
}
