/** Reads runs of the packs' engines: what is declared, what was made, one run whole; runs one now, reckons one again. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { change, get, query } from "../../lib/api.ts";
import type {
  Items,
  Run,
  RunAdopted,
  RunAdoption,
  RunDefinition,
  RunDetail,
  RunRepeated,
  RunsMade,
} from "../../lib/types.ts";

const RUNS = "/api/v1/runs";

/** Which runs are looked for. */
export interface RunFilter {
  definition_id?: string;
  outcome?: string;
  target_id?: string;
}

export const FILTERS = ["definition_id", "outcome", "target_id"] as const;

/** How a run can have gone, or go. */
export const OUTCOMES = ["done", "failed", "running", "interrupted"] as const;

export const definitionsQuery = queryOptions({
  queryKey: ["runs", "definitions"],
  queryFn: ({ signal }) => get<RunDefinition[]>(`${RUNS}/definitions`, signal),
});

export const runsQuery = (filter: RunFilter) =>
  infiniteQueryOptions({
    queryKey: ["runs", "list", filter],
    queryFn: ({ pageParam, signal }) =>
      get<Items<Run>>(`${RUNS}${query({ ...filter, after: pageParam })}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

const pathOf = (id: string | number) => `${RUNS}/${encodeURIComponent(id)}`;

/** One run whole. What is over stays as it is, so it is read once; a run that goes on tells when it is over. */
export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ["run", id],
    queryFn: ({ signal }) => get<RunDetail>(pathOf(id), signal),
    staleTime: ({ state }) => (state.data && state.data.ended_at !== null ? Number.POSITIVE_INFINITY : 0),
  });

/** The files of a run that the command line reads and writes. */
export type RunFile = "input.csv" | "parameters.json" | "output.csv";

/** Where a file of a run is had. */
export const filePath = (id: number, file: RunFile) => `${pathOf(id)}/${file}`;

/** How the server calls such a file. */
export const fileName = (id: number, file: RunFile) => `run-${id}-${file}`;

/** Runs a declaration now, for one of its targets or for all of them; answers when all are over. */
export function startRuns(definition: string, target: string | null): Promise<RunsMade> {
  return change("POST", RUNS, { definition_id: definition, target_id: target });
}

/** What adopting a run would change; read anew each time, for somebody else may have changed it. */
export const adoptionQuery = (id: number) =>
  queryOptions({
    queryKey: ["run", "adoption", id],
    queryFn: ({ signal }) => get<RunAdoption>(`${pathOf(id)}/adoption`, signal),
    staleTime: 0,
  });

/** Adopts what a run fitted, as it was shown: `seen` of the adoption. */
export function adoptRun(id: number, seen: number): Promise<RunAdopted> {
  return change("POST", `${pathOf(id)}/adopt`, { seen });
}

/** Reckons a run again from what is kept of it, and compares. */
export function repeatRun(id: number): Promise<RunRepeated> {
  return change("POST", `${pathOf(id)}/repeat`);
}
