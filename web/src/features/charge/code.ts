/**
 * What a code on a charge point says: the address of its page (`/charge/at/STATION/OUTLET`), or what a person reads off it,
 * `STATION`, `STATION/OUTLET` or `STATION#OUTLET`. Pure.
 */

/** Longest identity of a station, as the stations' door takes it: 48 characters, none of them a colon. */
const STATION_CHARS_MAX = 48;
const OUTLET_MAX = 99;

export interface Outlet {
  station: string;
  outlet: number;
}

const PATH = /^\/charge\/at\/([^/]+)\/([^/]+)\/?$/;

export function outletOf(text: string): Outlet | null {
  const told = text.trim();
  if (/^https?:\/\//i.test(told)) return ofAddress(told);
  const [, station, outlet] = /^([^\s/#]+)(?:\s*[/#\s]\s*(\d{1,2}))?$/.exec(told) ?? [];
  return station ? checked(station, outlet ?? "1") : null;
}

function ofAddress(text: string): Outlet | null {
  try {
    const [, station, outlet] = PATH.exec(new URL(text).pathname) ?? [];
    return station && outlet ? checked(decodeURIComponent(station), outlet) : null;
  } catch {
    return null; // No address, or one that is wrongly written.
  }
}

/** Station and outlet as they stand in an address of ours. */
export function checked(station: string | undefined, outlet: string | undefined): Outlet | null {
  const number = Number(outlet);
  if (!station || station.length > STATION_CHARS_MAX || station.includes(":")) return null;
  return Number.isInteger(number) && number >= 1 && number <= OUTLET_MAX ? { station, outlet: number } : null;
}
