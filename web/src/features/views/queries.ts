/** Reads the packs' registers, forms and boards and the entities on them, and sends what a person entered. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { ApiError, change, get, query } from "../../lib/api.ts";
import type {
  AttributeKind,
  Entity,
  EntityDetail,
  EntityType,
  EntryTaken,
  Items,
  MapEntities,
  Pack,
  PackCaseBoard,
  PackView,
} from "../../lib/types.ts";
import { isPlace, type Place } from "./place-input.tsx";

/** Entities that a board asks for at once: the most that one answer holds. */
export const BOARD_ENTITIES = 1_000;
/** Hits of one search. */
const FOUND_MAX = 20;
/** A board is read anew this often while it is open, milliseconds; one of many answers as much less often. */
const BOARD_REFRESH_MS = 10_000;

/** Entities that a register asks for at once: enough for most types whole, and drawn at once. */
export const REGISTER_ENTITIES = 500;
/** Most entities that a register loads; the rest is for SQL. */
export const REGISTER_ENTITIES_MAX = 10_000;
/** A register is read anew this often while it is seen, milliseconds; one of many answers as much less often. */
export const REGISTER_REFRESH_MS = 10_000;
/** Types with at most so many entities are asked for their names, to name whom a relationship points at. */
export const NAMED_ENTITIES_MAX = 500;
/** What entities are called does not change by the minute, milliseconds. */
const NAMES_STALE_MS = 5 * 60_000;
/** Where there are more active alerts than the list of them has, the map's count of them is looked at this often, milliseconds. */
const SEVERITIES_REFRESH_MS = 30_000;

/** A register, a form or a board: of entities, with their type; or of cases. */
export type PackPage = { view: PackView; kind: EntityType } | { view: PackCaseBoard; kind: null };

/** The packs' registers, forms and boards, in their order; boards of cases for who may see cases. */
export const pagesQuery = (seesCases: boolean) =>
  queryOptions({
    queryKey: ["pack-views", seesCases],
    queryFn: async ({ signal }) => {
      const [types, boards] = await Promise.all([
        get<{ items: EntityType[] }>("/api/v1/types", signal),
        seesCases
          ? get<{ items: PackCaseBoard[] }>("/api/v1/cases/boards", signal)
          : { items: [] as PackCaseBoard[] },
      ]);
      const all = types.items.flatMap((kind) => kind.views.map((view) => ({ view, kind })));
      const shown: PackPage[] = all.filter(({ view }) => view.table || view.form || view.board);
      shown.push(...boards.items.map((view): PackPage => ({ view, kind: null })));
      return shown.sort((a, b) => a.view.order - b.view.order || a.view.id.localeCompare(b.view.id));
    },
  });

export const boardKey = (type: string) => ["pack-board", type];

export const boardQuery = (type: string) =>
  infiniteQueryOptions({
    queryKey: boardKey(type),
    queryFn: ({ pageParam, signal }) =>
      get<Items<Entity>>(
        `/api/v1/entities${query({ type, limit: BOARD_ENTITIES, after: pageParam })}`,
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: ({ state }) => BOARD_REFRESH_MS * Math.max(1, state.data?.pages.length ?? 1),
  });

/** The packs with their departments. */
export const packsQuery = queryOptions({
  queryKey: ["packs"],
  queryFn: ({ signal }) => get<{ items: Pack[] }>("/api/v1/packs", signal),
  staleTime: NAMES_STALE_MS,
});

export const registerKey = (type: string, q: string) => ["register", type, q];

/** Entities of a type whose id or name holds a text, by id. */
export const registerQuery = (type: string, q: string) =>
  infiniteQueryOptions({
    queryKey: registerKey(type, q),
    queryFn: ({ pageParam, signal }) =>
      get<Items<Entity>>(
        `/api/v1/entities${query({ type, q, limit: REGISTER_ENTITIES, after: pageParam })}`,
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
  });

/** One entity as it is now. */
export const readEntity = (id: string) => get<EntityDetail>(`/api/v1/entities/${encodeURIComponent(id)}`);

/** All entities of a small type, for what they are called. */
export const namesQuery = (type: string) =>
  queryOptions({
    queryKey: ["entity-names", type],
    queryFn: ({ signal }) =>
      get<Items<Entity>>(`/api/v1/entities${query({ type, limit: NAMED_ENTITIES_MAX })}`, signal),
    staleTime: NAMES_STALE_MS,
  });

/** The worst active alert of each entity of a type, as the map counts them: 0 none, 1 info … 4 critical. */
export const severitiesQuery = (type: string) =>
  queryOptions({
    queryKey: ["register-severities", type],
    queryFn: async ({ signal }) => {
      const { ids, severity } = await get<MapEntities>(
        `/api/v1/map/entities${query({ types: type })}`,
        signal,
      );
      return new Map(ids.flatMap((id, n) => (severity[n] ? [[id, severity[n]] as const] : [])));
    },
    refetchInterval: SEVERITIES_REFRESH_MS,
  });

/** Entities to choose from: of a type, of several parted by commas, or of any. */
export const choiceQuery = (type: string, q: string) =>
  queryOptions({
    queryKey: ["pack-choice", type, q],
    queryFn: ({ signal }) =>
      get<Items<Entity>>(
        `/api/v1/entities${query({ type: type || undefined, q: q || undefined, limit: FOUND_MAX })}`,
        signal,
      ),
  });

/** What is entered of an attribute; nothing: it is not said. */
export type Entered = string | number | boolean | Place | string[] | null | undefined;

/** One entity as NGSI-LD says it (ETSI GS CIM 009, 4.5.1), of what was entered. */
export function ngsiLd(
  id: string,
  kind: EntityType,
  entered: Record<string, Entered>,
  observedAt: string,
): Record<string, unknown> {
  const said: Record<string, unknown> = { id, type: kind.name };
  for (const [name, value] of Object.entries(entered)) {
    if (value === undefined || value === null || value === "") continue;
    if (Array.isArray(value) ? value.length === 0 : typeof value === "object" && !isPlace(value)) continue;
    said[name] = attribute(kind.attributes[name], value, observedAt);
  }
  return said;
}

function attribute(declared: AttributeKind | undefined, value: Entered, observedAt: string) {
  if (declared?.value === "relationship") return { type: "Relationship", object: value, observedAt };
  if (Array.isArray(value)) return { type: "JsonProperty", json: value, observedAt };
  if (typeof value === "object" && isPlace(value)) {
    // RFC 7946: longitude first.
    const point = { type: "Point", coordinates: [value.lon, value.lat] };
    return { type: "GeoProperty", value: point, observedAt };
  }
  const unit = declared?.unit ? { unitCode: declared.unit } : {};
  return { type: "Property", value, ...unit, observedAt };
}

/** Sends one entity through a form or a board; what was refused of it is thrown, what is good beside it was taken. */
export async function enter(view: string, entity: Record<string, unknown>): Promise<void> {
  const { refused } = await change<EntryTaken>(
    "POST",
    `/api/v1/views/${encodeURIComponent(view)}/entries`,
    entity,
  );
  const [first] = refused;
  if (first) throw new ApiError(400, first.code, first.detail, first.place, first.mend);
}
