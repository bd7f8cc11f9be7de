/**
 * Many points as squares in a buffer of the screen's dots: a call of the canvas for each costs about a microsecond without a
 * graphics card, a hundred thousand of them a tenth of a second; writing the dots costs a few milliseconds. Pure.
 */

/** `#rrggbb` as a dot of a canvas in memory (little endian: red first). Opaque. */
export function dotOf(colour: string): number {
  const rgb = Number.parseInt(colour.slice(1), 16);
  if (!/^#[0-9a-f]{6}$/i.test(colour)) return 0xff808080;
  return ((0xff << 24) | ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
}

/** Writes a square around a place, in dots; what is outside is cut off. */
export function square(
  dots: Uint32Array,
  width: number,
  height: number,
  x: number,
  y: number,
  half: number,
  dot: number,
) {
  const left = Math.max(0, Math.round(x - half));
  const right = Math.min(width, Math.round(x + half));
  const bottom = Math.min(height, Math.round(y + half));
  if (left >= right) return;
  for (let row = Math.max(0, Math.round(y - half)); row < bottom; row += 1) {
    dots.fill(dot, row * width + left, row * width + right);
  }
}
