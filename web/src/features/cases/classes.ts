/** Classes of cases as choices: grouped by major class, found by code or title. */
import type { CaseClass } from "../../lib/types.ts";

/** Picks the Chinese or the English text. */
type Pick = (zh: string, en: string) => string;

export function classTitle(of: CaseClass, p: Pick): string {
  return `${of.code} ${p(of.title_zh, of.title_en)}`;
}

/** The classes as groups of a select. */
export function classOptions(all: CaseClass[], p: Pick) {
  const groups = new Map<string, { label: string; options: { value: string; label: string }[] }>();
  for (const of of all) {
    const group = groups.get(of.major) ?? {
      label: `${of.major} ${p(of.major_zh, of.major_en)}`,
      options: [],
    };
    group.options.push({ value: of.code, label: classTitle(of, p) });
    groups.set(of.major, group);
  }
  return [...groups.values()];
}
