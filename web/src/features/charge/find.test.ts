/** Which places fit what is asked for, in which order, and how a point stands to a driver. */
import { describe, expect, it } from "vitest";
import { connectorsOf, found, pointAt, standingOf, type Wanted, wantedOf } from "./find.ts";
import { place, places, point } from "./made.ts";

const all = places().items;
const any: Wanted = { free: false, power: 0, connector: "", words: "" };
const ids = (wanted: Partial<Wanted>, here: [number, number] | null = null) =>
  found(all, { ...any, ...wanted }, here, "en").map((one) => one.place.id);

describe("a point stands", () => {
  it.each([
    ["free", {}],
    ["free", { status: "Preparing" }],
    ["busy", { may_start: false, status: "Charging" }],
    ["busy", { may_start: false, status: "Reserved" }],
    ["out", { may_start: false, status: "Faulted" }],
    ["out", { may_start: false, status: "Available", on_line: false }],
    ["unknown", { may_start: false, status: null }],
    // Nothing is wrong with it, but it has no price.
    ["unknown", { may_start: false, status: "Available" }],
  ] as const)("%s with %o", (standing, more) => {
    expect(standingOf(point(more))).toBe(standing);
  });
});

describe("places", () => {
  it("are those with a point that fits", () => {
    expect(ids({})).toEqual(["east", "south"]);
    expect(ids({ free: true })).toEqual(["east"]);
    expect(ids({ power: 30 })).toEqual(["east"]);
    expect(ids({ power: 7 })).toEqual(["east", "south"]);
    expect(ids({ connector: "GB/T 20234.2" })).toEqual(["south"]);
    expect(ids({ free: true, connector: "GB/T 20234.2" })).toEqual([]);
  });

  it("keep the points that fit alone", () => {
    const [east] = found(all, { ...any, free: true }, null, "en");
    expect(east?.fitting.map(({ outlet }) => outlet)).toEqual([1]);
  });

  it("are found by names in both languages, operator and station number", () => {
    for (const words of ["南站", "south", " s1 "]) expect(ids({ words })).toEqual(["south"]);
    expect(ids({ words: "城投" })).toEqual(["east"]);
  });

  it("stand the nearest first once it is known where one is, those without a place last", () => {
    expect(ids({}, [113.12, 30.6])).toEqual(["south", "east"]);
    const lost = place({ id: "lost", name_en: "A", location: null });
    const order = found([lost, ...all], any, [113.12, 30.6], "en").map((one) => one.place.id);
    expect(order).toEqual(["south", "east", "lost"]);
  });

  it("stand those where one can charge now first while it is not known where one is", () => {
    const full = place({ id: "full", name_en: "A" });
    full.points = full.points.map((point) => ({ ...point, may_start: false }));
    const order = (here: [number, number] | null) =>
      found([full, ...all], { ...any, power: 30 }, here, "en").map((one) => one.place.id);
    expect(order(null)).toEqual(["east", "full"]);
    // Who knows where one is sees the nearest first, taken or not.
    expect(order([113.12, 30.6])).toEqual(["full", "east"]);
  });

  it("are asked for by an address, which may be wrong", () => {
    expect(wantedOf(new URLSearchParams("free=1&power=60&connector=DC&q=x"))).toEqual({
      free: true,
      power: 60,
      connector: "DC",
      words: "x",
    });
    expect(wantedOf(new URLSearchParams("free=yes&power=61"))).toEqual(any);
  });

  it("tell their connectors once each", () => {
    expect(connectorsOf(all)).toEqual(["GB/T 20234.2", "GB/T 20234.3"]);
  });

  it("hold the outlet of a station", () => {
    expect(pointAt(all, "CP1", 2)?.point.name_en).toBe("Outlet two");
    expect(pointAt(all, "CP1", 3)).toBeNull();
  });
});
