/** What the wall screen says of itself: is it live, are its figures fresh, when does its session end, what comes first. Pure. */

import type { LiveState } from "../../lib/live.ts";
import type { Alert, CaseCounts } from "../../lib/types.ts";

/** A stream that is away for longer than this is said to be, milliseconds: a blink is no news. */
export const BROKEN_AFTER_MS = 3_000;
/** Figures that are older are greyed, milliseconds: three times as old as they are read again. */
export const STALE_AFTER_MS = 30_000;
/** The end of the session is said loudly from this long before, milliseconds. */
export const SESSION_SOON_MS = 30 * 60_000;
/** Alerts that stand on the wall. */
export const ALERTS_SHOWN_MAX = 8;

export interface Connection {
  isLive: boolean;
  /** Whole seconds since it was last live. */
  seconds: number;
}

/** `lostAt` is when the stream was last known to be live; null while it is. */
export function connectionOf(state: LiveState, lostAt: number | null, now: number): Connection {
  const awayMs = lostAt === null ? 0 : Math.max(0, now - lostAt);
  return { isLive: state === "live" || awayMs < BROKEN_AFTER_MS, seconds: Math.floor(awayMs / 1_000) };
}

/** Whether what was read at `readAt` is too old to be taken for now; what was never read is. */
export function isStale(readAt: number, now: number, afterMs = STALE_AFTER_MS): boolean {
  return readAt === 0 || now - readAt > afterMs;
}

const RANK = { critical: 3, major: 2, minor: 1, info: 0 } as const;

/** The worst first, of the same severity the newest; so many at most. */
export function worstFirst(alerts: readonly Alert[], most = ALERTS_SHOWN_MAX): Alert[] {
  const order = (a: Alert, b: Alert) => RANK[b.severity] - RANK[a.severity] || b.id - a.id;
  return [...alerts].sort(order).slice(0, most);
}

export interface SessionEnd {
  level: "fine" | "soon" | "over";
  /** Minutes until then, rounded down; 0 when it is over. */
  minutes: number;
}

export function sessionEndOf(expiresAt: string, now: number): SessionEnd {
  const leftMs = new Date(expiresAt).getTime() - now;
  if (!(leftMs > 0)) return { level: "over", minutes: 0 };
  return { level: leftMs < SESSION_SOON_MS ? "soon" : "fine", minutes: Math.floor(leftMs / 60_000) };
}

/** The steps of a case in the order of the standard workflow; states of other workflows follow by name. */
export function stepsInOrder(cases: CaseCounts, order: readonly string[]): CaseCounts["states"] {
  const place = (state: string) => (order.includes(state) ? order.indexOf(state) : order.length);
  return [...cases.states].sort((a, b) => place(a.state) - place(b.state) || a.state.localeCompare(b.state));
}

/** Where an arrow key moves among `count` things in rows of `columns`; the same place at an edge. */
export function movedBy(key: string, at: number, count: number, columns: number): number {
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[key] ?? 0;
  const next = at + step;
  return next >= 0 && next < count ? next : at;
}
