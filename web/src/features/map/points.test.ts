/** The points follow the server's answers, and tell when there is something new to see. */
import { describe, expect, it } from "vitest";
import type { MapEntities } from "../../lib/types.ts";
import { Points } from "./points.ts";

const answer = (rows: [id: string, lon: number, severity: number][]): MapEntities => ({
  types: ["WaterObserved", "Streetlight"],
  ids: rows.map(([id]) => id),
  type: rows.map((_, i) => i % 2),
  lon: rows.map(([, lon]) => lon),
  lat: rows.map(() => 30.6),
  name: rows.map(([id]) => `name of ${id}`),
  severity: rows.map(([, , s]) => s),
  at_position: 1,
});
const TWO: Parameters<typeof answer>[0] = [
  ["a", 113.1, 0],
  ["b", 113.2, 0],
];

describe("points", () => {
  it("takes all at first, then tells that nothing changed", () => {
    const points = new Points();
    expect(points.replace(answer(TWO))).toBe(true);
    expect(points.size).toBe(2);
    expect(points.replace(answer(TWO))).toBe(false);
  });

  it("tells when one moved, or has an alert, or is gone", () => {
    const points = new Points();
    points.replace(answer(TWO));
    const before = points.get("b")?.x;
    expect(
      points.replace(
        answer([
          ["a", 113.1, 0],
          ["b", 113.25, 0],
        ]),
      ),
    ).toBe(true);
    expect(points.get("b")?.x).not.toBe(before);
    expect(
      points.replace(
        answer([
          ["a", 113.1, 0],
          ["b", 113.25, 3],
        ]),
      ),
    ).toBe(true);
    expect(points.get("b")?.severity).toBe(3);
    expect(points.replace(answer([["a", 113.1, 0]]))).toBe(true);
    expect(points.get("b")).toBeUndefined();
  });

  it("shows a raised alert at once, and a milder one not over a graver", () => {
    const points = new Points();
    points.replace(answer(TWO));
    expect(points.raise("a", 2)).toBe(true);
    expect(points.raise("a", 1)).toBe(false);
    expect(points.raise("nobody", 4)).toBe(false);
    expect(points.get("a")?.severity).toBe(2);
    points.replace(answer(TWO));
    expect(points.get("a")?.severity).toBe(0);
  });

  it("leaves out what has no place", () => {
    const points = new Points();
    points.replace(
      answer([
        ["a", Number.NaN, 0],
        ["b", 113.2, 0],
      ]),
    );
    expect(points.size).toBe(1);
  });
});
