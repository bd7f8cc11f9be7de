/** What is expected of an attribute, and when it reaches the levels that the value is measured against. Pure. */
import type { EntityForecast, History } from "../../lib/types.ts";
import { intervalOf } from "../../ui/fan.ts";

type Point = EntityForecast["points"][number];

/** The issues of one forecast as the chart shows them. */
export interface Outlook {
  newest: EntityForecast;
  /** The issues before it, newest first. */
  earlier: EntityForecast[];
  /** The newest issue of each forecast of the attribute; there may be several methods. */
  choices: EntityForecast[];
  /** Whether its unit is that of the curve; else both cannot stand in one picture. */
  isDrawn: boolean;
}

/** The forecast that was chosen, else the one that was issued last; null when there is none. */
export function outlookOf(
  issues: readonly EntityForecast[] | undefined,
  attribute: string,
  unit: string | null,
  chosen: string | null,
): Outlook | null {
  // While another attribute is read, the answer is still the one before.
  const ofIt = issues?.filter((issue) => issue.attribute === attribute && issue.points.length > 0) ?? [];
  const choices = ofIt.filter(
    (issue, i) => ofIt.findIndex((one) => one.forecast_id === issue.forecast_id) === i,
  );
  const picked = choices.find((issue) => issue.forecast_id === chosen) ?? choices[0];
  if (!picked) return null;
  const [newest = picked, ...earlier] = ofIt.filter((issue) => issue.forecast_id === picked.forecast_id);
  const isDrawn = unit === null || newest.unit === null || newest.unit === unit;
  return { newest, earlier, choices, isDrawn };
}

/** What was measured last. */
export interface Measured {
  at: string;
  value: number;
}

/** The last value of a history that rules would use. */
export function measuredLast(history: History): Measured | null {
  const last = history.points.findLast(
    ({ value, quality }) => typeof value === "number" && quality !== "out_of_range",
  );
  return last ? { at: last.observed_at, value: last.value as number } : null;
}

/** What is to come of one level; times are those of the forecast's points. */
export interface Reaching {
  /** What was measured last is at the level or above; then only `below` is looked for. */
  isReached: boolean;
  /** The first coming point whose value is at the level or above. */
  value: string | null;
  /** The first coming point whose interval's upper end is. */
  upper: string | null;
  /** The first coming point whose value is below. */
  below: string | null;
}

/** What is to come of a level after a moment, in milliseconds. */
export function reaching(
  points: readonly Point[],
  level: number,
  measured: Measured | null,
  now: number,
): Reaching {
  const coming = points.filter(({ at }) => Date.parse(at) > now);
  const first = (is: (point: Point) => boolean) => coming.find(is)?.at ?? null;
  const isReached = measured !== null && measured.value >= level;
  return {
    isReached,
    value: isReached ? null : first(({ value }) => value >= level),
    upper: isReached ? null : first(({ upper }) => upper !== null && upper >= level),
    below: isReached ? first(({ value }) => value < level) : null,
  };
}

/** Whether any point has an interval. */
export function hasInterval(points: readonly Point[]): boolean {
  return points.some((point) => intervalOf(point) !== null);
}

/** When a forecast ends, milliseconds. */
export function endOf({ points }: EntityForecast): number {
  const last = points.at(-1);
  return last ? Date.parse(last.at) : Number.NEGATIVE_INFINITY;
}

/** The number of the run that a forecast names; null when it names none of the city's. */
export function runOf(run: string | null): string | null {
  return /^run-(\d+)$/.exec(run ?? "")?.[1] ?? null;
}
