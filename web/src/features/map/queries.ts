/** Reads what the map shows. */
import { queryOptions } from "@tanstack/react-query";
import type { FeatureCollection } from "geojson";
import { get, query } from "../../lib/api.ts";
import type { Entity, EntityKind, Items, MapEntities } from "../../lib/types.ts";
import type { BaseLayer } from "./base.ts";

/** The map is read anew this often even when nothing is heard, milliseconds. */
const MAP_REFRESH_MS = 60_000;
/** Lines of equal value are reckoned anew this often even when nothing is heard: values become too old, milliseconds. */
const ISOLINES_REFRESH_MS = 60_000;
/** Entities that are read for them at most, and at once. */
export const STATIONS_MAX = 5_000;
const STATIONS_PAGE = 1_000;
/** Hits of one search. */
const SEARCH_COUNT_MAX = 12;

export const mapEntitiesQuery = queryOptions({
  queryKey: ["map-entities"],
  queryFn: ({ signal }) => get<MapEntities>("/api/v1/map/entities", signal),
  refetchInterval: MAP_REFRESH_MS,
  // Column arrays of ten thousand numbers: comparing them costs more than it saves.
  structuralSharing: false,
});

export const baseLayerQuery = (layer: BaseLayer) =>
  queryOptions({
    queryKey: ["layer", layer],
    queryFn: ({ signal }) => get<FeatureCollection>(`/api/v1/city/layers/${layer}`, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The declared types by name. */
export const typesQuery = queryOptions({
  queryKey: ["types"],
  queryFn: async ({ signal }) => {
    const { items } = await get<{ items: EntityKind[] }>("/api/v1/types", signal);
    return new Map(items.map((kind) => [kind.name, kind]));
  },
  staleTime: 5 * 60_000,
});

export const searchQuery = (text: string) =>
  queryOptions({
    queryKey: ["search", text],
    queryFn: ({ signal }) =>
      get<Items<Entity>>(`/api/v1/entities${query({ q: text, limit: SEARCH_COUNT_MAX })}`, signal),
    enabled: text.length > 0,
  });

/** What lines of equal value are drawn of: the entities of a type with one attribute, and when they were read. */
export interface Stations {
  entities: Entity[];
  /** Whether there are more than are read. */
  truncated: boolean;
  /** Milliseconds. */
  readAt: number;
}

export const stationsQuery = (type: string, attribute: string) =>
  queryOptions({
    queryKey: ["map-stations", type, attribute],
    queryFn: async ({ signal }): Promise<Stations> => {
      const entities: Entity[] = [];
      let after: string | null = null;
      do {
        const asked: string = query({ type, attributes: attribute, limit: STATIONS_PAGE, after });
        const page: Items<Entity> = await get<Items<Entity>>(`/api/v1/entities${asked}`, signal);
        entities.push(...page.items);
        after = page.next;
      } while (after && entities.length < STATIONS_MAX);
      return { entities, truncated: after !== null, readAt: Date.now() };
    },
    refetchInterval: ISOLINES_REFRESH_MS,
    // Whether a value changed is looked at below, of what counts.
    structuralSharing: false,
  });
