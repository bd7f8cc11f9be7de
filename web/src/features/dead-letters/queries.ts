/** Reads dead letters: messages that could not be understood. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { get, query } from "../../lib/api.ts";
import type { DeadLetter, DeadLetterDetail, Items, Provenance } from "../../lib/types.ts";

const DEAD_LETTERS = "/api/v1/dead-letters";

export const deadLettersQuery = (device: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ["dead-letters", { device }],
    queryFn: ({ pageParam, signal }) =>
      get<Items<DeadLetter>>(`${DEAD_LETTERS}${query({ device, after: pageParam })}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

/** The whole message. An answer without its bytes is completed from the journal. */
export const deadLetterQuery = (position: number) =>
  queryOptions({
    queryKey: ["dead-letter", position],
    queryFn: async ({ signal }) => {
      const found = await get<DeadLetterDetail>(`${DEAD_LETTERS}/${position}`, signal);
      if (found.raw_base64 !== undefined) {
        return { ...found, raw_text: found.raw_text ?? null, raw_base64: found.raw_base64 };
      }
      const stored = await get<Provenance>(`/api/v1/provenance/${position}`, signal);
      return { ...found, raw_text: stored.raw_text, raw_base64: stored.raw_base64 };
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
