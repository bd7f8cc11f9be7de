/** Reads one entity, its history, and where its values come from. */
import { queryOptions } from "@tanstack/react-query";
import { get, query } from "../../lib/api.ts";
import type { Alert, AttributeState, Entity, History, Items } from "../../lib/types.ts";

/** Points of one chart; more are not told apart on a screen. */
const HISTORY_POINTS_MAX = 5_000;

export const entityQuery = (id: string) =>
  queryOptions({
    queryKey: ["entity", id],
    queryFn: ({ signal }) => get<Entity>(`/api/v1/entities/${encodeURIComponent(id)}`, signal),
  });

export const RANGES = { "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000 } as const;
export type Range = keyof typeof RANGES;

export const historyQuery = (id: string, attribute: string, range: Range) =>
  queryOptions({
    queryKey: ["history", id, attribute, range],
    queryFn: ({ signal }) => {
      const to = Date.now();
      const from = to - RANGES[range];
      return get<History>(
        `/api/v1/entities/${encodeURIComponent(id)}/history${query({
          attribute,
          from: new Date(from).toISOString(),
          to: new Date(to).toISOString(),
          limit: HISTORY_POINTS_MAX,
        })}`,
        signal,
      );
    },
    refetchInterval: range === "1h" ? 5_000 : 30_000,
    placeholderData: (before) => before,
  });

/** Alerts of one entity, from the newest ones. */
export const entityAlertsQuery = (id: string) =>
  queryOptions({
    queryKey: ["alerts", "entity", id],
    queryFn: async ({ signal }) => {
      const { items } = await get<Items<Alert>>(`/api/v1/alerts${query({ entity: id })}`, signal);
      return items.filter((alert) => alert.entity_id === id);
    },
  });

/** Attributes that describe the entity and have their own place on the page. */
const NOT_LISTED = new Set(["location", "name", "dataNote"]);

/** Levels that a measured value is compared with; they hardly change. */
export const LEVELS = ["fortificationLevel", "warningLevel", "guaranteeLevel"] as const;
/** The attribute that these levels belong to. */
export const LEVELLED = "waterLevel";

/** Attributes in the order of the table: what is measured first, then its levels, then the rest, by name. */
export function listedAttributes(entity: Entity): [string, AttributeState][] {
  const rank = ([name, state]: [string, AttributeState]) =>
    name === LEVELLED
      ? -1
      : typeof state.value !== "number"
        ? 2
        : (LEVELS as readonly string[]).includes(name)
          ? 1
          : 0;
  return Object.entries(entity.attributes)
    .filter(([name]) => !NOT_LISTED.has(name))
    .sort((a, b) => rank(a) - rank(b) || a[0].localeCompare(b[0]));
}

/** What the data's owner says of them, e.g. that they are rescaled from elsewhere. */
export function dataNote(entity: Entity): string | null {
  const note = entity.attributes.dataNote?.value;
  return typeof note === "string" && note !== "" ? note : null;
}

export function isSimulated(entity: Entity): boolean {
  return Object.values(entity.attributes).some((state) => state.quality === "simulated");
}

/** A number attribute's value, when the entity has it. */
export function numberOf(entity: Entity, attribute: string): number | null {
  const value = entity.attributes[attribute]?.value;
  return typeof value === "number" ? value : null;
}
