/** The outcome of a run that is a forecast, as a fan. */
import { useMemo } from "react";
import { useT } from "../../i18n/index.tsx";
import { number, shortTime, time, unitSymbol, ZONE_LABEL } from "../../lib/format.ts";
import { AXIS, Chart, type ChartOption } from "../../ui/chart.tsx";
import { type FanPoint, fanSeries, intervalOf } from "../../ui/fan.ts";

const ID = "outcome";

export function OutputChart({
  points,
  unit,
  asOf,
}: {
  points: FanPoint[];
  unit: string | null;
  asOf: string;
}) {
  const { t } = useT();
  const option = useMemo<ChartOption>(() => {
    const symbol = unitSymbol(unit);
    const now = Date.parse(asOf);
    return {
      animation: false,
      grid: { left: 10, right: 20, top: 34, bottom: 6, containLabel: true },
      tooltip: {
        trigger: "axis",
        formatter: (raw) => {
          const near = Array.isArray(raw) ? raw : [raw];
          const point = points[near.find((one) => one.seriesId === ID)?.dataIndex ?? -1];
          if (!point) return "";
          const ends = intervalOf(point);
          const value = symbol ? `${number(point.value)} ${symbol}` : number(point.value);
          return [
            `${time(point.at)} ${ZONE_LABEL}`,
            `<b>${value}</b>${ends ? ` (${number(ends[0])}–${number(ends[1])})` : ""}`,
          ].join("<br>");
        },
      },
      xAxis: {
        type: "time",
        ...AXIS,
        axisLabel: { ...AXIS.axisLabel, hideOverlap: true, formatter: (at: number) => shortTime(at, now) },
        splitLine: { show: false },
      },
      yAxis: {
        type: "value",
        scale: true,
        name: symbol,
        nameTextStyle: { align: "left", color: "#5d7078" },
        ...AXIS,
      },
      dataZoom: [{ type: "inside", filterMode: "none" }],
      series: fanSeries(ID, points),
    };
  }, [points, unit, asOf]);
  return <Chart option={option} label={t("run.chart-label")} height={280} />;
}
