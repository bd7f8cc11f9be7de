/** When a reservation can begin and how long it can be, in steps. Times are milliseconds. Pure. */
import { shortTime, time } from "../../lib/format.ts";
import type { Free, Span } from "./types.ts";

const MINUTE_MS = 60_000;
/** Reservations begin at a quarter of an hour, and are so many quarters long. */
export const STEP_MINUTES = 15;
const STEP_MS = STEP_MINUTES * MINUTE_MS;

/** The lengths that may be asked for, minutes: the shortest, then whole steps up to the longest. */
export function lengthsOf({ minutes_min: least, minutes_max: most }: Free): number[] {
  const first = Math.ceil(least / STEP_MINUTES) * STEP_MINUTES;
  const steps = first > most ? 0 : Math.floor((most - first) / STEP_MINUTES) + 1;
  const whole = Array.from({ length: steps }, (_, n) => first + n * STEP_MINUTES);
  return whole.length > 0 ? whole : [least];
}

export const isTaken = (busy: readonly Span[], from: number, until: number): boolean =>
  busy.some((one) => Date.parse(one.from) < until && Date.parse(one.to) > from);

export interface Begin {
  at: number;
  isTaken: boolean;
}

/** Every begin from now on that may be asked for; those at which the length would meet somebody else's are taken. */
export function beginsOf({ busy, ahead_hours_max: hours }: Free, minutes: number, now: number): Begin[] {
  const first = Math.ceil(now / STEP_MS) * STEP_MS;
  const last = now + hours * 60 * MINUTE_MS;
  const begins: Begin[] = [];
  for (let at = first; at <= last; at += STEP_MS)
    begins.push({ at, isTaken: isTaken(busy, at, at + minutes * MINUTE_MS) });
  return begins;
}

/** The begins of each of the city's days, `YYYY-MM-DD`. */
export function byDay(begins: readonly Begin[]): [day: string, begins: Begin[]][] {
  const days = new Map<string, Begin[]>();
  for (const begin of begins) {
    const day = time(begin.at).slice(0, 10);
    const known = days.get(day);
    if (known) known.push(begin);
    else days.set(day, [begin]);
  }
  return [...days];
}

/** `11-29 18:00–19:30` by the city's clock; without the day today. */
export function spanWord({ from, to }: Span, now: number): string {
  const [first, last] = [time(from), time(to)];
  const until = first.slice(0, 10) === last.slice(0, 10) ? last.slice(11, 16) : last.slice(5, 16);
  return `${shortTime(from, now)}–${until}`;
}
