/** Which values count, what is reckoned between stations, and that nothing is drawn beyond their reach. */
import { describe, expect, it } from "vitest";
import type { City, Entity, Quality, ViewIsolines } from "../../lib/types.ts";
import { placeOf, type Spot } from "./camera.ts";
import { Field, type Gauge, gaugesOf, isolinesOf, piecesWithin, signatureOf } from "./isolines.ts";

const NOW = Date.parse("2026-07-01T12:00:00Z");
const CITY: City["bbox"] = [112.6, 30.3, 113.5, 30.9];
const level = (value: number, colour: string) => ({ value, colour, title_zh: "", title_en: "" });
const asked: ViewIsolines = {
  attribute: "rain",
  method: "inverse_distance",
  power: 2,
  levels: [level(10, "#00ff00"), level(25, "#0000ff")],
  minutes_max: 60,
  radius_km_max: 20,
  stations_min: 3,
  source: null,
};

function entity(
  id: string,
  value: unknown,
  more: { minutes?: number; quality?: Quality; place?: null } = {},
) {
  return {
    id,
    type: "Gauge",
    name: id,
    location: more.place === null ? null : [113, 30.6],
    modified_at: new Date(NOW).toISOString(),
    attributes: {
      rain: {
        value,
        unit: "MMT",
        observed_at: new Date(NOW - (more.minutes ?? 5) * 60_000).toISOString(),
        quality: more.quality ?? "good",
        position: 1,
        masked: false,
      },
    },
  } as Entity;
}

const gauge = (lon: number, lat: number, value: number): Gauge => ({
  id: `${lon} ${lat}`,
  lon,
  lat,
  value,
  at: NOW,
});

/** Distance on the sphere, km. */
function kmBetween(a: readonly [number, number], b: readonly [number, number]): number {
  const r = Math.PI / 180;
  const h =
    Math.sin(((b[1] - a[1]) * r) / 2) ** 2 +
    Math.cos(a[1] * r) * Math.cos(b[1] * r) * Math.sin(((b[0] - a[0]) * r) / 2) ** 2;
  return 2 * 6_371.0072 * Math.asin(Math.sqrt(h));
}
const nearestKm = (spot: Spot, used: Gauge[]) =>
  Math.min(...used.map(({ lon, lat }) => kmBetween(placeOf(spot), [lon, lat])));

describe("which values count", () => {
  it("leaves out old, doubtful and placeless ones, and says how many", () => {
    const other = { ...entity("river", 1), attributes: {} };
    const all = [
      entity("a", 3, { minutes: 60 }),
      entity("b", 0, { minutes: 10, quality: "simulated" }),
      entity("old", 9, { minutes: 61 }),
      entity("old and doubtful", 9, { minutes: 90, quality: "uncertain" }),
      entity("doubtful", 9, { quality: "uncertain" }),
      entity("incredible", 9_999, { quality: "out_of_range" }),
      entity("nowhere", 9, { place: null }),
      entity("masked", "***"),
      other,
    ];
    const { used, stale, doubtful, unplaced, from, to } = gaugesOf(all, asked, NOW);
    expect(used.map(({ id, value }) => [id, value])).toEqual([
      ["a", 3],
      ["b", 0],
    ]);
    expect({ stale, doubtful, unplaced }).toEqual({ stale: 2, doubtful: 2, unplaced: 1 });
    expect([from, to]).toEqual([NOW - 3_600_000, NOW - 600_000]);
  });

  it("knows that the same values at a later time draw the same", () => {
    const at = (minutes: number, value: number) =>
      gaugesOf([entity("a", value, { minutes })], asked, NOW).used;
    expect(signatureOf(at(5, 3))).toBe(signatureOf(at(1, 3)));
    expect(signatureOf(at(5, 3))).not.toBe(signatureOf(at(5, 3.5)));
  });
});

describe("between stations", () => {
  const used = [gauge(113, 30.6, 10), gauge(113.1, 30.6, 30), gauge(113, 30.7, 50)];

  it("is a station's own value at the station, and shared where two are at one place", () => {
    const field = new Field(used, asked);
    for (const { lon, lat, value } of used) expect(field.value(lon, lat)).toBeCloseTo(value, 6);
    const twice = new Field([...used, gauge(113, 30.6, 20)], asked);
    expect(twice.value(113, 30.6)).toBeCloseTo(15, 6);
  });

  it("weighs by the distance to the power", () => {
    // On the equator, twice as far from the second: 1 / 1² and 1 / 2² of weight.
    const two = [gauge(0, 0, 10), gauge(0.03, 0, 30)];
    expect(new Field(two, { power: 2, radius_km_max: 20 }).value(0.01, 0)).toBeCloseTo(
      (10 + 30 / 4) / 1.25,
      4,
    );
    expect(new Field(two, { power: 3, radius_km_max: 20 }).value(0.01, 0)).toBeCloseTo(
      (10 + 30 / 8) / 1.125,
      4,
    );
  });

  it("is nothing beyond the radius", () => {
    const field = new Field([gauge(113, 30.6, 10)], asked);
    const degrees = 1 / kmBetween([113, 30.6], [113, 31.6]);
    expect(field.value(113, 30.6 + 19.9 * degrees)).toBeCloseTo(10, 6);
    expect(field.value(113, 30.6 + 20.1 * degrees)).toBeNull();
  });
});

