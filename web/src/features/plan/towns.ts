/** The towns of an indicator side by side: their order, how long their bars are, and the table as a file. Pure. */
import type { ComparedTown, SqlResult, TownComparison } from "../../lib/types.ts";

export const ORDERS = ["rank", "value", "change", "way", "name"] as const;
export type Order = (typeof ORDERS)[number];

const figureOf = (town: ComparedTown, order: "value" | "change" | "way") => town[order];

/** Compares two towns; what is not known comes last, whatever the order. */
export function compareTowns(a: ComparedTown, b: ComparedTown, order: Order): number {
  if (order === "name") return a.name.localeCompare(b.name, "zh");
  if (order === "rank") return (a.rank ?? Number.MAX_SAFE_INTEGER) - (b.rank ?? Number.MAX_SAFE_INTEGER);
  const [first, second] = [figureOf(a, order), figureOf(b, order)];
  if (first === null || second === null) return Number(first === null) - Number(second === null);
  return second - first;
}

export function ordered(towns: ComparedTown[], order: Order): ComparedTown[] {
  return [...towns].sort((a, b) => compareTowns(a, b, order));
}

/** How long a town's bar is, 0 to 1 of the longest. */
export function barOf(value: number | null, towns: ComparedTown[]): number {
  const longest = Math.max(0, ...towns.map((town) => Math.abs(town.value ?? 0)));
  return value === null || longest === 0 ? 0 : Math.abs(value) / longest;
}

/** A share as a percentage with one digit. */
export function percentOf(share: number): number {
  return Math.round(share * 1_000) / 10;
}

/** The columns of the file; its names do not change with the language, so that programs can read it. */
const COLUMNS = [
  "rank",
  "code",
  "town",
  "value",
  "share",
  "pull",
  "before",
  "change",
  "way",
  "merged",
  "note",
];

/** What the file holds: every town, then what no town is known of. */
export function townTable(
  found: TownComparison,
  notes: { merged: (town: ComparedTown["merged"][number]) => string; unknown: string; without: string },
): Pick<SqlResult, "columns" | "rows"> {
  const towns = found.towns.map((town) => ({
    ...town,
    town: town.name,
    merged: town.merged.map(notes.merged).join("; "),
    note: null,
  }));
  const unknown = found.unknown.map(({ code, value }) => ({ code, value, note: notes.unknown }));
  const without = found.without_town === null ? [] : [{ value: found.without_town, note: notes.without }];
  return {
    columns: COLUMNS.map((name) => ({ name, type: "text" as const })),
    rows: [...towns, ...unknown, ...without].map((row) => row as Record<string, unknown>),
  };
}
