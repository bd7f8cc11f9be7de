/** Reads and changes cases. Lists begin with the key `cases`, one case with `case`. */
import {
  infiniteQueryOptions,
  keepPreviousData,
  type QueryClient,
  queryOptions,
} from "@tanstack/react-query";
import { change, get, getBlob, inNameOf, query, upload } from "../../lib/api.ts";
import type {
  Attachment,
  CaseActionInput,
  CaseBoard,
  CaseClass,
  CaseContact,
  CaseDetail,
  CaseDraft,
  CaseFigureRows,
  CaseFiguresOfPeriod,
  CaseLimits,
  CaseOpen311Decide,
  CaseOpen311Links,
  CaseState,
  CaseSummary,
  Items,
  Organisation,
  Person,
  SimilarCases,
  UnitGrid,
} from "../../lib/types.ts";
import { baseLayerQuery } from "../map/queries.ts";

const CASES = "/api/v1/cases";
const one = (id: number) => `${CASES}/${id}`;

export interface CaseFilter {
  state?: CaseState;
  workflow?: string;
  mine?: boolean;
  organisation?: string;
  town?: string;
  category?: string;
  grid?: string;
  severity?: string;
  overdue?: boolean;
  text?: string;
  /** RFC 3339. */
  from?: string;
  until?: string;
}

const asked = (filter: CaseFilter) => ({
  ...filter,
  mine: filter.mine || undefined,
  overdue: filter.overdue || undefined,
});

