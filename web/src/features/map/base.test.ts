/** Base layers as the map wants them. */
import type { Feature } from "geojson";
import { describe, expect, it } from "vitest";
import { baseFeatures, shortVillageName } from "./base.ts";

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
    const [areas, labels] = baseFeatures("towns", [town, nowhere]);
    expect(areas).toEqual(["towns", [town]]);
    expect(labels?.[0]).toBe("town-labels");
    expect(labels?.[1].map((f) => f.geometry)).toEqual([{ type: "Point", coordinates: [113.1, 30.5] }]);
  });
});
