/** Reads what the map shows. */
import { queryOptions } from "@tanstack/react-query";
import type { FeatureCollection } from "geojson";
import { get, query } from "../../lib/api.ts";
import type { Entity, EntityKind, Items, MapEntities } from "../../lib/types.ts";
import type { BaseLayer } from "./base.ts";

/** The map is read anew this often even when nothing is heard, milliseconds. */
const MAP_REFRESH_MS = 60_000;
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
