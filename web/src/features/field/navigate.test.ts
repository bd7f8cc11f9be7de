/** The links name their coordinate system, and a name cannot change where they lead. */
import { describe, expect, it } from "vitest";
import { isApple, mapLinks } from "./navigate.ts";

const links = (name: string, apple = false) =>
  Object.fromEntries(mapLinks([113.166, 30.65312345], name, apple).map(({ map, url }) => [map, url]));

describe("navigate", () => {
  it("says to each map that the numbers are WGS 84, in the order that it wants", () => {
    const { phone, amap, baidu } = links("井盖");
    expect(phone).toBe(`geo:30.653123,113.166000?q=30.653123,113.166000(${encodeURIComponent("井盖")})`);
    const gaode = new URL(amap as string);
    expect(gaode.origin + gaode.pathname).toBe("https://uri.amap.com/navigation");
    expect(gaode.searchParams.get("to")).toBe("113.166000,30.653123,井盖");
    expect(gaode.searchParams.get("coordinate")).toBe("wgs84");
    const other = new URL(baidu as string);
    expect(other.searchParams.get("destination")).toBe("latlng:30.653123,113.166000|name:井盖");
    expect(other.searchParams.get("coord_type")).toBe("wgs84");
  });

  it("has another address for Apple's phones", () => {
    expect(new URL(links("x", true).phone as string).searchParams.get("daddr")).toBe("30.653123,113.166000");
    expect(isApple("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)")).toBe(true);
    expect(isApple("Mozilla/5.0 (Linux; Android 16; HUAWEI)")).toBe(false);
  });

  it("takes nothing from a name but the name", () => {
    const { phone, amap, baidu } = links("a,b|c(d)&to=1,2#x");
    expect(new URL(amap as string).searchParams.getAll("to")).toEqual([
      "113.166000,30.653123,a b c d &to=1 2#x",
    ]);
    expect(new URL(baidu as string).searchParams.get("destination")?.split("|")).toHaveLength(2);
    expect(phone?.match(/[()]/g)).toHaveLength(2);
  });
});
