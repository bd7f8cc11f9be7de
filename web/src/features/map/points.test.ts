/** The map is brought from one answer to the next by the least change. */
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

describe("points", () => {
  it("adds all at first, then nothing when nothing changed", () => {
    const points = new Points();
    const first = points.replace(
      answer([
        ["a", 113.1, 0],
        ["b", 113.2, 0],
      ]),
    );
    expect(first?.add).toHaveLength(2);
    expect(
      points.replace(
        answer([
          ["a", 113.1, 0],
          ["b", 113.2, 0],
        ]),
      ),
    ).toBeNull();
    expect(Object.fromEntries(points.countByType())).toEqual({ WaterObserved: 1, Streetlight: 1 });
  });

  it("tells only what changed, with the same number for the same entity", () => {
    const points = new Points();
    points.replace(
      answer([
        ["a", 113.1, 0],
        ["b", 113.2, 0],
      ]),
    );
    const number = points.numberOf("b");
    const change = points.replace(
      answer([
        ["a", 113.1, 0],
        ["b", 113.25, 3],
      ]),
    );
    expect(change).toEqual({
      add: [],
      remove: [],
      update: [
        {
          id: number,
          newGeometry: { type: "Point", coordinates: [113.25, 30.6] },
          addOrUpdateProperties: [{ key: "s", value: 3 }],
        },
      ],
    });
  });

  it("removes what is gone and gives it its old number when it comes back", () => {
    const points = new Points();
    points.replace(
      answer([
        ["a", 113.1, 0],
        ["b", 113.2, 0],
      ]),
    );
    const number = points.numberOf("a");
    expect(points.replace(answer([["b", 113.2, 0]]))?.remove).toEqual([number]);
    expect(points.numberOf("a")).toBeUndefined();
    points.replace(
      answer([
        ["a", 113.1, 0],
        ["b", 113.2, 0],
      ]),
    );
    expect(points.numberOf("a")).toBe(number);
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