describe("bands and lines", () => {
  const used = [
    gauge(112.9, 30.5, 2),
    gauge(113.0, 30.6, 40),
    gauge(113.15, 30.55, 5),
    gauge(113.05, 30.75, 15),
  ];

  it("needs the least number of stations", () => {
    expect(isolinesOf(used.slice(0, 2), asked, CITY)).toBeNull();
    expect(isolinesOf(used.slice(0, 3), asked, CITY)).not.toBeNull();
  });

  it("draws nothing farther from a station than the radius", () => {
    const drawn = isolinesOf(used, asked, CITY);
    expect(drawn?.reach.length).toBeGreaterThan(0);
    for (const ring of drawn?.reach ?? [])
      for (const spot of ring) expect(nearestKm(spot, used)).toBeLessThan(asked.radius_km_max * 1.01);
    const pieces = drawn?.lines.flatMap((line) => line.pieces) ?? [];
    expect(pieces.length).toBeGreaterThan(0);
    for (const piece of pieces)
      for (const spot of piece) expect(nearestKm(spot, used)).toBeLessThan(asked.radius_km_max * 1.001);
  });

  it("has its line where the value is that of the level", () => {
    const field = new Field(used, asked);
    const drawn = isolinesOf(used, asked, CITY);
    const worst = asked.levels.map(({ value }, n) => {
      const spots = drawn?.lines[n]?.pieces.flat() ?? [];
      expect(spots.length).toBeGreaterThan(10);
      return Math.max(...spots.map((spot) => Math.abs(field.at(...placeOf(spot)).value - value)));
    });
    for (const off of worst) expect(off).toBeLessThan(1.5);
    expect(drawn?.lines.map(({ text }) => text)).toEqual(["10", "25"]);
    // The band of 10 to 25 is without what is above: its rings are those of both.
    expect(drawn?.bands.map(({ colour }) => colour)).toEqual(["#00ff00", "#0000ff"]);
    const [lower, upper] = drawn?.bands ?? [];
    expect(lower?.rings.slice(-(upper?.rings.length ?? 0))).toEqual(upper?.rings);
  });

  it("has no line where all are below the lowest level, and none of a value that is the same everywhere", () => {
    const dry = used.map((each) => ({ ...each, value: 0 }));
    expect(isolinesOf(dry, asked, CITY)?.lines.flatMap(({ pieces }) => pieces)).toEqual([]);
    const same = used.map((each) => ({ ...each, value: 12 }));
    const drawn = isolinesOf(same, asked, CITY);
    expect(drawn?.bands[0]?.rings.length).toBeGreaterThan(0);
    expect(drawn?.lines.flatMap(({ pieces }) => pieces)).toEqual([]);
  });

  it("draws very many stations too, and none that lie beyond the city", () => {
    const many = Array.from({ length: 5_000 }, (_, n) =>
      gauge(112.7 + (n % 100) / 150, 30.4 + Math.floor(n / 100) / 150, n % 50),
    );
    const drawn = isolinesOf(many, { ...asked, radius_km_max: 5 }, CITY);
    expect(drawn?.bands[0]?.rings.length).toBeGreaterThan(0);
    const away = used.map((each) => ({ ...each, lon: each.lon + 20 }));
    expect(isolinesOf(away, asked, CITY)).toEqual({ reach: [], bands: [], lines: [] });
  });
});

describe("cutting a ring at the reach", () => {
  const spot = (x: number, y: number): Spot => ({ x, y });
  /** A square about the middle, begun at its corner to the left and below. */
  const ring = [spot(0, 0), spot(1, 0), spot(1, 1), spot(0, 1), spot(0, 0)];

  it("keeps what is whole, and leaves what is outside", () => {
    expect(piecesWithin(ring, { reaches: () => true })).toEqual([ring]);
    expect(piecesWithin(ring, { reaches: () => false })).toEqual([]);
  });

  it("makes one piece of what runs through the ring's beginning", () => {
    const [piece, ...others] = piecesWithin(ring, { reaches: ({ x }) => x <= 0.5 });
    expect(others).toEqual([]);
    expect(piece?.map(({ x, y }) => [Number(x.toFixed(3)), y])).toEqual([
      [0.5, 1],
      [0, 1],
      [0, 0],
      [0.5, 0],
    ]);
  });

  it("makes two pieces of what leaves and comes again", () => {
    const wide = [spot(0, 0), spot(0.5, 0), spot(1, 0), spot(1, 1), spot(0.5, 1), spot(0, 1), spot(0, 0)];
    const pieces = piecesWithin(wide, { reaches: ({ x }) => Math.abs(x - 0.5) > 0.25 });
    const corners = pieces.map((piece) => piece.map(({ x, y }) => [Math.round(100 * x), y]));
    expect(corners).toEqual([
      [
        [25, 1],
        [0, 1],
        [0, 0],
        [25, 0],
      ],
      [
        [75, 0],
        [100, 0],
        [100, 1],
        [75, 1],
      ],
    ]);
  });
});
