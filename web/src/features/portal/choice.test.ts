/** What is chosen and where points lie. */
import { describe, expect, it } from "vitest";
import type { PublicIndicator } from "../../lib/types.ts";
import { byGroup, choose, scale, standingOf } from "./choice.ts";

const one = (id: string, group: string, more: Partial<PublicIndicator> = {}) =>
  ({
    id,
    number: id,
    group_zh: group,
    name_zh: `${id} 光缆`,
    name_en: `${id} fibre`,
    subgroup_zh: "网络",
    subgroup_en: "Network",
    responsible: null,
    places: [{ section: "二", quote: "达到12万公里" }],
    status: null,
    ...more,
  }) as PublicIndicator;

const all = [
  one("1", "A", { status: "met" }),
  one("2", "B"),
  one("3", "A", { responsible: { id: "shuili", name_zh: "水利局", name_en: "Water Bureau" } }),
];
const ids = (choice: Partial<Parameters<typeof choose>[1]>) =>
  choose(all, { standing: null, group: null, words: "", ...choice }).map(({ id }) => id);

describe("choose", () => {
  it("narrows by state, group and every word", () => {
    expect(ids({})).toEqual(["1", "2", "3"]);
    expect(ids({ standing: "withheld" })).toEqual(["2", "3"]);
    expect(ids({ group: "A" })).toEqual(["1", "3"]);
    expect(ids({ words: " FIBRE  water " })).toEqual(["3"]);
    expect(ids({ words: "12万" })).toEqual(["1", "2", "3"]);
    expect(ids({ group: "A", standing: "met", words: "水利" })).toEqual([]);
  });

  it("tells what is not published from what stands somehow", () => {
    expect(all.map(standingOf)).toEqual(["met", "withheld", "withheld"]);
  });

  it("keeps the order of the plan in groups", () => {
    expect(byGroup(all).map(([group, those]) => [group, those.map(({ id }) => id)])).toEqual([
      ["A", ["1", "3"]],
      ["B", ["2"]],
    ]);
  });
});

describe("scale", () => {
  it("begins at zero, upside down, and knows one point alone", () => {
    const { x, y, low, high } = scale([
      [2020, 10],
      [2025, 50],
    ]);
    expect([x(2020), x(2025), y(0), y(50), low, high]).toEqual([0, 1, 1, 0, 0, 50]);
    const alone = scale([[2025, 0]]);
    expect([alone.x(2025), alone.y(0)]).toEqual([0.5, 0.5]);
  });
});
