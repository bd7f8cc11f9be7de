/** A fan: a dashed line, and a band where there is an interval. */
import { describe, expect, it } from "vitest";
import { earlierSeries, fanSeries, intervalOf } from "./fan.ts";

const at = (hour: number) => `2026-07-01T0${hour}:00:00Z`;
const whole = { at: at(1), value: 29, lower: 28.5, upper: 29.75 };
const bare = { at: at(2), value: 30, lower: null, upper: null };
const half = { at: at(3), value: 31, lower: null, upper: 32 };

describe("a fan", () => {
  it("is a dashed line in a band that is stacked from its lower end", () => {
    const [lower, band, line] = fanSeries("f", [whole]);
    expect([lower?.id, band?.id, line?.id]).toEqual(["f-lower", "f-band", "f"]);
    expect(lower?.data).toEqual([[Date.parse(at(1)), 28.5]]);
    expect(band?.data).toEqual([[Date.parse(at(1)), 1.25]]);
    expect([lower?.stack, band?.stack, line?.stack]).toEqual(["f", "f", undefined]);
    expect(line?.data).toEqual([[Date.parse(at(1)), 29]]);
    expect(line?.lineStyle?.type).toBe("dashed");
  });

  it("has no band without intervals, and a gap where one is missing", () => {
    expect(fanSeries("f", [bare]).map(({ id }) => id)).toEqual(["f"]);
    const [lower, band] = fanSeries("f", [whole, bare, half]);
    const values = (data: unknown) => (data as [number, number | null][]).map(([, value]) => value);
    expect(values(lower?.data)).toEqual([28.5, null, null]);
    expect(values(band?.data)).toEqual([1.25, null, null]);
    expect(intervalOf(half)).toBeNull();
  });

  it("draws an earlier issue thin and without its interval", () => {
    const earlier = earlierSeries("e", [whole]);
    expect([earlier.id, earlier.lineStyle?.width, earlier.stack]).toEqual(["e", 1, undefined]);
  });
});
