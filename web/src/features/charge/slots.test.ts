/** Begins and lengths of reservations by quarters of an hour, and what others have taken. */
import { describe, expect, it } from "vitest";
import { beginsOf, byDay, isTaken, lengthsOf, spanWord } from "./slots.ts";
import type { Free } from "./types.ts";

const at = (clock: string) => Date.parse(`2026-11-29T${clock}:00+08:00`);
const iso = (clock: string) => new Date(at(clock)).toISOString();
const free: Free = {
  busy: [{ from: iso("11:00"), to: iso("12:00") }],
  minutes_min: 30,
  minutes_max: 90,
  ahead_hours_max: 3,
  late_minutes: 15,
};
const clocks = (begins: { at: number; isTaken: boolean }[]) =>
  begins.map(
    (one) => `${new Date(one.at + 8 * 3_600_000).toISOString().slice(11, 16)}${one.isTaken ? "!" : ""}`,
  );

describe("reservations", () => {
  it("are whole quarters long, from the shortest to the longest", () => {
    expect(lengthsOf(free)).toEqual([30, 45, 60, 75, 90]);
    expect(lengthsOf({ ...free, minutes_min: 20 })).toEqual([30, 45, 60, 75, 90]);
    // Limits between two quarters leave the shortest itself.
    expect(lengthsOf({ ...free, minutes_min: 5, minutes_max: 10 })).toEqual([5]);
  });

  it("begin at the next quarter, as far ahead as may be, never where they would meet another", () => {
    const begins = beginsOf(free, 30, at("10:07"));
    expect(clocks(begins)).toEqual([
      "10:15",
      "10:30",
      "10:45!",
      "11:00!",
      "11:15!",
      "11:30!",
      "11:45!",
      "12:00",
      "12:15",
      "12:30",
      "12:45",
      "13:00",
    ]);
  });

  it("touch without meeting", () => {
    expect(isTaken(free.busy, at("10:00"), at("11:00"))).toBe(false);
    expect(isTaken(free.busy, at("12:00"), at("13:00"))).toBe(false);
    expect(isTaken(free.busy, at("10:00"), at("11:01"))).toBe(true);
    expect(isTaken(free.busy, at("10:00"), at("13:00"))).toBe(true);
  });

  it("are listed by the city's days", () => {
    const begins = beginsOf({ ...free, ahead_hours_max: 1 }, 30, at("23:30"));
    expect(byDay(begins).map(([day, own]) => [day, own.length])).toEqual([
      ["2026-11-29", 2],
      ["2026-11-30", 3],
    ]);
  });

  it("are read by the city's clock, with the day where it is another", () => {
    expect(spanWord({ from: iso("18:00"), to: iso("19:30") }, at("10:00"))).toBe("18:00–19:30");
    expect(spanWord({ from: iso("23:30"), to: "2026-11-29T16:30:00Z" }, at("10:00"))).toBe(
      "23:30–11-30 00:30",
    );
  });
});
