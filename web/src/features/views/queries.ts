/** Reads the packs' forms and boards and the entities on them, and sends what a person entered. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { ApiError, change, get, query } from "../../lib/api.ts";
import type {
  AttributeKind,
  Entity,
  EntityType,
  EntryTaken,
  Items,
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

/** A form or a board: of entities, with their type; or of cases. */
export type PackPage = { view: PackView; kind: EntityType } | { view: PackCaseBoard; kind: null };

/** The packs' forms and boards, in their order; boards of cases for who may see cases. */
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
      const shown: PackPage[] = all.filter(({ view }) => view.form !== null || view.board !== null);
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

/** Entities to choose from. */
export const choiceQuery = (type: string, q: string) =>
  queryOptions({
    queryKey: ["pack-choice", type, q],
    queryFn: ({ signal }) =>
      get<Items<Entity>>(`/api/v1/entities${query({ type, q: q || undefined, limit: FOUND_MAX })}`, signal),
  });

/** What is entered of an attribute; nothing: it is not said. */
export type Entered = string | number | boolean | Place | null | undefined;

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
    if (typeof value === "object" && !isPlace(value)) continue;
    said[name] = attribute(kind.attributes[name], value, observedAt);
  }
  return said;
}

function attribute(declared: AttributeKind | undefined, value: Entered, observedAt: string) {
  if (declared?.value === "relationship") return { type: "Relationship", object: value, observedAt };
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
