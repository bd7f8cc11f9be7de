/** Tariffs as written: read for people, and put together from the form. */
import { describe, expect, it } from "vitest";
import type { ChargingTariff } from "../../lib/types.ts";
import {
  begunWith,
  drafted,
  isPlain,
  minuteOf,
  pricedOf,
  shared,
  standings,
  stretchesEntered,
  stretchesOf,
  versionOn,
  type WrittenTariff,
  type WrittenVersion,
} from "./tariff.ts";

const version: WrittenVersion = {
  id: "2026",
  first: "2026-01-01",
  last: "2026-12-31",
  source: "鄂发改价管〔2024〕77号",
  prices: { flat: { energy: "0.6000", service: "0.4500" }, valley: { energy: "0.27" } },
  days: [{ hours: ["06:00-24:00 flat", "00:00-06:00 valley"] }],
  parking: null,
  idle: {
    free_minutes: 15,
    unit_minutes: 1,
    fen_per_unit: 50,
    hours: ["07:00-23:00"],
    day_cap_fen: null,
    cap_fen: 3_000,
  },
};
const tariff: WrittenTariff = { id: "tou", title_zh: "分时", title_en: "By time", versions: [version] };

describe("a tariff that is read", () => {
  it("has the stretches of the day in order", () => {
    expect(stretchesOf({ hours: ["06:00-24:00 flat", "00:00-06:00 valley", "nonsense"] })).toEqual([
      { from: 0, until: 360, kind: "valley" },
      { from: 360, until: 1_440, kind: "flat" },
    ]);
    expect([minuteOf("24:00"), minuteOf("24:30"), minuteOf("7:00"), minuteOf("07:60")]).toEqual([
      1_440,
      null,
      null,
      null,
    ]);
  });

  it("has the prices of each period, dearest first, and what they come to", () => {
    expect(
      pricedOf(version, { hours: ["00:00-03:00 valley", "03:00-06:00 valley", "06:00-24:00 flat"] }),
    ).toEqual([
      { kind: "flat", hours: ["06:00–24:00"], energy: "0.6000", service: "0.4500", both: "1.0500" },
      { kind: "valley", hours: ["00:00–06:00"], energy: "0.2700", service: "0.0000", both: "0.2700" },
    ]);
  });

  it("takes a plan's own price before the version's", () => {
    const plan = { hours: ["00:00-24:00 flat"], prices: { flat: { energy: "0.7", service: "0.1" } } };
    expect(pricedOf(version, plan).map(({ both }) => both)).toEqual(["0.8000"]);
  });

  it("shows the version of the day, else the next, else the last", () => {
    const next = { ...version, id: "2028", first: "2028-01-01", last: null };
    const two = { ...tariff, versions: [next, version] };
    const ids = ["2026-06-01", "2027-06-01", "2030-01-01"].map((day) => versionOn(two, day)?.id);
    expect(ids).toEqual(["2026", "2028", "2028"]);
    expect(versionOn(tariff, "2030-01-01")?.id).toBe("2026");
  });
});

describe("which tariff holds", () => {
  const put = (number: number, station: string | null, from: string): ChargingTariff => ({
    number,
    station,
    from,
    tariff: {},
    written_at: from,
    written_by: "",
    holds_now: false,
  });

  it("is the last that has begun, for all stations and for single ones apart", () => {
    const now = Date.parse("2026-11-29T00:00:00Z");
    const stands = standings(
      [
        put(5, null, "2027-01-01T00:00:00Z"),
        put(4, null, "2026-02-01T00:00:00Z"),
        put(3, "CP1", "2026-01-01T00:00:00Z"),
        put(2, null, "2026-02-01T00:00:00Z"),
        put(1, null, "2026-01-01T00:00:00Z"),
      ],
      now,
    );
    expect([...stands]).toEqual([
      [5, "coming"],
      [4, "holds"],
      [3, "holds"],
      [2, "past"],
      [1, "past"],
    ]);
  });
});

