/** Reads and changes the roster, hand-overs, response plans, resources and contacts. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { change, get, query, sendFile } from "../../lib/api.ts";
import type { Language } from "../../lib/format.ts";
import type {
  Activation,
  ActivationDraft,
  DutyHandOver,
  DutyHandOverDraft,
  DutyImport,
  DutyNowAll,
  DutyPattern,
  DutyPatternDraft,
  DutyRoster,
  DutyTurn,
  DutyTurnsDraft,
  Entity,
  Items,
  NearResources,
  OutsideContact,
  OutsideContactDraft,
  PersonDetail,
  PlanSuggestion,
  ResponsePlan,
} from "../../lib/types.ts";

const DUTY = "/api/v1/duty";
/** Time between looks at who is on duty, milliseconds: a shift changes by the clock. */
const NOW_MS = 30_000;
/** Most plans under way that are shown. */
const RUNNING_MAX = 100;
/** Most resources that are shown. */
const RESOURCES_MAX = 1_000;
/** Time between looks at resources, milliseconds. */
const RESOURCES_MS = 5_000;
/** Most people that one organisation's list shows. */
const PEOPLE_MAX = 500;

/** The type of the resources that are sent; pack-emergency declares it. */
export const RESOURCE = "EmergencyResource";
/** The form in which their state and place are kept. */
export const RESOURCE_FORM = "emergency-state";

/** Everything that this room shows is asked again after a change. */
export const ROOM = ["duty"] as const;

export const nowQuery = queryOptions({
  queryKey: [...ROOM, "now"],
  queryFn: ({ signal }) => get<DutyNowAll>(`${DUTY}/now`, signal),
  refetchInterval: NOW_MS,
});

export const rosterQuery = (organisation: string, from: string, until: string) =>
  queryOptions({
    queryKey: [...ROOM, "roster", organisation, from, until],
    queryFn: ({ signal }) => get<DutyRoster>(`${DUTY}/roster${query({ organisation, from, until })}`, signal),
  });

export const peopleQuery = (organisation: string) =>
  queryOptions({
    queryKey: [...ROOM, "people", organisation],
    queryFn: ({ signal }) =>
      get<Items<PersonDetail>>(
        `/api/v1/people${query({ organisation, disabled: false, limit: PEOPLE_MAX })}`,
        signal,
      ),
  });

