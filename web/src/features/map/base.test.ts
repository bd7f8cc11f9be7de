/** Base layers as the map wants them. */
import type { Feature } from "geojson";
import { describe, expect, it } from "vitest";
import { baseShapes, shortVillageName } from "./base.ts";
import { spotOf } from "./camera.ts";

describe("base layers", () => {
  it("shortens the official names of villages", () => {
    expect(shortVillageName("鸿渐社区居民委员会")).toBe("鸿渐社区");
    expect(shortVillageName("河山居民委员会")).toBe("河山社区");
    expect(shortVillageName("联合村民委员会")).toBe("联合村");
    expect(shortVillageName("联合村村民委员会")).toBe("联合村");
    expect(shortVillageName("蒋湖农场一分场生活区")).toBe("蒋湖农场一分场生活区");
  });

  it("puts a town's name at its label place and leaves out what has no geometry", () => {
    const town: Feature = {
      type: "Feature",
      properties: { name: "岳口镇", label: [113.1, 30.5] },
      geometry: {
        type: "Polygon",
        coordinates: [
          [
            [113, 30],
            [113.2, 30],
            [113.2, 30.6],
            [113, 30],
          ],
        ],
      },
    };
    const nowhere = { type: "Feature", properties: { name: "?" }, geometry: null } as unknown as Feature;
    const { lines, names } = baseShapes("towns", [town, nowhere], "zh");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toHaveLength(4);
    expect(names).toEqual([{ name: "岳口镇", ...spotOf(113.1, 30.5) }]);
  });

  it("writes a river's name in the reader's language", () => {
    const river: Feature = {
      type: "Feature",
      properties: { name: "汉江", name_en: "Han River" },
      geometry: {
        type: "LineString",
        coordinates: [
          [113, 30],
          [113.2, 30.1],
        ],
      },
    };
    const names = (["zh", "en"] as const).map((l) => baseShapes("river", [river], l).along[0]?.name);
    expect(names).toEqual(["汉江", "Han River"]);
  });
});
