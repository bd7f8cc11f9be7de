/**
 * Pages inside another app's web view: `embed=1` in the address leaves the console's header and menu out. It is kept in the
 * address alone, so that the same browser opened by hand has the whole console.
 */
import { useCallback } from "react";
import { useLocation } from "react-router";

const EMBED = "embed";

/** Whether an address's query asks for the page without the console around it. */
export const isEmbedded = (search: string): boolean => new URLSearchParams(search).get(EMBED) === "1";

/** The same way with the flag, after whatever query it has. */
export function embedded(path: string): string {
  const [whole = "", hash] = path.split("#");
  const [address = "", asked = ""] = whole.split("?");
  const parameters = new URLSearchParams(asked);
  parameters.set(EMBED, "1");
  return `${address}?${parameters}${hash === undefined ? "" : `#${hash}`}`;
}

/** Ways within pages that may be embedded: they keep the flag. */
export function useWay(): (path: string) => string {
  const isOn = isEmbedded(useLocation().search);
  return useCallback((path: string) => (isOn ? embedded(path) : path), [isOn]);
}
