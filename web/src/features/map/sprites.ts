/** Small pictures drawn once and stamped many times: points, rings, clusters and names. */

import type { Label } from "./labels.ts";
import { COLOURS, clusterRadius, FONT, LABEL_STYLES } from "./style.ts";

/** Pictures kept at most; then all are drawn anew as they are needed. */
const KEPT_MAX = 3_000;
const RING_WIDTH = 2.2;
const HALO_WIDTH = 3;

export interface Sprite {
  picture: HTMLCanvasElement;
  /** Size on the screen, pixels. */
  width: number;
  height: number;
}

export class Sprites {
  readonly #kept = new Map<string, Sprite>();
  readonly #widths = new Map<string, number>();
  readonly #ruler = document.createElement("canvas").getContext("2d");
  #ratio = 1;

  /** How many dots of the screen a pixel has. */
  set ratio(ratio: number) {
    if (ratio === this.#ratio) return;
    this.#ratio = ratio;
    this.#kept.clear();
  }

  point(colour: string, radius: number, rim: number, rimColour = COLOURS.rim): Sprite {
    return this.#get(`p ${colour} ${radius} ${rim} ${rimColour}`, 2 * (radius + rim) + 2, (pen, middle) => {
      if (rim > 0) disc(pen, middle, radius + rim, rimColour);
      disc(pen, middle, radius, colour);
    });
  }

  /** Around a point with an alert. */
  ring(colour: string, radius: number): Sprite {
    return this.#get(`r ${colour} ${radius}`, 2 * (radius + RING_WIDTH) + 2, (pen, middle) => {
      pen.globalAlpha = 0.16;
      disc(pen, middle, radius, colour);
      pen.globalAlpha = 1;
      circle(pen, middle, radius, RING_WIDTH, colour);
    });
  }

  selection(radius: number): Sprite {
    return this.#get(`s ${radius}`, 2 * radius + 8, (pen, middle) =>
      circle(pen, middle, radius, 3, COLOURS.selected),
    );
  }

  /** A disc with the number of what it stands for; its edge has the alert's colour, and no other that could be taken for one. */
  cluster(count: number, alert: string | null): Sprite {
    const radius = clusterRadius(count);
    return this.#get(`c ${count} ${alert}`, 2 * radius + 12, (pen, middle) => {
      if (alert) {
        pen.globalAlpha = 0.25;
        disc(pen, middle, radius + 5, alert);
        pen.globalAlpha = 1;
      }
      disc(pen, middle, radius, COLOURS.cluster);
      circle(pen, middle, radius, alert ? 4 : 2, alert ?? COLOURS.clusterEdge);
      pen.fillStyle = COLOURS.clusterNumber;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.font = `600 ${count > 999 ? 11 : 12}px ${FONT}`;
      pen.fillText(shortCount(count), middle, middle + 0.5);
    });
  }

  width(label: Label): number {
    const key = `${label.kind} ${label.sizePx} ${label.text}`;
    let width = this.#widths.get(key);
    if (width === undefined) {
      width = this.#measure(label);
      if (this.#widths.size >= KEPT_MAX) this.#widths.clear();
      this.#widths.set(key, width);
    }
    return width;
  }

  label(label: Label): Sprite {
    const { kind, sizePx, text } = label;
    const width = this.width(label) + 2 * HALO_WIDTH;
    const height = sizePx * 1.5 + HALO_WIDTH;
    const draw = (pen: CanvasRenderingContext2D) => {
      const { colour, halo, spacingPx } = LABEL_STYLES[kind];
      pen.font = `${sizePx}px ${FONT}`;
      pen.letterSpacing = `${spacingPx}px`;
      pen.textBaseline = "middle";
      pen.lineJoin = "round";
      pen.lineWidth = HALO_WIDTH;
      pen.strokeStyle = halo;
      pen.strokeText(text, HALO_WIDTH, height / 2);
      pen.fillStyle = colour;
      pen.fillText(text, HALO_WIDTH, height / 2);
    };
    return this.#keep(`l ${kind} ${sizePx} ${text}`, width, height, draw);
  }

  #measure({ kind, sizePx, text }: Label): number {
    if (!this.#ruler) return text.length * sizePx;
    this.#ruler.font = `${sizePx}px ${FONT}`;
    this.#ruler.letterSpacing = `${LABEL_STYLES[kind].spacingPx}px`;
    return this.#ruler.measureText(text).width;
  }

  #get(key: string, edge: number, draw: (pen: CanvasRenderingContext2D, middle: number) => void): Sprite {
    return this.#keep(key, edge, edge, (pen) => draw(pen, edge / 2));
  }

  #keep(key: string, width: number, height: number, draw: (pen: CanvasRenderingContext2D) => void): Sprite {
    const known = this.#kept.get(key);
    if (known) return known;
    if (this.#kept.size >= KEPT_MAX) this.#kept.clear();
    const picture = document.createElement("canvas");
    picture.width = Math.ceil(width * this.#ratio);
    picture.height = Math.ceil(height * this.#ratio);
    const pen = picture.getContext("2d");
    if (pen) {
      pen.scale(this.#ratio, this.#ratio);
      draw(pen);
    }
    const sprite = { picture, width: picture.width / this.#ratio, height: picture.height / this.#ratio };
    this.#kept.set(key, sprite);
    return sprite;
  }
}

export const shortCount = (count: number): string =>
  count < 10_000 ? String(count) : `${Math.floor(count / 1_000)}k`;

function disc(pen: CanvasRenderingContext2D, middle: number, radius: number, colour: string) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(middle, middle, radius, 0, 2 * Math.PI);
  pen.fill();
}

function circle(
  pen: CanvasRenderingContext2D,
  middle: number,
  radius: number,
  width: number,
  colour: string,
) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  pen.arc(middle, middle, radius, 0, 2 * Math.PI);
  pen.stroke();
}
