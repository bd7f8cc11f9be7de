/** Reads approvals and decides on them. */
import { infiniteQueryOptions, queryOptions, useQuery } from "@tanstack/react-query";
import { change, get, query } from "../../lib/api.ts";
import type { Approval, ApprovalAsked, ApprovalDecided, ApprovalPage } from "../../lib/types.ts";

const APPROVALS = "/api/v1/approvals";
/** Between two looks at what waits, milliseconds; the live stream tells sooner. */
const LOOK_MS = 60_000;

export const WHICH = ["decide", "mine", "all"] as const;
export type Which = (typeof WHICH)[number];

export const approvalsQuery = (which: Which) =>
  infiniteQueryOptions({
    queryKey: ["approvals", "list", which],
    queryFn: ({ pageParam, signal }) =>
      get<ApprovalPage>(`${APPROVALS}${query({ which, after: pageParam })}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: LOOK_MS,
  });

export const approvalQuery = (id: number) =>
  queryOptions({
    queryKey: ["approvals", "one", id],
    queryFn: ({ signal }) => get<Approval>(`${APPROVALS}/${id}`, signal),
  });

/** How many wait for this person; 0 while it is not known. */
export function useWaitingCount(enabled: boolean): number {
  const waiting = useQuery({
    queryKey: ["approvals", "waiting"],
    queryFn: ({ signal }) => get<ApprovalPage>(`${APPROVALS}${query({ which: "decide", limit: 1 })}`, signal),
    enabled,
    refetchInterval: LOOK_MS,
  });
  return waiting.data?.waiting ?? 0;
}

/** Agrees to what was shown: its digest goes with it. */
export function approve({ id, digest }: Approval, note: string): Promise<ApprovalDecided> {
  return change("POST", `${APPROVALS}/${id}/approve`, { digest, note });
}

export function refuse({ id }: Approval, note: string): Promise<Approval> {
  return change("POST", `${APPROVALS}/${id}/refuse`, { note });
}

export function withdraw({ id }: Approval): Promise<Approval> {
  return change("POST", `${APPROVALS}/${id}/withdraw`);
}

export function collect({ id }: Approval): Promise<{ password_part: string }> {
  return change("POST", `${APPROVALS}/${id}/collect`);
}

/** What was asked for when something was not done at once; null when it was done. */
export function askedOf(answer: unknown): Approval | null {
  const asked = answer as Partial<ApprovalAsked> | undefined;
  return asked?.approval ?? null;
}