export const handOversQuery = (organisation: string) =>
  infiniteQueryOptions({
    queryKey: [...ROOM, "hand-overs", organisation],
    queryFn: ({ pageParam, signal }) =>
      get<Items<DutyHandOver>>(`${DUTY}/hand-overs${query({ organisation, after: pageParam })}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

export const plansQuery = queryOptions({
  queryKey: [...ROOM, "plans"],
  queryFn: ({ signal }) => get<{ items: ResponsePlan[] }>(`${DUTY}/plans`, signal),
});

/** The plans that alerts suggest; the duty officer starts them or does not. */
export const suggestionsQuery = queryOptions({
  queryKey: [...ROOM, "suggestions"],
  queryFn: ({ signal }) => get<{ items: PlanSuggestion[] }>(`${DUTY}/suggestions`, signal),
  refetchInterval: NOW_MS,
});

/** Plans under way, all of them that a page can hold. */
export const runningQuery = queryOptions({
  queryKey: [...ROOM, "running"],
  queryFn: ({ signal }) =>
    get<Items<Activation>>(`${DUTY}/activations${query({ open: true, limit: RUNNING_MAX })}`, signal),
  // A step becomes late by the clock.
  refetchInterval: NOW_MS,
});

/** Plans that are over, newest first. */
export const overQuery = () =>
  infiniteQueryOptions({
    queryKey: [...ROOM, "over"],
    queryFn: ({ pageParam, signal }) =>
      get<Items<Activation>>(`${DUTY}/activations${query({ open: false, after: pageParam })}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

export const activationQuery = (id: number) =>
  queryOptions({
    queryKey: [...ROOM, "activation", id],
    queryFn: ({ signal }) => get<Activation>(`${DUTY}/activations/${id}`, signal),
  });

export const nearestQuery = (near: { alert_id?: number; case_id?: number }, category: string) =>
  queryOptions({
    queryKey: [...ROOM, "nearest", near, category],
    queryFn: ({ signal }) =>
      get<NearResources>(`${DUTY}/resources/nearest${query({ ...near, category })}`, signal),
  });

/** Teams, vehicles, pumps and stores, with their state. */
export const resourcesQuery = queryOptions({
  queryKey: [...ROOM, "resources"],
  queryFn: ({ signal }) =>
    get<Items<Entity>>(`/api/v1/entities${query({ type: RESOURCE, limit: RESOURCES_MAX })}`, signal),
  refetchInterval: RESOURCES_MS,
});

/** An outside contact with its number whole. It is not kept in the cache: what was seen for a purpose is seen once. */
export async function revealedContact(id: number, purpose: string): Promise<OutsideContact> {
  const { items } = await get<{ items: OutsideContact[] }>(`${DUTY}/contacts${query({ id, purpose })}`);
  const [found] = items;
  if (!found) throw new Error("no such contact");
  return found;
}

export const contactsQuery = (organisation: string) =>
  queryOptions({
    queryKey: [...ROOM, "contacts", organisation],
    queryFn: ({ signal }) =>
      get<{ items: OutsideContact[] }>(`${DUTY}/contacts${query({ organisation })}`, signal),
  });

export const putPattern = (draft: DutyPatternDraft) => change<DutyPattern>("PUT", `${DUTY}/patterns`, draft);

export const addTurns = (draft: DutyTurnsDraft) => change<DutyTurn[]>("POST", `${DUTY}/turns`, draft);

/** Looks at a file of a roster, or puts what it says on it. */
export const importTurns = (organisation: string, file: File, dry_run: boolean) =>
  sendFile<DutyImport>(`${DUTY}/turns/import${query({ organisation, file: file.name, dry_run })}`, file);

/** Where a roster is had as a workbook; of a month without one, a template to fill. */
export const rosterPath = (organisation: string, from: string, until: string) =>
  `${DUTY}/turns/export${query({ organisation, from, until })}`;

export const removeTurn = (id: number, reason: string) =>
  change("POST", `${DUTY}/turns/${id}/remove`, { reason });

export const swapTurn = (id: number, user_id: number, reason: string) =>
  change<DutyTurn>("POST", `${DUTY}/turns/${id}/swap`, { user_id, reason });

export const handOver = (draft: DutyHandOverDraft) =>
  change<DutyHandOver>("POST", `${DUTY}/hand-overs`, draft);

export const signHandOver = (id: number, remark: string) =>
  change<DutyHandOver>("POST", `${DUTY}/hand-overs/${id}/sign`, { remark });

export const startPlan = (draft: ActivationDraft) => change<Activation>("POST", `${DUTY}/activations`, draft);

export const tickStep = (id: number, step: string, skipped: boolean, note: string) =>
  change<Activation>("POST", `${DUTY}/activations/${id}/steps/${encodeURIComponent(step)}`, {
    skipped,
    note,
  });

export const endPlan = (id: number, summary: string) =>
  change<Activation>("POST", `${DUTY}/activations/${id}/end`, { summary });

export const addContact = (draft: OutsideContactDraft) =>
  change<OutsideContact>("POST", `${DUTY}/contacts`, draft);

export const removeContact = (id: number) => change("DELETE", `${DUTY}/contacts/${id}`);

/** Where a shift report is had as a file. */
export const reportPath = (
  organisation: string,
  period: { from: string; until: string },
  format: "pdf" | "docx",
  language: Language,
) => `${DUTY}/report${query({ organisation, ...period, format, language })}`;
