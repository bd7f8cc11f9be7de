/** Runs SQL and reads the tables there are. */
import { queryOptions } from "@tanstack/react-query";
import { change, get } from "../../lib/api.ts";
import type { SqlResult, TableInfo } from "../../lib/types.ts";

export const tablesQuery = queryOptions({
  queryKey: ["tables"],
  queryFn: ({ signal }) => get<{ items: TableInfo[] }>("/api/v1/tables", signal),
  staleTime: 60_000,
});

export function runSql(query: string, signal: AbortSignal): Promise<SqlResult> {
  return change("POST", "/api/v1/sql", { query }, signal);
}
