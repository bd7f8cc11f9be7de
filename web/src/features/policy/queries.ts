/** Reads policies, tries and changes those of the city, and asks why somebody may or may not. */
import { infiniteQueryOptions, type QueryClient, queryOptions } from "@tanstack/react-query";
import { change, get, query } from "../../lib/api.ts";
import { sessionQuery } from "../../lib/session.ts";
import type {
  Items,
  Policies,
  PolicyChange,
  PolicyTexts,
  PolicyTried,
  PolicyVersion,
  Why,
} from "../../lib/types.ts";

const POLICY = "/api/v1/policy";

export const policiesQuery = queryOptions({
  queryKey: ["policy", "held"],
  queryFn: ({ signal }) => get<Policies>(POLICY, signal),
});

export const versionsQuery = infiniteQueryOptions({
  queryKey: ["policy", "versions"],
  queryFn: ({ pageParam, signal }) =>
    get<Items<PolicyVersion>>(`${POLICY}/versions${query({ after: pageParam })}`, signal),
  initialPageParam: null as string | null,
  getNextPageParam: (last) => last.next,
});

/** What is asked: of whom, which act, upon what, for what and when (RFC 3339). */
export interface WhyFilter {
  username?: string;
  action?: string;
  entity?: string;
  attribute?: string;
  purpose?: string;
  at?: string;
}

export const WHY_FIELDS = ["username", "action", "entity", "attribute", "purpose", "at"] as const;

export const whyQuery = ({ entity, ...asked }: WhyFilter) =>
  queryOptions({
    queryKey: ["policy", "why", asked, entity],
    queryFn: ({ signal }) => get<Why>(`${POLICY}/why${query({ ...asked, entity_id: entity })}`, signal),
    enabled: Boolean(asked.username),
  });

export function checkPolicies(documents: PolicyTexts): Promise<PolicyTried> {
  return change("POST", `${POLICY}/check`, { documents });
}

/** What became of a change: it holds, or it waits for a second person, who decides on the approval of this number. */
export type Changed = { holds: true } | { holds: false; approval: number };

/** Lets texts hold in place of the city's own, or asks for it where a second person must agree. */
export async function changePolicies(wanted: PolicyChange): Promise<Changed> {
  const answer = await change<{ approval?: { id: number }; id?: number } | undefined>("PUT", POLICY, wanted);
  const approval = answer?.approval?.id ?? answer?.id;
  return approval === undefined ? { holds: true } : { holds: false, approval };
}

/** Everything that policies decided is asked anew: also what this person may do. */
export async function policiesChanged(queryClient: QueryClient) {
  await queryClient.invalidateQueries({ queryKey: ["policy"] });
  void queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey });
}

/** The words of all acts, as the schema names them. */
export function actsOf(schema: string): string[] {
  return [...schema.matchAll(/^action "([^"]+)"/gm)].map((found) => found[1] as string);
}

/** The city's own texts by name. */
export function cityTexts({ documents }: Policies): PolicyTexts {
  return Object.fromEntries(documents.filter((d) => d.source === "city").map((d) => [d.name, d.text]));
}
