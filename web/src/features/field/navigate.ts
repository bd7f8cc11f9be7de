/**
 * Links that hand a place to a map on the phone, which knows the roads. Our places are WGS 84. The maps of China draw
 * in GCJ-02 (国家测绘局坐标), 100 to 700 m away from it, so each link says that the numbers are WGS 84 and the map
 * converts: `coordinate=wgs84` for Amap, `coord_type=wgs84` for Baidu. A geo: URI is WGS 84 by definition
 * (RFC 5870, 3.4.2). Tencent is left out: no word of its route links for the coordinate system was found.
 */
import type { Place } from "../../lib/types.ts";

/** Decimals of a degree: the sixth is 10 cm. */
const DECIMALS = 6;
const APPLICATION = "jingling";

export interface MapLink {
  map: "phone" | "amap" | "baidu";
  url: string;
}

/** The links to a place; Apple's phones know no geo: but have an address for the same. */
export function mapLinks([lon, lat]: Place, name: string, isApple: boolean): MapLink[] {
  const x = lon.toFixed(DECIMALS);
  const y = lat.toFixed(DECIMALS);
  // A comma or a bar in the name would end it in these maps' own notation.
  const plain = name.replace(/[,|()]/g, " ").trim();
  const asked = (address: string, values: Record<string, string>) =>
    `${address}?${new URLSearchParams(values).toString().replaceAll("+", "%20")}`;
  return [
    {
      map: "phone",
      url: isApple
        ? asked("https://maps.apple.com/", { daddr: `${y},${x}`, q: plain })
        : `geo:${y},${x}?q=${y},${x}(${encodeURIComponent(plain)})`,
    },
    {
      map: "amap",
      url: asked("https://uri.amap.com/navigation", {
        to: `${x},${y},${plain}`,
        mode: "car",
        coordinate: "wgs84",
        src: APPLICATION,
        callnative: "1",
      }),
    },
    {
      map: "baidu",
      url: asked("https://api.map.baidu.com/direction", {
        destination: `latlng:${y},${x}|name:${plain}`,
        mode: "driving",
        coord_type: "wgs84",
        output: "html",
        src: APPLICATION,
      }),
    },
  ];
}

/** Whether this is a phone of Apple's. */
export const isApple = (agent: string): boolean => /iPhone|iPad|iPod/.test(agent);
