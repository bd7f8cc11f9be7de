/** Which names are written on the map, so that none lies over another or over a cluster's number. Pure. */
import { type Box, boxOf, type Camera, holds, holdsBox, type Spot } from "./camera.ts";

/** A style of writing; `paint.ts` knows their colours. */
export type LabelKind = "town" | "river" | "isoline" | "entity" | "village";

export interface Label extends Spot {
  text: string;
  kind: LabelKind;
  sizePx: number;
  /** The writing's middle lies so far below the place, pixels. */
  below: number;
  /** Where else it may stand when that place is taken, in the same measure; the nearest first. */
  orBelow?: readonly number[];
  /** Turned by this much, clockwise. */
  angle: number;
}

/** A round mark that no name may lie over. */
export interface Mark extends Spot {
  radiusPx: number;
}

/** Names are laid out for this much more than the screen on every side, so that dragging needs no new layout. */
const MARGIN_PX = 400;
/** Air around a name, pixels. */
const AIR_PX = 3;
/** A change of zoom below this leaves the layout as it is. */
const ZOOM_STEP = 0.02;

/** The names that fit beside the marks and each other, earlier ones first; `widthOf` measures a text. */
export function placed(
  labels: Iterable<Label>,
  camera: Camera,
  widthOf: (label: Label) => number,
  marks: Iterable<Mark> = [],
): Label[] {
  const seen = boxOf(camera, MARGIN_PX);
  const taken = new Taken();
  for (const mark of marks) {
    if (!holds(seen, mark)) continue;
    const x = mark.x * camera.scale + camera.left;
    const y = mark.y * camera.scale + camera.top;
    const { radiusPx } = mark;
    taken.mark({ west: x - radiusPx, east: x + radiusPx, north: y - radiusPx, south: y + radiusPx });
  }
  const kept: Label[] = [];
  for (const label of labels) {
    if (!holds(seen, label)) continue;
    const width = widthOf(label);
    const height = label.sizePx * 1.25;
    const across = Math.abs(width * Math.cos(label.angle)) + Math.abs(height * Math.sin(label.angle));
    const down = Math.abs(width * Math.sin(label.angle)) + Math.abs(height * Math.cos(label.angle));
    const x = label.x * camera.scale + camera.left;
    const y = label.y * camera.scale + camera.top;
    const fits = [label.below, ...(label.orBelow ?? [])].find((below) =>
      taken.take({
        west: x - across / 2 - AIR_PX,
        east: x + across / 2 + AIR_PX,
        north: y + below - down / 2 - AIR_PX / 2,
        south: y + below + down / 2 + AIR_PX / 2,
      }),
    );
    if (fits !== undefined) kept.push(fits === label.below ? label : { ...label, below: fits });
  }
  return kept;
}

/** Keeps a layout as long as it serves. */
export class Layout {
  #labels: Label[] | null = null;
  #zoom = 0;
  #box: Box | null = null;

  /** The names were changed. */
  forget() {
    this.#labels = null;
  }

  get(camera: Camera, make: () => Label[]): Label[] {
    const serves =
      this.#labels &&
      this.#box &&
      Math.abs(camera.zoom - this.#zoom) < ZOOM_STEP &&
      holdsBox(this.#box, boxOf(camera, MARGIN_PX / 8));
    if (serves && this.#labels) return this.#labels;
    this.#labels = make();
    this.#zoom = camera.zoom;
    this.#box = boxOf(camera, MARGIN_PX);
    return this.#labels;
  }
}

/** Edge of the cells in which taken boxes are looked up, pixels. */
const CELL_PX = 96;

class Taken {
  readonly #cells = new Map<string, Box[]>();

  /** Takes the room when it is free. */
  take(box: Box): boolean {
    const cells = this.#under(box);
    if (cells.some((cell) => cell.some((other) => meet(other, box)))) return false;
    for (const cell of cells) cell.push(box);
    return true;
  }

  /** Takes the room whatever else is there. */
  mark(box: Box) {
    for (const cell of this.#under(box)) cell.push(box);
  }

  #under(box: Box): Box[][] {
    const cells: Box[][] = [];
    for (let row = Math.floor(box.north / CELL_PX); row <= Math.floor(box.south / CELL_PX); row += 1) {
      for (
        let column = Math.floor(box.west / CELL_PX);
        column <= Math.floor(box.east / CELL_PX);
        column += 1
      ) {
        const key = `${column}:${row}`;
        let cell = this.#cells.get(key);
        if (!cell) {
          cell = [];
          this.#cells.set(key, cell);
        }
        cells.push(cell);
      }
    }
    return cells;
  }
}

const meet = (a: Box, b: Box): boolean =>
  a.west < b.east && b.west < a.east && a.north < b.south && b.north < a.south;

/** Distance between two writings of a line's name, pixels. */
const ALONG_SPACING_PX = 480;

/** How a name is written along a line: in which style, how far from each other, and how far from the line's beginning the first. */
export interface Along {
  kind: LabelKind;
  spacingPx: number;
  firstPx: number;
}
const RIVER_NAMES: Along = { kind: "river", spacingPx: ALONG_SPACING_PX, firstPx: ALONG_SPACING_PX / 2 };

/** The names that follow a line, as labels turned with it. */
export function along(
  name: string,
  line: Spot[],
  scale: number,
  widthPx: number,
  sizePx: number,
  { kind, spacingPx, firstPx }: Along = RIVER_NAMES,
): Label[] {
  const made: Label[] = [];
  const lengths = [0];
  for (let i = 1; i < line.length; i += 1) {
    const [a, b] = [line[i - 1] as Spot, line[i] as Spot];
    lengths.push((lengths[i - 1] as number) + Math.hypot(b.x - a.x, b.y - a.y) * scale);
  }
  const whole = lengths.at(-1) ?? 0;
  let from = 0;
  const at = (px: number): Spot => {
    while (from < lengths.length - 2 && (lengths[from + 1] as number) < px) from += 1;
    while (from > 0 && (lengths[from] as number) > px) from -= 1;
    const [a, b] = [line[from] as Spot, line[from + 1] as Spot];
    const part =
      (px - (lengths[from] as number)) / ((lengths[from + 1] as number) - (lengths[from] as number) || 1);
    return { x: a.x + (b.x - a.x) * part, y: a.y + (b.y - a.y) * part };
  };
  for (let middle = firstPx; middle + widthPx / 2 < whole; middle += spacingPx) {
    const begin = at(middle - widthPx / 2);
    const end = at(middle + widthPx / 2);
    let angle = Math.atan2(end.y - begin.y, end.x - begin.x);
    if (angle > Math.PI / 2) angle -= Math.PI;
    if (angle < -Math.PI / 2) angle += Math.PI;
    made.push({
      text: name,
      kind,
      sizePx,
      below: 0,
      angle,
      x: (begin.x + end.x) / 2,
      y: (begin.y + end.y) / 2,
    });
  }
  return made;
}
