/** Reads the stored message behind a value. */
import { queryOptions } from "@tanstack/react-query";
import { get } from "../../lib/api.ts";
import type { Provenance } from "../../lib/types.ts";

export const provenanceQuery = (position: number) =>
  queryOptions({
    queryKey: ["provenance", position],
    queryFn: ({ signal }) => get<Provenance>(`/api/v1/provenance/${position}`, signal),
    // What is in the journal never changes.
    staleTime: Number.POSITIVE_INFINITY,
  });
