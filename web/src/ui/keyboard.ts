/** What makes lists and dialogs usable with the keyboard alone. */
import { type KeyboardEvent, useEffect, useRef } from "react";

/** Rows and cards of a list that are reached by the arrow keys. */
const ROW = "[data-row]";

/**
 * The attributes of a row that opens something: Enter or space opens, up and down go to the neighbours, Home and
 * End to the first and the last. `open` hears whether a key did it.
 */
export function openableRow(open: (byKey: boolean) => void) {
  return {
    tabIndex: 0,
    "data-row": "",
    onClick: () => open(false),
    onKeyDown: (event: KeyboardEvent<HTMLElement>) => {
      // A link or a button in the row has its own keys.
      if (event.target !== event.currentTarget) return;
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        open(true);
        return;
      }
      const rows = [...(event.currentTarget.parentElement?.querySelectorAll<HTMLElement>(ROW) ?? [])];
      const next = neighbour(rows, rows.indexOf(event.currentTarget), event.key);
      if (!next) return;
      event.preventDefault();
      next.focus();
    },
  };
}

/** Which of some rows a key leads to: up and down to the neighbours, Home and End to the first and the last. */
export function neighbour<T>(rows: T[], at: number, key: string): T | undefined {
  switch (key) {
    case "ArrowDown":
      return rows[at + 1];
    case "ArrowUp":
      return rows[at - 1];
    case "Home":
      return rows[0];
    case "End":
      return rows.at(-1);
    default:
      return undefined;
  }
}

/**
 * Gives the keyboard back to what opened a dialog when it is gone; when that is gone too, to the page. For dialogs
 * that are taken away together with their state, before they can do so themselves.
 */
export function useFocusBack() {
  const opener = useRef<Element | null>(null);
  opener.current ??= document.activeElement;
  useEffect(
    () => () => {
      requestAnimationFrame(() => {
        const held = document.activeElement;
        if (held && held !== document.body && !held.closest(".ant-modal")) return;
        const back = opener.current?.isConnected ? opener.current : document.getElementById("content");
        (back as HTMLElement | null)?.focus();
      });
    },
    [],
  );
}
