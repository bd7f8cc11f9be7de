/** Figures of runs as people say them. Pure. */
import type { Translate } from "../../i18n/index.tsx";
import { number } from "../../lib/format.ts";
import type { RunDefinition, RunRepeated, RunTable } from "../../lib/types.ts";
import type { FanPoint } from "../../ui/fan.ts";
import { span } from "../rules/say.ts";

/** How long a run took; nothing while it goes on. */
export function took(begun: string, ended: string | null): string {
  if (ended === null) return "—";
  const ms = Date.parse(ended) - Date.parse(begun);
  if (!Number.isFinite(ms)) return "—";
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  return ms < 120_000 ? `${number(ms / 1_000, 1)} s` : `${number(ms / 60_000, 1)} min`;
}

/** How often a declaration is due, and how long after that it begins. */
export function every({ every_minutes, delay_minutes }: RunDefinition, t: Translate): string {
  const often = t("run.every", { span: span(every_minutes * 60) });
  return delay_minutes > 0 ? `${often} ${t("run.delay", { span: span(delay_minutes * 60) })}` : often;
}

/** A column's cell as a number; null where there is none. */
function cell(row: string[], column: number): number | null {
  const text = row[column]?.trim();
  if (!text) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** The points of an outcome that has the columns of a forecast; null when it has not, or no row of it can be drawn. */
export function fanOf({ columns, rows }: RunTable): FanPoint[] | null {
  const [at, value, lower, upper] = ["at", "value", "lower", "upper"].map((name) => columns.indexOf(name));
  if (at === undefined || at < 0 || value === undefined || value < 0) return null;
  const points = rows.flatMap((row) => {
    const [moment, expected] = [row[at] ?? "", cell(row, value)];
    if (expected === null || Number.isNaN(Date.parse(moment))) return [];
    return [{ at: moment, value: expected, lower: cell(row, lower ?? -1), upper: cell(row, upper ?? -1) }];
  });
  return points.length > 0 ? points : null;
}

/** What came of reckoning a run again, and how grave it is. */
export function repeated(
  answer: RunRepeated,
  t: Translate,
): { type: "success" | "warning" | "error"; text: string } {
  const versions = { was: answer.engine_version_then, now: answer.engine_version_now };
  if (answer.is_same) return { type: "success", text: t("run.repeat-same", versions) };
  if (answer.output_digest_now === null) {
    return answer.output_digest_then === null
      ? { type: "warning", text: t("run.repeat-fails-still") }
      : { type: "error", text: t("run.repeat-fails") };
  }
  if (answer.output_digest_then === null) return { type: "warning", text: t("run.repeat-works") };
  const changed = versions.was !== versions.now;
  if (answer.output_digest_then === answer.output_digest_now) {
    return {
      type: changed ? "warning" : "error",
      text: t(changed ? "run.repeat-report-version" : "run.repeat-report", versions),
    };
  }
  return {
    type: changed ? "warning" : "error",
    text: t(changed ? "run.repeat-other-version" : "run.repeat-other", versions),
  };
}
