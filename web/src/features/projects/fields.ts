/** The parts of a project as forms: which fields a row has, and how what is entered becomes what is sent, and back. */
import type { ProjectChange, ProjectKept } from "../../lib/types.ts";
import { fenOf, yuanText } from "./money.ts";

/** How a field is entered. */
export type Kind = "text" | "long" | "day" | "yuan" | "year" | "unit" | "yes" | "choice" | "photo";

export interface Field {
  name: string;
  kind: Kind;
  required?: boolean;
  /** Of a choice: the words to choose from, `project-source.central` and so on. */
  words?: { prefix: string; values: readonly string[] };
  /** Longest text, characters. */
  charsMax?: number;
}

/** The parts that are lists. */
export const SECTIONS = ["milestones", "money", "tasks", "procedures", "factors", "risks", "assets"] as const;
export type Section = (typeof SECTIONS)[number];

const NAME_CHARS_MAX = 120;
const TEXT_CHARS_MAX = 1_000;
export const SOURCES = ["central", "province", "city", "bonds", "loans", "social", "own", "other"] as const;
const PROCEDURES = ["needed", "applied", "granted", "refused"] as const;
const FACTORS = ["land", "energy", "environment", "labour", "other"] as const;
const LEVELS = ["low", "medium", "high"] as const;
export const STAGES = ["reserve", "preparing", "building", "built", "in_use", "paused"] as const;

const name = (of: string): Field => ({ name: of, kind: "text", required: true, charsMax: NAME_CHARS_MAX });
const long = (of: string, required = false): Field => ({
  name: of,
  kind: "long",
  required,
  charsMax: TEXT_CHARS_MAX,
});
const day = (of: string, required = false): Field => ({ name: of, kind: "day", required });
const yuan = (of: string): Field => ({ name: of, kind: "yuan", required: true });
/** The number of a photo of the site. */
const photo: Field = { name: "photo", kind: "photo" };
const choice = (of: string, prefix: string, values: readonly string[]): Field => ({
  name: of,
  kind: "choice",
  required: true,
  words: { prefix, values },
});

export const FIELDS: Record<Section, Field[]> = {
  milestones: [name("name"), day("planned", true), day("forecast"), day("done"), long("evidence"), photo],
  money: [
    choice("source", "project-source", SOURCES),
    { name: "year", kind: "year", required: true },
    yuan("planned_fen"),
    yuan("arranged_fen"),
    yuan("paid_fen"),
  ],
  tasks: [
    { name: "organisation", kind: "unit", required: true },
    long("task", true),
    day("due"),
    day("done"),
    long("progress"),
  ],
  procedures: [
    name("name"),
    choice("state", "project-procedure", PROCEDURES),
    { name: "number", kind: "text", charsMax: NAME_CHARS_MAX },
    day("decided"),
  ],
  factors: [choice("kind", "project-factor", FACTORS), long("need", true), long("missing")],
  risks: [
    long("risk", true),
    choice("level", "project-level", LEVELS),
    long("measure"),
    { name: "over", kind: "yes" },
  ],
  assets: [{ name: "entity_id", kind: "text", required: true }, long("note")],
};

/** A row as its fields hold it: texts, and yes or no. */
export type Entered = Record<string, string | boolean | undefined>;

/** A row of what is kept, as its fields show it. */
export function entered(fields: Field[], row: Record<string, unknown>): Entered {
  const shown = fields.map(({ name: key, kind }): [string, string | boolean | undefined] => {
    const value = row[key];
    if (kind === "yes") return [key, value === true];
    if (kind === "yuan") return [key, typeof value === "number" ? yuanText(value) : undefined];
    return [key, value === null || value === undefined || value === "" ? undefined : String(value)];
  });
  return Object.fromEntries(shown);
}

/** What its fields hold, as a row to send. */
export function sent(fields: Field[], row: Entered): Record<string, unknown> {
  const values = fields.map(({ name: key, kind }): [string, unknown] => {
    const value = row[key];
    if (kind === "yes") return [key, value === true];
    const text = typeof value === "string" ? value.trim() : "";
    if (kind === "yuan") return [key, fenOf(text)];
    if (kind === "year") return [key, Number(text)];
    if (kind === "day") return [key, text || null];
    if (kind === "photo") return [key, text ? Number(text) : null];
    return [key, text];
  });
  return Object.fromEntries(values);
}

/** A list of rows as a part to send. */
export function part(section: Section, rows: Entered[], version: number): ProjectChange {
  const list = rows.map((row) => sent(FIELDS[section], row));
  return { version, section, [section]: list } as unknown as ProjectChange;
}

export function rowsOf(section: Section, kept: ProjectKept): Entered[] {
  const rows = kept[section] as unknown as Record<string, unknown>[];
  return rows.map((row) => entered(FIELDS[section], row));
}
