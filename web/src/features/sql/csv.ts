/** A result as CSV (RFC 4180), with a byte order mark so that spreadsheets read the Chinese. Pure. */
import type { SqlResult } from "../../lib/types.ts";

const BYTE_ORDER_MARK = "\ufeff";

/** A cell as text: nothing for null, JSON for what is not plain. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

/** A spreadsheet takes a text that begins so for a formula; a number may begin with a sign. */
const FORMULA = /^[=+\-@\t\r]/;

/** A cell for a spreadsheet: a text that would be run as a formula stands behind an apostrophe (OWASP, CSV injection). */
function safe(value: unknown): string {
  const text = cellText(value);
  return typeof value !== "number" && FORMULA.test(text) && !Number.isFinite(Number(text))
    ? `'${text}`
    : text;
}

function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function toCsv(result: Pick<SqlResult, "columns" | "rows">): string {
  const names = result.columns.map((column) => column.name);
  const lines = [names.map(safe), ...result.rows.map((row) => names.map((name) => safe(row[name])))];
  return BYTE_ORDER_MARK + lines.map((cells) => cells.map(field).join(",")).join("\r\n") + "\r\n";
}

/** Hands a text to the person as a file. */
export function download(name: string, type: string, text: string) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
