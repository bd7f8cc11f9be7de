/** Reads the audit trail: acts, their catalogue, and whether the chain is whole. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { get, query } from "../../lib/api.ts";
import type { AuditChain, AuditEntry, AuditEvent, Items } from "../../lib/types.ts";

const AUDIT = "/api/v1/audit";

/** What is looked for; times are RFC 3339. */
export interface AuditFilter {
  from?: string;
  to?: string;
  actor?: string;
  action?: string;
  target?: string;
  text?: string;
}

export const FILTERS = ["from", "to", "actor", "action", "target", "text"] as const;

export const auditQuery = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ["audit", "list", filter],
    queryFn: ({ pageParam, signal }) =>
      get<Items<AuditEntry>>(`${AUDIT}${query({ ...filter, after: pageParam })}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

export const auditEventsQuery = queryOptions({
  queryKey: ["audit", "events"],
  queryFn: ({ signal }) => get<{ items: AuditEvent[] }>(`${AUDIT}/events`, signal),
  staleTime: Number.POSITIVE_INFINITY,
});

/** Proves the chain: work for the server, so not at every look. */
export const auditChainQuery = queryOptions({
  queryKey: ["audit", "chain"],
  queryFn: ({ signal }) => get<AuditChain>(`${AUDIT}/chain`, signal),
  staleTime: 5 * 60_000,
});

/** Where the trail is had as a file. */
export const exportPath = ({ from, to }: AuditFilter) => `${AUDIT}/export${query({ from, to })}`;
