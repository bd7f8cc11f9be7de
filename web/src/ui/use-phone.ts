/** Whether the screen is as narrow as a phone's. */
import { useSyncExternalStore } from "react";

/** Below this width, pixels, pages use their phone layout. The same figure stands in app.css. */
export const PHONE_WIDTH_MAX = 767;

const media = window.matchMedia(`(max-width: ${PHONE_WIDTH_MAX}px)`);

function subscribe(listener: () => void): () => void {
  media.addEventListener("change", listener);
  return () => media.removeEventListener("change", listener);
}

export function usePhone(): boolean {
  return useSyncExternalStore(subscribe, () => media.matches);
}
