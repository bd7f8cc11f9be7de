/**
 * Where things lie on the screen. The world is a square from 0 to 1 (web Mercator); a camera says which part of it
 * the screen shows. Pure.
 */

/** Edge of the whole world at zoom 0, pixels. */
const WORLD_PX = 512;

/** How far beyond the city the map can be moved, degrees. */
export const BEYOND_CITY_DEG = 0.6;

/** A place in the world square. */
export interface Spot {
  x: number;
  y: number;
}

/** A rectangle of the world square. */
export interface Box {
  west: number;
  north: number;
  east: number;
  south: number;
}

export interface Camera {
  zoom: number;
  /** Pixels that the whole world would take. */
  scale: number;
  /** Where the world's corner lies from the screen's, pixels. */
  left: number;
  top: number;
  /** The screen, pixels. */
  width: number;
  height: number;
}

export function spotOf(lon: number, lat: number): Spot {
  const sine = Math.sin((lat * Math.PI) / 180);
  return { x: lon / 360 + 0.5, y: 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI) };
}

export function placeOf({ x, y }: Spot): [lon: number, lat: number] {
  return [(x - 0.5) * 360, (Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) * 180) / Math.PI];
}

export const scaleAt = (zoom: number): number => WORLD_PX * 2 ** zoom;

export function cameraAt(centre: Spot, zoom: number, width: number, height: number): Camera {
  const scale = scaleAt(zoom);
  return {
    zoom,
    scale,
    left: width / 2 - centre.x * scale,
    top: height / 2 - centre.y * scale,
    width,
    height,
  };
}

/** What the camera sees, and `marginPx` around it. */
export function boxOf({ scale, left, top, width, height }: Camera, marginPx = 0): Box {
  return {
    west: (-left - marginPx) / scale,
    north: (-top - marginPx) / scale,
    east: (width - left + marginPx) / scale,
    south: (height - top + marginPx) / scale,
  };
}

export const holds = (box: Box, { x, y }: Spot): boolean =>
  x >= box.west && x <= box.east && y >= box.north && y <= box.south;

export const holdsBox = (outer: Box, inner: Box): boolean =>
  outer.west <= inner.west &&
  outer.east >= inner.east &&
  outer.north <= inner.north &&
  outer.south >= inner.south;
