/** Reads a past stretch page by page. */
import { get, query } from "../../lib/api.ts";
import type { Replay } from "../../lib/types.ts";

export interface Stretch {
  /** RFC 3339. */
  from: string;
  until: string;
}

export function readReplay(stretch: Stretch, after: string | null, signal: AbortSignal): Promise<Replay> {
  return get<Replay>(`/api/v1/replay${query({ ...stretch, after })}`, signal);
}
