/** Reads dead letters: messages that could not be understood. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { get, query } from "../../lib/api.ts";
import type { DeadLetter, Items, Provenance } from "../../lib/types.ts";

const DEAD_LETTERS = "/api/v1/dead-letters";

export const deadLettersQuery = (device: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ["dead-letters", { device }],
    queryFn: ({ pageParam, signal }) =>
      get<Items<DeadLetter>>(`${DEAD_LETTERS}${query({ device, after: pageParam })}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

/** The whole message: what is wrong with it, and its bytes from the journal. */
export const deadLetterQuery = (position: number) =>
  queryOptions({
    queryKey: ["dead-letter", position],
    queryFn: async ({ signal }) => {
      const [letter, stored] = await Promise.all([
        get<DeadLetter>(`${DEAD_LETTERS}/${position}`, signal),
        get<Provenance>(`/api/v1/provenance/${position}`, signal),
      ]);
      return { ...stored, ...letter };
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
