/** Runs SQL and reads the tables there are. */
import { queryOptions } from "@tanstack/react-query";
import { change, get, query, sendFile } from "../../lib/api.ts";
import type { ImportReport, SqlResult, TableInfo } from "../../lib/types.ts";

export const tablesQuery = queryOptions({
  queryKey: ["tables"],
  queryFn: ({ signal }) => get<{ items: TableInfo[] }>("/api/v1/tables", signal),
  staleTime: 60_000,
});

export function runSql(statement: string, signal: AbortSignal): Promise<SqlResult> {
  return change("POST", "/api/v1/sql", { query: statement }, signal);
}

/** Takes a department's table away, for good. */
export function removeTable(name: string): Promise<void> {
  return change("DELETE", `/api/v1/tables/${encodeURIComponent(name)}`);
}

/** What is said of a file beside the file itself. */
export interface ImportWords {
  table: string;
  title_zh?: string;
  title_en?: string;
  sheet?: string;
  header_line?: number | null;
  merged?: string;
  replace?: boolean;
  skip?: boolean;
}

/** Makes a file a table, or only looks at it. */
export function importFile(file: File, words: ImportWords, looksOnly: boolean): Promise<ImportReport> {
  const { table, skip, replace, ...others } = words;
  const asked = query({
    file: file.name,
    ...others,
    replace: replace || undefined,
    on_error: skip ? "skip" : undefined,
    dry_run: looksOnly || undefined,
  });
  return sendFile(`/api/v1/tables/${encodeURIComponent(table.trim())}/import${asked}`, file);
}
