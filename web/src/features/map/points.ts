/**
 * The entities as points of the map. Pure: takes what the server says, gives the least change that brings the
 * map there, so that ten thousand points are not drawn anew because one has an alert.
 */
import type { Feature, FeatureCollection, Point } from "geojson";
import type { MapEntities } from "../../lib/types.ts";

/** Properties of a point; short names, for there are thousands. */
export interface PointProperties {
  /** Entity id. */
  e: string;
  /** Entity type. */
  t: string;
  /** Name. */
  n: string;
  /** Severity of its gravest active alert: 0 none … 4 critical. */
  s: number;
}

export type PointFeature = Feature<Point, PointProperties> & { id: number };

/** A change of the source, as MapLibre's `updateData` takes it. */
export interface PointChange {
  add: PointFeature[];
  remove: number[];
  update: {
    id: number;
    newGeometry?: Point;
    addOrUpdateProperties: { key: keyof PointProperties; value: string | number }[];
  }[];
}

export class Points {
  readonly #numbers = new Map<string, number>();
  #features = new Map<number, PointFeature>();

  get size(): number {
    return this.#features.size;
  }

  /** The number that the map knows an entity by. */
  numberOf(entityId: string): number | undefined {
    const number = this.#numbers.get(entityId);
    return number !== undefined && this.#features.has(number) ? number : undefined;
  }

  at(entityId: string): [number, number] | null {
    const number = this.#numbers.get(entityId);
    const feature = number === undefined ? undefined : this.#features.get(number);
    return feature ? (feature.geometry.coordinates as [number, number]) : null;
  }

  collection(): FeatureCollection<Point, PointProperties> {
    return { type: "FeatureCollection", features: [...this.#features.values()] };
  }

  countByType(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { properties } of this.#features.values()) {
      counts.set(properties.t, (counts.get(properties.t) ?? 0) + 1);
    }
    return counts;
  }

  /** Takes the server's newest answer and tells what changed; null when nothing did. */
  replace(data: MapEntities): PointChange | null {
    const change: PointChange = { add: [], remove: [], update: [] };
    const next = new Map<number, PointFeature>();
    for (let row = 0; row < data.ids.length; row += 1) {
      const feature = this.#feature(data, row);
      if (!feature) continue;
      next.set(feature.id, feature);
      const before = this.#features.get(feature.id);
      if (!before) {
        change.add.push(feature);
        continue;
      }
      const update = difference(before, feature);
      if (update) change.update.push(update);
    }
    for (const number of this.#features.keys()) if (!next.has(number)) change.remove.push(number);
    this.#features = next;
    return change.add.length + change.remove.length + change.update.length > 0 ? change : null;
  }

  #feature(data: MapEntities, row: number): PointFeature | null {
    const entityId = data.ids[row];
    const lon = data.lon[row];
    const lat = data.lat[row];
    if (entityId === undefined || !Number.isFinite(lon) || !Number.isFinite(lat)) return null;
    let number = this.#numbers.get(entityId);
    if (number === undefined) {
      number = this.#numbers.size + 1;
      this.#numbers.set(entityId, number);
    }
    return {
      type: "Feature",
      id: number,
      geometry: { type: "Point", coordinates: [lon as number, lat as number] },
      properties: {
        e: entityId,
        t: data.types[data.type[row] ?? -1] ?? "",
        n: data.name[row] || entityId,
        s: data.severity[row] ?? 0,
      },
    };
  }
}

function difference(before: PointFeature, after: PointFeature): PointChange["update"][number] | null {
  const [lonA, latA] = before.geometry.coordinates;
  const [lonB, latB] = after.geometry.coordinates;
  const moved = lonA !== lonB || latA !== latB;
  const addOrUpdateProperties = (["t", "n", "s"] as const)
    .filter((key) => before.properties[key] !== after.properties[key])
    .map((key) => ({ key, value: after.properties[key] }));
  if (!moved && addOrUpdateProperties.length === 0) return null;
  return { id: after.id, addOrUpdateProperties, ...(moved ? { newGeometry: after.geometry } : {}) };
}
