/** Far out, many become one with their number; what is wrong can be seen at every zoom. */
import { describe, expect, it } from "vitest";
import { scaleAt, spotOf } from "./camera.ts";
import { ALERTS_SINGLE_MAX, marksOf, type Showing } from "./marks.ts";
import type { Point } from "./points.ts";

const ZOOM_MIN: Record<string, number> = { Streetlight: 14, Device: 12 };
const showing = (level: number, more: Partial<Showing> = {}): Showing => ({
  level,
  hidden: new Set(),
  zoomMin: (type) => ZOOM_MIN[type] ?? 0,
  selected: null,
  ...more,
});
const point = (id: string, type: string, lon: number, severity = 0): Point => ({
  id,
  type,
  name: id,
  severity,
  lon,
  lat: 30.6,
  ...spotOf(lon, 30.6),
});
const lights = (count: number, severity = 0) =>
  Array.from({ length: count }, (_, n) => point(`light-${n}`, "Streetlight", 113.1 + n * 1e-4, severity));

describe("marks", () => {
  it("shows a layer singly from its zoom on, and as clusters below it", () => {
    const points = [...lights(50), point("river", "WaterObserved", 113.1)];
    const far = marksOf(points, showing(10));
    expect(far.singles.map((p) => p.id)).toEqual(["river"]);
    expect(far.clusters.reduce((sum, { count }) => sum + count, 0)).toBe(50);
    const near = marksOf(points, showing(14));
    expect([near.singles.length, near.clusters.length]).toEqual([51, 0]);
  });

  it("shows what stands alone singly, however far", () => {
    const { singles, clusters } = marksOf(
      [point("a", "Device", 112.7), point("b", "Device", 113.4)],
      showing(9),
    );
    expect([singles.length, clusters.length]).toEqual([2, 0]);
  });

  it("keeps what has an alert visible singly, hidden or not, and draws the gravest last", () => {
    const points = [
      ...lights(20),
      point("grave", "Streetlight", 113.1005, 4),
      point("mild", "Device", 113.1006, 1),
    ];
    const { singles, clusters } = marksOf(points, showing(10, { hidden: new Set(["Streetlight"]) }));
    expect(singles.map((p) => p.id)).toEqual(["mild", "grave"]);
    expect(clusters).toEqual([]);
  });

  it("tells a storm of alerts by the clusters' gravest", () => {
    const storm = [...lights(ALERTS_SINGLE_MAX, 2), point("worst", "Streetlight", 113.1001, 4)];
    const { singles, clusters } = marksOf(storm, showing(10));
    expect(singles).toEqual([]);
    expect(Math.max(...clusters.map(({ severity }) => severity))).toBe(4);
  });

  it("shows the selected entity singly at every zoom", () => {
    const { singles, clusters } = marksOf(lights(20), showing(10, { selected: "light-3" }));
    expect(singles.map((p) => p.id)).toEqual(["light-3"]);
    expect(clusters.reduce((sum, { count }) => sum + count, 0)).toBe(19);
  });

  it("leaves room between clusters, and knows their extent", () => {
    const points = Array.from({ length: 3_000 }, (_, n) =>
      point(`p${n}`, n % 3 ? "Streetlight" : "Device", 112.7 + ((n * 37) % 997) * 7e-4),
    );
    const { clusters } = marksOf(points, showing(9));
    expect(clusters.length).toBeGreaterThan(3);
    const places = clusters.map(({ x }) => x * scaleAt(9)).sort((a, b) => a - b);
    for (let i = 1; i < places.length; i += 1) {
      expect((places[i] as number) - (places[i - 1] as number)).toBeGreaterThan(32);
    }
    for (const { x, west, east } of clusters) {
      expect(x).toBeGreaterThanOrEqual(west);
      expect(x).toBeLessThanOrEqual(east);
    }
  });
});
