/** What a rule says, in words. */
import type { Translate } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import type { EntityKind, Rule } from "../../lib/types.ts";

type Pick = (zh: string, en: string) => string;

/** Seconds as people say them: `90 s`, `15 min`, `2 h`. */
export function span(seconds: number): string {
  // A day and less is told in hours.
  if (seconds >= 172_800 && seconds % 86_400 === 0) return `${seconds / 86_400} d`;
  if (seconds >= 3600 && seconds % 3600 === 0) return `${seconds / 3600} h`;
  if (seconds >= 60 && seconds % 60 === 0) return `${seconds / 60} min`;
  return `${seconds} s`;
}

interface Declared {
  op?: string | null;
  threshold?: unknown;
  for_seconds?: number;
  window_seconds?: number;
  per_seconds?: number | null;
  at_least?: number | null;
  distinct?: boolean;
  when?: string | null;
  area?: { name?: string | null; radius_m?: number } | null;
  expression?: string | null;
  forecast?: {
    entity_type: string;
    bound?: string;
    within_hours?: number | null;
    age_hours_max: number;
    certainty_min?: number | null;
  } | null;
}

/** How types and attributes are called. */
export interface Names {
  type(name: string): string;
  attribute(type: string, name: string): string;
}

/** As they are stored. */
const STORED: Names = { type: (name) => name, attribute: (_, name) => name };

/** As their packs call them. */
export function packNames(kinds: Map<string, EntityKind> | undefined, p: Pick): Names {
  return {
    type: (name) => {
      const kind = kinds?.get(name);
      return kind ? p(kind.title_zh, kind.title_en) : name;
    },
    attribute: (type, name) => {
      const declared = kinds?.get(type)?.attributes[name];
      return declared ? p(declared.title_zh, declared.title_en) : name;
    },
  };
}

/** The signs of comparisons as people write them. */
const SIGNS: Record<string, string> = { ">=": "≥", "<=": "≤", "==": "=", "!=": "≠" };

function thresholdText(threshold: unknown, type: string, names: Names): string {
  if (typeof threshold !== "object" || threshold === null) return String(threshold ?? "");
  const stated = threshold as Record<string, unknown>;
  const whose = stated.entity ?? stated.relation;
  const attribute = String(stated.attribute);
  const parts = [whose ? `${whose}.${attribute}` : names.attribute(type, attribute)];
  if (typeof stated.times === "number") parts.push(`× ${stated.times}`);
  if (typeof stated.plus === "number") parts.push(`+ ${stated.plus}`);
  return parts.join(" ");
}

/** What a rule's alerts are called, where nothing has happened yet: words stand for what only an alert has. */
export function heading(title: string, rule: Rule, t: Translate, names: Names = STORED): string {
  const { threshold } = rule.declared as Declared;
  const known: Record<string, string> = {
    entity: t("rule.entity"),
    // Of a deviation the alert names what was foretold; how far it may be is said beside it.
    threshold:
      threshold == null || rule.kind === "deviation"
        ? "…"
        : thresholdText(threshold, rule.entity_type, names),
    value: "…",
  };
  // The unit is the value's, and comes with it.
  return title.replace(/\s*\{unit\}/g, "").replace(/\{(\w+)\}/g, (_, name: string) => known[name] ?? "…");
}

/** Which words a rule's kind takes: some kinds say two things. */
function sayingOf(rule: Rule, declared: Declared): string {
  if (rule.kind === "count" && declared.distinct === true) return "count-distinct";
  if (rule.kind === "deviation" && declared.threshold == null) return "deviation-interval";
  if (rule.kind === "silence" && declared.threshold != null) return "silence-stated";
  return rule.kind;
}

export function says(rule: Rule, t: Translate, names: Names = STORED): string {
  const declared = rule.declared as Declared;
  const key = keyOf("rule-say", sayingOf(rule, declared));
  if (!key) return rule.kind;
  const when = keyOf("rule-when", declared.when ?? "");
  const radius = declared.area?.radius_m;
  const outlook = declared.forecast;
  const bound = keyOf("forecast-bound", outlook?.bound ?? "value");
  const said = t(key, {
    type: names.type(rule.entity_type),
    attribute: rule.attribute ? names.attribute(rule.entity_type, rule.attribute) : "",
    op: SIGNS[declared.op ?? ""] ?? declared.op ?? "",
    threshold: thresholdText(declared.threshold, rule.entity_type, names),
    window: span(declared.window_seconds ?? 0),
    per: span(declared.per_seconds ?? 1),
    for: span(declared.for_seconds ?? 0),
    count: declared.at_least ?? 0,
    when: when ? t(when) : "",
    area: declared.area?.name ?? (radius ? `${radius} m` : ""),
    expression: declared.expression ?? "",
    forecast: outlook?.entity_type ?? "",
    within: outlook?.within_hours ?? 0,
    bound: bound ? t(bound) : "",
  });
  const sure = outlook?.certainty_min;
  const terms = outlook
    ? t("rule-say.forecast-age", { age: outlook.age_hours_max }) +
      (sure ? t("rule-say.forecast-sure", { sure: Math.round(sure * 100) }) : "")
    : "";
  const held = (declared.for_seconds ?? 0) > 0 && rule.kind !== "silence";
  return said + (held ? t("rule-say.held", { for: span(declared.for_seconds ?? 0) }) : "") + terms;
}
