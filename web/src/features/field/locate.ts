/** Where the phone is, when the worker lets it say so; what it says, or why not. Nothing is followed or kept. */
import type { Spot } from "./outbox.ts";

/** Longest wait for a position, and how old one may be, milliseconds. */
const WAIT_MS = 15_000;
const AGE_MS = 30_000;

export type Located = { spot: Spot } | { refused: "denied" | "unknown" | "absent" };

export function locate(geolocation: Geolocation | undefined = navigator.geolocation): Promise<Located> {
  if (!geolocation) return Promise.resolve({ refused: "absent" });
  return new Promise((resolve) => {
    geolocation.getCurrentPosition(
      ({ coords }) =>
        resolve({ spot: { lon: coords.longitude, lat: coords.latitude, accuracy: coords.accuracy } }),
      (error) => resolve({ refused: error.code === error.PERMISSION_DENIED ? "denied" : "unknown" }),
      { enableHighAccuracy: true, timeout: WAIT_MS, maximumAge: AGE_MS },
    );
  });
}
