/** Where an indicator stands between its baseline and its target. Pure. */
import type { Indicator } from "../../lib/types.ts";

type Figures = Pick<Indicator, "baseline" | "target" | "direction" | "value" | "expected_now">;

/** Share of the way from baseline to target, 0 to 1; null when there is no value. No baseline counts as 0. */
export function progress(figures: Figures, value: number | null = figures.value): number | null {
  if (value === null) return null;
  const start = figures.baseline ?? (figures.direction === "more" ? 0 : null);
  if (start === null || start === figures.target) {
    const met = figures.direction === "more" ? value >= figures.target : value <= figures.target;
    return met ? 1 : 0;
  }
  return Math.min(1, Math.max(0, (value - start) / (figures.target - start)));
}

/** Share of the way at which the path says the indicator should be now; null when the path is not known. */
export function expectedProgress(figures: Figures): number | null {
  return progress(figures, figures.expected_now);
}

const YEAR_MS = 365.25 * 86_400_000;

/** A time on an axis where the end of 2020 is 2020: the plan's figures are those at the end of a year. */
export function yearEndScale(iso: string): number {
  const at = new Date(iso).getTime();
  const year = new Date(at).getUTCFullYear();
  return year - 1 + (at - Date.UTC(year, 0, 1)) / (Date.UTC(year + 1, 0, 1) - Date.UTC(year, 0, 1));
}

/** A day on that axis: its end, so that 31 December is the year itself. */
export function dayScale(day: string): number {
  return yearEndScale(new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString());
}

/** The day that a place on that axis means. */
export function dayOf(scaled: number): string {
  const year = Math.floor(scaled);
  const at = Date.UTC(year + 1, 0, 1) + (scaled - year) * YEAR_MS;
  return new Date(at - 43_200_000).toISOString().slice(0, 10);
}
