/** The meter's register over the time of a session; readings in doubt stand out. */
import { useMemo } from "react";
import { useT } from "../../i18n/index.tsx";
import { number, shortTime, time, ZONE_LABEL } from "../../lib/format.ts";
import type { ChargingDoubt, ChargingEvent } from "../../lib/types.ts";
import { AXIS, Chart, type ChartOption } from "../../ui/chart.tsx";
import { energy } from "./say.ts";

/** Fewer points make no curve. */
export const POINTS_MIN = 2;

export interface Reading {
  at: string;
  wh: number;
  /** Less than one before it, or at the time of a doubt. */
  mark: "back" | "doubt" | null;
}

/** What the meter stood at, in the order of the station's clock. */
export function readingsOf(
  events: readonly ChargingEvent[],
  doubts: readonly ChargingDoubt[] = [],
): Reading[] {
  const doubted = new Set(doubts.map(({ at }) => at));
  const timed = events.flatMap(({ at, register_wh: wh }) => (at !== null && wh !== null ? [{ at, wh }] : []));
  timed.sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
  let highest = Number.NEGATIVE_INFINITY;
  return timed.map(({ at, wh }) => {
    const mark = wh < highest ? "back" : doubted.has(at) ? "doubt" : null;
    highest = Math.max(highest, wh);
    return { at, wh, mark };
  });
}

export function RegisterChart({ readings }: { readings: Reading[] }) {
  const { t } = useT();
  const option = useMemo<ChartOption>(() => {
    const last = Date.parse(readings.at(-1)?.at ?? "");
    return {
      animation: false,
      grid: { left: 10, right: 20, top: 34, bottom: 6, containLabel: true },
      tooltip: {
        trigger: "axis",
        formatter: (raw) => {
          const [near] = Array.isArray(raw) ? raw : [raw];
          const reading = readings[near?.dataIndex ?? -1];
          if (!reading) return "";
          const mark = reading.mark ? ` · ${t(`charging.chart-${reading.mark}`)}` : "";
          return `${time(reading.at)} ${ZONE_LABEL}<br><b>${energy(reading.wh)}</b>${mark}`;
        },
      },
      xAxis: {
        type: "time",
        ...AXIS,
        axisLabel: { ...AXIS.axisLabel, hideOverlap: true, formatter: (at: number) => shortTime(at, last) },
        splitLine: { show: false },
      },
      yAxis: {
        type: "value",
        scale: true,
        name: `${t("charging.register")} kWh`,
        nameTextStyle: { align: "left", color: "#5d7078" },
        ...AXIS,
        axisLabel: { ...AXIS.axisLabel, formatter: (value: number) => number(value) },
      },
      series: [
        {
          type: "line",
          symbolSize: 7,
          lineStyle: { color: "#0e6b7c", width: 2 },
          itemStyle: { color: "#0e6b7c" },
          data: readings.map(({ at, wh, mark }) => ({
            value: [at, wh / 1_000],
            ...(mark ? { symbol: "diamond", symbolSize: 13, itemStyle: { color: "#c9252d" } } : {}),
          })),
        },
      ],
    };
  }, [readings, t]);
  return <Chart option={option} label={t("charging.chart-label")} height={220} />;
}
