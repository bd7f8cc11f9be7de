/** Reads one entity, its history, and where its values come from. */
import { queryOptions } from "@tanstack/react-query";
import { change, get, query } from "../../lib/api.ts";
import { half, type Language, pick } from "../../lib/format.ts";
import type {
  Alert,
  AttributeState,
  Correction,
  CorrectionDraft,
  Entity,
  EntityDetail,
  EntityForecast,
  EntityKind,
  History,
  Items,
} from "../../lib/types.ts";

/** Points of one chart; more are not told apart on a screen. */
const HISTORY_POINTS_MAX = 5_000;

export const entityQuery = (id: string) =>
  queryOptions({
    queryKey: ["entity", id],
    queryFn: ({ signal }) => get<EntityDetail>(`/api/v1/entities/${encodeURIComponent(id)}`, signal),
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

/** Issues of a forecast that show how good the earlier ones were; the server gives no more. */
export const ISSUES_MAX = 24;
/** A run tells the page by itself; who may not hear of runs sees a new issue after this, milliseconds. */
const FORECASTS_EVERY_MS = 60_000;

/** What is forecast of an attribute, the newest issue first; empty where nothing forecasts it. */
export const forecastsQuery = (id: string, attribute: string, issued: number) =>
  queryOptions({
    queryKey: ["forecasts", id, attribute, issued],
    queryFn: ({ signal }) =>
      get<EntityForecast[]>(
        `/api/v1/entities/${encodeURIComponent(id)}/forecasts${query({ attribute, issued })}`,
        signal,
      ),
    refetchInterval: FORECASTS_EVERY_MS,
    placeholderData: (before) => before,
  });

/** One value of one attribute at one moment, as it is picked on the page. */
export interface Reading {
  attribute: string;
  observed_at: string;
  value: unknown;
  unit: string | null;
  position: number;
}

const CORRECTIONS = "/api/v1/corrections";
/** Corrections of one entity that the page shows. */
const CORRECTIONS_MAX = 500;

/** The newest corrections of one entity's observations. */
export const correctionsQuery = (id: string) =>
  queryOptions({
    queryKey: ["corrections", id],
    queryFn: ({ signal }) =>
      get<Items<Correction>>(`${CORRECTIONS}${query({ entity_id: id, limit: CORRECTIONS_MAX })}`, signal),
  });

export function correct(draft: CorrectionDraft): Promise<Correction> {
  return change("POST", CORRECTIONS, draft);
}

/** Alerts of one entity, from the newest ones. */
export const entityAlertsQuery = (id: string) =>
  queryOptions({
    queryKey: ["alerts", "entity", id],
    queryFn: async ({ signal }) =>
      (await get<Items<Alert>>(`/api/v1/alerts${query({ entity_id: id })}`, signal)).items,
  });

/** Attributes that describe the entity and have their own place on the page. */
const NOT_LISTED = new Set(["location", "name", "nameEn", "dataNote"]);

/** Levels that a value may be compared with, when no pack says which. */
const USUAL_LIMITS = ["defenceLevel", "warningLevel", "guaranteeLevel"];

/** The attributes of a type that are drawn as limits. */
export function limitsOf(kind: EntityKind | undefined): string[] {
  return kind?.view?.chart?.limits ?? USUAL_LIMITS;
}

/** Attributes in the order of the table: what the pack charts, other numbers, limits, then the rest by name. */
export function listedAttributes(entity: Entity, kind?: EntityKind): [string, AttributeState][] {
  const charted = kind?.view?.chart?.attributes ?? [];
  const limits = limitsOf(kind);
  const rank = ([name, state]: [string, AttributeState]) => {
    const place = charted.indexOf(name);
    if (place >= 0) return place;
    if (limits.includes(name)) return 2_000 + limits.indexOf(name);
    return typeof state.value === "number" ? 1_000 : 3_000;
  };
  return Object.entries(entity.attributes)
    .filter(([name]) => !NOT_LISTED.has(name))
    .sort((a, b) => rank(a) - rank(b) || a[0].localeCompare(b[0]));
}

/** The entity's name in the person's language; its id when it has none. */
export function nameOf(entity: Entity, language: Language): string {
  const english = entity.attributes.nameEn?.value;
  return pick(language, entity.name, typeof english === "string" ? english : null) || entity.id;
}

/** What the data's owner says of them, e.g. that they are rescaled from elsewhere. */
export function dataNote(entity: Entity, language: Language): string | null {
  const note = entity.attributes.dataNote?.value;
  return typeof note === "string" && note !== "" ? half(language, note) : null;
}

export function isSimulated(entity: Entity): boolean {
  return Object.values(entity.attributes).some((state) => state.quality === "simulated");
}

/** A number attribute's value, when the entity has it. */
export function numberOf(entity: Entity, attribute: string): number | null {
  const value = entity.attributes[attribute]?.value;
  return typeof value === "number" ? value : null;
}
