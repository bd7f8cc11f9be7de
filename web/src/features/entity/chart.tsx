/** The history of one attribute and what is forecast of it: the curve, the levels it is measured against, a way to each stored message. */
import { useQuery } from "@tanstack/react-query";
import { Alert, Segmented, Select } from "antd";
import { useMemo, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { number, quantity, shortTime, time, unitSymbol, ZONE_LABEL } from "../../lib/format.ts";
import type { Correction, Entity, EntityForecast, EntityKind, History } from "../../lib/types.ts";
import { AXIS, Chart, type ChartOption } from "../../ui/chart.tsx";
import { earlierSeries, fanSeries, intervalOf } from "../../ui/fan.ts";
import { errorText, Loaded, Nothing } from "../../ui/states.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { ForecastNotes, symbolOf } from "./forecast.tsx";
import { endOf, measuredLast, type Outlook, outlookOf } from "./outlook.ts";
import {
  correctionsQuery,
  forecastsQuery,
  historyQuery,
  ISSUES_MAX,
  limitsOf,
  listedAttributes,
  numberOf,
  RANGES,
  type Range,
  type Reading,
} from "./queries.ts";

/** Colours of limits, from the mildest to the gravest. */
const LIMIT_COLOURS = ["#d9a514", "#e0701b", "#c9252d", "#7d1fa0"];

/** Earlier issues that a tooltip names; the newest ones. */
const TOOLTIP_ISSUES_MAX = 4;

/** Text that people wrote, safe within a tooltip. */
const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** The name of an issue's line: 0 is the newest. */
const issueId = (n: number) => `issue-${n}`;

interface Line {
  title: string;
  name: string;
  value: number;
  colour: string;
}

export function HistoryChart({
  entity,
  kind,
  onReading,
  onMessage,
}: {
  entity: Entity;
  kind: EntityKind | undefined;
  onReading: (reading: Reading) => void;
  onMessage: (position: number) => void;
}) {
  const { t, p } = useT();
  const limits = limitsOf(kind);
  const numeric = listedAttributes(entity, kind).filter(
    ([name, state]) => typeof state.value === "number" && !limits.includes(name),
  );
  const names = numeric.map(([name]) => name);
  const usual = names[0];
  const [picked, setPicked] = useState<string | null>(null);
  const [range, setRange] = useState<Range>("24h");
  const attribute = picked ?? usual;
  if (!attribute) return <Nothing title={t("entity.history-none")} />;
  const titleOf = (name: string) => {
    const declared = kind?.attributes[name];
    return declared ? p(declared.title_zh, declared.title_en) : name;
  };
  // Limits belong to what the pack draws them with; without a pack's word, to the first attribute.
  const charted = kind?.view?.chart?.attributes ?? [usual];
  const lines: Line[] = charted.includes(attribute)
    ? limits.flatMap((limit, i) => {
        const value = numberOf(entity, limit);
        if (value === null) return [];
        const colour = LIMIT_COLOURS[i] ?? "#c9252d";
        const title = titleOf(limit);
        return [{ title, name: `${title} ${number(value)}`, value, colour }];
      })
    : [];
  return (
    <>
      <div className="toolbar">
        <Select
          value={attribute}
          onChange={setPicked}
          style={{ minWidth: 150 }}
          aria-label={t("entity.attribute")}
          options={names.map((name) => ({ value: name, label: titleOf(name) }))}
        />
        <Segmented
          value={range}
          onChange={setRange}
          aria-label={t("entity.range")}
          options={(Object.keys(RANGES) as Range[]).map((r) => ({ value: r, label: t(`entity.range-${r}`) }))}
        />
        <span className="quiet">{t("word.time-zone", { zone: ZONE_LABEL })}</span>
      </div>
      <Curve
        entityId={entity.id}
        attribute={attribute}
        title={titleOf(attribute)}
        range={range}
        lines={lines}
        onReading={onReading}
        onMessage={onMessage}
      />
    </>
  );
}

interface CurveProps {
  entityId: string;
  attribute: string;
  title: string;
  range: Range;
  lines: Line[];
  onReading: (reading: Reading) => void;
  onMessage: (position: number) => void;
}

function Curve(props: CurveProps) {
  const history = useQuery(historyQuery(props.entityId, props.attribute, props.range));
  return <Loaded query={history}>{(found) => <Found {...props} history={found} />}</Loaded>;
}

function Found({ history, ...props }: CurveProps & { history: History }) {
  const { t } = useT();
  const { entityId, attribute, range, lines, onMessage } = props;
  const [past, setPast] = useState(false);
  const [chosen, choose] = useState<string | null>(null);
  const corrections = useQuery(correctionsQuery(entityId)).data?.items;
  const forecasts = useQuery(forecastsQuery(entityId, attribute, past ? ISSUES_MAX : 1));
  const outlook = useMemo(() => {
    const found = outlookOf(forecasts.data, attribute, history.unit, chosen);
    // Issues that were asked for before are kept for a while.
    return found && (past ? found : { ...found, earlier: [] });
  }, [forecasts.data, attribute, history.unit, chosen, past]);
  const drawn = outlook?.isDrawn ? outlook : null;
  const ahead = Date.now() + RANGES[range];
  return (
    <>
      {history.truncated && (
        <Alert type="info" showIcon title={t("entity.history-truncated", { n: history.points.length })} />
      )}
      {history.points.length === 0 && !drawn ? (
        <Nothing title={t("entity.history-empty")} />
      ) : (
        <>
          <Drawn {...props} history={history} corrections={corrections} outlook={drawn} />
          <p className="quiet hint">
            {t("entity.points", { n: history.points.length })} · {t("entity.history-hint")}
          </p>
        </>
      )}
      {outlook && (
        <ForecastNotes
          outlook={outlook}
          levels={lines}
          measured={measuredLast(history)}
          cutAfter={endOf(outlook.newest) > ahead ? ahead : null}
          past={past}
          setPast={setPast}
          choose={choose}
          onMessage={onMessage}
        />
      )}
      {forecasts.data === undefined && forecasts.error && (
        <p className="quiet hint">
          {t("forecast.failed")}: {errorText(forecasts.error, t)}
        </p>
      )}
    </>
  );
}

function Drawn({
  history,
  corrections,
  outlook,
  attribute,
  title,
  range,
  lines,
  onReading,
}: {
  history: History;
  corrections: Correction[] | undefined;
  /** What is drawn beside the curve. */
  outlook: Outlook | null;
  attribute: string;
  title: string;
  range: Range;
  lines: Line[];
  onReading: (reading: Reading) => void;
}) {
  const { t } = useT();
  const phone = usePhone();
  const shape = JSON.stringify(lines);
  const option = useMemo<ChartOption>(() => {
    const levels = JSON.parse(shape) as Line[];
    const end = Date.now();
    const byPosition = new Map(corrections?.map((one) => [one.position, one]));
    const issues = outlook ? [outlook.newest, ...outlook.earlier] : [];
    // The period that was chosen, and at most as much of what is to come.
    const last = outlook ? Math.min(Math.max(end, endOf(outlook.newest)), end + RANGES[range]) : end;
    const foretold = (issue: EntityForecast, index: number, isNewest: boolean) => {
      const point = issue.points[index];
      if (!point) return [];
      const unit = symbolOf(issue);
      const said = (value: number) => escaped(`${number(value)} ${unit}`.trim());
      const ends = intervalOf(point);
      const interval = ends ? ` (${number(ends[0])}–${number(ends[1])})` : "";
      const name = isNewest
        ? t("forecast.value")
        : t("forecast.issued-at", { time: shortTime(issue.issued_at, end) });
      return [`${name}: <b>${said(point.value)}</b>${isNewest ? interval : ""}`];
    };
    return {
      animation: false,
      grid: { left: 10, right: phone ? 12 : 130, top: 34, bottom: 6, containLabel: true },
      tooltip: {
        trigger: "axis",
        formatter: (raw) => {
          const near = Array.isArray(raw) ? raw : [raw];
          const hits = issues.flatMap((issue, n) => {
            const hit = near.find((one) => one.seriesId === issueId(n));
            return hit ? [{ issue, n, index: hit.dataIndex }] : [];
          });
          const lines = hits
            .flatMap(({ issue, n, index }) => foretold(issue, index, n === 0))
            .slice(0, TOOLTIP_ISSUES_MAX);
          const [hit] = hits;
          const at = near.find((one) => one.seriesIndex === 0)?.dataIndex;
          // Where nothing was measured, the time is that of what is foretold for it.
          const point = at === undefined && hit ? undefined : history.points[at ?? near[0]?.dataIndex ?? 0];
          if (!point) {
            const moment = hit?.issue.points[hit.index]?.at;
            return moment ? [`${time(moment)} ${ZONE_LABEL}`, ...lines].join("<br>") : "";
          }
          const quality = point.quality === "good" ? "" : ` · ${t(`quality.${point.quality}`)}`;
          const said = `${time(point.observed_at)} ${ZONE_LABEL}<br><b>${quantity(point.value, history.unit)}</b>${quality}`;
          const why = byPosition.get(point.position);
          if (!why) return [said, ...lines].join("<br>");
          const was = t("correction.was", { value: quantity(why.old_value, why.old_unit) });
          const who = `${why.corrected_by} · ${time(why.corrected_at)} ${ZONE_LABEL}`;
          return [said, ...[was, who, why.reason].map(escaped), ...lines].join("<br>");
        },
      },
      xAxis: {
        type: "time",
        min: end - RANGES[range],
        max: last,
        ...AXIS,
        axisLabel: { ...AXIS.axisLabel, hideOverlap: true, formatter: (at: number) => shortTime(at, end) },
        splitLine: { show: false },
      },
      yAxis: {
        type: "value",
        scale: true,
        name: [title, unitSymbol(history.unit)].filter(Boolean).join(" / "),
        nameTextStyle: { align: "left", color: "#5d7078" },
        // The levels belong in the picture, else nobody sees how near they are.
        min: (extent) => Math.floor(Math.min(extent.min, ...levels.map((l) => l.value)) * 10 - 1) / 10,
        max: (extent) => Math.ceil(Math.max(extent.max, ...levels.map((l) => l.value)) * 10 + 1) / 10,
        ...AXIS,
        // The ends are no round values and stand too near to their neighbours.
        axisLabel: { ...AXIS.axisLabel, showMinLabel: false, showMaxLabel: false },
      },
      dataZoom: [{ type: "inside", filterMode: "none" }],
      series: [
        {
          type: "line",
          showSymbol: history.points.length < 120,
          symbolSize: 5,
          triggerLineEvent: false,
          lineStyle: { width: 2, color: "#0e6b7c" },
          itemStyle: { color: "#0e6b7c" },
          areaStyle: { color: "rgba(14,107,124,0.07)" },
          // A value that rules leave out is shown, but does not bend the curve.
          data: history.points.map((point) => [
            new Date(point.observed_at).getTime(),
            typeof point.value === "number" && point.quality !== "out_of_range" ? point.value : null,
          ]),
          connectNulls: true,
          markLine: {
            silent: true,
            symbol: "none",
            data: [
              ...levels.map((level) => ({
                yAxis: level.value,
                lineStyle: { color: level.colour, type: "dashed" as const, width: 1.5 },
                label: {
                  formatter: level.name,
                  color: level.colour,
                  position: phone ? ("insideEndTop" as const) : ("end" as const),
                  backgroundColor: "rgba(255,255,255,0.8)",
                },
              })),
              ...(outlook
                ? [
                    {
                      xAxis: end,
                      lineStyle: { color: "#8fa3aa", type: "solid" as const, width: 1 },
                      label: { formatter: t("forecast.now"), color: "#5d7078" },
                    },
                  ]
                : []),
            ],
          },
        },
        {
          type: "scatter",
          symbol: "diamond",
          symbolSize: 9,
          itemStyle: { color: "#c9252d" },
          data: history.points
            .filter((point) => point.quality === "out_of_range" && typeof point.value === "number")
            .map((point) => [new Date(point.observed_at).getTime(), point.value as number]),
        },
        {
          type: "scatter",
          symbol: "emptyCircle",
          symbolSize: 11,
          silent: true,
          itemStyle: { color: "#0e9aa7", borderWidth: 2 },
          data: history.points
            .filter((point) => point.quality === "corrected" && typeof point.value === "number")
            .map((point) => [new Date(point.observed_at).getTime(), point.value as number]),
        },
        ...issues.flatMap((issue, n) =>
          n === 0 ? fanSeries(issueId(n), issue.points) : [earlierSeries(issueId(n), issue.points)],
        ),
      ],
    };
  }, [history, corrections, outlook, shape, title, range, phone, t]);
  return (
    <Chart
      option={option}
      label={outlook ? t("forecast.chart", { title }) : title}
      height={phone ? 260 : 340}
      onPoint={(index) => {
        const point = history.points[index];
        if (point) onReading({ ...point, attribute, unit: history.unit });
      }}
    />
  );
}
