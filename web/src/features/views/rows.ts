/** What a register shows of entities: its columns, a cell as a line of text, an order, the whole as CSV and as SQL. Pure. */
import type { Translate } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { attributeText, type Language, pick, time, unitSymbol, ZONE_LABEL } from "../../lib/format.ts";
import type {
  AttributeKind,
  AttributeState,
  Entity,
  EntityType,
  Quality,
  Severity,
  SqlResult,
  ViewTable,
} from "../../lib/types.ts";
import { nameOf } from "../entity/queries.ts";

/** The column of the entity itself, and that of the newest time; no attribute can be called so. */
export const ENTITY = "@entity";
export const NEWEST = "@newest";
/** What names an entity; the first column has it. */
const NAMES = ["name", "nameEn"];
/** A value of many parts is cut to so many characters. */
const SHORT_CHARS = 40;

export interface Column {
  /** The attribute, or one of the two above. */
  key: string;
  title: string;
  /** The symbol of its unit; empty where it has none. */
  unit: string;
  declared: AttributeKind | undefined;
  isNumber: boolean;
}

/** How things are said: the language, its words, and what other entities are called, as far as that is known. */
export interface Saying {
  language: Language;
  t: Translate;
  nameOfOther: (id: string) => string | undefined;
}

/** The entity first, the attributes that the pack lists, and when the newest of them was observed. */
export function registerColumns(
  table: ViewTable,
  kind: EntityType,
  { language, t }: Pick<Saying, "language" | "t">,
): Column[] {
  const titled = (key: string): Column => {
    const declared = kind.attributes[key];
    return {
      key,
      title: declared ? pick(language, declared.title_zh, declared.title_en) : key,
      unit: unitSymbol(declared?.unit),
      declared,
      isNumber: declared?.value === "number",
    };
  };
  const own = (key: string, title: string): Column => ({
    key,
    title,
    unit: "",
    declared: undefined,
    isNumber: false,
  });
  const listed = table.columns.filter((key) => !NAMES.includes(key));
  const name = table.columns.includes("name") ? titled("name").title : t("word.entity");
  return [own(ENTITY, name), ...listed.map(titled), own(NEWEST, `${t("view.newest")} (${ZONE_LABEL})`)];
}

/** A column as its head says it: the title and the unit. */
export const headOf = ({ title, unit }: Column): string => (unit ? `${title} (${unit})` : title);

const attributesOf = (columns: Column[]) =>
  columns.filter(({ key }) => key !== ENTITY && key !== NEWEST).map(({ key }) => key);

/** When the newest of the shown values was observed; of an entity that has none of them, of all that it has. */
export function newestOf(entity: Entity, columns: Column[]): string | null {
  const shown = attributesOf(columns).flatMap((key) => entity.attributes[key] ?? []);
  const all = shown.length > 0 ? shown : Object.values(entity.attributes);
  let newest: string | null = null;
  for (const { observed_at } of all) {
    if (newest === null || Date.parse(observed_at) > Date.parse(newest)) newest = observed_at;
  }
  return newest;
}

/** What another entity is called where its name is not known: its id without what all ids begin with. */
export const shortId = (id: string): string => id.replace(/^urn:ngsi-ld:/, "");

/** Which type an id speaks of, as ids are made here; null where it does not say. */
export const typeOfId = (id: string): string | null => /^urn:ngsi-ld:([^:]+):./.exec(id)?.[1] ?? null;

/** The id that a relationship points at; null when the value is none. */
export function targetOf(column: Column, state: AttributeState | undefined): string | null {
  if (column.declared?.value !== "relationship" || state?.masked) return null;
  return typeof state?.value === "string" && state.value !== "" ? state.value : null;
}

/** How many points a geometry's coordinates are. */
function points(coordinates: unknown): number {
  if (!Array.isArray(coordinates)) return 0;
  if (typeof coordinates[0] === "number") return 1;
  return coordinates.reduce<number>((sum, part) => sum + points(part), 0);
}