export const casesQuery = (filter: CaseFilter) =>
  infiniteQueryOptions({
    queryKey: ["cases", filter],
    queryFn: ({ pageParam, signal }) =>
      get<Items<CaseSummary>>(`${CASES}${query({ ...asked(filter), after: pageParam })}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

/** The board of the filter's workflow by its states, or of all by the seven steps. */
export const boardQuery = (filter: CaseFilter) =>
  queryOptions({
    queryKey: ["cases", "board", filter],
    queryFn: ({ signal }) =>
      get<CaseBoard>(`${CASES}/board${query({ ...asked(filter), state: undefined })}`, signal),
    placeholderData: keepPreviousData,
  });

/** Which cases stand in a column of the board. */
export interface ColumnAsked {
  step?: string;
  state?: string;
}

/** All cases of a column, page by page, in the board's order. */
export const columnQuery = (filter: CaseFilter, column: ColumnAsked) =>
  infiniteQueryOptions({
    queryKey: ["cases", "column", filter, column],
    queryFn: ({ pageParam, signal }) => {
      const wanted = { ...asked(filter), ...column, order: "urgent", after: pageParam };
      return get<Items<CaseSummary>>(`${CASES}${query(wanted)}`, signal);
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

export const similarQuery = (id: number) =>
  queryOptions({
    queryKey: ["cases", "similar", id],
    queryFn: ({ signal }) => get<SimilarCases>(`${one(id)}/similar`, signal),
  });

export interface FiguresAsked {
  from: string;
  until: string;
  by: string;
}

export const figuresQuery = (wanted: FiguresAsked) =>
  queryOptions({
    queryKey: ["cases", "figures", wanted],
    queryFn: ({ signal }) =>
      get<CaseFiguresOfPeriod>(
        `${CASES}/figures${query({ from: wanted.from, until: wanted.until, by: wanted.by })}`,
        signal,
      ),
  });

export const figuresCsvUrl = (wanted: FiguresAsked) =>
  `${CASES}/figures${query({ from: wanted.from, until: wanted.until, by: wanted.by, format: "csv" })}`;

export const figureRowsQuery = (wanted: FiguresAsked, figure: string, key: string | null) =>
  queryOptions({
    queryKey: ["cases", "figure-rows", wanted, figure, key],
    queryFn: ({ signal }) =>
      get<CaseFigureRows>(
        `${CASES}/figures/rows${query({ from: wanted.from, until: wanted.until, by: wanted.by, figure, key: key ?? undefined })}`,
        signal,
      ),
  });

export const readCase = (id: number, signal?: AbortSignal) => get<CaseDetail>(one(id), signal);

export const caseQuery = (id: number) =>
  queryOptions({
    queryKey: ["case", id],
    queryFn: ({ signal }) => readCase(id, signal),
  });

export const organisationsQuery = queryOptions({
  queryKey: ["organisations"],
  queryFn: ({ signal }) => get<{ items: Organisation[] }>("/api/v1/organisations", signal),
  staleTime: 5 * 60_000,
});

/** What kinds of cases there are; they change with a restart of the platform only. */
export const classesQuery = queryOptions({
  queryKey: ["case-classes"],
  queryFn: ({ signal }) => get<{ items: CaseClass[] }>(`${CASES}/categories`, signal),
  staleTime: 60 * 60_000,
});

/** Who reported a case through Open311, masked. */
export const contactQuery = (id: number) =>
  queryOptions({
    queryKey: ["case", id, "contact"],
    queryFn: ({ signal }) => get<CaseContact>(`${one(id)}/contact`, signal),
  });

/** Which other Open311 endpoints have the case as a request of theirs. */
export const linksQuery = (id: number) =>
  queryOptions({
    queryKey: ["case", id, "open311"],
    queryFn: ({ signal }) => get<CaseOpen311Links>(`${one(id)}/open311`, signal),
  });

export function decideOnLink(
  id: number,
  link: number,
  decided: CaseOpen311Decide,
): Promise<CaseOpen311Links> {
  return change("POST", `${one(id)}/open311/${link}`, decided);
}

export const gridsQuery = queryOptions({
  queryKey: ["case-grids"],
  queryFn: ({ signal }) => get<{ items: UnitGrid[] }>(`${CASES}/grids`, signal),
  staleTime: 60 * 60_000,
});

/** The city's towns (乡镇、街道) by name, from the base map. */
export const townsQuery = queryOptions({
  ...baseLayerQuery("towns"),
  select: (layer) =>
    layer.features
      .map(({ properties }) => ({ value: String(properties?.code), label: String(properties?.name) }))
      .sort((a, b) => a.value.localeCompare(b.value)),
});

export const fieldWorkersQuery = queryOptions({
  queryKey: ["users", "field"],
  queryFn: ({ signal }) => get<{ items: Person[] }>(`/api/v1/users${query({ role: "field" })}`, signal),
  staleTime: 60_000,
});

export const readAttachment = (id: number) => getBlob(attachmentUrl(id));

export const attachmentUrl = (id: number) => `/api/v1/attachments/${id}`;

export function openCase(draft: CaseDraft): Promise<CaseDetail> {
  return change("POST", CASES, draft);
}

/** Does a step. `by` says whose it is where it may come late, when another person is signed in on the phone: then it is refused. */
export function performOnCase(id: number, input: CaseActionInput, by?: number): Promise<CaseDetail> {
  return change("POST", `${one(id)}/actions`, input, undefined, inNameOf(by));
}

export interface Told {
  /** RFC 3339, by this device's clock; what that clock says now goes with it. */
  takenAt?: string;
  spot?: { lon: number; lat: number; accuracy: number };
  durationMs?: number;
  signed?: { signer: string; capacity: string; typed: boolean };
}

/** Adds a file to a case. Who signed goes in the form: addresses are written to logs. */
export function attach(
  id: number,
  file: Blob,
  name: string,
  told: Told = {},
  by?: number,
): Promise<Attachment> {
  const { takenAt, spot, durationMs, signed } = told;
  const said = {
    taken_at: takenAt,
    clock: takenAt ? new Date().toISOString() : undefined,
    lon: spot?.lon,
    lat: spot?.lat,
    accuracy_m: spot?.accuracy,
    duration_ms: durationMs === undefined ? undefined : Math.round(durationMs),
  };
  const fields: Record<string, string> = signed
    ? {
        signer: signed.signer,
        capacity: signed.capacity,
        signed_how: signed.typed ? "typed" : "drawn",
      }
    : {};
  return upload(`${one(id)}/attachments${query(said)}`, file, name, fields, inNameOf(by));
}

/** What files and steps are held to; asked for early, so that a phone knows it without a network. */
export const caseLimitsQuery = queryOptions({
  queryKey: ["case-limits"],
  queryFn: async ({ signal }) => {
    const limits = await get<CaseLimits>(`${CASES}/limits`, signal);
    return { ...limits, clockOffMs: Date.now() - Date.parse(limits.now) };
  },
  staleTime: 5 * 60_000,
});

/** Puts a changed case on the screen at once, and lets the lists be read again. */
export function keepCase(queryClient: QueryClient, changed: CaseDetail) {
  queryClient.setQueryData(caseQuery(changed.id).queryKey, changed);
  void queryClient.invalidateQueries({ queryKey: ["cases"] });
  if (changed.alert_id) void queryClient.invalidateQueries({ queryKey: ["alerts"] });
}
