/** Reads accounts and roles, and gives roles. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { change, get, query } from "../../lib/api.ts";
import type { Account, ApprovalAsked, Items, RoleInfo } from "../../lib/types.ts";

export const accountsQuery = infiniteQueryOptions({
  queryKey: ["accounts"],
  queryFn: ({ pageParam, signal }) =>
    get<Items<Account>>(`/api/v1/accounts${query({ after: pageParam })}`, signal),
  initialPageParam: null as string | null,
  getNextPageParam: (last) => last.next,
});

export const rolesQuery = queryOptions({
  queryKey: ["roles"],
  queryFn: ({ signal }) => get<{ items: RoleInfo[] }>("/api/v1/roles", signal),
  staleTime: Number.POSITIVE_INFINITY,
});

/** The changed account, or what was asked for where a second person must agree. */
export function grantRole(id: number, role: string, reason: string): Promise<Account | ApprovalAsked> {
  return change("POST", `/api/v1/accounts/${id}/role`, { role, reason });
}
