/** Where the phone is, once its owner asks for it: kept while the pages are open, sent nowhere. */
import { useSyncExternalStore } from "react";
import { locate } from "../field/locate.ts";

export type Here = { place: [number, number] } | { refused: "denied" | "unknown" | "absent" } | null;

let here: Here = null;
const listeners = new Set<() => void>();

function set(next: Here) {
  here = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useHere = (): Here => useSyncExternalStore(subscribe, () => here);

export async function askWhere(): Promise<void> {
  const answer = await locate();
  set("spot" in answer ? { place: [answer.spot.lon, answer.spot.lat] } : answer);
}

/** Forgets it. */
export const forgetWhere = () => set(null);
