/** What a worker may do to a case, as the phone takes it to be after the steps that wait on it. Pure. */
import type { CaseDetail, CaseNeed } from "../../lib/types.ts";
import type { Step } from "./outbox.ts";

export interface Allowed {
  action: string;
  needs: CaseNeed[];
}

/** The actions after the steps that have no answer yet; the server told what follows each action beforehand. */
export function allowedAfter(item: Pick<CaseDetail, "allowed">, steps: readonly Step[]): Allowed[] {
  const waiting = steps.filter((step) => !step.answer && step.action !== "comment");
  const [first, second] = waiting;
  if (!first) return item.allowed;
  // What follows two steps was not told: the rest waits for the network.
  if (second) return [];
  return item.allowed.find((one) => one.action === first.action)?.next ?? [];
}
