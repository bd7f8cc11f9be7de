/** Which stretch is played: from the address, and how it is said. Pure. */
import { time, ZONE_LABEL } from "../../lib/format.ts";
import type { Stretch } from "./queries.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Minutes that a stretch may be chosen to last; the server says when one is too long. */
export const LENGTHS_MIN = [10, 30, 60, 120, 360] as const;

/** The city's zone has no summer time: its clock is the world's and eight hours. */
const OFFSET = "+08:00";

/** The hour before the last full minute. */
export function lastHour(now: number): Stretch {
  const until = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  return { from: new Date(until - HOUR_MS).toISOString(), until: new Date(until).toISOString() };
}

/** What the address names; null when it names no stretch. */
export function stretchOf(from: string | null, until: string | null): Stretch | null {
  const [begin, end] = [new Date(from ?? ""), new Date(until ?? "")];
  if (!(end.getTime() > begin.getTime())) return null;
  return { from: begin.toISOString(), until: end.toISOString() };
}

/** As a field for date and time holds it, in the city's zone: `2026-11-26T08:00`. */
export function toField(iso: string): string {
  return time(iso).slice(0, 16).replace(" ", "T");
}

/** What such a field says; null when it says no time. */
export function fromField(text: string, minutes: number): Stretch | null {
  const begin = new Date(`${text}:00${OFFSET}`).getTime();
  if (Number.isNaN(begin)) return null;
  return {
    from: new Date(begin).toISOString(),
    until: new Date(begin + minutes * MINUTE_MS).toISOString(),
  };
}

export function minutesOf({ from, until }: Stretch): number {
  return Math.round((new Date(until).getTime() - new Date(from).getTime()) / MINUTE_MS);
}

/** `2026-11-26 08:00–09:00 UTC+8`; with both days where they are two. */
export function stretchText({ from, until }: Stretch): string {
  const [begin, end] = [time(from).slice(0, 16), time(until).slice(0, 16)];
  const sameDay = begin.slice(0, 10) === end.slice(0, 10);
  return `${begin}–${sameDay ? end.slice(11) : end} ${ZONE_LABEL}`;
}
