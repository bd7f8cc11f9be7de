/** No name lies over another, and a layout serves until the hand has gone far. */
import { describe, expect, it } from "vitest";
import { cameraAt, placeOf, spotOf } from "./camera.ts";
import { along, type Label, Layout, placed } from "./labels.ts";

const centre = spotOf(113.1, 30.6);
const camera = cameraAt(centre, 11, 1_000, 800);
const label = (text: string, dx: number): Label => ({
  text,
  kind: "town",
  sizePx: 12,
  below: 0,
  angle: 0,
  x: centre.x + dx / camera.scale,
  y: centre.y,
});
const width = ({ text }: Label) => text.length * 12;

describe("labels", () => {
  it("keeps the first of two that would meet, and none out of reach", () => {
    const kept = placed(
      [label("竟陵街道", 0), label("黄潭镇", 20), label("岳口镇", 120), label("far", 5_000)],
      camera,
      width,
    );
    expect(kept.map(({ text }) => text)).toEqual(["竟陵街道", "岳口镇"]);
  });

  it("makes way for a cluster's number, or is left out", () => {
    const cluster = { x: centre.x, y: centre.y, radiusPx: 20 };
    const [moved] = placed([{ ...label("竟陵街道", 0), orBelow: [-14, 32] }], camera, width, [cluster]);
    expect(moved?.below).toBe(32);
    expect(placed([label("竟陵街道", 30)], camera, width, [cluster])).toEqual([]);
    expect(placed([label("竟陵街道", 60)], camera, width, [cluster])[0]?.below).toBe(0);
    // Two clusters that touch each other both keep their room.
    const beside = { ...cluster, x: centre.x + 30 / camera.scale };
    expect(placed([label("竟陵街道", 60)], camera, width, [cluster, beside])).toEqual([]);
  });

  it("lays out anew only for another zoom or place, or when told", () => {
    const layout = new Layout();
    let made = 0;
    const make = () => {
      made += 1;
      return [];
    };
    const at = (dx: number, zoom = 11) =>
      layout.get(cameraAt({ x: centre.x + dx / camera.scale, y: centre.y }, zoom, 1_000, 800), make);
    at(0);
    at(200);
    expect(made).toBe(1);
    at(600);
    expect(made).toBe(2);
    at(600, 11.5);
    expect(made).toBe(3);
    layout.forget();
    at(600, 11.5);
    expect(made).toBe(4);
  });

  it("writes a river's name along it, never upside down", () => {
    const line = [centre, { x: centre.x - 2_000 / camera.scale, y: centre.y + 200 / camera.scale }];
    const names = along("汉江", line, camera.scale, 40, 13);
    expect(names.length).toBe(4);
    for (const { angle } of names) expect(Math.abs(angle)).toBeLessThan(Math.PI / 2);
  });

  it("finds its way back from the world square to degrees", () => {
    const [lon, lat] = placeOf(spotOf(113.1, 30.6));
    expect([lon.toFixed(9), lat.toFixed(9)]).toEqual(["113.100000000", "30.600000000"]);
  });
});
