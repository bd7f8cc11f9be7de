/** The city's base layers, ready to be drawn: areas and lines as spots of the world, and names at their places. Pure. */
import type { Feature, Geometry, Position } from "geojson";
import type { Language } from "../../lib/format.ts";
import { type Spot, spotOf } from "./camera.ts";

export const BASE_LAYERS = ["outline", "river", "towns", "villages"] as const;
export type BaseLayer = (typeof BASE_LAYERS)[number];

/** A name, and where it stands. */
export interface Named extends Spot {
  name: string;
}

/** One base layer. */
export interface BaseShapes {
  lines: Spot[][];
  names: Named[];
  /** Names that follow a line. */
  along: { name: string; line: Spot[] }[];
}

export function baseShapes(layer: BaseLayer, features: Feature[], language: Language): BaseShapes {
  const shapes: BaseShapes = { lines: [], names: [], along: [] };
  for (const { geometry, properties } of features) {
    if (!geometry) continue;
    const lines = linesOf(geometry).map((line) => line.map(spotAt));
    shapes.lines.push(...lines);
    const name = String((language === "en" && properties?.name_en) || properties?.name || "");
    if (!name) continue;
    if (layer === "river") for (const line of lines) shapes.along.push({ name, line });
    const place = namePlace(geometry, properties?.label);
    if (!place) continue;
    if (layer === "towns") shapes.names.push({ name: String(properties?.name ?? ""), ...spotAt(place) });
    if (layer === "villages") {
      shapes.names.push({ name: shortVillageName(String(properties?.name ?? "")), ...spotAt(place) });
    }
  }
  return shapes;
}

const spotAt = ([lon = 0, lat = 0]: Position): Spot => spotOf(lon, lat);

function linesOf(geometry: Geometry): Position[][] {
  switch (geometry.type) {
    case "LineString":
      return [geometry.coordinates];
    case "MultiLineString":
    case "Polygon":
      return geometry.coordinates;
    case "MultiPolygon":
      return geometry.coordinates.flat();
    default:
      return [];
  }
}

/** A name stands at its `label` place when there is one, else at its point, else in the middle of its area. */
function namePlace(geometry: Geometry, label: unknown): Position | null {
  if (Array.isArray(label) && label.length === 2) return label as Position;
  if (geometry.type === "Point") return geometry.coordinates;
  const ring = linesOf(geometry)[0];
  if (!ring?.length) return null;
  const sum = (axis: 0 | 1) => ring.reduce((total, place) => total + (place[axis] ?? 0), 0) / ring.length;
  return [sum(0), sum(1)];
}

/** `鸿渐社区居民委员会` is written `鸿渐社区` on a map, `联合村民委员会` `联合村`. */
export function shortVillageName(name: string): string {
  return name
    .replace(/(社区)居民委员会$/, "$1")
    .replace(/居民委员会$/, "社区")
    .replace(/村民委员会$/, "村")
    .replace(/村村$/, "村");
}
