/** Which forecast is shown, and when it reaches a level. */
import { describe, expect, it } from "vitest";
import type { EntityForecast, History } from "../../lib/types.ts";
import { endOf, hasInterval, measuredLast, outlookOf, reaching, runOf } from "./outlook.ts";

const at = (minute: number) => new Date(Date.UTC(2026, 6, 1, 9, minute)).toISOString();
const NOW = Date.parse(at(0));
const point = (minute: number, value: number, upper: number | null = null) => ({
  at: at(minute),
  value,
  lower: upper === null ? null : value - (upper - value),
  upper,
});
const issue = (over: Partial<EntityForecast>): EntityForecast => ({
  forecast_id: "urn:ngsi-ld:WaterLevelForecast:1",
  forecast_type: "WaterLevelForecast",
  attribute: "waterLevel",
  unit: "MTR",
  unit_symbol: "m",
  issued_at: at(0),
  method: "regression",
  version: "1",
  run: null,
  certainty: null,
  is_out_of_range: false,
  quality: "good",
  position: 9,
  points: [point(15, 29)],
  ...over,
});

describe("an outlook", () => {
  const first = issue({});
  const before = issue({ issued_at: at(-15) });
  const other = issue({ forecast_id: "urn:ngsi-ld:WaterLevelForecast:1-model", method: "model" });

  it("is the newest issue and those before it of the same forecast", () => {
    const found = outlookOf([first, other, before], "waterLevel", "MTR", null);
    expect(found?.newest).toBe(first);
    expect(found?.earlier).toEqual([before]);
    expect(found?.choices).toEqual([first, other]);
    expect(outlookOf([first, other], "waterLevel", "MTR", other.forecast_id)?.newest).toBe(other);
  });

  it("is none where nothing is forecast, or another attribute was read", () => {
    expect(outlookOf(undefined, "waterLevel", "MTR", null)).toBeNull();
    expect(outlookOf([], "waterLevel", "MTR", null)).toBeNull();
    expect(outlookOf([first], "flow", "MQS", null)).toBeNull();
    expect(outlookOf([issue({ points: [] })], "waterLevel", "MTR", null)).toBeNull();
  });

  it("is not drawn on an axis of another unit", () => {
    expect(outlookOf([first], "waterLevel", "CMT", null)?.isDrawn).toBe(false);
    expect(outlookOf([first], "waterLevel", null, null)?.isDrawn).toBe(true);
  });

  it("names the run where it is one of the city's", () => {
    expect(runOf("run-17")).toBe("17");
    expect([runOf("20260701T08-0001"), runOf(null), runOf("run-x")]).toEqual([null, null, null]);
  });
});

describe("a level", () => {
  const rise = [point(15, 29, 29.2), point(30, 29.2, 29.5), point(45, 29.4, 29.8)];

  it("is reached by the value and before it by the upper end", () => {
    const found = reaching(rise, 29.3, null, NOW);
    expect(found).toEqual({ isReached: false, value: at(45), upper: at(30), below: null });
  });

  it("is reached by the upper end alone, or not at all", () => {
    expect(reaching(rise, 29.7, null, NOW)).toMatchObject({ value: null, upper: at(45) });
    expect(reaching(rise, 31, null, NOW)).toMatchObject({ value: null, upper: null });
  });

  it("is looked for in what is still to come", () => {
    expect(reaching([point(-5, 30), ...rise], 29.3, null, NOW).value).toBe(at(45));
  });

  it("that was reached already is one to fall below", () => {
    const measured = { at: at(-3), value: 30 };
    const fall = [point(15, 30.1), point(30, 29.9)];
    expect(reaching(fall, 30, measured, NOW)).toEqual({
      isReached: true,
      value: null,
      upper: null,
      below: at(30),
    });
    expect(reaching(rise, 28, measured, NOW)).toMatchObject({ isReached: true, below: null });
  });

  it("knows no upper end where there is no interval", () => {
    expect(hasInterval([point(15, 29)])).toBe(false);
    expect(reaching([point(15, 29)], 29, null, NOW)).toMatchObject({ value: at(15), upper: null });
    expect(endOf(issue({ points: rise }))).toBe(Date.parse(at(45)));
  });
});

describe("what was measured last", () => {
  it("is the last value that rules would use", () => {
    const one = (minute: number, value: unknown, quality: History["points"][number]["quality"]) => ({
      observed_at: at(minute),
      received_at: at(minute),
      value,
      quality,
      position: 1,
    });
    const points = [one(-30, 29, "good"), one(-15, 29.5, "simulated"), one(-1, 812, "out_of_range")];
    const history: History = { attribute: "waterLevel", unit: "MTR", truncated: false, points };
    expect(measuredLast(history)).toEqual({ at: at(-15), value: 29.5 });
    expect(measuredLast({ ...history, points: [] })).toBeNull();
  });
});
