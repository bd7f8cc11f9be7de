/** How the menu stands: wide or narrow, which sections are closed. Remembered on this device. */
import { useSyncExternalStore } from "react";
import { NAV_SECTIONS, type NavSection } from "./navigation.tsx";

const REMEMBERED = "jingling.menu";

/** Up to this width, pixels, the menu is narrow unless its reader said otherwise. */
export const NARROW_WIDTH_MAX = 1199;

interface Shape {
  /** null: as the screen is wide. */
  narrow: boolean | null;
  closed: NavSection[];
}

const media = window.matchMedia(`(max-width: ${NARROW_WIDTH_MAX}px)`);
const listeners = new Set<() => void>();
let shape = remembered();

function remembered(): Shape {
  try {
    const { narrow, closed } = JSON.parse(localStorage.getItem(REMEMBERED) ?? "{}") as Partial<Shape>;
    return {
      narrow: typeof narrow === "boolean" ? narrow : null,
      closed: NAV_SECTIONS.filter((section) => Array.isArray(closed) && closed.includes(section)),
    };
  } catch {
    return { narrow: null, closed: [] }; // Storage may be forbidden, or hold something else.
  }
}

function change(next: Shape) {
  shape = next;
  try {
    localStorage.setItem(REMEMBERED, JSON.stringify(next));
  } catch {
    // Not remembered, but so for now.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  media.addEventListener("change", listener);
  return () => {
    listeners.delete(listener);
    media.removeEventListener("change", listener);
  };
}

/** The menu's shape, and the ways to change it. */
export function useRailShape() {
  const { narrow, closed } = useSyncExternalStore(subscribe, () => shape);
  const isNarrow = useSyncExternalStore(subscribe, () => shape.narrow ?? media.matches);
  return {
    isNarrow: narrow ?? isNarrow,
    setNarrow: (next: boolean) => change({ narrow: next, closed }),
    isOpen: (section: NavSection) => !closed.includes(section),
    toggle: (section: NavSection) =>
      change({
        narrow,
        closed: closed.includes(section) ? closed.filter((each) => each !== section) : [...closed, section],
      }),
  };
}
