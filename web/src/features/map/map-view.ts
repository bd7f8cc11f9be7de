/**
 * The map behind one small door: the page gives it data and hears of clicks. MapLibre keeps the camera and answers
 * hands and keys; the picture is a plain canvas over its own (`paint.ts`).
 */
import "maplibre-gl/dist/maplibre-gl.css";
import type { FeatureCollection } from "geojson";
import { Map as LibreMap, type MapMouseEvent, setWorkerCount, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import type { Language } from "../../lib/format.ts";
import type { City, EntityKind, MapEntities, Place } from "../../lib/types.ts";
import { type BaseLayer, baseShapes } from "./base.ts";
import { BEYOND_CITY_DEG, type Camera, cameraAt, placeOf, spotOf } from "./camera.ts";
import type { Isolines } from "./isolines.ts";
import { type Cluster, type Marks, marksOf } from "./marks.ts";
import { Pace } from "./pace.ts";
import { Painter, type Route } from "./paint.ts";
import { type Point, Points } from "./points.ts";
import { clusterRadius, typeColour } from "./style.ts";

setWorkerUrl(workerUrl);
setWorkerCount(1);

/** Least time between two changes of the points, milliseconds: twice a second at most. */
const DRAW_INTERVAL_MS = 500;
/** How long the map moves to a place that was asked for, milliseconds: a place is to stand within 0.3 s. */
const FLIGHT_MS = 150;
/** How long a step of the zoom takes, milliseconds: half of what a movement of the map may take. */
const ZOOM_MS = 250;
/** How long a point that just reported is marked, milliseconds, and how many are marked at once. */
const FRESH_MS = 900;
const FRESH_COUNT_MAX = 300;
/** Distance from a point at which a tap, or the keyboard's crosshair, still means it, pixels. */
const TAP_RADIUS_PX = 9;
const AIM_RADIUS_PX = 48;
/** The same for a tap where there are few points: half of what a finger covers. */
const FEW_TAP_RADIUS_PX = 22;
const ZOOM_MAX = 17;
/** Air around the members of an opened cluster, pixels. */
const CLUSTER_PADDING_PX = 80;

/** MapLibre's own picture is empty: as few of its dots as will do. */
const EMPTY_PIXEL_RATIO = 0.02;
/** Dots of the screen drawn for a pixel at most: beyond, nobody sees the difference. */
const RATIO_MAX = 2;
/** Share of the screen's sharpness that a slow computer draws while the map moves. */
const COARSE_SHARE = 0.5;
/** How long the map must rest before it is drawn sharp again, milliseconds. */
const REST_MS = 200;

export interface MapEvents {
  /** An entity was chosen, or none; by a key when the keyboard's focus should follow. */
  onSelect: (entityId: string | null, byKey: boolean) => void;
}

export class MapView {
  readonly #map: LibreMap;
  readonly #painter: Painter;
  readonly #points = new Points();
  readonly #language: Language;
  #drawn = false;
  #pending: MapEntities | null = null;
  #drawTimer: ReturnType<typeof setTimeout> | null = null;
  #lastDraw = Number.NEGATIVE_INFINITY;
  #marks: Marks = { singles: [], clusters: [] };
  /** The step of the zoom that the marks are for; null when they must be made anew. */
  #level: number | null = null;
  #fresh = new Set<string>();
  #freshTimer: ReturnType<typeof setTimeout> | null = null;
  #kinds: Map<string, EntityKind> | undefined;
  #colours = new Map<string, string>();
  #hidden: ReadonlySet<string> = new Set();
  #selected: string | null = null;
  #route: Route | null = null;
  #isolines: Isolines | null = null;
  #few = false;
  #crosshair = false;
  #coarse = false;
  readonly #gone = new AbortController();
  #restTimer: ReturnType<typeof setTimeout> | null = null;
  #pointed: MapMouseEvent | null = null;
  #removed = false;
  readonly #reduceMotion = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  /** Throws when the browser has no WebGL, which MapLibre asks for. */
  constructor(container: HTMLElement, city: City, language: Language, label: string, events: MapEvents) {
    const [west, south, east, north] = city.bbox;
    const margin = BEYOND_CITY_DEG;
    this.#language = language;
    this.#map = new LibreMap({
      container,
      style: { version: 8, sources: {}, layers: [] },
      bounds: [west, south, east, north],
      fitBoundsOptions: { padding: 24 },
      maxBounds: [west - margin, south - margin, east + margin, north + margin],
      minZoom: 7.5,
      maxZoom: ZOOM_MAX,
      dragRotate: false,
      pitchWithRotate: false,
      attributionControl: false,
      fadeDuration: 0,
      pixelRatio: EMPTY_PIXEL_RATIO,
    });
    this.#map.touchZoomRotate.disableRotation();
    this.#map.keyboard.disableRotation();
    const hands = this.#map.getCanvas();
    hands.setAttribute("aria-label", label);
    const drawing = document.createElement("canvas");
    drawing.className = "map-drawing";
    drawing.setAttribute("aria-hidden", "true");
    hands.after(drawing);
    this.#painter = new Painter(drawing);
    this.#resize();
    this.#map.on("resize", () => this.#resize());
    this.#map.on("render", () => this.#paint());
    this.#map.on("click", ({ point }) => this.#open(this.#markAt(point, this.#reach), events, false));
    this.#map.on("mousemove", (event) => this.#pointAt(event));
    const tellZoom = () => container.setAttribute("data-zoom", this.#map.getZoom().toFixed(2));
    tellZoom();
    this.#map.on("moveend", tellZoom);
    this.#keepPace(container);
    this.#answerKeys(hands, events);
    this.#map.once("load", () => {
      container.setAttribute("data-map", "loaded");
      this.#map.once("idle", () => container.setAttribute("data-map", "ready"));
    });
  }

  setBase(layer: BaseLayer, data: FeatureCollection) {
    this.#painter.setBase(layer, baseShapes(layer, data.features, this.#language));
    this.#map.triggerRepaint();
  }

  /** The newest entities; drawn soon, never more than twice a second. */
  setEntities(data: MapEntities) {
    this.#pending = data;
    if (this.#removed || this.#drawTimer) return;
    const wait = Math.max(0, this.#lastDraw + DRAW_INTERVAL_MS - performance.now());
    this.#drawTimer = setTimeout(() => this.#draw(), wait);
  }

  #draw() {
    this.#drawTimer = null;
    const data = this.#pending;
    if (!data || this.#removed) return;
    this.#pending = null;
    this.#lastDraw = performance.now();
    this.#drawn = true;
    if (this.#points.replace(data)) this.#changed();
  }

  /** An alert was raised; what was cleared comes with the next answer, for there may be another. */
  raise(entityId: string, severity: number) {
    if (this.#points.raise(entityId, severity)) this.#changed();
  }

  /** Whether a hand moves the map now, whose frames must not wait for other work. */
  get moving(): boolean {
    return this.#map.isMoving();
  }

  /** The declared types, whose packs say the colours, and from which zoom on each is shown singly. */
  setKinds(kinds: Map<string, EntityKind>) {
    this.#kinds = kinds;
    this.#colours.clear();
    this.#changed();
  }

  /** Hides types; what has an active alert is shown all the same. */
  setHiddenTypes(hidden: string[]) {
    this.#hidden = new Set(hidden);
    this.#changed();
  }

  select(entityId: string | null) {
    this.#selected = entityId;
    this.#changed();
  }

  /** A way through numbered places, from where somebody is. */
  setRoute(from: Place | null, stops: Place[]) {
    const spot = ([lon, lat]: Place) => spotOf(lon, lat);
    this.#route = { from: from && spot(from), stops: stops.map(spot) };
    this.#map.triggerRepaint();
  }

  /** Whether there are few points, each of which is what the map is for: large, and named at every zoom. */
  setFew(few: boolean) {
    this.#few = few;
    this.#changed();
  }

  /** Lines of equal value, or none. */
  setIsolines(isolines: Isolines | null) {
    if (this.#removed || this.#isolines === isolines) return;
    this.#isolines = isolines;
    this.#painter.marksChanged();
    this.#map.triggerRepaint();
  }

  #changed() {
    this.#level = null;
    this.#map.triggerRepaint();
  }

  /** Marks entities that just reported, for a moment. Answers whether one of them is not on the map yet. */
  markFresh(entityIds: string[]): boolean {
    let unknown = false;
    // While the map is dragged its frames are for that.
    const marks = !this.#reduceMotion && this.#drawn && !this.#map.isMoving();
    const before = this.#fresh.size;
    for (const id of entityIds) {
      if (!this.#points.get(id)) unknown = true;
      else if (marks && this.#fresh.size < FRESH_COUNT_MAX) this.#fresh.add(id);
    }
    if (this.#fresh.size > before) this.#map.triggerRepaint();
    if (this.#fresh.size > 0 && !this.#freshTimer) {
      this.#freshTimer = setTimeout(() => {
        this.#freshTimer = null;
        this.#fresh.clear();
        if (!this.#removed) this.#map.triggerRepaint();
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
      duration: this.#reduceMotion ? 0 : FLIGHT_MS,
    });
  }

  fit(bbox: City["bbox"]) {
    this.#map.fitBounds(bbox, { padding: 24, animate: !this.#reduceMotion });
  }

  zoom(by: 1 | -1) {
    const how = { duration: this.#reduceMotion ? 0 : ZOOM_MS };
    if (by > 0) this.#map.zoomIn(how);
    else this.#map.zoomOut(how);
  }

  /** Gives the keyboard back to the map, as when a card over it is closed. */
  focus() {
    this.#map.getCanvas().focus();
  }

  remove() {
    this.#removed = true;
    this.#gone.abort();
    if (this.#drawTimer) clearTimeout(this.#drawTimer);
    if (this.#freshTimer) clearTimeout(this.#freshTimer);
    if (this.#restTimer) clearTimeout(this.#restTimer);
    this.#map.remove();
  }

  #camera(): Camera {
    const { lng, lat } = this.#map.getCenter();
    const { clientWidth, clientHeight } = this.#map.getContainer();
    return cameraAt(spotOf(lng, lat), this.#map.getZoom(), clientWidth, clientHeight);
  }

  #paint() {
    if (this.#removed) return;
    const camera = this.#camera();
    this.#remark(camera);
    this.#painter.paint(camera, {
      marks: this.#marks,
      colourOf: this.#colourOf,
      selected: this.#selected,
      route: this.#route,
      isolines: this.#isolines,
      fresh: this.#fresh,
      few: this.#few,
      moving: this.#map.isMoving(),
      crosshair: this.#crosshair,
      aimed: this.#crosshair ? this.#aimed() : null,
    });
  }

  /** Clusters are made when the zoom comes to another whole step or something changed, never while dragging. */
  #remark({ zoom }: Camera) {
    const level = Math.floor(zoom + 1e-6);
    if (level === this.#level) return;
    this.#level = level;
    this.#marks = marksOf(this.#points.all(), {
      level,
      hidden: this.#hidden,
      zoomMin: (type) => Math.min(this.#kinds?.get(type)?.view?.layer?.zoom_min ?? 0, ZOOM_MAX),
      selected: this.#selected,
    });
    this.#painter.marksChanged();
    const { dataset } = this.#map.getContainer();
    dataset.singles = String(this.#marks.singles.length);
    dataset.clusters = String(this.#marks.clusters.length);
  }

  readonly #colourOf = (type: string): string => {
    let colour = this.#colours.get(type);
    if (colour === undefined) {
      colour = typeColour(type, this.#kinds?.get(type));
      this.#colours.set(type, colour);
    }
    return colour;
  };

  #resize() {
    if (this.#removed) return;
    const { clientWidth, clientHeight } = this.#map.getContainer();
    const sharp = Math.min(window.devicePixelRatio, RATIO_MAX);
    this.#painter.resize(clientWidth, clientHeight, sharp * (this.#coarse ? COARSE_SHARE : 1));
    this.#map.triggerRepaint();
  }

  /** Coarser while a slow computer's map is moved, sharp after it. */
  #keepPace(container: HTMLElement) {
    const pace = new Pace((coarse) => {
      this.#coarse = coarse;
      this.#resize();
    });
    let held = false;
    const rest = () => {
      if (this.#restTimer) clearTimeout(this.#restTimer);
      this.#restTimer = setTimeout(() => {
        if (this.#removed || held || this.#map.isMoving()) return;
        pace.resting();
        this.#map.triggerRepaint();
      }, REST_MS);
    };
    const { signal } = this.#gone;
    const early = { signal, capture: true, passive: true };
    container.addEventListener(
      "pointerdown",
      () => {
        held = true;
        this.#aimAt(false);
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
    // "move" comes once a frame; what moves without a hand says nothing about the computer.
    this.#map.on("move", (event) => {
      if (event.originalEvent) pace.moving(performance.now());
    });
    this.#map.on("moveend", rest);
  }

  /** Arrows and + − are MapLibre's; Enter opens what is in the crosshair, which is shown to who uses the keyboard. */
  #answerKeys(hands: HTMLElement, events: MapEvents) {
    const { signal } = this.#gone;
    hands.addEventListener("focus", () => this.#aimAt(hands.matches(":focus-visible")), { signal });
    hands.addEventListener("blur", () => this.#aimAt(false), { signal });
    hands.addEventListener(
      "keydown",
      (event) => {
        this.#aimAt(true);
        if (event.key !== "Enter") return;
        event.preventDefault();
        const aimed = this.#aimed();
        if (aimed) this.#open(aimed, events, true);
      },
      { signal },
    );
  }

  #aimAt(crosshair: boolean) {
    if (this.#crosshair === crosshair) return;
    this.#crosshair = crosshair;
    this.#map.triggerRepaint();
  }

  get #reach(): number {
    return this.#few ? FEW_TAP_RADIUS_PX : TAP_RADIUS_PX;
  }

  #aimed(): Point | Cluster | null {
    const { clientWidth, clientHeight } = this.#map.getContainer();
    return this.#markAt({ x: clientWidth / 2, y: clientHeight / 2 }, AIM_RADIUS_PX);
  }

  /** An entity is selected; a cluster comes nearer until it falls apart. */
  #open(mark: Point | Cluster | null, events: MapEvents, byKey: boolean) {
    if (!mark || "id" in mark) {
      events.onSelect(mark?.id ?? null, byKey);
      return;
    }
    const [west, north] = placeOf({ x: mark.west, y: mark.north });
    const [east, south] = placeOf({ x: mark.east, y: mark.south });
    const whole = this.#map.cameraForBounds([west, south, east, north], {
      padding: CLUSTER_PADDING_PX,
      maxZoom: ZOOM_MAX,
    });
    const step = Math.floor(this.#map.getZoom()) + 1;
    const nearer = (whole?.zoom ?? 0) > step;
    this.#map.easeTo({
      center: nearer && whole?.center ? whole.center : placeOf(mark),
      zoom: Math.min(nearer ? (whole?.zoom ?? step) : step, ZOOM_MAX),
      duration: this.#reduceMotion ? 0 : 400,
    });
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
      this.#map.getCanvas().style.cursor = this.#markAt(last.point, this.#reach) ? "pointer" : "";
    });
  }

  /** The nearest mark that reaches to within `radiusPx` of a point of the screen. */
  #markAt(at: { x: number; y: number }, radiusPx: number): Point | Cluster | null {
    const { scale, left, top } = this.#camera();
    const [x, y] = [(at.x - left) / scale, (at.y - top) / scale];
    let best: Point | Cluster | null = null;
    let bestDistance = Number.POSITIVE_INFINITY;
    const look = (mark: Point | Cluster, reachPx: number) => {
      const distance = (mark.x - x) ** 2 + (mark.y - y) ** 2;
      if (distance > (reachPx / scale) ** 2 || distance >= bestDistance) return;
      best = mark;
      bestDistance = distance;
    };
    for (const point of this.#marks.singles) look(point, radiusPx);
    for (const cluster of this.#marks.clusters) {
      look(cluster, Math.max(clusterRadius(cluster.count) + 2, radiusPx));
    }
    return best;
  }
}
