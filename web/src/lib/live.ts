/** The stream of what happens in the city (server-sent events), shared by all pages, with its state. */
import { useEffect, useRef, useSyncExternalStore } from "react";
import type { Alert } from "./types.ts";

export interface LiveEvents {
  entity: { ids: string[]; position: number };
  alert: Alert;
  case: { id: number };
  device: { client_ids: string[] };
  dead_letter: unknown;
  indicator: { id: string; value: number | null };
  approval: { id?: number; status: string };
  notification: Record<string, never>;
  duty: Record<string, never>;
  run: { id: number; definition_id: string };
  project: { id: string };
  form: { id: string; division: string; period: string };
}

export type LiveState = "off" | "connecting" | "live" | "broken";

const NAMES = [
  "entity",
  "alert",
  "case",
  "device",
  "dead_letter",
  "indicator",
  "approval",
  "notification",
  "duty",
  "run",
  "project",
  "form",
] as const;
/** First and longest wait before another attempt to connect, milliseconds. */
const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 15_000;

type Source = Pick<EventSource, "addEventListener" | "close" | "onopen" | "onerror">;

/** One connection; it reconnects for ever, and tells its listeners when it is back. */
export class Live {
  #state: LiveState = "off";
  #source: Source | null = null;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #retryMs = RETRY_FIRST_MS;
  /** Whether something may have been missed: it was open before, or could not be opened. */
  #mayHaveMissed = false;
  readonly #stateListeners = new Set<() => void>();
  readonly #backListeners = new Set<() => void>();
  readonly #listeners: { [E in keyof LiveEvents]: Set<(event: LiveEvents[E]) => void> } = {
    entity: new Set(),
    alert: new Set(),
    case: new Set(),
    device: new Set(),
    dead_letter: new Set(),
    indicator: new Set(),
    approval: new Set(),
    notification: new Set(),
    duty: new Set(),
    run: new Set(),
    project: new Set(),
    form: new Set(),
  };

  constructor(private readonly connect: () => Source = () => new EventSource("/api/v1/events")) {}

  get state(): LiveState {
    return this.#state;
  }

  start() {
    if (this.#source || this.#retry) return;
    this.#open();
  }

  stop() {
    this.#source?.close();
    this.#source = null;
    if (this.#retry) clearTimeout(this.#retry);
    this.#retry = null;
    this.#mayHaveMissed = false;
    this.#set("off");
  }

  on<E extends keyof LiveEvents>(name: E, listener: (event: LiveEvents[E]) => void): () => void {
    this.#listeners[name].add(listener);
    return () => this.#listeners[name].delete(listener);
  }

  /** Called after a broken connection is back: what happened meanwhile was missed. */
  onBack(listener: () => void): () => void {
    this.#backListeners.add(listener);
    return () => this.#backListeners.delete(listener);
  }

  onState = (listener: () => void): (() => void) => {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  };

  #open() {
    if (this.#state === "off") this.#set("connecting");
    const source = this.connect();
    this.#source = source;
    source.onopen = () => {
      this.#retryMs = RETRY_FIRST_MS;
      const back = this.#mayHaveMissed;
      this.#mayHaveMissed = true;
      this.#set("live");
      if (back) for (const listener of this.#backListeners) listener();
    };
    source.onerror = () => {
      source.close();
      if (this.#source !== source) return;
      this.#source = null;
      this.#mayHaveMissed = true;
      this.#set("broken");
      this.#retry = setTimeout(() => {
        this.#retry = null;
        this.#open();
      }, this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
    };
    // The server could not keep up and left events out: the same as a broken connection.
    source.addEventListener("lost", () => {
      for (const listener of this.#backListeners) listener();
    });
    for (const name of NAMES) {
      source.addEventListener(name, (message) => this.#tell(name, (message as MessageEvent<string>).data));
    }
  }

  #tell<E extends keyof LiveEvents>(name: E, data: string) {
    let event: LiveEvents[E];
    try {
      event = JSON.parse(data) as LiveEvents[E];
    } catch {
      return; // A half-written line at the end of a connection; the next refresh brings the state.
    }
    for (const listener of this.#listeners[name]) listener(event);
  }

  #set(state: LiveState) {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#stateListeners) listener();
  }
}

/** The pages' one connection. */
export const live = new Live();

/** Keeps the connection while the component is on the page. */
export function useConnected() {
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, []);
}

export function useLiveState(): LiveState {
  return useSyncExternalStore(live.onState, () => live.state);
}

/** Calls `listener` for every event of that name while the component is on the page. */
export function useLive<E extends keyof LiveEvents>(name: E, listener: (event: LiveEvents[E]) => void) {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => live.on(name, (event) => latest.current(event)), [name]);
}

/** Runs `work` at once, then at most once in `intervalMs`; the last call is never lost. */
export function throttle(intervalMs: number, work: () => void): (() => void) & { cancel: () => void } {
  let last = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | null = null;
  const run = () => {
    timer = null;
    last = performance.now();
    work();
  };
  const call = () => {
    if (timer) return;
    const wait = last + intervalMs - performance.now();
    if (wait <= 0) run();
    else timer = setTimeout(run, wait);
  };
  call.cancel = () => {
    if (timer) clearTimeout(timer);
    timer = null;
  };
  return call;
}
