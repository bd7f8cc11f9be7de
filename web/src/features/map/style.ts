/** How the map looks: base layers from the city's own data, points by type, rings by severity. No outside source. */
import type { FeatureCollection } from "geojson";
import type { LayerSpecification, StyleSpecification } from "maplibre-gl";
import type { Language } from "../../lib/format.ts";
import type { EntityKind } from "../../lib/types.ts";
import { SEVERITY_COLOURS } from "../../ui/tags.tsx";

/** Fonts of labels; drawn by the browser itself, so no glyph server is asked. */
const LABEL_FONT = ["Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "sans-serif"];
/** From this zoom on, villages are drawn; names of villages and entities come a little later. */
const VILLAGE_ZOOM_MIN = 10.6;
const VILLAGE_NAME_ZOOM_MIN = 12.2;
const ENTITY_NAME_ZOOM_MIN = 13;

export const BASE_LAYERS = ["outline", "river", "towns", "villages"] as const;
export type BaseLayer = (typeof BASE_LAYERS)[number];

/** Colours of the types that the demo city knows; others take the next free one. */
const TYPE_COLOURS: Record<string, string> = {
  WaterObserved: "#1769c7",
  FloodMonitoring: "#0f4c9c",
  AirQualityObserved: "#2f9e5b",
  EVChargingStation: "#0aa3a3",
  ChargePoint: "#22b8b0",
  ChargingSession: "#6fcfc4",
  TelecomBaseStation: "#7a4fc9",
  DataCentre: "#b0418f",
  ServerRack: "#c977b4",
  Streetlight: "#c79a12",
  Device: "#6b7c85",
};
const OTHER_COLOURS = ["#8c5a2b", "#4a7d2a", "#a04545", "#45618f", "#7d7d2a", "#2a7d75"];

/** The colour that the type's pack wants, else our own. */
export function typeColour(type: string, kind?: EntityKind | null): string {
  const known = kind?.view?.layer?.colour ?? TYPE_COLOURS[type];
  if (known) return known;
  let hash = 0;
  for (const char of type) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) % 9_973;
  return OTHER_COLOURS[hash % OTHER_COLOURS.length] as string;
}

const EMPTY: FeatureCollection = { type: "FeatureCollection", features: [] };

export const SEVERITY_BY_NUMBER = ["info", "minor", "major", "critical"] as const;

const radius = (extra: number, factor = 1): LayerSpecification["paint"] =>
  [
    "interpolate",
    ["linear"],
    ["zoom"],
    8,
    2.6 * factor + extra,
    11,
    4.6 * factor + extra,
    15,
    8.5 * factor + extra,
  ] as never;

