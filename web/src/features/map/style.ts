/** How the map looks: colours and sizes of the city's own data, points by type, rings by severity. */
import type { EntityKind } from "../../lib/types.ts";
import { SEVERITY_COLOURS } from "../../ui/tags.tsx";
import type { LabelKind } from "./labels.ts";

/** From this zoom on, villages are drawn; names of villages and entities come a little later. */
export const VILLAGE_ZOOM_MIN = 10.6;
export const VILLAGE_NAME_ZOOM_MIN = 12.2;
export const ENTITY_NAME_ZOOM_MIN = 13;

export const COLOURS = {
  ground: "#e4ebec",
  land: "#f5f3ea",
  townLine: "#d9d6c8",
  river: "#a9d3e6",
  border: "#6d8f99",
  village: "#a7a893",
  isoline: "#3c4a66",
  reach: "#7d8796",
  rim: "#ffffff",
  fresh: "#f2b84b",
  selected: "#0b3a48",
  cluster: "#ffffff",
  clusterEdge: "#5c7f8a",
  clusterNumber: "#16262c",
};

export const FONT = '"Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif';
export const LABEL_STYLES: Record<LabelKind, { colour: string; halo: string; spacingPx: number }> = {
  town: { colour: "#3c4f52", halo: "#fbfaf5", spacingPx: 0 },
  river: { colour: "#3f86a8", halo: "#e9f4f9", spacingPx: 4 },
  isoline: { colour: "#232f4b", halo: "#ffffff", spacingPx: 0 },
  entity: { colour: "#16262c", halo: "#ffffff", spacingPx: 0 },
  village: { colour: "#85866f", halo: "#fbfaf5", spacingPx: 0 },
};

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

export const SEVERITY_BY_NUMBER = ["info", "minor", "major", "critical"] as const;

/** The colour of a severity as the server counts it, 1 info … 4 critical. */
export function severityColour(severity: number): string {
  const name = SEVERITY_BY_NUMBER[severity - 1];
  return name ? SEVERITY_COLOURS[name] : COLOURS.border;
}

/** Between stops of the zoom, sizes grow evenly. */
function between(zoom: number, stops: [zoom: number, size: number][]): number {
  let [lastZoom, lastSize] = stops[0] as [number, number];
  if (zoom <= lastZoom) return lastSize;
  for (const [nextZoom, nextSize] of stops) {
    if (zoom < nextZoom)
      return lastSize + ((nextSize - lastSize) * (zoom - lastZoom)) / (nextZoom - lastZoom);
    [lastZoom, lastSize] = [nextZoom, nextSize];
  }
  return lastSize;
}

/** To half a pixel, so that few sizes need drawing. */
const halved = (size: number): number => Math.round(size * 2) / 2;

export const pointRadius = (zoom: number): number =>
  halved(
    between(zoom, [
      [8, 2.6],
      [11, 4.6],
      [15, 8.5],
    ]),
  );

/** Far out, thousands of rims are only work: there is no room for them between the points. */
export const pointRim = (zoom: number): number =>
  halved(
    between(zoom, [
      [9, 0],
      [11, 1],
    ]),
  );

export const riverWidth = (zoom: number): number =>
  between(zoom, [
    [8, 3],
    [14, 16],
  ]);

export const townNameSize = (zoom: number): number =>
  Math.round(
    between(zoom, [
      [8, 11],
      [12, 15],
    ]),
  );

/** The largest cluster's radius, pixels. */
export const CLUSTER_RADIUS_MAX = 25;

/** A cluster of more is larger, but never so large that two could not stand side by side. */
export const clusterRadius = (count: number): number =>
  halved(Math.min(CLUSTER_RADIUS_MAX, 11 + 3.5 * Math.log10(Math.max(1, count / 2))));
