/**
 * Draws the map into a plain canvas. WebGL without a graphics card costs 20 to 80 ms for an empty picture of this
 * size, a canvas like this one does all of it in one or two: see docs/decisions/0012-map-on-a-plain-canvas.md.
 */
import type { BaseLayer, BaseShapes, Named } from "./base.ts";
import { type Box, boxOf, type Camera, holds, type Spot } from "./camera.ts";
import { dotOf, square } from "./dots.ts";
import type { Isolines, Ring } from "./isolines.ts";
import { type Along, along, type Label, type LabelKind, Layout, placed } from "./labels.ts";
import type { Cluster, Marks } from "./marks.ts";
import type { Point } from "./points.ts";
import { type Sprite, Sprites } from "./sprites.ts";
import {
  CLUSTER_RADIUS_MAX,
  COLOURS,
  clusterRadius,
  ENTITY_NAME_ZOOM_MIN,
  pointRadius,
  pointRim,
  riverWidth,
  severityColour,
  townNameSize,
  VILLAGE_NAME_ZOOM_MIN,
  VILLAGE_ZOOM_MIN,
} from "./style.ts";

/** More points than this in view are drawn square, while the map moves and at rest: a stamp costs ten times as much. */
const STAMPS_MOVING_MAX = 2_000;
const STAMPS_MAX = 15_000;
/** Points or lines this far outside the screen still reach into it, pixels. */
const REACH_PX = 32;
const RIVER_NAME_PX = 13;
/** What lies under the bands of equal value stays to be seen. */
const BAND_OPACITY = 0.5;
const ISOLINE_VALUE_PX = 12;
/** Values along a line of equal value; a small ring has one too. */
const ISOLINE_VALUES: Along = { kind: "isoline", spacingPx: 360, firstPx: 48 };
/** A place of a way: the radius of its disc, and its number, pixels. */
const ROUTE_DISC_PX = 11;
const ROUTE_NUMBER_PX = 13;

/** A point where there are few, and its rim, pixels. */
const FEW_RADIUS_PX = 9;
const FEW_RIM_PX = 2;

const radiusAt = ({ zoom }: Camera, few: boolean): number => (few ? FEW_RADIUS_PX : pointRadius(zoom));

/** A way through numbered places. */
export interface Route {
  /** Where it begins, when that is known. */
  from: Spot | null;
  stops: Spot[];
}

export interface Scene {
  marks: Marks;
  colourOf: (type: string) => string;
  selected: string | null;
  route: Route | null;
  isolines: Isolines | null;
  /** Entities that just reported. */
  fresh: ReadonlySet<string>;
  /** There are few points, and each is what the map is for: large, and with its name at every zoom. */
  few: boolean;
  moving: boolean;
  /** The keyboard's crosshair is shown, and what it would open. */
  crosshair: boolean;
  aimed: Point | Cluster | null;
}

export class Painter {
  readonly #pen: CanvasRenderingContext2D;
  readonly #sprites = new Sprites();
  readonly #layout = new Layout();
  readonly #base: Partial<Record<BaseLayer, BaseShapes>> = {};
  #ratio = 1;
  #dots: ImageData | null = null;
  readonly #dotsCanvas = document.createElement("canvas");

  /** Throws when the browser has no canvas. */
  constructor(private readonly canvas: HTMLCanvasElement) {
    const pen = canvas.getContext("2d", { alpha: false });
    if (!pen) throw new Error("this browser has no canvas");
    this.#pen = pen;
  }

  setBase(layer: BaseLayer, shapes: BaseShapes) {
    this.#base[layer] = shapes;
    this.#layout.forget();
  }

  /** The marks or their names are others now. */
  marksChanged() {
    this.#layout.forget();
  }

