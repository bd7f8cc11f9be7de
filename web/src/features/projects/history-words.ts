/** What differs in a change of a project, in words: each row or field of before and of afterwards. Pure. */
import type { Translate } from "../../i18n/index.tsx";
import { type Key, keyOf } from "../../i18n/words.ts";
import type { ProjectHistoryEntry } from "../../lib/types.ts";
import { FIELDS, type Field, SECTIONS, type Section } from "./fields.ts";
import { yuan } from "./money.ts";

/** The fields of who answers, from when to when, for how much, with their words. */
const PROFILE: Record<string, Key> = {
  organisation: "project.unit",
  start: "project.start",
  end: "project.end-day",
  total_fen: "project.total",
  note: "project.note",
};

export interface Said {
  t: Translate;
  /** The name of an organisation, by its id. */
  unit: (id: string) => string;
}

/** A value of a field in words; nothing for what says nothing. */
function valueWord(
  { kind, words }: Pick<Field, "kind" | "words">,
  value: unknown,
  { t, unit }: Said,
): string {
  if (value === null || value === undefined || value === "" || value === false) return "";
  if (kind === "yuan" && typeof value === "number") return `${yuan(value)} ${t("project.yuan")}`;
  if (kind === "unit") return unit(String(value));
  if (kind === "photo") return t("project-history.photo", { n: String(value) });
  const key = words && keyOf(words.prefix, String(value));
  return key ? t(key) : String(value);
}

function rowWord(section: Section, row: Record<string, unknown>, said: Said): string {
  const fields = FIELDS[section].map((field) => {
    const key = keyOf("project-field", `${section}-${field.name}`);
    const label = key ? said.t(key) : field.name;
    if (field.kind === "yes") return row[field.name] === true ? label : "";
    const word = valueWord(field, row[field.name], said);
    return word && `${label} ${word}`;
  });
  return fields.filter(Boolean).join(" · ");
}

function profileWords(fields: Record<string, unknown>, said: Said): string[] {
  return Object.entries(fields).map(([name, value]) => {
    const key = PROFILE[name];
    const kind = name === "organisation" ? "unit" : name === "total_fen" ? "yuan" : "text";
    const word = valueWord({ kind }, value, said) || said.t("project-history.empty");
    return `${key ? said.t(key) : name} ${word}`;
  });
}

/** Of one side of a change, before or afterwards: a line for each row or field that differs. */
export function changeLines(section: string | null, side: unknown, said: Said): string[] {
  const list = SECTIONS.find((one) => one === section);
  if (list && Array.isArray(side)) return side.map((row) => rowWord(list, row, said));
  if (section === "profile" && typeof side === "object" && side !== null) {
    return profileWords(side as Record<string, unknown>, said);
  }
  if (section === "stage" && typeof side === "string") {
    const key = keyOf("project-stage", side);
    return [key ? said.t(key) : side];
  }
  return [];
}

/** The name of the part that was changed. */
export function sectionWord({ section }: ProjectHistoryEntry, t: Translate): string {
  if (section === "stage") return t("project.stage");
  const key = section === null ? undefined : keyOf("project-section", section);
  return key ? t(key) : (section ?? "");
}
