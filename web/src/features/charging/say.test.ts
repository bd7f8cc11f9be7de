/** Charging in figures and words. */
import dayjs from "dayjs";
import { describe, expect, it } from "vitest";
import { translator } from "../../i18n/index.tsx";
import { daysBefore, energy, energyAbout, kwh, lasted, moment, spanOf, sumsOf } from "./say.ts";

describe("figures", () => {
  it("writes energy with its unit, to the watt-hour in a column", () => {
    expect([energy(23_480), energy(-1_500), energyAbout(635_158), kwh(609_258), kwh(8_000)]).toEqual([
      "23.48 kWh",
      "-1.5 kWh",
      "635.2 kWh",
      "609.258",
      "8.000",
    ]);
  });

  it("writes how long, in both languages, and nothing where a time is missing or before the other", () => {
    const [from, until] = ["2026-11-29T00:00:00Z", "2026-11-29T01:05:00Z"];
    expect(lasted(from, until, translator("zh"))).toBe("1 小时 5 分");
    expect(lasted(from, until, translator("en"))).toBe("1 h 5 min");
    expect([lasted(until, from, translator("en")), lasted(from, null, translator("en"))]).toEqual([
      null,
      null,
    ]);
  });

  it("sends what was entered as a time of the city, wherever the browser stands", () => {
    expect(moment(dayjs("2026-12-01 08:30"))).toBe("2026-12-01T08:30:00+08:00");
  });
});

describe("the span of days", () => {
  const of = (search: string) => spanOf(new URLSearchParams(search), "2026-11-29");

  it("is today unless the address says otherwise", () => {
    expect(of("")).toEqual({ choice: "today", from: "2026-11-29", to: "2026-11-29" });
    expect(of("days=week")).toEqual({ choice: "week", from: "2026-11-23", to: "2026-11-29" });
    expect(of("days=month")).toEqual({ choice: "month", from: "2026-10-31", to: "2026-11-29" });
    expect(of("from=2026-11-01&to=2026-11-02").choice).toBe("own");
  });

  it("leaves out what the address says wrongly", () => {
    for (const search of ["days=year", "from=2026-11-05&to=2026-11-01", "from=x&to=y", "from=2026-11-05"]) {
      expect(of(search).choice).toBe("today");
    }
  });

  it("counts days over the ends of months", () => {
    expect(daysBefore("2026-03-01", 1)).toBe("2026-02-28");
    expect(daysBefore("2026-12-31", -1)).toBe("2027-01-01");
  });
});

describe("sums", () => {
  const sum = (operator: string, state: string, sessions: number, energy_wh: number, total_fen: number) => ({
    operator,
    state,
    sessions,
    energy_wh,
    total_fen,
  });

  it("counts money of bills that were made, and no energy of what is held", () => {
    const { all, operators } = sumsOf({
      sums: [
        sum("a", "billed", 2, 30_000, 4_000),
        sum("a", "doubtful", 1, -1_500, 900),
        sum("b", "charging", 1, 50_000, 0),
        sum("b", "unpriced", 3, 10_000, 0),
      ],
    });
    expect(all).toEqual({
      sessions: 7,
      charging: 1,
      waiting: 0,
      unpriced: 3,
      held: 1,
      energy_wh: 90_000,
      billed_fen: 4_000,
    });
    // The most energy first.
    expect(operators.map(([operator]) => operator)).toEqual(["b", "a"]);
  });
});