function short(text: string): string {
  return text.length > SHORT_CHARS ? `${text.slice(0, SHORT_CHARS)}…` : text;
}

/** A value of many parts in a few words: a line or an area by its points, a list by its members. */
function partsText(value: object, t: Translate): string {
  const { type, coordinates } = value as { type?: unknown; coordinates?: unknown };
  const word = typeof type === "string" && coordinates !== undefined ? keyOf("geometry", type) : undefined;
  if (word) return t(word, { count: points(coordinates) });
  const isList = Array.isArray(value) && value.every((each) => typeof each !== "object");
  return short(isList ? value.join(", ") : JSON.stringify(value));
}

/** A cell as one line of text; a dash where there is nothing. */
export function textOf(entity: Entity, column: Column, columns: Column[], saying: Saying): string {
  const { language, t, nameOfOther } = saying;
  if (column.key === ENTITY) return nameOf(entity, language);
  if (column.key === NEWEST) return time(newestOf(entity, columns));
  const state = entity.attributes[column.key];
  const target = targetOf(column, state);
  if (target) return nameOfOther(target) ?? shortId(target);
  const { declared } = column;
  const value = state?.value;
  if (typeof value === "object" && value !== null && (value as { type?: unknown }).type !== "Point") {
    return partsText(value, t);
  }
  // The head has the declared unit; one that differs stands beside its value.
  const unit = state?.unit && state.unit !== declared?.unit ? state.unit : null;
  return attributeText(language, value, unit, declared?.words);
}

/** What is said of a cell beside its text: when it was observed, and how good it is. */
export function noteOf(state: AttributeState | undefined, t: Translate): string {
  if (!state) return "";
  const parts = [`${t("entity.observed")} ${time(state.observed_at)} ${ZONE_LABEL}`];
  if (state.quality !== "good") parts.push(t(`quality.${state.quality}`));
  if (state.masked) parts.push(t("personal.masked"));
  return parts.join(" · ");
}

export interface Sort {
  key: string;
  down: boolean;
}

/** `waterLevel` is upwards, `-waterLevel` downwards; null when there is no such column. */
export function sortOf(text: string | null, columns: Column[]): Sort | null {
  if (!text) return null;
  const down = text.startsWith("-");
  const key = down ? text.slice(1) : text;
  return columns.some((column) => column.key === key) ? { key, down } : null;
}

/** What the next click on a column's head asks for: upwards, downwards, then the order in which they came. */
export function nextSort(sort: Sort | null, key: string): string | null {
  if (sort?.key !== key) return key;
  return sort.down ? null : `-${key}`;
}

/** By what a cell is put in order: numbers as such, times as such, the rest as it is read; null where there is nothing. */
function rankOf(entity: Entity, column: Column, columns: Column[], saying: Saying): number | string | null {
  if (column.key === NEWEST) {
    const newest = newestOf(entity, columns);
    return newest === null ? null : Date.parse(newest);
  }
  if (column.key !== ENTITY) {
    const value = entity.attributes[column.key]?.value;
    if (value === undefined || value === null) return null;
    if (typeof value === "number") return value;
  }
  return textOf(entity, column, columns, saying);
}

/** Entities in the order asked for; what has no value stands last, whichever way. Of equals the order stays. */
export function inOrder(entities: Entity[], sort: Sort | null, columns: Column[], saying: Saying): Entity[] {
  const column = columns.find(({ key }) => key === sort?.key);
  if (!sort || !column) return entities;
  const { compare } = new Intl.Collator(saying.language === "zh" ? "zh-Hans-CN" : "en", { numeric: true });
  const ranked = entities.map((entity) => ({ entity, rank: rankOf(entity, column, columns, saying) }));
  const sign = sort.down ? -1 : 1;
  ranked.sort(({ rank: a }, { rank: b }) => {
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    if (typeof a === typeof b) return sign * compare(String(a), String(b));
    return typeof a === "number" ? -1 : 1;
  });
  return ranked.map(({ entity }) => entity);
}

