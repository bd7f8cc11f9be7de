/** Reads rules, their failures, maintenance windows and back-tests. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { get, query } from "../../lib/api.ts";
import type { BackTest, Items, MaintenanceWindow, Rule, RuleFailure } from "../../lib/types.ts";

const RULES = "/api/v1/rules";
/** Time between looks at a back-test that is at work, milliseconds. */
const PROGRESS_MS = 500;

export const rulesQuery = () =>
  queryOptions({
    queryKey: ["rules"],
    queryFn: ({ signal }) => get<{ items: Rule[] }>(RULES, signal),
  });

export const failuresQuery = () =>
  infiniteQueryOptions({
    queryKey: ["rule-failures"],
    queryFn: ({ pageParam, signal }) =>
      get<Items<RuleFailure>>(`${RULES}/failures${query({ after: pageParam })}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

export const maintenanceQuery = () =>
  infiniteQueryOptions({
    queryKey: ["maintenance"],
    queryFn: ({ pageParam, signal }) =>
      get<Items<MaintenanceWindow>>(`${RULES}/maintenance${query({ after: pageParam })}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

export const backTestQuery = (id: number) =>
  queryOptions({
    queryKey: ["back-test", id],
    queryFn: ({ signal }) => get<BackTest>(`${RULES}/back-tests/${id}`, signal),
    refetchInterval: ({ state }) => (state.data?.state === "running" || !state.data ? PROGRESS_MS : false),
  });
