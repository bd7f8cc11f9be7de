/** Reads what can be told and commands with what came of them; asks for one, and decides on one. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { change, get, query } from "../../lib/api.ts";
import type {
  Command,
  CommandDetail,
  CommandOffer,
  Entity,
  EntityDetail,
  Items,
  Run,
} from "../../lib/types.ts";

const COMMANDS = "/api/v1/commands";
/** Commands are looked at this often while the page is open, milliseconds: who waits for an answer stands before a gate. */
const LOOK_MS = 5_000;
/** The one that is on its way, this often. */
const LOOK_UNDER_WAY_MS = 1_000;
/** What interlocks say of a value is asked anew this often while the dialog is open, milliseconds. */
const JUDGE_MS = 5_000;
/** Commands that wait for approval, and things of a type, that are shown at most. */
export const WAITING_MAX = 500;
export const THINGS_MAX = 500;
/** Newest runs among which the last of each chain is looked for. */
const RUNS_MAX = 500;

/** The states of a command, in the order of its life. */
export const STATES = [
  "asked",
  "approved",
  "sent",
  "done",
  "failed",
  "refused",
  "expired",
  "withdrawn",
] as const;

/** Agreed to, and not answered yet. */
const UNDER_WAY = ["approved", "sent"];

export const commandsQuery = (state: string) =>
  infiniteQueryOptions({
    queryKey: ["commands", "list", state],
    queryFn: ({ pageParam, signal }) =>
      get<Items<Command>>(`${COMMANDS}${query({ state, after: pageParam })}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: LOOK_MS,
  });

/** What waits for a second person; the one that expires first stands first. */
export const waitingQuery = queryOptions({
  queryKey: ["commands", "waiting"],
  queryFn: async ({ signal }) => {
    const { items } = await get<Items<Command>>(
      `${COMMANDS}${query({ state: "asked", limit: WAITING_MAX })}`,
      signal,
    );
    return items.sort((a, b) => a.expires_at.localeCompare(b.expires_at));
  },
  refetchInterval: LOOK_MS,
});

export const commandQuery = (id: number) =>
  queryOptions({
    queryKey: ["commands", "one", id],
    queryFn: ({ signal }) => get<CommandDetail>(`${COMMANDS}/${id}`, signal),
    refetchInterval: ({ state: { data } }) =>
      data && UNDER_WAY.includes(data.state) ? LOOK_UNDER_WAY_MS : LOOK_MS,
  });

/** The things of a type, with these attributes. */
export const thingsQuery = (type: string, attributes: string[]) =>
  queryOptions({
    queryKey: ["commands", "things", type, attributes],
    queryFn: ({ signal }) =>
      get<Items<Entity>>(
        `/api/v1/entities${query({ type, attributes: attributes.join(",") || "name", limit: THINGS_MAX })}`,
        signal,
      ),
    refetchInterval: LOOK_MS,
  });

/** One thing, for its name; an empty id is none. */
export const thingQuery = (id: string) =>
  queryOptions({
    queryKey: ["commands", "thing", id],
    queryFn: ({ signal }) => get<EntityDetail>(`/api/v1/entities/${encodeURIComponent(id)}`, signal),
    enabled: id !== "",
  });

/** The newest runs of what is suggested; the first of each target is its last. */
export const newestQuery = (definition: string) =>
  queryOptions({
    queryKey: ["runs", "newest", definition],
    queryFn: ({ signal }) =>
      get<Items<Run>>(`/api/v1/runs${query({ definition_id: definition, limit: RUNS_MAX })}`, signal),
  });

/** Whether there is a reservoir at all. */
export const reservoirsQuery = queryOptions({
  queryKey: ["commands", "reservoirs"],
  queryFn: ({ signal }) =>
    get<Items<Entity>>(
      `/api/v1/entities${query({ type: "WaterReservoir", attributes: "name", limit: 1 })}`,
      signal,
    ),
});

const offersPath = (entityId: string) => `/api/v1/entities/${encodeURIComponent(entityId)}/commands`;

/** What a thing can be told. */
export const offersQuery = (entityId: string) =>
  queryOptions({
    queryKey: ["commands", "offers", entityId],
    queryFn: ({ signal }) => get<CommandOffer[]>(offersPath(entityId), signal),
  });

/** What the interlocks say of a value now; nothing is asked for by it. */
export const judgedQuery = (entityId: string, command: string, value: string) =>
  queryOptions({
    queryKey: ["commands", "judged", entityId, command, value],
    queryFn: async ({ signal }) => {
      const offers = await get<CommandOffer[]>(`${offersPath(entityId)}${query({ command, value })}`, signal);
      return offers[0] ?? null;
    },
    enabled: command !== "" && value !== "",
    placeholderData: keepPreviousData,
    refetchInterval: JUDGE_MS,
  });

/** What is asked of a thing. */
export interface Asked {
  command: string;
  value: number | boolean | string;
  reason: string;
}

export function ask(entityId: string, asked: Asked): Promise<CommandDetail> {
  return change("POST", COMMANDS, { entity_id: entityId, ...asked });
}

export function approve({ id }: Command, note: string): Promise<CommandDetail> {
  return change("POST", `${COMMANDS}/${id}/approve`, { note });
}

export function refuse({ id }: Command, note: string): Promise<CommandDetail> {
  return change("POST", `${COMMANDS}/${id}/refuse`, { note });
}

export function withdraw({ id }: Command): Promise<CommandDetail> {
  return change("POST", `${COMMANDS}/${id}/withdraw`);
}
