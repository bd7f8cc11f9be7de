/** The rows of a result; only those in sight are drawn. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import type { RowLead, SqlResult } from "../../lib/types.ts";
import { cellText } from "./csv.ts";

const ROW_HEIGHT_PX = 30;
const CHARACTER_WIDTH_PX = 7.8;
const COLUMN_WIDTH_MIN_PX = 70;
const COLUMN_WIDTH_MAX_PX = 380;
/** Rows that a column's width is measured on. */
const MEASURED_ROWS = 60;

/** Chinese characters are as wide as two Latin ones. */
function width(text: string): number {
  let wide = 0;
  for (const char of text) wide += (char.codePointAt(0) ?? 0) > 0x2e80 ? 2 : 1;
  return wide;
}

type Leading = Pick<RowLead, "column" | "to">;
/** Columns whose cells lead further in any answer: to the entity, or to the stored message. */
const LEADS: Leading[] = [
  { column: "entity_id", to: "entity" },
  { column: "journal_position", to: "message" },
];

/** The page to which a cell leads; nothing where what it names opens beside this page. */
function pageOf(to: RowLead["to"], value: string | number): string | null {
  const name = encodeURIComponent(value);
  switch (to) {
    case "entity":
    case "device":
      return `/entities/${name}`;
    case "case":
      return `/cases/${name}`;
    case "project":
      return `/projects/${name}`;
    case "alert":
      return `/alerts?alert=${name}`;
    case "form":
      return `/forms/${String(value).split("/").map(encodeURIComponent).join("/")}`;
    default:
      return null;
  }
}

interface Openers {
  onPosition: (position: number) => void;
  /** Opens a reported figure; nothing where nobody asks for any. */
  onReport?: (report: number) => void;
}

export function ResultTable({
  result,
  leads = LEADS,
  ...openers
}: {
  result: SqlResult;
  /** The columns whose cells lead further. */
  leads?: Leading[];
} & Openers) {
  const { t } = useT();
  const field = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: result.rows.length,
    getScrollElement: () => field.current,
    estimateSize: () => ROW_HEIGHT_PX,
    overscan: 12,
  });
  const columns = useMemo(
    () =>
      result.columns.map((column) => {
        const sample = result.rows.slice(0, MEASURED_ROWS);
        const longest = Math.max(
          width(column.name),
          ...sample.map((row) => width(cellText(row[column.name]))),
        );
        const wanted = longest * CHARACTER_WIDTH_PX + 24;
        const numeric = sample.some((row) => typeof row[column.name] === "number");
        return {
          ...column,
          numeric,
          width: Math.min(COLUMN_WIDTH_MAX_PX, Math.max(COLUMN_WIDTH_MIN_PX, wanted)),
        };
      }),
    [result],
  );
  const template = columns.map((column) => `minmax(${Math.round(column.width)}px, auto)`).join(" ");
  const total = columns.reduce((sum, column) => sum + column.width, 0);
  const line = { gridTemplateColumns: template, minWidth: total };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section ref={field} className="result" tabIndex={0} aria-label={t("sql.result")}>
      <table aria-rowcount={result.rows.length}>
        <thead>
          <tr className="result-line result-head" style={line}>
            {columns.map((column) => (
              <th
                key={column.name}
                scope="col"
                title={`${column.name}: ${column.type}`}
                className={column.numeric ? "result-number" : undefined}
              >
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody style={{ height: rows.getTotalSize(), minWidth: total }}>
          {rows.getVirtualItems().map((item) => {
            const row = result.rows[item.index] ?? {};
            return (
              <tr
                key={item.key}
                aria-rowindex={item.index + 1}
                className="result-line result-row"
                style={{ ...line, transform: `translateY(${item.start}px)` }}
              >
                {columns.map((column) => {
                  const value = row[column.name];
                  const text = cellText(value);
                  return (
                    <td
                      key={column.name}
                      title={text}
                      className={column.numeric ? "result-number" : undefined}
                    >
                      <Cell
                        to={leads.find((lead) => lead.column === column.name)?.to}
                        value={value}
                        text={text}
                        {...openers}
                      />
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function Cell({
  to,
  value,
  text,
  onPosition,
  onReport,
}: {
  to: RowLead["to"] | undefined;
  value: unknown;
  text: string;
} & Openers) {
  const { t } = useT();
  if (value === null || value === undefined) return <span className="result-null">NULL</span>;
  if (to === undefined || (typeof value !== "string" && typeof value !== "number")) return text;
  const page = pageOf(to, value);
  if (page !== null) return <Link to={page}>{text}</Link>;
  const open = to === "message" ? onPosition : onReport;
  if (!open || typeof value !== "number") return text;
  return (
    <button
      type="button"
      title={t(to === "message" ? "entity.provenance" : "reports.number", { id: value })}
      onClick={() => open(value)}
    >
      {text}
    </button>
  );
}
