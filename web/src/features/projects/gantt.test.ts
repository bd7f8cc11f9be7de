/** The chart says of each project what is known of its days, and no more. */
import { describe, expect, it } from "vitest";
import type { ProjectItem } from "../../lib/types.ts";
import { barOf, marksOf, placeOf, spanOf, ticksOf } from "./gantt.ts";
import { item, milestone } from "./samples.ts";

const dated: ProjectItem = {
  ...item,
  start: "2025-01-01",
  end: "2026-01-01",
  milestones: [milestone("开工", "2025-07-02")],
};

describe("the Gantt chart", () => {
  it("spans whole years, today among them", () => {
    expect(spanOf([dated], "2026-06-01")).toEqual({ first: 2025, last: 2026 });
    expect(spanOf([], "2026-06-01")).toEqual({ first: 2026, last: 2026 });
  });

  it("puts a day where it is", () => {
    const span = { first: 2025, last: 2026 };
    expect(placeOf(span, "2025-01-01")).toBe(0);
    expect(placeOf(span, "2026-01-01")).toBe(50);
    expect(ticksOf(span)).toEqual([
      { year: 2025, place: 0 },
      { year: 2026, place: 50 },
    ]);
    expect(ticksOf({ first: 2000, last: 2031 }).map(({ year }) => year)).toEqual([
      2000, 2004, 2008, 2012, 2016, 2020, 2024, 2028,
    ]);
  });

  it("draws a bar by the project's days, else by its milestones, else none", () => {
    const span = { first: 2025, last: 2026 };
    expect(barOf(dated, span)).toEqual({ from: 0, to: 50, guessed: false });
    const guessed = barOf({ ...dated, start: null, end: null }, span);
    expect(guessed?.guessed).toBe(true);
    expect(guessed?.from).toBe(guessed?.to);
    expect(barOf(item, span)).toBeNull();
  });

  it("marks milestones where they were reached, else where they are expected", () => {
    const span = { first: 2025, last: 2026 };
    const late = { ...milestone("竣工", "2025-03-01"), forecast: "2026-01-01" };
    const done = { ...late, done: "2025-01-01" };
    const places = marksOf({ ...item, milestones: [late, done] }, span).map(({ place }) => place);
    expect(places).toEqual([50, 0]);
  });
});
