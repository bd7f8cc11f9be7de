/** The order of a day's tasks: short, complete, and the same every time. */
import { describe, expect, it } from "vitest";
import type { Place } from "../../lib/types.ts";
import { lengthOf, metresBetween, routeFrom, type Stop } from "./route.ts";

const stop = (id: number, lon: number, lat: number): Stop => ({ id, place: [lon, lat] });
const ids = (from: Place | null, stops: Stop[]) => routeFrom(from, stops).map((leg) => leg.id);

/** The shortest open way by trying all. */
function shortest(from: Place, stops: Stop[]): number {
  if (stops.length === 0) return 0;
  return Math.min(
    ...stops.map(
      (next) =>
        metresBetween(from, next.place) +
        shortest(
          next.place,
          stops.filter((other) => other !== next),
        ),
    ),
  );
}

describe("route", () => {
  it("knows how far it is", () => {
    // One degree of latitude: a 360th of the circumference.
    expect(metresBetween([113, 30], [113, 31])).toBeCloseTo(111_195, 0);
    expect(metresBetween([113, 30], [113, 30])).toBe(0);
    // A degree of longitude at 60° is half of one at the equator.
    expect(metresBetween([0, 60], [1, 60])).toBeCloseTo(55_597, -1);
  });

  it("goes to the nearest first and says how far each is from the one before", () => {
    const legs = routeFrom([113, 30], [stop(1, 113.3, 30), stop(2, 113.1, 30), stop(3, 113.2, 30)]);
    expect(legs.map((leg) => leg.id)).toEqual([2, 3, 1]);
    for (const leg of legs) expect(leg.metres).toBeCloseTo(metresBetween([113, 30], [113.1, 30]), 0);
    expect(lengthOf(legs)).toBeCloseTo(metresBetween([113, 30], [113.3, 30]), 0);
  });

  it("begins at the first task when the phone does not say where it is", () => {
    const legs = routeFrom(null, [stop(1, 113.3, 30), stop(2, 113.1, 30), stop(3, 113.2, 30)]);
    expect(legs.map((leg) => leg.id)).toEqual([1, 3, 2]);
    expect(legs[0]?.metres).toBeNull();
    expect(ids(null, [])).toEqual([]);
    expect(ids([113, 30], [stop(4, 113, 30)])).toEqual([4]);
  });

  it("mends what the nearest next gets wrong", () => {
    // Near ones on both sides: always the nearest runs to and fro.
    const stops = [stop(1, 1.1, 0), stop(2, -1.2, 0), stop(3, 3.6, 0), stop(4, -1.3, 0)];
    expect(lengthOf(routeFrom([0, 0], stops))).toBeLessThanOrEqual(shortest([0, 0], stops) * 1.001);
  });

  it("visits every task once and is never far from the shortest way", () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    for (let round = 0; round < 30; round += 1) {
      const stops = Array.from({ length: 7 }, (_, i) => stop(i, 113 + random() / 5, 30.5 + random() / 5));
      const from: Place = [113 + random() / 5, 30.5 + random() / 5];
      const legs = routeFrom(from, stops);
      expect(legs.map((leg) => leg.id).sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect(lengthOf(legs)).toBeLessThan(shortest(from, stops) * 1.25);
      expect(routeFrom(from, stops)).toEqual(legs);
    }
  });
});
