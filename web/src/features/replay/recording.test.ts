/** A moment of a recording is the same however one comes to it, and alerts stand as they stood. */
import { describe, expect, it } from "vitest";
import type { Alert, Replay } from "../../lib/types.ts";
import { Recording } from "./recording.ts";

const FROM = "2026-11-26T00:00:00Z";
const UNTIL = "2026-11-26T01:00:00Z";

const alert = (id: number, severity: Alert["severity"], raised_at: string, cleared_at: string | null) =>
  ({ id, entity_id: "bus", severity, raised_at, cleared_at }) as Alert;

type Row = [at: number, id: string, attribute: string, value: unknown];

function page(rows: Row[], next: string | null = null): Pick<Replay, "changes" | "next"> {
  const attributes = [...new Set(rows.map((row) => row[2]))];
  return {
    next,
    changes: {
      types: ["Bus"],
      attributes,
      at_ms: rows.map((row) => row[0]),
      ids: rows.map((row) => row[1]),
      type: rows.map(() => 0),
      attribute: rows.map((row) => attributes.indexOf(row[2])),
      value: rows.map((row) => row[3]),
    },
  };
}

function replay(rows: Row[], next: string | null = null, alerts: Alert[] = []): Replay {
  return {
    from: FROM,
    until: UNTIL,
    look_back_minutes: 120,
    alerts,
    alerts_truncated: false,
    state: {
      types: ["Bus", "Gauge"],
      ids: ["bus", "gauge", "lost"],
      type: [0, 1, 1],
      lon: [113.1, 113.2, null],
      lat: [30.6, 30.7, null],
      name: ["Bus 1", null, null],
      values: [{ speed: 5 }, {}, {}],
      truncated: false,
    },
    ...page(rows, next),
  };
}

const rows: Row[] = [
  [1_000, "bus", "location", [113.11, 30.6]],
  [1_000, "bus", "speed", 7],
  [60_000, "new", "location", [113.3, 30.6]],
  [90_000, "bus", "location", [113.12, 30.6]],
  [120_000, "bus", "location", null],
];
const placeOf = (recording: Recording, id: string) => {
  const shown = recording.entities();
  const row = shown.ids.indexOf(id);
  return row < 0 ? null : shown.lon[row];
};

describe("a recording", () => {
  it("begins as things stood, without what had no place", () => {
    const recording = new Recording(replay(rows));
    expect(recording.entities().ids).toEqual(["bus", "gauge"]);
    expect(recording.entities().types).toEqual(["Bus", "Gauge"]);
    expect(recording.get("bus")?.values.speed).toBe(5);
    expect(recording.length).toBe(3_600_000);
  });

  it("takes each change at its moment and tells who reported", () => {
    const recording = new Recording(replay(rows));
    expect(recording.seek(999)).toEqual([]);
    expect(recording.seek(1_000)).toEqual(["bus"]);
    expect(placeOf(recording, "bus")).toBe(113.11);
    expect(recording.get("bus")?.values.speed).toBe(7);
    expect(placeOf(recording, "new")).toBeNull();
    expect(recording.seek(60_000)).toEqual(["new"]);
    expect(placeOf(recording, "new")).toBe(113.3);
    recording.seek(120_000);
    expect(placeOf(recording, "bus")).toBeNull();
  });

  it("is the same at a moment whether one comes from before or from behind", () => {
    const moments = [0, 1_000, 59_999, 60_000, 90_000, 3_600_000];
    const forward = new Recording(replay(rows));
    const seen = moments.map((at) => {
      forward.seek(at);
      return JSON.stringify(forward.entities());
    });
    const back = new Recording(replay(rows));
    back.seek(3_600_000);
    for (const i of [5, 3, 1, 4, 0, 2]) {
      back.seek(moments[i] as number);
      expect(JSON.stringify(back.entities())).toBe(seen[i]);
    }
  });

  it("goes on over pages, and knows how far it can be played", () => {
    const recording = new Recording(replay(rows.slice(0, 2), "cursor"));
    // More changes of the very moment may follow.
    expect(recording.loaded).toBe(999);
    recording.append(page(rows.slice(2, 4), "cursor"));
    expect(recording.loaded).toBe(89_999);
    recording.append(page(rows.slice(4)));
    expect(recording.loaded).toBe(3_600_000);
    recording.seek(95_000);
    expect(placeOf(recording, "bus")).toBe(113.12);
  });

  it("colours an entity by the gravest alert that it had then", () => {
    const alerts = [
      alert(1, "minor", "2026-11-25T23:00:00Z", null),
      alert(2, "critical", "2026-11-26T00:10:00Z", "2026-11-26T00:20:00Z"),
    ];
    const recording = new Recording(replay([], null, alerts));
    const severity = () => recording.entities().severity[0];
    expect(severity()).toBe(2);
    expect(recording.nextMoment()).toBe(600_000);
    recording.seek(600_000);
    expect(severity()).toBe(4);
    expect(recording.active().map((raised) => raised.alert.id)).toEqual([2, 1]);
    expect(recording.nextMoment()).toBe(1_200_000);
    recording.seek(1_200_000);
    expect(severity()).toBe(2);
    expect(recording.nextMoment()).toBeNull();
  });

  it("holds a hundred thousand things and steps through them quickly", () => {
    const many = 100_000;
    const ids = Array.from({ length: many }, (_, n) => `e${n}`);
    const big = replay(ids.map((id, n): Row => [n * 30, id, "location", [113 + n / 1e6, 30.6]]));
    const recording = new Recording({
      ...big,
      state: {
        types: ["Bus"],
        ids,
        type: ids.map(() => 0),
        lon: ids.map(() => 113),
        lat: ids.map(() => 30.6),
        name: ids.map(() => null),
        values: ids.map(() => ({})),
        truncated: false,
      },
    });
    const reported = recording.seek(3_000_000);
    expect(reported.length).toBe(300);
    expect(placeOf(recording, "e99999")).toBe(113.099999);
  });
});
