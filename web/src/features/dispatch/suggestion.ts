/** A suggestion for joint dispatch as the engine's report and table say it; what is not in its form is left out. */
import type { RunDetail } from "../../lib/types.ts";

/** What is to be done with one thing now. */
export interface Suggested {
  /** `release`, `gate` or `pump`. */
  kind: string;
  /** The entity; null where the run was given none. */
  thing: string | null;
  /** The declared command that says it; null where nothing can be told. */
  command: string | null;
  unit: string | null;
  now: number;
  value: number;
  is_change: boolean;
}

/** A sentence in both languages. */
export interface Sentence {
  about: string;
  zh: string;
  en: string;
}

/** A measure of the three courses. */
export interface Measure {
  measure: string;
  unit: string;
  nothing: number | null;
  rules: number | null;
  suggested: number | null;
}

export interface Suggestion {
  /** From which moment on it is reckoned. */
  origin: string | null;
  /** `keep`, `rules` or `cut-the-peak`. */
  choice: string;
  actions: Suggested[];
  reasons: Sentence[];
  violations: Sentence[];
  comparison: Measure[];
  doubts: { zh: string[]; en: string[] };
  /** What must not be passed. */
  limits: Record<string, number | null>;
}

const listed = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const isFields = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const texts = (value: unknown) => listed(value).filter((one) => typeof one === "string");
const textOr = (value: unknown, other: string | null) => (typeof value === "string" ? value : other);
const numberOr = (value: unknown) => (typeof value === "number" ? value : null);

const isSentence = (value: unknown): value is Sentence =>
  isFields(value) && typeof value.zh === "string" && typeof value.en === "string";

function suggestedOf(value: unknown): Suggested[] {
  if (!isFields(value) || typeof value.now !== "number" || typeof value.value !== "number") return [];
  return [
    {
      kind: textOr(value.kind, "") ?? "",
      thing: textOr(value.thing, null),
      command: textOr(value.command, null),
      unit: textOr(value.unit, null),
      now: value.now,
      value: value.value,
      is_change: value.is_change === true,
    },
  ];
}

function measureOf(value: unknown): Measure[] {
  if (!isFields(value) || typeof value.measure !== "string") return [];
  return [
    {
      measure: value.measure,
      unit: textOr(value.unit, "") ?? "",
      nothing: numberOr(value.nothing),
      rules: numberOr(value.rules),
      suggested: numberOr(value.suggested),
    },
  ];
}

/** What a run's report suggests; null when it is none of joint dispatch. */
export function suggestionOf({ report }: RunDetail): Suggestion | null {
  if (report.method !== "joint-dispatch" || typeof report.choice !== "string") return null;
  const limits = isFields(report.limits) ? Object.entries(report.limits) : [];
  return {
    origin: textOr(report.origin, null),
    choice: report.choice,
    actions: listed(report.actions).flatMap(suggestedOf),
    reasons: listed(report.reasons).filter(isSentence),
    violations: listed(report.violations).filter(isSentence),
    comparison: listed(report.comparison).flatMap(measureOf),
    doubts: { zh: texts(report.doubts_zh), en: texts(report.doubts) },
    limits: Object.fromEntries(limits.map(([name, value]) => [name, numberOr(value)])),
  };
}

/** A column of the run's table over time; cells that are no number leave a gap. */
export function lineOf({ output }: RunDetail, column: string): [at: number, value: number][] {
  const at = output?.columns.indexOf("at") ?? -1;
  const value = output?.columns.indexOf(column) ?? -1;
  if (!output || at < 0 || value < 0) return [];
  return output.rows.flatMap((row) => {
    const cell = row[value];
    const point: [number, number] = [Date.parse(row[at] ?? ""), Number(cell)];
    return cell && point.every(Number.isFinite) ? [point] : [];
  });
}

/** The newest run of each thing, in the order in which they came. */
export function newestOf<R extends { target_id: string | null }>(runs: readonly R[]): R[] {
  const seen = new Set<string | null>();
  return runs.filter(({ target_id }) => {
    if (seen.has(target_id)) return false;
    seen.add(target_id);
    return true;
  });
}
