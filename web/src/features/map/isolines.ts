/**
 * Lines of equal value (等值线) over the stations of a type, as a pack's view asks for them: of rain, isohyets.
 *
 * Between stations the value is reckoned by inverse distance (反距离加权法: Shepard 1968, A two-dimensional interpolation
 * function for irregularly-spaced data), on the plane that `packs/pack-water/src/areal.rs` uses, on a grid of bounded
 * size; the lines through the grid are marching squares' (d3-contour). Farther from every station than the view says
 * there is nothing: neither a band nor a line. Pure.
 */
import { contours } from "d3-contour";
import type { City, Entity, Quality, ViewIsolines } from "../../lib/types.ts";
import { BEYOND_CITY_DEG, type Box, placeOf, type Spot, spotOf } from "./camera.ts";

/** Nodes along the grid's longer side at most, and at least where there are very many stations. */
const GRID_NODES_MAX = 160;
const GRID_NODES_MIN = 32;
/** Distances reckoned for one grid at most: the more stations, the coarser it is. */
const DISTANCES_MAX = 4_000_000;
/** Radius of the sphere with the Earth's surface (authalic), and of the sphere of web Mercator, km. */
const EARTH_KM = 6_371.0072;
const MERCATOR_KM = 6_378.137;
/** So near a station a place is the station, km. */
const HERE_KM = 1e-5;
/** Halvings by which the place is found where a line leaves the reach of the stations. */
const HALVINGS = 12;
/** Qualities of values that do not count: rules leave them out too. */
const DOUBTFUL: ReadonlySet<Quality> = new Set<Quality>(["uncertain", "out_of_range"]);

/** A station with a value that counts. */
export interface Gauge {
  id: string;
  lon: number;
  lat: number;
  value: number;
  /** When it was so, milliseconds. */
  at: number;
}

export interface Gauges {
  used: Gauge[];
  /** How many have a value that does not count: too old, doubtful, without a place. */
  stale: number;
  doubtful: number;
  unplaced: number;
  /** From when to when the used values are, milliseconds; null where none is used. */
  from: number | null;
  to: number | null;
}

/** Which of the entities count at the moment `now`, milliseconds. What has no value of the attribute is no station of it. */
export function gaugesOf(entities: Iterable<Entity>, asked: ViewIsolines, now: number): Gauges {
  const found: Gauges = { used: [], stale: 0, doubtful: 0, unplaced: 0, from: null, to: null };
  const oldest = now - asked.minutes_max * 60_000;
  for (const { id, location, attributes } of entities) {
    const state = attributes[asked.attribute];
    const value = state?.value;
    if (!state || typeof value !== "number" || !Number.isFinite(value)) continue;
    const at = Date.parse(state.observed_at);
    if (!(at >= oldest)) found.stale += 1;
    else if (DOUBTFUL.has(state.quality)) found.doubtful += 1;
    else if (!location) found.unplaced += 1;
    else {
      found.used.push({ id, lon: location[0], lat: location[1], value, at });
      found.from = Math.min(found.from ?? at, at);
      found.to = Math.max(found.to ?? at, at);
    }
  }
  return found;
}

/** Whether the same values stand at the same places: then the lines are the same too. */
export const signatureOf = (used: readonly Gauge[]): string =>
  used.map(({ id, lon, lat, value }) => `${id} ${lon} ${lat} ${value}`).join("\n");

/** A place on the plane, km. */
interface Flat {
  x: number;
  y: number;
}

/** Lambert's azimuthal projection about a middle: within 100 km of it, distances are within 0.01 %. */
function plane(middle: [lon: number, lat: number]): (lon: number, lat: number) => Flat {
  const radians = Math.PI / 180;
  const [sin0, cos0] = [Math.sin(middle[1] * radians), Math.cos(middle[1] * radians)];
  return (lon, lat) => {
    const l = (lon - middle[0]) * radians;
    const [sinL, cosL] = [Math.sin(l), Math.cos(l)];
    const [sinP, cosP] = [Math.sin(lat * radians), Math.cos(lat * radians)];
    const k = Math.sqrt(2 / (1 + sin0 * sinP + cos0 * cosP * cosL));
    return { x: EARTH_KM * k * cosP * sinL, y: EARTH_KM * k * (cos0 * sinP - sin0 * cosP * cosL) };
  };
}

