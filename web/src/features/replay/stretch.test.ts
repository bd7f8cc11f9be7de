/** A stretch is named in the city's time and said so that nobody takes it for now. */
import { describe, expect, it } from "vitest";
import { fromField, lastHour, minutesOf, stretchOf, stretchText, toField } from "./stretch.ts";

describe("a stretch", () => {
  it("is the last hour when none is named", () => {
    const { from, until } = lastHour(Date.parse("2026-11-26T01:02:03Z"));
    expect([from, until]).toEqual(["2026-11-26T00:02:00.000Z", "2026-11-26T01:02:00.000Z"]);
  });

  it("is read from the address, and nothing is made of nonsense", () => {
    expect(stretchOf("2026-11-26T00:00:00Z", "2026-11-26T01:00:00Z")).not.toBeNull();
    expect(stretchOf("2026-11-26T01:00:00Z", "2026-11-26T00:00:00Z")).toBeNull();
    expect(stretchOf(null, "x")).toBeNull();
  });

  it("goes into a field in the city's zone and comes out the same", () => {
    const field = toField("2026-11-26T00:00:00Z");
    expect(field).toBe("2026-11-26T08:00");
    const stretch = fromField(field, 60);
    expect(stretch).toEqual({ from: "2026-11-26T00:00:00.000Z", until: "2026-11-26T01:00:00.000Z" });
    expect(stretch && minutesOf(stretch)).toBe(60);
    expect(fromField("", 60)).toBeNull();
  });

  it("is said with its day, both days over midnight, and the zone", () => {
    expect(stretchText({ from: "2026-11-26T00:00:00Z", until: "2026-11-26T01:00:00Z" })).toBe(
      "2026-11-26 08:00–09:00 UTC+8",
    );
    expect(stretchText({ from: "2026-11-26T15:30:00Z", until: "2026-11-26T16:30:00Z" })).toBe(
      "2026-11-26 23:30–2026-11-27 00:30 UTC+8",
    );
  });
});