  resize(width: number, height: number, ratio: number) {
    this.#ratio = ratio;
    this.#sprites.ratio = ratio;
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== across) this.canvas.width = across;
    if (this.canvas.height !== down) this.canvas.height = down;
  }

  paint(camera: Camera, scene: Scene) {
    const pen = this.#pen;
    pen.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    this.#paintBase(camera);
    if (scene.isolines) this.#paintIsolines(camera, scene.isolines);
    const seen = boxOf(camera, REACH_PX);
    const inView = scene.marks.singles.filter((point) => holds(seen, point));
    const isGrave = (point: Point) => point.severity > 0 || point.id === scene.selected;
    const isSquare = inView.length > (scene.moving ? STAMPS_MOVING_MAX : STAMPS_MAX);
    const calm = inView.filter((point) => !isGrave(point));
    if (isSquare) this.#paintDots(camera, calm, scene);
    else this.#paintPoints(camera, calm, scene, false);
    this.#paintClusters(camera, scene.marks.clusters);
    this.#paintPoints(camera, inView.filter(isGrave), scene, isSquare);
    this.#paintNames(camera, scene);
    if (scene.route) this.#paintRoute(camera, scene.route);
    if (scene.crosshair) this.#paintCrosshair(camera, scene);
  }

  #paintBase(camera: Camera) {
    const pen = this.#pen;
    pen.fillStyle = COLOURS.ground;
    pen.fillRect(0, 0, camera.width, camera.height);
    pen.lineJoin = "round";
    const outline = this.#base.outline?.lines ?? [];
    pen.fillStyle = COLOURS.land;
    pen.beginPath();
    for (const ring of outline) {
      for (const { x, y } of ring) pen.lineTo(x * camera.scale + camera.left, y * camera.scale + camera.top);
      pen.closePath();
    }
    pen.fill();
    this.#stroke(camera, this.#base.towns?.lines, COLOURS.townLine, 1);
    pen.lineCap = "round";
    this.#stroke(camera, this.#base.river?.lines, COLOURS.river, riverWidth(camera.zoom));
    pen.lineCap = "butt";
    pen.setLineDash([7, 4]);
    this.#stroke(camera, outline, COLOURS.border, 1.8);
    pen.setLineDash([]);
    if (camera.zoom < VILLAGE_ZOOM_MIN) return;
    const seen = boxOf(camera, REACH_PX);
    const dot = this.#sprites.point(COLOURS.village, 2, 0);
    for (const village of this.#base.villages?.names ?? []) {
      if (holds(seen, village)) this.#stamp(dot, camera, village);
    }
  }

  /** Only the parts of the lines that are seen: far in, the rest would be dashes by the ten thousand. */
  #stroke(camera: Camera, lines: Spot[][] | undefined, colour: string, width: number) {
    const pen = this.#pen;
    const seen = boxOf(camera, REACH_PX);
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    for (const line of lines ?? []) {
      let last: Spot | null = null;
      let drawing = false;
      for (const spot of line) {
        if (last && crosses(seen, last, spot)) {
          if (!drawing) pen.moveTo(last.x * camera.scale + camera.left, last.y * camera.scale + camera.top);
          pen.lineTo(spot.x * camera.scale + camera.left, spot.y * camera.scale + camera.top);
          drawing = true;
        } else drawing = false;
        last = spot;
      }
    }
    pen.stroke();
  }

  /** The bands within the reach of the stations, the lines over them, and where the reach ends. */
  #paintIsolines(camera: Camera, { reach, bands, lines }: Isolines) {
    const pen = this.#pen;
    const trace = (rings: Ring[]) => {
      pen.beginPath();
      for (const ring of rings) {
        ring.forEach(({ x, y }, n) => {
          const [across, down] = [x * camera.scale + camera.left, y * camera.scale + camera.top];
          if (n === 0) pen.moveTo(across, down);
          else pen.lineTo(across, down);
        });
        pen.closePath();
      }
    };
    pen.save();
    trace(reach);
    pen.clip("evenodd");
    pen.globalAlpha = BAND_OPACITY;
    for (const { colour, rings } of bands) {
      trace(rings);
      pen.fillStyle = colour;
      pen.fill("evenodd");
    }
    pen.restore();
    for (const { pieces } of lines) this.#stroke(camera, pieces, COLOURS.isoline, 1.2);
    pen.setLineDash([2, 4]);
    this.#stroke(camera, reach, COLOURS.reach, 1);
    pen.setLineDash([]);
  }

  #paintPoints(
    camera: Camera,
    points: Point[],
    { colourOf, selected, fresh, few }: Scene,
    isSquare: boolean,
  ) {
    const radius = radiusAt(camera, few);
    const rim = few ? FEW_RIM_PX : pointRim(camera.zoom);
    for (const point of points) {
      if (point.severity > 0)
        this.#stamp(this.#sprites.ring(severityColour(point.severity), radius + 5.5), camera, point);
      if (isSquare) {
        const x = point.x * camera.scale + camera.left;
        const y = point.y * camera.scale + camera.top;
        this.#pen.fillStyle = colourOf(point.type);
        this.#pen.fillRect(Math.round(x - radius), Math.round(y - radius), 2 * radius, 2 * radius);
      } else if (fresh.size > 0 && fresh.has(point.id)) {
        this.#stamp(
          this.#sprites.point(colourOf(point.type), radius, Math.max(1.5, rim + 1), COLOURS.fresh),
          camera,
          point,
        );
      } else this.#stamp(this.#sprites.point(colourOf(point.type), radius, rim), camera, point);
      if (point.id === selected) this.#stamp(this.#sprites.selection(radius + 3.5), camera, point);
    }
  }

  /** All at once, by way of a picture in memory. */
  #paintDots(camera: Camera, points: Point[], { colourOf }: Scene) {
    const { width, height } = this.canvas;
    if (width === 0 || height === 0) return;
    if (this.#dots?.width !== width || this.#dots.height !== height) {
      this.#dots = new ImageData(width, height);
      this.#dotsCanvas.width = width;
      this.#dotsCanvas.height = height;
    }
    const dots = new Uint32Array(this.#dots.data.buffer);
    dots.fill(0);
    const ratio = this.#ratio;
    const half = pointRadius(camera.zoom) * ratio;
    const dotOfType = new Map<string, number>();
    for (const { x, y, type } of points) {
      let dot = dotOfType.get(type);
      if (dot === undefined) {
        dot = dotOf(colourOf(type));
        dotOfType.set(type, dot);
      }
      const across = (x * camera.scale + camera.left) * ratio;
      square(dots, width, height, across, (y * camera.scale + camera.top) * ratio, half, dot);
    }
    this.#dotsCanvas.getContext("2d")?.putImageData(this.#dots, 0, 0);
    this.#pen.drawImage(this.#dotsCanvas, 0, 0, width / ratio, height / ratio);
  }

  #paintClusters(camera: Camera, clusters: Cluster[]) {
    const seen = boxOf(camera, REACH_PX);
    for (const cluster of clusters) {
      if (!holds(seen, cluster)) continue;
      const alert = cluster.severity > 0 ? severityColour(cluster.severity) : null;
      this.#stamp(this.#sprites.cluster(cluster.count, alert), camera, cluster);
    }
  }

  #paintNames(camera: Camera, scene: Scene) {
    const pen = this.#pen;
    const labels = this.#layout.get(camera, () =>
      placed(
        this.#names(camera, scene),
        camera,
        (label) => this.#sprites.width(label),
        scene.marks.clusters.map(({ x, y, count }) => ({ x, y, radiusPx: clusterRadius(count) })),
      ),
    );
    const seen = boxOf(camera, 120);
    for (const label of labels) {
      if (!holds(seen, label)) continue;
      const sprite = this.#sprites.label(label);
      if (label.angle === 0) {
        this.#stamp(sprite, camera, label, label.below);
        continue;
      }
      pen.save();
      pen.translate(label.x * camera.scale + camera.left, label.y * camera.scale + camera.top);
      pen.rotate(label.angle);
      pen.drawImage(sprite.picture, -sprite.width / 2, -sprite.height / 2, sprite.width, sprite.height);
      pen.restore();
    }
  }

  /** All names that could be written, the weightiest first. */
  *#names(camera: Camera, { marks, selected, isolines, few }: Scene): Generator<Label> {
    const upright = (kind: LabelKind, named: Named, sizePx: number, below: number): Label => ({
      text: named.name,
      kind,
      sizePx,
      below,
      angle: 0,
      x: named.x,
      y: named.y,
    });
    const below = radiusAt(camera, few) + 12;
    const chosen = marks.singles.find((point) => point.id === selected);
    if (chosen) yield { ...upright("entity", chosen, 11.5, below), orBelow: [-below] };
    if (few)
      for (const point of marks.singles)
        if (point !== chosen) yield { ...upright("entity", point, 12.5, below), orBelow: [-below] };
    const townSize = townNameSize(camera.zoom);
    // A town's middle is where its entities gather: its name makes way for their number.
    const aside = Math.ceil(CLUSTER_RADIUS_MAX + townSize * 0.625 + 3);
    const orBelow = [-aside / 2, aside / 2, -aside, aside];
    for (const town of this.#base.towns?.names ?? [])
      yield { ...upright("town", town, townSize, 0), orBelow };
    for (const { text, pieces } of isolines?.lines ?? []) {
      const width = this.#sprites.width(upright("isoline", { name: text, x: 0, y: 0 }, ISOLINE_VALUE_PX, 0));
      for (const line of pieces)
        yield* along(text, line, camera.scale, width, ISOLINE_VALUE_PX, ISOLINE_VALUES);
    }
    for (const { name, line } of this.#base.river?.along ?? []) {
      const width = this.#sprites.width({ ...upright("river", { name, x: 0, y: 0 }, RIVER_NAME_PX, 0) });
      yield* along(name, line, camera.scale, width, RIVER_NAME_PX);
    }
    if (!few && camera.zoom >= ENTITY_NAME_ZOOM_MIN) {
      for (let i = marks.singles.length - 1; i >= 0; i -= 1)
        yield upright("entity", marks.singles[i] as Point, 11.5, below);
    }
    if (camera.zoom < VILLAGE_NAME_ZOOM_MIN) return;
    for (const village of this.#base.villages?.names ?? []) yield upright("village", village, 11, 11);
  }

  #paintRoute(camera: Camera, { from, stops }: Route) {
    const pen = this.#pen;
    const on = ({ x, y }: Spot) => [x * camera.scale + camera.left, y * camera.scale + camera.top] as const;
    pen.strokeStyle = COLOURS.selected;
    pen.lineWidth = 3;
    pen.setLineDash([8, 5]);
    pen.beginPath();
    for (const spot of from ? [from, ...stops] : stops) pen.lineTo(...on(spot));
    pen.stroke();
    pen.setLineDash([]);
    pen.font = `bold ${ROUTE_NUMBER_PX}px sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const disc = (spot: Spot, fill: string, text: string) => {
      const [x, y] = on(spot);
      pen.beginPath();
      pen.arc(x, y, ROUTE_DISC_PX, 0, 2 * Math.PI);
      pen.fillStyle = fill;
      pen.fill();
      pen.lineWidth = 2;
      pen.strokeStyle = "#fff";
      pen.stroke();
      pen.fillStyle = "#fff";
      pen.fillText(text, x, y);
    };
    // The first on top, should they lie on each other.
    for (let i = stops.length - 1; i >= 0; i -= 1) disc(stops[i] as Spot, COLOURS.selected, String(i + 1));
    if (from) disc(from, COLOURS.fresh, "");
  }

  #paintCrosshair(camera: Camera, { aimed, few }: Scene) {
    const pen = this.#pen;
    const [x, y] = [Math.round(camera.width / 2), Math.round(camera.height / 2)];
    pen.strokeStyle = COLOURS.selected;
    pen.lineWidth = 2;
    pen.beginPath();
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ] as const) {
      pen.moveTo(x + 6 * dx, y + 6 * dy);
      pen.lineTo(x + 16 * dx, y + 16 * dy);
    }
    pen.stroke();
    if (!aimed) return;
    const radius = "count" in aimed ? clusterRadius(aimed.count) + 4 : radiusAt(camera, few) + 4;
    pen.setLineDash([4, 3]);
    pen.beginPath();
    pen.arc(
      aimed.x * camera.scale + camera.left,
      aimed.y * camera.scale + camera.top,
      radius,
      0,
      2 * Math.PI,
    );
    pen.stroke();
    pen.setLineDash([]);
  }

  /** On whole dots of the screen, so that it stays sharp and needs no blending between them. */
  #stamp({ picture, width, height }: Sprite, camera: Camera, { x, y }: Spot, below = 0) {
    const left = x * camera.scale + camera.left - width / 2;
    const top = y * camera.scale + camera.top + below - height / 2;
    const ratio = this.#ratio;
    this.#pen.drawImage(
      picture,
      Math.round(left * ratio) / ratio,
      Math.round(top * ratio) / ratio,
      width,
      height,
    );
  }
}

/** Whether a segment may be seen: its own box meets the screen's. */
function crosses(box: Box, a: Spot, b: Spot): boolean {
  return (
    Math.max(a.x, b.x) >= box.west &&
    Math.min(a.x, b.x) <= box.east &&
    Math.max(a.y, b.y) >= box.north &&
    Math.min(a.y, b.y) <= box.south
  );
}