/** What the stations say of any place. */
export class Field {
  readonly #flat: (lon: number, lat: number) => Flat;
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #values: Float64Array;
  readonly #power: number;
  readonly radiusKm: number;

  constructor(used: readonly Gauge[], asked: Pick<ViewIsolines, "power" | "radius_km_max">) {
    const mean = (of: (gauge: Gauge) => number) =>
      used.reduce((sum, gauge) => sum + of(gauge), 0) / (used.length || 1);
    this.#flat = plane([mean(({ lon }) => lon), mean(({ lat }) => lat)]);
    const places = used.map(({ lon, lat }) => this.#flat(lon, lat));
    this.#x = Float64Array.from(places, ({ x }) => x);
    this.#y = Float64Array.from(places, ({ y }) => y);
    this.#values = Float64Array.from(used, ({ value }) => value);
    this.#power = asked.power;
    this.radiusKm = asked.radius_km_max;
  }

  /** The value there, however far that is, and the distance to the nearest station, km. */
  at(lon: number, lat: number): { value: number; nearestKm: number } {
    const { x, y } = this.#flat(lon, lat);
    const half = this.#power / 2;
    let nearest = Number.POSITIVE_INFINITY;
    let [sum, weights] = [0, 0];
    let [here, sumHere] = [0, 0];
    for (let n = 0; n < this.#values.length; n += 1) {
      const dx = (this.#x[n] as number) - x;
      const dy = (this.#y[n] as number) - y;
      const squared = dx * dx + dy * dy;
      const value = this.#values[n] as number;
      if (squared < nearest) nearest = squared;
      if (squared < HERE_KM * HERE_KM) {
        here += 1;
        sumHere += value;
        continue;
      }
      const weight = half === 1 ? 1 / squared : squared ** -half;
      sum += weight * value;
      weights += weight;
    }
    // Stations at one place share it.
    return { value: here > 0 ? sumHere / here : sum / weights, nearestKm: Math.sqrt(nearest) };
  }

  /** The value there; null farther from every station than the view says. */
  value(lon: number, lat: number): number | null {
    const { value, nearestKm } = this.at(lon, lat);
    return nearestKm <= this.radiusKm ? value : null;
  }

  reaches(spot: Spot): boolean {
    return this.at(...placeOf(spot)).nearestKm <= this.radiusKm;
  }
}

export type Ring = Spot[];

/** From a level to the next: `rings` is where the value is at least the level, without what is of the next (even-odd). */
export interface Band {
  colour: string;
  rings: Ring[];
}

/** Pieces of the line at one level, each within the reach of the stations. */
export interface Isoline {
  text: string;
  pieces: Spot[][];
}

export interface Isolines {
  /** Where there is anything to say: within the reach of the stations (even-odd). */
  reach: Ring[];
  bands: Band[];
  lines: Isoline[];
}

/** The bands and lines of the stations within the city's surroundings; null of fewer stations than the view wants. */
export function isolinesOf(used: readonly Gauge[], asked: ViewIsolines, city: City["bbox"]): Isolines | null {
  if (used.length < asked.stations_min) return null;
  const field = new Field(used, asked);
  const box = gridBox(used, asked.radius_km_max, city);
  if (!box) return { reach: [], bands: [], lines: [] };
  const edge = Math.floor(Math.sqrt(DISTANCES_MAX / used.length));
  const nodes = Math.min(GRID_NODES_MAX, Math.max(GRID_NODES_MIN, edge));
  const step = Math.max(box.east - box.west, box.south - box.north) / (nodes - 1);
  const columns = Math.max(2, Math.ceil((box.east - box.west) / step) + 1);
  const rows = Math.max(2, Math.ceil((box.south - box.north) / step) + 1);
  const values = new Array<number>(columns * rows);
  const depths = new Array<number>(columns * rows);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const place = placeOf({ x: box.west + column * step, y: box.north + row * step });
      const { value, nearestKm } = field.at(...place);
      values[row * columns + column] = value;
      depths[row * columns + column] = field.radiusKm - nearestKm;
    }
  }
  const lines = contours().size([columns, rows]);
  // d3-contour has the node of row r and column c at c + 0.5, r + 0.5.
  const spot = ([c = 0, r = 0]: number[]): Spot => ({
    x: box.west + (c - 0.5) * step,
    y: box.north + (r - 0.5) * step,
  });
  // What is smaller than a cell of the grid is dirt on the map.
  const rings = (of: number[], level: number): Ring[] =>
    lines
      .contour(of, level)
      .coordinates.flatMap((polygon) => polygon.map((ring) => ring.map(spot)))
      .filter((ring) => areaOf(ring) >= step * step);
  const above = asked.levels.map(({ value }) => rings(values, value));
  return {
    reach: rings(depths, 0),
    bands: asked.levels.map(({ colour }, n) => ({
      colour,
      rings: [...(above[n] ?? []), ...(above[n + 1] ?? [])],
    })),
    lines: asked.levels.map(({ value }, n) => ({
      text: String(value),
      pieces: (above[n] ?? []).flatMap((ring) => piecesWithin(ring, field)),
    })),
  };
}

/** The reach of the stations and a little more, as far as the map can be moved. */
function gridBox(
  used: readonly Gauge[],
  radiusKm: number,
  [west, south, east, north]: City["bbox"],
): Box | null {
  const beyond = 1.1 * BEYOND_CITY_DEG;
  const first = spotOf(west - beyond, north + beyond);
  const last = spotOf(east + beyond, south - beyond);
  const box: Box = { west: 1, north: 1, east: 0, south: 0 };
  for (const { lon, lat } of used) {
    const { x, y } = spotOf(lon, lat);
    // A little more than the reach, so that its edge lies within the grid.
    const r = (1.05 * radiusKm) / (2 * Math.PI * MERCATOR_KM * Math.cos((lat * Math.PI) / 180));
    box.west = Math.min(box.west, x - r);
    box.east = Math.max(box.east, x + r);
    box.north = Math.min(box.north, y - r);
    box.south = Math.max(box.south, y + r);
  }
  box.west = Math.max(box.west, first.x);
  box.north = Math.max(box.north, first.y);
  box.east = Math.min(box.east, last.x);
  box.south = Math.min(box.south, last.y);
  return box.west < box.east && box.north < box.south ? box : null;
}

/** By the shoelace formula about its first place, for places lie close together. */
function areaOf(ring: Ring): number {
  const [base] = ring;
  if (!base) return 0;
  let twice = 0;
  for (let n = 1; n < ring.length; n += 1) {
    const [a, b] = [ring[n - 1] as Spot, ring[n] as Spot];
    twice += (a.x - base.x) * (b.y - base.y) - (b.x - base.x) * (a.y - base.y);
  }
  return Math.abs(twice) / 2;
}

/** What of a ring lies within the reach of the stations, cut where it leaves it. */
export function piecesWithin(ring: readonly Spot[], field: Pick<Field, "reaches">): Spot[][] {
  const inside = ring.map((spot) => field.reaches(spot));
  const pieces: Spot[][] = [];
  let piece: Spot[] = [];
  const end = () => {
    if (piece.length > 1) pieces.push(piece);
    piece = [];
  };
  ring.forEach((spot, n) => {
    const before = ring[n - 1];
    if (before && inside[n - 1] !== inside[n]) {
      if (inside[n]) piece = [edgeBetween(spot, before, field)];
      else {
        piece.push(edgeBetween(before, spot, field));
        end();
      }
    }
    if (inside[n]) piece.push(spot);
  });
  const [first] = pieces;
  // A ring begins anywhere: what runs through its beginning is one piece.
  if (first && piece.length > 0 && inside[0] && inside[ring.length - 1]) {
    pieces[0] = [...piece.slice(0, -1), ...first];
    piece = [];
  }
  end();
  return pieces;
}

/** The last place within reach on the way from a place within to one without. */
function edgeBetween(within: Spot, without: Spot, field: Pick<Field, "reaches">): Spot {
  let [inside, outside] = [within, without];
  for (let n = 0; n < HALVINGS; n += 1) {
    const middle = { x: (inside.x + outside.x) / 2, y: (inside.y + outside.y) / 2 };
    if (field.reaches(middle)) inside = middle;
    else outside = middle;
  }
  return inside;
}
