/** Runs SQL and reads the tables there are. */
import { queryOptions } from "@tanstack/react-query";
import { ApiError, change, get, query, type Sending, sendFile } from "../../lib/api.ts";
import type {
  ApprovalAsked,
  ImportProgress,
  ImportReport,
  Intake,
  IntakeReport,
  SqlResult,
  TableInfo,
} from "../../lib/types.ts";

export const tablesQuery = queryOptions({
  queryKey: ["tables"],
  queryFn: ({ signal }) => get<{ items: TableInfo[] }>("/api/v1/tables", signal),
  staleTime: 60_000,
});

export function runSql(statement: string, signal: AbortSignal): Promise<SqlResult> {
  return change("POST", "/api/v1/sql", { query: statement }, signal);
}

/** Takes a department's table away, for good: nothing when it was done; what was asked for where a second person must agree. */
export function removeTable(name: string, reason: string): Promise<ApprovalAsked | undefined> {
  return change("DELETE", `/api/v1/tables/${encodeURIComponent(name)}${query({ reason })}`);
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

/** Time between questions how far an import is, milliseconds. */
const PROGRESS_EVERY_MS = 500;

/** How far the import is that was sent as this job; null before the server knows of it and when it is over. */
export const importProgressQuery = (job: string) =>
  queryOptions({
    queryKey: ["import", job],
    queryFn: async ({ signal }): Promise<ImportProgress | null> => {
      try {
        return await get<ImportProgress>(`/api/v1/imports/${job}`, signal);
      } catch (error) {
        // What is only decoration must not fail the page.
        if (error instanceof ApiError) return null;
        throw error;
      }
    },
    refetchInterval: PROGRESS_EVERY_MS,
    staleTime: 0,
    gcTime: 0,
  });

/** The declared tables that files come in for, of packs that the person's department answers for. */
export const intakesQuery = queryOptions({
  queryKey: ["intakes"],
  queryFn: ({ signal }) => get<{ items: Intake[] }>("/api/v1/intakes", signal),
  staleTime: 60_000,
});

/** Takes a file in whose columns are those of a declared table, or only looks at it. */
export function intakeFile(
  file: File,
  { table, sheet, header_line, merged, skip }: ImportWords,
  looksOnly: boolean,
  { job, ...sending }: Sending & { job: string },
): Promise<IntakeReport> {
  const asked = query({
    file: file.name,
    sheet,
    header_line,
    merged,
    on_error: skip ? "skip" : undefined,
    dry_run: looksOnly || undefined,
    job,
  });
  return sendFile(`/api/v1/intakes/${encodeURIComponent(table)}${asked}`, file, sending);
}

/** Makes a file a table, or only looks at it; meanwhile {@link importProgressQuery} tells how far it is. */
export function importFile(
  file: File,
  words: ImportWords,
  looksOnly: boolean,
  { job, ...sending }: Sending & { job: string },
): Promise<ImportReport> {
  const { table, skip, replace, ...others } = words;
  const asked = query({
    file: file.name,
    ...others,
    replace: replace || undefined,
    on_error: skip ? "skip" : undefined,
    dry_run: looksOnly || undefined,
    job,
  });
  return sendFile(`/api/v1/tables/${encodeURIComponent(table.trim())}/import${asked}`, file, sending);
}
