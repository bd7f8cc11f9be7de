/** The MapLibre map behind one small door: the page gives it data and hears of clicks. */
import "maplibre-gl/dist/maplibre-gl.css";
import type { FeatureCollection } from "geojson";
import { type GeoJSONSource, Map as LibreMap, type MapMouseEvent, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import type { Language } from "../../lib/format.ts";
import type { City, EntityKind, MapEntities, Place } from "../../lib/types.ts";
import { baseFeatures } from "./base.ts";
import { Pace } from "./pace.ts";
import { Points } from "./points.ts";
import { type BaseLayer, ENTITY_LAYERS, mapStyle, typeColourExpression } from "./style.ts";

setWorkerUrl(workerUrl);

/** Least time between two changes of the points, milliseconds: twice a second at most. */
const DRAW_INTERVAL_MS = 500;
/** How long a point that just reported is marked, milliseconds, and how many are marked at once. */
const FRESH_MS = 900;
const FRESH_COUNT_MAX = 300;
/** Distance from a point at which a tap still means it, pixels. */
const TAP_RADIUS_PX = 9;

/** Share of the screen's sharpness that a slow computer draws while the map moves. */
const COARSE_SHARE = 0.5;
/** How long the map must rest before it is drawn sharp again, milliseconds. */
const REST_MS = 200;

export interface MapEvents {
  onSelect: (entityId: string | null) => void;
}

export class MapView {
  readonly #map: LibreMap;
  readonly #points = new Points();
  readonly #ready: Promise<void>;
  #drawn = false;
  #pending: MapEntities | null = null;
  #drawTimer: ReturnType<typeof setTimeout> | null = null;
  #lastDraw = Number.NEGATIVE_INFINITY;
  #fresh = new Set<number>();
  #freshTimer: ReturnType<typeof setTimeout> | null = null;
  #types: string[] = [];
  #kinds: Map<string, EntityKind> | undefined;
  readonly #gone = new AbortController();
  #restTimer: ReturnType<typeof setTimeout> | null = null;
  #pointed: MapMouseEvent | null = null;
  #removed = false;
  readonly #reduceMotion = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  /** Throws when the browser has no WebGL. */
  constructor(container: HTMLElement, city: City, language: Language, label: string, events: MapEvents) {
    const [west, south, east, north] = city.bbox;
    const margin = 0.6;
    this.#map = new LibreMap({
      container,
      style: mapStyle(language),
      bounds: [west, south, east, north],
      fitBoundsOptions: { padding: 24 },
      maxBounds: [west - margin, south - margin, east + margin, north + margin],
      minZoom: 7.5,
      maxZoom: 17,
      dragRotate: false,
      pitchWithRotate: false,
      attributionControl: false,
      fadeDuration: 0,
    });
    this.#map.touchZoomRotate.disableRotation();
    const canvas = this.#map.getCanvas();
    canvas.setAttribute("aria-label", label);
    this.#ready = new Promise((resolve) => this.#map.once("load", () => resolve()));
    this.#map.on("click", (event) => events.onSelect(this.#entityAt(event)));
    this.#map.on("mousemove", (event) => this.#pointAt(event));
    this.#keepPace(container);
    this.#map.once("load", () => {
      container.setAttribute("data-map", "loaded");
      this.#map.once("idle", () => container.setAttribute("data-map", "ready"));
    });
  }

  get map(): LibreMap {
    return this.#map;
  }

  async setBase(layer: BaseLayer, data: FeatureCollection) {
    await this.#ready;
    if (this.#removed) return;
    for (const [source, features] of baseFeatures(layer, data.features)) {
      this.#source(source).setData({ type: "FeatureCollection", features });
    }
  }

  /** The newest entities; drawn soon, never more than twice a second. */
  async setEntities(data: MapEntities) {
    this.#pending = data;
    await this.#ready;
    if (this.#removed || this.#drawTimer) return;
    const wait = Math.max(0, this.#lastDraw + DRAW_INTERVAL_MS - performance.now());
    this.#drawTimer = setTimeout(() => this.#draw(), wait);
  }

  #draw() {
    this.#drawTimer = null;
    const data = this.#pending;
    if (!data || this.#removed) return;
    // A change of the points cuts all tiles anew; that waits until the hand lets go of the map.
    if (this.#drawn && this.#map.isMoving()) {
      this.#drawTimer = setTimeout(() => this.#draw(), DRAW_INTERVAL_MS);
      return;
    }
    this.#pending = null;
    this.#lastDraw = performance.now();
    const change = this.#points.replace(data);
    if (JSON.stringify(data.types) !== JSON.stringify(this.#types)) {
      this.#types = data.types;
      this.#colour();
    }
    if (!change) return;
    const source = this.#source("entities");
    if (this.#drawn) source.updateData(change);
    else source.setData(this.#points.collection());
    this.#drawn = true;
  }

  /** The declared types, whose packs say the colours. */
  async setKinds(kinds: Map<string, EntityKind>) {
    this.#kinds = kinds;
    await this.#ready;
    if (!this.#removed) this.#colour();
  }

  #colour() {
    const colours = typeColourExpression(this.#types, this.#kinds);
    this.#map.setPaintProperty("entities", "circle-color", colours as never);
  }

  /** Hides types; what has an active alert is shown all the same. */
  async setHiddenTypes(hidden: string[]) {
    await this.#ready;
    if (this.#removed) return;
    const alerted = [">", ["get", "s"], 0];
    const shown = ["any", alerted, ["!", ["in", ["get", "t"], ["literal", hidden]]]];
    for (const layer of ENTITY_LAYERS) this.#map.setFilter(layer, shown as never);
  }

  async select(entityId: string | null) {
    await this.#ready;
    if (!this.#removed) this.#map.setFilter("selected", ["==", ["get", "e"], entityId ?? ""]);
  }

  /** Marks entities that just reported, for a moment. Answers whether one of them is not on the map yet. */
  markFresh(entityIds: string[]): boolean {
    let unknown = false;
    // While the map is dragged its frames are for that.
    const marks = !this.#reduceMotion && this.#drawn && !this.#map.isMoving();
    for (const id of entityIds) {
      const number = this.#points.numberOf(id);
      if (number === undefined) unknown = true;
      else if (marks && this.#fresh.size < FRESH_COUNT_MAX && !this.#fresh.has(number)) {
        this.#fresh.add(number);
        this.#map.setFeatureState({ source: "entities", id: number }, { fresh: true });
      }
    }
    if (this.#fresh.size > 0 && !this.#freshTimer) {
      this.#freshTimer = setTimeout(() => {
        this.#freshTimer = null;
        if (this.#removed) return;
        for (const number of this.#fresh) this.#map.removeFeatureState({ source: "entities", id: number });
        this.#fresh.clear();
      }, FRESH_MS);
    }
    return unknown;
  }

  /** Brings a place into the middle of what the card leaves free. */
  flyTo(place: Place, cardBelow: boolean) {
    const height = this.#map.getContainer().clientHeight;
    this.#map.easeTo({
      center: place,
      zoom: Math.max(this.#map.getZoom(), 12.5),
      offset: [0, cardBelow ? -height * 0.27 : 0],
      duration: this.#reduceMotion ? 0 : 600,
    });
  }

  fit(bbox: City["bbox"]) {
    this.#map.fitBounds(bbox, { padding: 24, animate: !this.#reduceMotion });
  }

  zoom(by: 1 | -1) {
    if (by > 0) this.#map.zoomIn();
    else this.#map.zoomOut();
  }

  remove() {
    this.#removed = true;
    this.#gone.abort();
    if (this.#drawTimer) clearTimeout(this.#drawTimer);
    if (this.#freshTimer) clearTimeout(this.#freshTimer);
    if (this.#restTimer) clearTimeout(this.#restTimer);
    this.#map.remove();
  }

  /** Coarser before a gesture begins (a change of sharpness in its midst would end it), sharp after it. */
  #keepPace(container: HTMLElement) {
    const pace = new Pace((coarse) =>
      this.#map.setPixelRatio(window.devicePixelRatio * (coarse ? COARSE_SHARE : 1)),
    );
    let held = false;
    const rest = () => {
      if (this.#restTimer) clearTimeout(this.#restTimer);
      this.#restTimer = setTimeout(() => {
        if (!this.#removed && !held && !this.#map.isMoving()) pace.resting();
      }, REST_MS);
    };
    const { signal } = this.#gone;
    const early = { signal, capture: true, passive: true };
    container.addEventListener(
      "pointerdown",
      () => {
        held = true;
        pace.beginning();
      },
      early,
    );
    container.addEventListener(
      "wheel",
      () => {
        if (!this.#map.isMoving()) pace.beginning();
        rest();
      },
      early,
    );
    for (const end of ["pointerup", "pointercancel"]) {
      window.addEventListener(
        end,
        () => {
          held = false;
          rest();
        },
        early,
      );
    }
    // "move" comes once a frame; a change of sharpness makes some of its own, while nobody moves the map.
    this.#map.on("move", (event) => {
      if (event.originalEvent) pace.moving(performance.now());
    });
    this.#map.on("moveend", rest);
  }

  /** What lies under the mouse is looked up once a frame at most, and never while the map is dragged. */
  #pointAt(event: MapMouseEvent) {
    const wasAsked = this.#pointed !== null;
    this.#pointed = event;
    if (wasAsked) return;
    requestAnimationFrame(() => {
      const last = this.#pointed;
      this.#pointed = null;
      if (!last || this.#removed || this.#map.isMoving()) return;
      this.#map.getCanvas().style.cursor = this.#entityAt(last) ? "pointer" : "";
    });
  }

  #source(name: string): GeoJSONSource {
    return this.#map.getSource(name) as GeoJSONSource;
  }

  #entityAt(event: MapMouseEvent): string | null {
    if (!this.#drawn) return null;
    const { x, y } = event.point;
    const near = this.#map.queryRenderedFeatures(
      [
        [x - TAP_RADIUS_PX, y - TAP_RADIUS_PX],
        [x + TAP_RADIUS_PX, y + TAP_RADIUS_PX],
      ],
      { layers: ["entities"] },
    );
    let best: string | null = null;
    let bestDistance = Number.POSITIVE_INFINITY;
    for (const feature of near) {
      if (feature.geometry.type !== "Point") continue;
      const [lon, lat] = feature.geometry.coordinates as Place;
      const at = this.#map.project([lon, lat]);
      const distance = (at.x - x) ** 2 + (at.y - y) ** 2;
      if (distance < bestDistance) {
        bestDistance = distance;
        best = String(feature.properties.e);
      }
    }
    return best;
  }
}
