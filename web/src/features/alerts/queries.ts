/** Reads alerts. All lists begin with the key `alerts`, which a live event makes stale. */
import { infiniteQueryOptions, queryOptions, useQuery } from "@tanstack/react-query";
import { get, query } from "../../lib/api.ts";
import type { AffectedOfType, Alert, Items, Severity, ToldEvent } from "../../lib/types.ts";

const ALERTS = "/api/v1/alerts";

export interface AlertFilter {
  state?: "active" | "cleared";
  severity?: Severity;
}

export const alertsQuery = (filter: AlertFilter) =>
  infiniteQueryOptions({
    queryKey: ["alerts", "list", filter],
    queryFn: ({ pageParam, signal }) =>
      get<Items<Alert>>(`${ALERTS}${query({ ...filter, after: pageParam })}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

/** While somebody may be affected, the value may rise: looked at again this often, milliseconds. */
const AFFECTED_REFRESH_MS = 30_000;

export const affectedKey = (id: number) => ["affected", id];

/** Whom an alert affects, by type; nobody for most alerts. */
export const affectedQuery = (id: number) =>
  queryOptions({
    queryKey: affectedKey(id),
    queryFn: ({ signal }) => get<AffectedOfType[]>(`${ALERTS}/${id}/affected`, signal),
    refetchInterval: ({ state }) => (state.data?.length ? AFFECTED_REFRESH_MS : false),
  });

/** While somebody was told, they may take note: looked at again this often, milliseconds. */
const TOLD_REFRESH_MS = 15_000;

export const toldKey = (id: number) => ["told", id];

/** Who was told of an alert, and who took note; nobody where no rule tells of it. */
export const toldQuery = (id: number) =>
  queryOptions({
    queryKey: toldKey(id),
    queryFn: ({ signal }) => get<ToldEvent[]>(`${ALERTS}/${id}/told`, signal),
    refetchInterval: ({ state }) => (state.data?.length ? TOLD_REFRESH_MS : false),
  });

/** Active alerts on the map and in the count; a worse hour needs the list. */
const ACTIVE_COUNT_MAX = 200;

/** The active alerts, newest first, as far as one answer goes: for the map and the count. */
export const activeAlertsQuery = queryOptions({
  queryKey: ["alerts", "active"],
  queryFn: ({ signal }) =>
    get<Items<Alert>>(`${ALERTS}${query({ state: "active", limit: ACTIVE_COUNT_MAX })}`, signal),
});

export function useActiveAlertCount(enabled: boolean): number {
  const { data } = useQuery({ ...activeAlertsQuery, enabled });
  return data?.items.length ?? 0;
}