describe("a tariff that is entered", () => {
  it("has no gaps: each period lasts to the next", () => {
    const hours = [
      { from: "08:00", kind: "peak" as const },
      { from: "00:00", kind: "valley" as const },
    ];
    expect(stretchesEntered(hours)).toEqual([
      { from: 0, until: 480, kind: "valley" },
      { from: 480, until: 1_440, kind: "peak" },
    ]);
  });

  it("is written as the server reads it, with the prices of its own periods alone", () => {
    const entered = {
      ...begunWith(undefined, "2026-11-29"),
      id: " tou ",
      title_zh: "分时",
      title_en: "By time",
      hours: [
        { from: "00:00", kind: "valley" as const },
        { from: "03:00", kind: "valley" as const },
        { from: "06:00", kind: "flat" as const },
      ],
      prices: {
        flat: { energy: " 0.6 " },
        valley: { energy: "0.27", service: "0.45" },
        sharp: { energy: "9" },
      },
      parking: { free: 120, unit: 30, amount: "1.5", dayCap: "15" },
    };
    expect(drafted(entered, "2026-12-01")).toEqual({
      id: "tou",
      title_zh: "分时",
      title_en: "By time",
      versions: [
        {
          id: "2026-12-01",
          first: "2026-12-01",
          source: "",
          prices: { flat: { energy: "0.6", service: "0" }, valley: { energy: "0.27", service: "0.45" } },
          days: [{ hours: ["00:00-06:00 valley", "06:00-24:00 flat"] }],
          parking: {
            free_minutes: 120,
            unit_minutes: 30,
            fen_per_unit: 150,
            hours: [],
            day_cap_fen: 1_500,
            cap_fen: null,
          },
          idle: null,
        },
      ],
    });
  });

  it("begins with the one that holds, and comes out as it went in", () => {
    const begun = begunWith(tariff, "2026-11-29");
    expect(begun.idle).toEqual({
      free: 15,
      unit: 1,
      amount: "0.5",
      from: "07:00",
      until: "23:00",
      dayCap: undefined,
      cap: "30",
    });
    const [again] = drafted(begun, "2026-12-01").versions;
    expect(again).toMatchObject({
      prices: { flat: { energy: "0.6000", service: "0.4500" }, valley: { energy: "0.27", service: "0" } },
      days: [{ hours: ["00:00-06:00 valley", "06:00-24:00 flat"] }],
      idle: version.idle,
    });
  });

  it("says when the one that holds has more than the form", () => {
    const later = { ...version, id: "2027", first: "2027-01-01", last: null };
    const twice = {
      ...version,
      idle: { unit_minutes: 1, fen_per_unit: 50, hours: ["07:00-12:00", "13:00-23:00"] },
    };
    const summer = { ...version, days: [{ months: [7], hours: ["00:00-24:00 flat"] }, ...version.days] };
    const says = [[version], [summer], [version, later], [twice]].map((versions) =>
      isPlain({ ...tariff, versions }, "2026-11-29"),
    );
    expect(says).toEqual([true, true, false, false]);
  });
});

describe("days that differ", () => {
  const flat = ["00:00-24:00 flat"];

  it("get what those before them leave, as the server reads them", () => {
    expect(shared([])).toEqual({ own: [], left: 36 });
    expect(shared([{ months: [7, 8] }, { months: [8], kinds: ["holiday"] }, { kinds: ["holiday"] }])).toEqual(
      {
        own: [6, 0, 10],
        left: 20,
      },
    );
    expect(shared([{ kinds: ["workday", "weekend"] }, {}])).toEqual({ own: [24, 12], left: 0 });
  });

  it("come out as they went in: order, days, hours, prices of their own", () => {
    const days = [
      {
        months: [7, 8],
        kinds: ["workday" as const],
        hours: ["00:00-06:00 valley", "06:00-24:00 sharp"],
        prices: { sharp: { energy: "1.2", service: "0.45" } },
      },
      { kinds: ["holiday" as const], hours: flat },
      { hours: ["00:00-06:00 valley", "06:00-24:00 flat"] },
    ];
    const held: WrittenTariff = { ...tariff, change: "at-start", versions: [{ ...version, days }] };
    const begun = begunWith(held, "2026-11-29");
    expect(begun.further?.map(({ key, priced }) => [key, priced])).toEqual([
      [0, true],
      [1, false],
    ]);
    const again = drafted(begun, "2026-12-01");
    expect(again.change).toBe("at-start");
    const [now] = again.versions;
    expect(now?.prices).toEqual({
      flat: { energy: "0.6000", service: "0.4500" },
      valley: { energy: "0.27", service: "0" },
    });
    expect(now?.days).toEqual([
      {
        months: [7, 8],
        kinds: ["workday"],
        hours: ["00:00-06:00 valley", "06:00-24:00 sharp"],
        prices: { valley: { energy: "0.27", service: "0" }, sharp: { energy: "1.2", service: "0.45" } },
      },
      { kinds: ["holiday"], hours: flat },
      { hours: ["00:00-06:00 valley", "06:00-24:00 flat"] },
    ]);
  });

  it("cost the same although the last of them has its own prices and says its days", () => {
    const days = [
      { months: [1, 2, 3, 4, 5, 6], hours: flat },
      { months: [7, 8, 9, 10, 11, 12], hours: flat, prices: { flat: { energy: "0.9" } } },
    ];
    const begun = begunWith({ ...tariff, versions: [{ ...version, days }] }, "2026-11-29");
    const [now] = drafted(begun, "2026-12-01").versions as [WrittenVersion];
    expect(now.days.map((plan) => pricedOf(now, plan).map(({ both }) => both))).toEqual([
      ["1.0500"],
      ["0.9000"],
    ]);
    expect(now.days.map(({ months }) => months)).toEqual([[1, 2, 3, 4, 5, 6], undefined]);
  });

  it("leave out the other days, and their prices, where none is left", () => {
    const row = { hours: [{ from: "00:00", kind: "valley" as const }] };
    const entered = {
      ...begunWith(undefined, "2026-11-29"),
      prices: { flat: { energy: "0.6" }, valley: { energy: "0.3" } },
      further: [
        { ...row, key: 0, kinds: ["workday" as const, "weekend" as const] },
        { ...row, key: 1, kinds: ["holiday" as const] },
      ],
    };
    const [now] = drafted(entered, "2026-12-01").versions;
    expect(now?.days.map(({ kinds }) => kinds)).toEqual([["workday", "weekend"], ["holiday"]]);
    expect(now?.prices).toEqual({ valley: { energy: "0.3", service: "0" } });
  });
});
