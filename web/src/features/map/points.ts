/** The entities as points of the map, kept from one answer of the server to the next. Pure. */
import type { MapEntities } from "../../lib/types.ts";
import { type Spot, spotOf } from "./camera.ts";

export interface Point extends Spot {
  /** Entity id. */
  readonly id: string;
  type: string;
  name: string;
  /** Severity of its gravest active alert: 0 none … 4 critical. */
  severity: number;
  lon: number;
  lat: number;
}

export class Points {
  readonly #byId = new Map<string, Point>();

  get size(): number {
    return this.#byId.size;
  }

  all(): Iterable<Point> {
    return this.#byId.values();
  }

  get(entityId: string): Point | undefined {
    return this.#byId.get(entityId);
  }

  /** An alert was raised: shown before the server is asked again. Tells whether that is news. */
  raise(entityId: string, severity: number): boolean {
    const point = this.#byId.get(entityId);
    if (!point || point.severity >= severity) return false;
    point.severity = severity;
    return true;
  }

  /** Takes the server's newest answer; tells whether anything changed that can be seen. */
  replace(data: MapEntities): boolean {
    let changed = false;
    const seen = new Set<string>();
    for (let row = 0; row < data.ids.length; row += 1) {
      const id = data.ids[row];
      const lon = data.lon[row];
      const lat = data.lat[row];
      if (id === undefined || !isNumber(lon) || !isNumber(lat)) continue;
      seen.add(id);
      const type = data.types[data.type[row] ?? -1] ?? "";
      const name = data.name[row] || id;
      const severity = data.severity[row] ?? 0;
      const known = this.#byId.get(id);
      if (!known) {
        this.#byId.set(id, { id, type, name, severity, lon, lat, ...spotOf(lon, lat) });
        changed = true;
        continue;
      }
      if (known.lon !== lon || known.lat !== lat) {
        Object.assign(known, { lon, lat, ...spotOf(lon, lat) });
        changed = true;
      }
      if (known.type !== type || known.name !== name || known.severity !== severity) {
        Object.assign(known, { type, name, severity });
        changed = true;
      }
    }
    if (seen.size === this.#byId.size) return changed;
    for (const id of this.#byId.keys()) if (!seen.has(id)) this.#byId.delete(id);
    return true;
  }
}

const isNumber = (value: unknown): value is number => Number.isFinite(value);
