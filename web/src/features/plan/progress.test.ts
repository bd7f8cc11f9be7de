/** The bar must not flatter: it shows the way from the baseline, in the direction the plan wants. */
import { describe, expect, it } from "vitest";
import { dayOf, dayScale, expectedProgress, progress, yearEndScale } from "./progress.ts";

const base = { baseline: 398, target: 1_800, direction: "more" as const, value: null, expected_now: 1_099 };

describe("progress", () => {
  it("counts from the baseline, not from nothing", () => {
    expect(progress({ ...base, value: 398 })).toBe(0);
    expect(progress({ ...base, value: 1_099 })).toBeCloseTo(0.5);
    expect(progress({ ...base, value: 2_000 })).toBe(1);
    expect(progress({ ...base, value: 100 })).toBe(0);
    expect(expectedProgress(base)).toBeCloseTo(0.5);
  });

  it("knows that for some less is more", () => {
    const pue = { baseline: 1.8, target: 1.3, direction: "less" as const, expected_now: null };
    expect(progress({ ...pue, value: 1.55 })).toBeCloseTo(0.5);
    expect(progress({ ...pue, value: 1.2 })).toBe(1);
    expect(progress({ ...pue, value: 2 })).toBe(0);
    expect(progress({ ...pue, baseline: null, value: 1.4 })).toBe(0);
    expect(progress({ ...pue, baseline: null, value: 1.3 })).toBe(1);
  });

  it("says nothing without a value", () => {
    expect(progress(base)).toBeNull();
    expect(expectedProgress({ ...base, expected_now: null })).toBeNull();
  });

  it("starts from nothing where the plan gives no baseline", () => {
    expect(progress({ ...base, baseline: null, target: 95, value: 47.5 })).toBeCloseTo(0.5);
  });

  it("puts the end of a year at its number", () => {
    expect(yearEndScale("2021-01-01T00:00:00Z")).toBe(2_020);
    expect(yearEndScale("2020-12-31T00:00:00Z")).toBeCloseTo(2_020, 2);
    expect(yearEndScale("2025-07-02T12:00:00Z")).toBeCloseTo(2_024.5, 2);
    expect(dayOf(2_020)).toBe("2020-12-31");
    expect(dayOf(yearEndScale("2025-07-02T12:00:00Z"))).toBe("2025-07-02");
  });

  it("puts the last day of a year at the year", () => {
    expect(dayScale("2025-12-31")).toBe(2025);
    expect(dayScale("2025-07-02")).toBeCloseTo(2024.5, 2);
  });
});
