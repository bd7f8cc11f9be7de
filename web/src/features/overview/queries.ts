/** Reads the city at a glance. All keys begin with `overview`, which live events make stale. */
import { queryOptions } from "@tanstack/react-query";
import { get } from "../../lib/api.ts";
import type { Overview, SystemRows } from "../../lib/types.ts";

/** What no event tells, such as an entity that is no longer heard, is seen by looking again, milliseconds. */
export const OVERVIEW_AGAIN_MS = 10_000;

export const overviewQuery = queryOptions({
  queryKey: ["overview", "all"],
  queryFn: ({ signal }) => get<Overview>("/api/v1/overview", signal),
  refetchInterval: OVERVIEW_AGAIN_MS,
});

export const systemQuery = (id: string) =>
  queryOptions({
    queryKey: ["overview", "system", id],
    queryFn: ({ signal }) => get<SystemRows>(`/api/v1/overview/systems/${encodeURIComponent(id)}`, signal),
    refetchInterval: OVERVIEW_AGAIN_MS,
  });
