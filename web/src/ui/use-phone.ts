/** Whether the screen is as narrow as a phone's. */
import { useSyncExternalStore } from "react";
import { PHONE } from "./phone.ts";

const media = window.matchMedia(PHONE);

function subscribe(listener: () => void): () => void {
  media.addEventListener("change", listener);
  return () => media.removeEventListener("change", listener);
}

export function usePhone(): boolean {
  return useSyncExternalStore(subscribe, () => media.matches);
}
