/** Which places are shown, and in which order. Pure. */
import { metresBetween } from "../field/route.ts";
import type { Place, Point } from "./types.ts";

/** How a point stands, to a driver. */
export type Standing = "free" | "busy" | "out" | "unknown";

const OUT = new Set(["Unavailable", "Faulted"]);

/** Free is where a charge can be started; what the city has not heard of is no promise. */
export function standingOf({ may_start, on_line, status }: Point): Standing {
  if (may_start) return "free";
  if (!on_line || (status !== null && OUT.has(status))) return "out";
  if (status === null) return "unknown";
  // It would take a vehicle, but something else speaks against it, which the server says.
  return status === "Available" ? "unknown" : "busy";
}

export const freeOf = (points: readonly Point[]): number =>
  points.filter(({ may_start }) => may_start).length;

/** The least powers that can be asked for, kW. */
export const POWERS_KW = [7, 30, 60, 120] as const;

export interface Wanted {
  free: boolean;
  /** Least rated power, kW; 0: any. */
  power: number;
  /** A connector as the data call it; empty: any. */
  connector: string;
  words: string;
}

/** What an address asks for; what it says wrongly is left out. */
export function wantedOf(parameters: URLSearchParams): Wanted {
  const power = Number(parameters.get("power"));
  return {
    free: parameters.get("free") === "1",
    power: POWERS_KW.find((one) => one === power) ?? 0,
    connector: parameters.get("connector") ?? "",
    words: parameters.get("q") ?? "",
  };
}

/** All connectors that there are, in the order of the alphabet. */
export function connectorsOf(places: readonly Place[]): string[] {
  const all = places.flatMap(({ points }) => points.flatMap(({ connector_type: one }) => one ?? []));
  return [...new Set(all)].sort();
}

/** Whether a point is of the kind that is looked for. */
export function fits(point: Point, { free, power, connector }: Wanted): boolean {
  if (free && !point.may_start) return false;
  if (power > 0 && (point.rated_power_w ?? 0) < power * 1_000) return false;
  return connector === "" || point.connector_type === connector;
}

/** A place with those of its points that fit. */
export interface Found {
  place: Place;
  fitting: Point[];
  /** Straight line from where the phone is, metres. */
  metres: number | null;
}

/** The places with a point that fits and the words in their name or a point's: the nearest first, else those where one can charge now, by name. */
export function found(
  places: readonly Place[],
  wanted: Wanted,
  here: [number, number] | null,
  language: string,
): Found[] {
  const words = wanted.words.trim().toLowerCase();
  const says = (text: string | null) => text?.toLowerCase().includes(words) ?? false;
  const isMeant = (place: Place) =>
    words === "" ||
    [place.name, place.name_en, place.operator].some(says) ||
    place.points.some(({ name, name_en, station }) => [name, name_en, station].some(says));
  const all = places.filter(isMeant).flatMap((place) => {
    const fitting = place.points.filter((point) => fits(point, wanted));
    if (fitting.length === 0) return [];
    const metres = here && place.location ? metresBetween(here, place.location) : null;
    return [{ place, fitting, metres }];
  });
  const nameOf = ({ place }: Found) => (language === "en" && place.name_en) || place.name;
  const far = ({ metres }: Found) => metres ?? Number.POSITIVE_INFINITY;
  const taken = ({ fitting }: Found) => Number(freeOf(fitting) === 0);
  return all.sort(
    (a, b) =>
      (far(a) === far(b) ? 0 : far(a) - far(b)) ||
      (here ? 0 : taken(a) - taken(b)) ||
      nameOf(a).localeCompare(nameOf(b), language, { numeric: true }),
  );
}

/** The point of an outlet, with its place. */
export function pointAt(
  places: readonly Place[],
  station: string,
  outlet: number,
): { place: Place; point: Point } | null {
  for (const place of places) {
    const point = place.points.find((one) => one.station === station && one.outlet === outlet);
    if (point) return { place, point };
  }
  return null;
}
