/** Reads how safe the platform is: one body with all sections. */
import { queryOptions } from "@tanstack/react-query";
import { get } from "../../lib/api.ts";
import type { SecurityView } from "../../lib/types.ts";

/** How often the page looks again, milliseconds. */
const AGAIN_MS = 60_000;

export const securityQuery = queryOptions({
  queryKey: ["security"],
  queryFn: ({ signal }) => get<SecurityView>("/api/v1/security", signal),
  refetchInterval: AGAIN_MS,
});