/** Where values come from that nobody doubts; where all come from one of them, it is said once. */
const UNDOUBTED: Quality[] = ["good", "reported", "simulated"];

/** What the values in the shown columns are marked with, and what all others are, where that is one and not just good. */
export function marksOf(entities: Entity[], columns: Column[]): { marks: Quality[]; others: Quality | null } {
  const met = new Set<Quality>();
  const keys = attributesOf(columns);
  for (const { attributes } of entities) {
    for (const key of keys) {
      const state = attributes[key];
      if ((state?.value ?? null) !== null) met.add((state as AttributeState).quality);
    }
  }
  const undoubted = UNDOUBTED.filter((quality) => met.has(quality));
  const [only] = undoubted;
  const others = undoubted.length === 1 && only && only !== "good" ? only : null;
  return { marks: [...met].filter((quality) => quality !== "good" && quality !== others).sort(), others };
}

/** The shown rows for a spreadsheet: numbers as such, what is called something in words, and what is not good said at the end. */
export function sheetOf(
  entities: Entity[],
  columns: Column[],
  saying: Saying,
  severityOf: (id: string) => Severity | undefined,
): Pick<SqlResult, "columns" | "rows"> {
  const { t } = saying;
  const names = new Map<string, string>();
  for (const column of columns) {
    const head = headOf(column);
    names.set(column.key, [...names.values()].includes(head) ? `${head} [${column.key}]` : head);
  }
  const [id, alert, quality] = [t("view.csv-id"), t("view.csv-alert"), t("view.csv-quality")];
  const rows = entities.map((entity) => {
    const row: Record<string, unknown> = { [id]: entity.id };
    const doubtful: string[] = [];
    for (const column of columns) {
      const state = entity.attributes[column.key];
      const isNothing = column.key !== ENTITY && column.key !== NEWEST && (state?.value ?? null) === null;
      const isNumber = typeof state?.value === "number" && !column.declared?.words.length;
      const isParts = typeof state?.value === "object" && state.value !== null;
      const said = isNumber || isParts ? state.value : textOf(entity, column, columns, saying);
      row[names.get(column.key) ?? column.key] = isNothing ? null : said;
      if (state && state.quality !== "good")
        doubtful.push(`${column.title}: ${t(`quality.${state.quality}`)}`);
    }
    const severity = severityOf(entity.id);
    row[alert] = severity ? t(`severity.${severity}`) : null;
    row[quality] = doubtful.join("; ");
    return row;
  });
  const all = [id, ...names.values(), alert, quality];
  return { columns: all.map((name) => ({ name, type: "text" as const })), rows };
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** The same as a statement over the view of current values: of all, not only of what is loaded. */
export function sqlOf(kind: EntityType, columns: Column[], q: string, sort: Sort | null): string {
  const names = NAMES.filter((name) => name in kind.attributes);
  const listed = attributesOf(columns).filter((key) => key in kind.attributes);
  const holds = (column: string) => `strpos(lower(${column}), lower(${literal(q)})) > 0`;
  const where = ["entity_id", ...names.slice(0, 1).map(quoted)].map(holds).join(" OR ");
  const by = sort?.key === NEWEST ? "observed_at" : sort?.key === ENTITY ? names[0] : sort?.key;
  const known = by !== undefined && (by === "observed_at" || by in kind.attributes);
  const order = known ? `${quoted(by)} ${sort?.down ? "DESC" : "ASC"} NULLS LAST, entity_id` : "entity_id";
  return [
    `SELECT ${["entity_id", "observed_at", ...[...names, ...listed].map(quoted)].join(", ")}`,
    `FROM ${quoted(`${kind.name}_now`)}`,
    ...(q ? [`WHERE ${where}`] : []),
    `ORDER BY ${order}`,
  ].join("\n");
}
