/**
 * A recording of a past stretch: how things stood at its beginning, the changes in order, and the alerts of it. Asked for a
 * moment it gives what the map shows. Going on costs the changes between; going back begins anew. Pure.
 */
import type { Alert, MapEntities, Replay } from "../../lib/types.ts";

interface Thing {
  type: string;
  name: string | null;
  lon: number | null;
  lat: number | null;
  values: Record<string, unknown>;
}

interface Change {
  at: number;
  id: string;
  type: string;
  attribute: string;
  value: unknown;
}

export interface Raised {
  alert: Alert;
  /** Milliseconds from the beginning; below 0 where it was raised before. */
  from: number;
  /** When it was over; infinite where it was not within the recording. */
  until: number;
}

const SEVERITY = { info: 1, minor: 2, major: 3, critical: 4 } as const;
const LOCATION = "location";
/** Entities of a step that are told as having reported; more would only flicker. */
const REPORTED_MAX = 300;

export class Recording {
  readonly from: number;
  readonly length: number;
  readonly lookBackMinutes: number;
  readonly alerts: readonly Raised[];
  /** Whether the server left out entities, values or alerts because there were too many. */
  readonly truncated: boolean;
  readonly #first: Replay;
  readonly #changes: Change[] = [];
  #things = new Map<string, Thing>();
  /** The next change that is not in `#things` yet. */
  #next = 0;
  #at = 0;
  #loaded = 0;

  /** `first` is the first page of the server's answer. */
  constructor(first: Replay) {
    this.from = new Date(first.from).getTime();
    this.length = new Date(first.until).getTime() - this.from;
    this.lookBackMinutes = first.look_back_minutes;
    this.truncated = first.alerts_truncated || (first.state?.truncated ?? false);
    this.alerts = first.alerts.map((alert) => ({
      alert,
      from: new Date(alert.raised_at).getTime() - this.from,
      until: alert.cleared_at ? new Date(alert.cleared_at).getTime() - this.from : Number.POSITIVE_INFINITY,
    }));
    this.#first = first;
    this.#begin();
    this.append(first);
  }

  /** How far the changes are known, milliseconds. */
  get loaded(): number {
    return this.#loaded;
  }

  get at(): number {
    return this.#at;
  }

  /** The changes of a page that follows. */
  append({ changes, next }: Pick<Replay, "changes" | "next">) {
    for (const [i, at] of changes.at_ms.entries()) {
      this.#changes.push({
        at,
        id: changes.ids[i] ?? "",
        type: changes.types[changes.type[i] ?? -1] ?? "",
        attribute: changes.attributes[changes.attribute[i] ?? -1] ?? "",
        value: changes.value[i],
      });
    }
    // More of the last moment may be on the next page.
    const last = this.#changes.at(-1)?.at ?? 0;
    this.#loaded = next === null ? this.length : Math.max(this.#loaded, last - 1);
  }

  #begin() {
    this.#next = 0;
    this.#at = 0;
    this.#things = new Map();
    const state = this.#first.state;
    if (!state) return;
    for (const [i, id] of state.ids.entries()) {
      this.#things.set(id, {
        type: state.types[state.type[i] ?? -1] ?? "",
        name: state.name[i] ?? null,
        lon: state.lon[i] ?? null,
        lat: state.lat[i] ?? null,
        values: { ...state.values[i] },
      });
    }
  }

  /** Goes to a moment; answers who reported on the way there, none when it went back. */
  seek(to: number): string[] {
    const at = Math.min(Math.max(0, to), this.length);
    const isBack = at < this.#at;
    if (isBack) this.#begin();
    const reported = new Set<string>();
    for (; this.#next < this.#changes.length; this.#next += 1) {
      const change = this.#changes[this.#next] as Change;
      if (change.at > at) break;
      this.#say(change);
      if (reported.size < REPORTED_MAX) reported.add(change.id);
    }
    this.#at = at;
    return isBack ? [] : [...reported];
  }

  #say({ id, type, attribute, value }: Change) {
    let thing = this.#things.get(id);
    if (!thing) {
      thing = { type, name: null, lon: null, lat: null, values: {} };
      this.#things.set(id, thing);
    }
    thing.type = type;
    if (attribute !== LOCATION) {
      thing.values[attribute] = value;
      return;
    }
    const place = Array.isArray(value) ? value : [null, null];
    thing.lon = typeof place[0] === "number" ? place[0] : null;
    thing.lat = typeof place[1] === "number" ? place[1] : null;
  }

  /** The alerts that were active at this moment, the newest first. */
  active(): Raised[] {
    const at = this.#at;
    return this.alerts.filter(({ from, until }) => from <= at && at < until).reverse();
  }

  /** When the next change, or an alert's beginning or end, comes after this moment; null when nothing more is known. */
  nextMoment(): number | null {
    let next = this.#changes[this.#next]?.at ?? Number.POSITIVE_INFINITY;
    for (const { from, until } of this.alerts) {
      if (from > this.#at) next = Math.min(next, from);
      if (until > this.#at) next = Math.min(next, until);
    }
    return next <= this.length ? next : null;
  }

  /** What was known of an entity at this moment. */
  get(id: string): Readonly<Thing> | undefined {
    return this.#things.get(id);
  }

  /** What the map shows of this moment: what had a place, with the gravest alert that it had then. */
  entities(): MapEntities {
    const worst = new Map<string, number>();
    for (const { alert } of this.active()) {
      const severity = SEVERITY[alert.severity];
      worst.set(alert.entity_id, Math.max(severity, worst.get(alert.entity_id) ?? 0));
    }
    const shown: MapEntities = {
      types: [],
      ids: [],
      type: [],
      lon: [],
      lat: [],
      name: [],
      severity: [],
      at_position: 0,
    };
    const typeOf = new Map<string, number>();
    for (const [id, { type, name, lon, lat }] of this.#things) {
      if (lon === null || lat === null) continue;
      let index = typeOf.get(type);
      if (index === undefined) {
        index = shown.types.push(type) - 1;
        typeOf.set(type, index);
      }
      shown.ids.push(id);
      shown.type.push(index);
      shown.lon.push(lon);
      shown.lat.push(lat);
      shown.name.push(name);
      shown.severity.push(worst.get(id) ?? 0);
    }
    return shown;
  }
}
