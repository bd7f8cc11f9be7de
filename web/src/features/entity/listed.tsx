/** A value that is a list of plain objects, such as the points of a curve or the rules of a reservoir: as a table, with what stands beside the list. */
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { number } from "../../lib/format.ts";

/** Rows that are shown before the rest is folded away. */
const ROWS_MAX = 8;

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isPlain = (value: unknown) => value === null || typeof value !== "object";
const isRow = (value: unknown): value is Fields => isFields(value) && Object.values(value).every(isPlain);
const isRows = (value: unknown): value is Fields[] =>
  Array.isArray(value) && value.length > 0 && value.every(isRow);

/** The list in a value, and what stands beside it; null where it is another value. */
export function listOf(value: unknown): { rows: Fields[]; beside: [string, unknown][] } | null {
  if (isRows(value)) return { rows: value, beside: [] };
  if (!isFields(value)) return null;
  const lists = Object.values(value).filter(isRows);
  const beside = Object.entries(value).filter(([, each]) => !isRows(each));
  const [rows] = lists;
  // A geometry has lists too, of numbers; two lists are nothing that one table shows.
  return rows && lists.length === 1 && beside.every(([, each]) => isPlain(each)) ? { rows, beside } : null;
}

export function Listed({ rows, beside }: { rows: Fields[]; beside: [string, unknown][] }) {
  const { t } = useT();
  const columns = [...new Set(rows.flatMap(Object.keys))];
  const nameOf = (name: string) => {
    const key = keyOf("list-field", name);
    return key ? t(key) : name;
  };
  const cell = (value: unknown) =>
    typeof value === "number" ? number(value) : value === undefined || value === null ? "" : String(value);
  const table = (shown: Fields[]) => (
    <table className="entity-listed">
      <thead>
        <tr>
          {columns.map((name) => (
            <th key={name} scope="col">
              {nameOf(name)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {shown.map((row, n) => (
          <tr key={n}>
            {columns.map((name) => (
              <td key={name}>{cell(row[name])}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
  return (
    <>
      {beside.length > 0 && (
        <div className="quiet">
          {beside.map(([name, value]) => `${nameOf(name)} ${cell(value)}`).join(" · ")}
        </div>
      )}
      {rows.length > ROWS_MAX ? (
        <details>
          <summary>{t("entity.listed", { n: rows.length })}</summary>
          {table(rows)}
        </details>
      ) : (
        table(rows)
      )}
    </>
  );
}
