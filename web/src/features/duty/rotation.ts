/** People in turn by day: the turns of a stretch of days. */
import type { DutyTurnsDraft } from "../../lib/types.ts";

const DAY_MS = 86_400_000;

/** One turn for each day from the first to the last, the people one after the other. Days are the city's own, as text. */
export function turnsOf(
  first: string,
  last: string,
  userIds: number[],
  of: { pattern_id: number; post: string },
): DutyTurnsDraft["turns"] {
  const turns: DutyTurnsDraft["turns"] = [];
  if (userIds.length === 0) return turns;
  // By UTC, where every day has 24 hours.
  const end = Date.parse(`${last}T00:00:00Z`);
  for (let at = Date.parse(`${first}T00:00:00Z`); at <= end; at += DAY_MS) {
    const user_id = userIds[turns.length % userIds.length] as number;
    turns.push({ ...of, day: new Date(at).toISOString().slice(0, 10), user_id });
  }
  return turns;
}
