/** Puts alerts that were just heard into the lists that were read before; what an event cannot tell, the next reading brings. */
import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type { Alert, Items } from "../../lib/types.ts";
import type { AlertFilter } from "./queries.ts";

/** Rows of a list that grows by events before it is read again: a storm must not choke the page. */
export const ROWS_MAX = 200;

const belongs = (alert: Alert, { state, severity }: AlertFilter) =>
  (!state || (state === "active") === !alert.cleared_at) && (!severity || severity === alert.severity);

/** The rows with what was heard of them: those that no longer belong are gone. The same array when nothing changed. */
function withChanges(rows: Alert[], heard: Map<number, Alert>, filter: AlertFilter): Alert[] {
  if (!rows.some((row) => heard.has(row.id))) return rows;
  return rows.map((row) => heard.get(row.id) ?? row).filter((row) => belongs(row, filter));
}

/** A list, newest first (by number), with what was heard: changed where it stands, on top when it is newer than all. */
export function withAlerts(rows: Alert[], heard: Map<number, Alert>, filter: AlertFilter): Alert[] {
  const newest = rows[0]?.id ?? 0;
  const added = [...heard.values()].filter((alert) => alert.id > newest && belongs(alert, filter));
  const kept = withChanges(rows, heard, filter);
  if (added.length === 0) return kept;
  return [...added.sort((a, b) => b.id - a.id), ...kept].slice(0, Math.max(ROWS_MAX, rows.length));
}

/** Shows at once what was heard (by number) in every list of alerts that has been read. */
export function showAlerts(queryClient: QueryClient, heard: Map<number, Alert>) {
  for (const { queryKey, state } of queryClient.getQueryCache().findAll({ queryKey: ["alerts"] })) {
    const [, kind, of] = queryKey;
    if (state.data === undefined) continue;
    // An answer under way may be older than what was heard, and would take it off again. A next page that was asked for is waited for.
    if (!state.fetchMeta?.fetchMore) void queryClient.cancelQueries({ queryKey, exact: true });
    if (kind === "active") {
      queryClient.setQueryData<Items<Alert>>(
        queryKey,
        (old) => old && { ...old, items: withAlerts(old.items, heard, { state: "active" }) },
      );
    } else if (kind === "entity") {
      const its = new Map([...heard].filter(([, alert]) => alert.entity_id === of));
      queryClient.setQueryData<Alert[]>(queryKey, (old) => old && withAlerts(old, its, {}));
    } else {
      const filter = of as AlertFilter;
      queryClient.setQueryData<InfiniteData<Items<Alert>>>(
        queryKey,
        (old) =>
          old && {
            ...old,
            pages: old.pages.map((page, n) => ({
              ...page,
              items: n === 0 ? withAlerts(page.items, heard, filter) : withChanges(page.items, heard, filter),
            })),
          },
      );
    }
  }
}
