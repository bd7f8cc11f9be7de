/** Draws what is expected with its interval, as a fan: a dashed line in a shaded band. */
import type { LineSeriesOption } from "echarts/charts";

/** What is expected at one moment; the interval may be missing. */
export interface FanPoint {
  at: string;
  value: number;
  lower: number | null;
  upper: number | null;
}

/** The colour of what is expected; what was measured and the levels have others. */
export const FAN_COLOUR = "#3f57c4";
const BAND_COLOUR = "rgba(63,87,196,0.16)";
/** Earlier issues stand behind the newest. */
const EARLIER_COLOUR = "rgba(63,87,196,0.35)";

/** Both ends of the interval at a point; null where one is missing. */
export function intervalOf({ lower, upper }: FanPoint): [lower: number, upper: number] | null {
  return lower === null || upper === null ? null : [lower, upper];
}

/** The series of a fan; its line has the given id. The band is what lies between its lower end and how wide it is, stacked. */
export function fanSeries(id: string, points: readonly FanPoint[]): LineSeriesOption[] {
  const hidden: LineSeriesOption = {
    type: "line",
    silent: true,
    symbol: "none",
    stack: id,
    stackStrategy: "all",
    lineStyle: { opacity: 0 },
    z: 1,
  };
  const at = (point: FanPoint) => Date.parse(point.at);
  const intervals = points.map(intervalOf);
  const band: LineSeriesOption[] = [
    {
      ...hidden,
      id: `${id}-lower`,
      data: points.map((point, i) => [at(point), intervals[i]?.[0] ?? null]),
    },
    {
      ...hidden,
      id: `${id}-band`,
      areaStyle: { color: BAND_COLOUR },
      data: points.map((point, i) => {
        const ends = intervals[i];
        return [at(point), ends ? ends[1] - ends[0] : null];
      }),
    },
  ];
  return [
    ...(intervals.some((ends) => ends !== null) ? band : []),
    {
      id,
      type: "line",
      silent: true,
      symbol: "none",
      lineStyle: { width: 2, type: "dashed", color: FAN_COLOUR },
      itemStyle: { color: FAN_COLOUR },
      data: points.map((point) => [at(point), point.value]),
      z: 3,
    },
  ];
}

/** An earlier issue, as a thin line without its interval. */
export function earlierSeries(id: string, points: readonly FanPoint[]): LineSeriesOption {
  return {
    id,
    type: "line",
    silent: true,
    symbol: "none",
    lineStyle: { width: 1, color: EARLIER_COLOUR },
    itemStyle: { color: EARLIER_COLOUR },
    data: points.map((point) => [Date.parse(point.at), point.value]),
    z: 1,
  };
}
