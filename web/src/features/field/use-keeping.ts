/** Keeps the tasks as last read in this browser, so that the page opens without a network. */
import { type QueryClient, type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { KEPT_HOURS_MAX, type Kept, writeKept } from "../../lib/kept.ts";
import { throttle } from "../../lib/live.ts";
import { cityQuery, sessionQuery } from "../../lib/session.ts";
import type { CaseLimits, User } from "../../lib/types.ts";
import { caseLimitsQuery, casesQuery } from "../cases/queries.ts";

/** Least time between two writes, milliseconds. */
const WRITE_MS = 500;
/** Most cases whose details are kept; the list itself is kept whole. */
export const KEPT_CASES_MAX = 100;

/** The list of the worker's own cases. */
export const tasksQuery = casesQuery({ mine: true });

/** What is kept of what was read; nothing while the list was not. */
export function keptOf(queryClient: QueryClient, user: User): Kept | null {
  const cache = queryClient.getQueryCache();
  const entry = (key: QueryKey) => {
    const state = cache.find({ queryKey: key })?.state;
    return state?.data === undefined ? [] : [{ key, data: state.data, at: state.dataUpdatedAt }];
  };
  const [list] = entry(tasksQuery.queryKey);
  if (!list) return null;
  const details = cache
    .findAll({ queryKey: ["case"] })
    .filter((query) => query.queryKey.length === 2 && query.state.data !== undefined)
    .sort((a, b) => b.state.dataUpdatedAt - a.state.dataUpdatedAt)
    .slice(0, KEPT_CASES_MAX);
  const limits = queryClient.getQueryData(caseLimitsQuery.queryKey) as CaseLimits | undefined;
  return {
    user,
    at: list.at,
    hoursMax: limits?.offline_hours_max ?? KEPT_HOURS_MAX,
    entries: [
      list,
      ...details.flatMap((query) => entry(query.queryKey)),
      ...entry(caseLimitsQuery.queryKey),
      ...entry(cityQuery.queryKey),
    ],
  };
}

const KEPT_KEYS: ReadonlySet<unknown> = new Set(["case", "cases", "case-limits"]);

/** Writes it down whenever something of it was read anew. */
export function useKeeping(user: User | null) {
  const queryClient = useQueryClient();
  useEffect(() => {
    if (!user) return;
    const write = throttle(WRITE_MS, () => {
      // Who has signed out meanwhile leaves nothing.
      if (queryClient.getQueryData(sessionQuery.queryKey)?.id !== user.id) return;
      const kept = keptOf(queryClient, user);
      if (kept) void writeKept(kept);
    });
    const stop = queryClient.getQueryCache().subscribe((event) => {
      if (event.type !== "updated" || event.action.type !== "success") return;
      if (KEPT_KEYS.has(event.query.queryKey[0])) write();
    });
    write();
    return () => {
      stop();
      write.cancel();
    };
  }, [queryClient, user]);
}
