/**
 * The order in which to go to a day's tasks, by straight lines: the nearest next, then crossings taken out (2-opt).
 * Pure; works without a network. Roads, rivers and bridges are not known here, which the page says.
 */
import type { Place } from "../../lib/types.ts";

/** Mean radius of the Earth, metres (IUGG R1). */
const EARTH_RADIUS_M = 6_371_008.8;
/** Most rounds of mending: each makes the way shorter, few are needed. */
const ROUNDS_MAX = 50;
/** A change must save this much to count, metres: equal ways must not take turns for ever. */
const GAIN_MIN_M = 0.01;

export interface Stop {
  id: number;
  place: Place;
}

export interface Leg extends Stop {
  /** Straight line from the stop before, or from where the worker is; null for the first when that is not known. */
  metres: number | null;
}

/** Straight line over the sphere (haversine), metres; within 0.5 % of the ellipsoid. */
export function metresBetween([lonA, latA]: Place, [lonB, latB]: Place): number {
  const rad = Math.PI / 180;
  const across = Math.sin(((lonB - lonA) * rad) / 2);
  const up = Math.sin(((latB - latA) * rad) / 2);
  const half = up * up + Math.cos(latA * rad) * Math.cos(latB * rad) * across * across;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(half)));
}

function nearestFirst(from: Place, stops: readonly Stop[]): Stop[] {
  const left = [...stops];
  const way: Stop[] = [];
  let here = from;
  while (left.length > 0) {
    let best = 0;
    left.forEach((stop, i) => {
      const than = left[best] as Stop;
      if (metresBetween(here, stop.place) < metresBetween(here, than.place)) best = i;
    });
    const [next] = left.splice(best, 1) as [Stop];
    way.push(next);
    here = next.place;
  }
  return way;
}

/** Turns parts of an open way around as long as that makes it shorter. */
function untangled(from: Place, stops: Stop[]): Stop[] {
  let way = stops;
  const at = (i: number) => (i < 0 ? from : (way[i] as Stop).place);
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    let better = false;
    for (let i = 0; i < way.length - 1; i += 1) {
      for (let j = i + 1; j < way.length; j += 1) {
        const before = metresBetween(at(i - 1), at(i));
        const after = metresBetween(at(i - 1), at(j));
        const isLast = j === way.length - 1;
        const beforeEnd = isLast ? 0 : metresBetween(at(j), at(j + 1));
        const afterEnd = isLast ? 0 : metresBetween(at(i), at(j + 1));
        if (before + beforeEnd - after - afterEnd < GAIN_MIN_M) continue;
        way = [...way.slice(0, i), ...way.slice(i, j + 1).reverse(), ...way.slice(j + 1)];
        better = true;
      }
    }
    if (!better) break;
  }
  return way;
}

/** The way from where the worker is; from the first stop when that is not known. */
export function routeFrom(from: Place | null, stops: readonly Stop[]): Leg[] {
  const [first] = stops;
  if (!first) return [];
  const begin = from ?? first.place;
  const rest = from ? stops : stops.slice(1);
  const way = untangled(begin, nearestFirst(begin, rest));
  let here = begin;
  const legs = way.map((stop): Leg => {
    const metres = metresBetween(here, stop.place);
    here = stop.place;
    return { ...stop, metres };
  });
  return from ? legs : [{ ...first, metres: null }, ...legs];
}

/** The length of a whole way, metres. */
export const lengthOf = (legs: readonly Leg[]): number =>
  legs.reduce((sum, leg) => sum + (leg.metres ?? 0), 0);