/** The whole style, with empty sources that are filled as data arrive. */
export function mapStyle(language: Language): StyleSpecification {
  const source = { type: "geojson", data: EMPTY } as const;
  const severityColour = [
    "match",
    ["get", "s"],
    ...SEVERITY_BY_NUMBER.flatMap((severity, i) => [i + 1, SEVERITY_COLOURS[severity]]),
    "#000000",
  ];
  return {
    version: 8,
    sources: {
      outline: source,
      river: source,
      towns: source,
      "town-labels": source,
      villages: source,
      entities: { ...source, tolerance: 0, buffer: 32 },
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": "#e4ebec" } },
      // One plain fill: a computer without a graphics card draws every covered pixel again for each.
      {
        id: "outline-fill",
        type: "fill",
        source: "outline",
        paint: { "fill-color": "#f5f3ea", "fill-antialias": false },
      },
      {
        id: "town-lines",
        type: "line",
        source: "towns",
        paint: { "line-color": "#d9d6c8", "line-width": 1 },
      },
      {
        id: "river-bed",
        type: "line",
        source: "river",
        layout: { "line-cap": "round", "line-join": "round" },
        paint: {
          "line-color": "#a9d3e6",
          "line-width": ["interpolate", ["linear"], ["zoom"], 8, 3, 14, 16] as never,
        },
      },
      {
        id: "outline-line",
        type: "line",
        source: "outline",
        paint: { "line-color": "#6d8f99", "line-width": 1.8, "line-dasharray": [4, 2] },
      },
      {
        id: "villages",
        type: "circle",
        source: "villages",
        minzoom: VILLAGE_ZOOM_MIN,
        paint: { "circle-radius": 1.8, "circle-color": "#a7a893", "circle-opacity": 0.9 },
      },
      {
        id: "village-names",
        type: "symbol",
        source: "villages",
        minzoom: VILLAGE_NAME_ZOOM_MIN,
        layout: {
          "text-field": ["get", "label"],
          "text-font": LABEL_FONT,
          "text-size": 11,
          "text-offset": [0, 0.7],
          "text-anchor": "top",
        },
        paint: { "text-color": "#85866f", "text-halo-color": "#fbfaf5", "text-halo-width": 1.2 },
      },
      {
        id: "river-names",
        type: "symbol",
        source: "river",
        filter: ["has", "name"],
        layout: {
          "symbol-placement": "line",
          "symbol-spacing": 420,
          "text-field":
            language === "en" ? ["coalesce", ["get", "name_en"], ["get", "name"]] : ["get", "name"],
          "text-font": LABEL_FONT,
          "text-size": 13,
          "text-letter-spacing": 0.3,
        },
        paint: { "text-color": "#3f86a8", "text-halo-color": "#e9f4f9", "text-halo-width": 1.5 },
      },
      {
        id: "entities",
        type: "circle",
        source: "entities",
        layout: { "circle-sort-key": ["get", "s"] },
        paint: {
          "circle-radius": radius(0) as never,
          "circle-color": "#6b7c85",
          "circle-stroke-color": [
            "case",
            ["boolean", ["feature-state", "fresh"], false],
            "#f2b84b",
            "#ffffff",
          ],
          // Far out, thousands of rims are only work: there is no room for them between the points.
          "circle-stroke-width": [
            "interpolate",
            ["linear"],
            ["zoom"],
            9,
            ["case", ["boolean", ["feature-state", "fresh"], false], 1.6, 0],
            11,
            ["case", ["boolean", ["feature-state", "fresh"], false], 2.2, 0.9],
          ],
        },
      },
      {
        id: "town-names",
        type: "symbol",
        source: "town-labels",
        layout: {
          "text-field": ["get", "name"],
          "text-font": LABEL_FONT,
          "text-size": ["interpolate", ["linear"], ["zoom"], 8, 11, 12, 15] as never,
          "text-padding": 3,
        },
        paint: { "text-color": "#3c4f52", "text-halo-color": "#fbfaf5", "text-halo-width": 1.6 },
      },
      {
        id: "alert-rings",
        type: "circle",
        source: "entities",
        filter: [">", ["get", "s"], 0],
        paint: {
          "circle-radius": radius(5.5) as never,
          "circle-color": severityColour as never,
          "circle-opacity": 0.16,
          "circle-stroke-color": severityColour as never,
          "circle-stroke-width": 2.2,
        },
      },
      {
        id: "entity-names",
        type: "symbol",
        source: "entities",
        minzoom: ENTITY_NAME_ZOOM_MIN,
        layout: {
          "text-field": ["get", "n"],
          "text-font": LABEL_FONT,
          "text-size": 11.5,
          "text-offset": [0, 1],
          "text-anchor": "top",
          "text-max-width": 12,
        },
        paint: { "text-color": "#16262c", "text-halo-color": "#ffffff", "text-halo-width": 1.4 },
      },
      {
        id: "selected",
        type: "circle",
        source: "entities",
        filter: ["==", ["get", "e"], ""],
        paint: {
          "circle-radius": radius(3.5) as never,
          "circle-color": "rgba(0,0,0,0)",
          "circle-stroke-color": "#0b3a48",
          "circle-stroke-width": 3,
        },
      },
    ],
  };
}

/** The layers that show entities, and so obey the list of hidden types. */
export const ENTITY_LAYERS = ["entities", "entity-names"] as const;

/** `circle-color` by type. */
export function typeColourExpression(types: string[], kinds?: Map<string, EntityKind>): unknown {
  if (types.length === 0) return "#6b7c85";
  return [
    "match",
    ["get", "t"],
    ...types.flatMap((type) => [type, typeColour(type, kinds?.get(type))]),
    "#6b7c85",
  ];
}
