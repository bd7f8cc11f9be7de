/** Prepares the city's base layers for the map. Pure. */
import type { Feature } from "geojson";
import type { BaseLayer } from "./style.ts";

/** What the base layers become: the sources of the style to fill, with what. */
export function baseFeatures(layer: BaseLayer, all: Feature[]): [source: string, features: Feature[]][] {
  const features = all.filter((feature) => feature.geometry);
  if (layer === "villages") return [["villages", features.map(withShortName)]];
  if (layer === "towns") {
    return [
      ["towns", features.filter((feature) => feature.geometry.type !== "Point")],
      ["town-labels", features.map(labelPoint)],
    ];
  }
  return [[layer, features]];
}

/** `鸿渐社区居民委员会` is written `鸿渐社区` on a map, `联合村民委员会` `联合村`. */
export function shortVillageName(name: string): string {
  return name
    .replace(/(社区)居民委员会$/, "$1")
    .replace(/居民委员会$/, "社区")
    .replace(/村民委员会$/, "村")
    .replace(/村村$/, "村");
}

function withShortName(feature: Feature): Feature {
  const name = String(feature.properties?.name ?? "");
  return { ...feature, properties: { ...feature.properties, label: shortVillageName(name) } };
}

/** A town's name stands at its `label` place when it has one. */
function labelPoint(feature: Feature): Feature {
  const place = feature.properties?.label as unknown;
  if (!Array.isArray(place) || place.length !== 2) return feature;
  return { ...feature, geometry: { type: "Point", coordinates: place as number[] } };
}
