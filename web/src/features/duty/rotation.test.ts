/** People are put on days in turn, across the end of a month. */
import { describe, expect, it } from "vitest";
import { turnsOf } from "./rotation.ts";

describe("a stretch of days", () => {
  it("gives each day to the next of the people", () => {
    const turns = turnsOf("2026-11-29", "2026-12-02", [7, 8, 9], { pattern_id: 3, post: "值班员" });
    expect(turns.map(({ day, user_id }) => [day, user_id])).toEqual([
      ["2026-11-29", 7],
      ["2026-11-30", 8],
      ["2026-12-01", 9],
      ["2026-12-02", 7],
    ]);
    expect(turns[0]).toMatchObject({ pattern_id: 3, post: "值班员" });
  });

  it("is empty without people, and where it ends before it begins", () => {
    expect(turnsOf("2026-11-29", "2026-12-02", [], { pattern_id: 3, post: "x" })).toEqual([]);
    expect(turnsOf("2026-12-02", "2026-11-29", [7], { pattern_id: 3, post: "x" })).toEqual([]);
  });
});
