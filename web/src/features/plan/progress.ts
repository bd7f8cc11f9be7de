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
