/** The service worker as the pages see it: it is asked for on the field page, looked after on every page. */
import { useEffect, useSyncExternalStore } from "react";
import { live } from "./live.ts";

const WORKER = "/sw.js";
/** How often a page that stays open asks for a newer program, milliseconds. */
const ASK_MS = 60 * 60_000;
/** Least time between two reloads because a part of the program was not to be had, milliseconds. */
const RELOAD_MS = 60_000;
const RELOADED = "jingling.reloaded";

let isRenewed = false;
const listeners = new Set<() => void>();

function container(): ServiceWorkerContainer | undefined {
  // Absent without HTTPS; while the pages are being written, nothing is to be kept of them.
  return import.meta.env.PROD ? navigator.serviceWorker : undefined;
}

async function ask() {
  try {
    await (await container()?.getRegistration())?.update();
  } catch {
    // Without a network there is nothing newer.
  }
}

/** Looks after the worker, where this browser has it: when another version takes over, and when to look for one. */
export function watchPages() {
  // After an update of the server, a page that is open may want a part that is gone: the new program has its own.
  window.addEventListener("vite:preloadError", (event) => {
    const last = Number(sessionStorage.getItem(RELOADED));
    if (!navigator.onLine || Date.now() - last < RELOAD_MS) return;
    event.preventDefault();
    sessionStorage.setItem(RELOADED, String(Date.now()));
    window.location.reload();
  });
  const workers = container();
  if (!workers) return;
  let hadOne = workers.controller !== null;
  workers.addEventListener("controllerchange", () => {
    // The first one keeps what is open already.
    if (hadOne) {
      isRenewed = true;
      for (const listener of listeners) listener();
    }
    hadOne = true;
  });
  // A server that was gone for a while may be a newer one.
  live.onBack(() => void ask());
  setInterval(() => void ask(), ASK_MS);
}

/** Lets this browser keep the field page's program, and asks it not to throw away what is entered on it. */
export async function keepPages() {
  try {
    await container()?.register(WORKER);
    await navigator.storage?.persist?.();
  } catch {
    // A browser that keeps nothing still has the page while it is open.
  }
}

function watch(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether a newer program than the one that is open has taken over. */
export function useRenewed(): boolean {
  return useSyncExternalStore(watch, () => isRenewed);
}

/** Loads the newer program when the reader goes to another page: nothing is being entered then. */
export function useRenewal(path: string) {
  const renewed = useRenewed();
  useEffect(() => {
    if (renewed && path) return () => window.location.reload();
  }, [renewed, path]);
}
