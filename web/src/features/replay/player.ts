/** The player's clock: time in, place in the recording out. Pure; it knows no timer. */

/** How fast a recording may be played: city seconds in a second. */
export const SPEEDS = [1, 5, 10, 30, 60, 120, 300, 600] as const;
/** One step of the step buttons, milliseconds of the city's time. */
export const STEP_MS = 10_000;
/** A tick that is late by more, as of a page that slept, counts as this long, milliseconds. */
const TICK_MAX_MS = 1_000;

export interface Player {
  /** Place in the recording, milliseconds from its beginning. */
  readonly at: number;
  readonly playing: boolean;
  readonly speed: number;
  /** When it was last moved, by the page's clock; null while it rests. */
  readonly movedAt: number | null;
  /** Milliseconds of the whole recording. */
  readonly length: number;
}

export function player(length: number): Player {
  return { at: 0, playing: false, speed: 60, movedAt: null, length };
}

/**
 * Moves on to the page's time `now`, never beyond what is loaded: there it waits without losing its place. At the end it
 * rests.
 */
export function tick(p: Player, now: number, loaded: number): Player {
  if (!p.playing) return p;
  const passed = p.movedAt === null ? 0 : Math.min(Math.max(0, now - p.movedAt), TICK_MAX_MS);
  const at = Math.min(p.at + passed * p.speed, Math.max(p.at, Math.min(loaded, p.length)));
  if (at >= p.length) return { ...p, at: p.length, playing: false, movedAt: null };
  return { ...p, at, movedAt: now };
}

export function play(p: Player, now: number): Player {
  // At the end it begins again.
  return { ...p, at: p.at >= p.length ? 0 : p.at, playing: true, movedAt: now };
}

export function pause(p: Player): Player {
  return { ...p, playing: false, movedAt: null };
}

export function jump(p: Player, to: number): Player {
  return { ...p, at: Math.min(Math.max(0, Number.isFinite(to) ? to : 0), p.length) };
}

/** A step rests first: who steps wants to look. */
export function step(p: Player, by: number): Player {
  return jump(pause(p), p.at + by);
}

/** The next speed up or down; the same at an end. */
export function faster(p: Player, by: 1 | -1): Player {
  const here = SPEEDS.findIndex((speed) => speed >= p.speed);
  const next = SPEEDS[Math.min(Math.max(0, here + by), SPEEDS.length - 1)];
  return { ...p, speed: next ?? p.speed };
}
