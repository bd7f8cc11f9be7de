/**
 * Answers that were asked for before the program was there (`src/first`), handed to it so that nothing is fetched twice. Each is taken
 * once, by the first who reads that address, and only while it is news; after any change none is.
 */

/** After this an answer is no news any more, milliseconds. As long as a query of the pages counts as fresh. */
const NEWS_MS = 10_000;

interface Asked {
  /** When it was asked for, milliseconds since the page was opened. */
  at: number;
  /** What the answer says; undefined where there is none to use: the program then asks itself, and tells what is wrong. */
  answer: Promise<unknown>;
}

declare global {
  var jinglingEarly: Map<string, Asked> | undefined;
}

/** Asks, without any copy that this browser may keep: what another person read here is not for who reads now. */
export function askEarly(path: string): Promise<unknown> {
  const answer = fetch(path, {
    credentials: "same-origin",
    cache: "no-store",
    priority: "high",
    headers: { accept: "application/json" },
  }).then(
    (response) => (response.ok ? response.json().catch(() => undefined) : undefined),
    () => undefined,
  );
  globalThis.jinglingEarly ??= new Map();
  globalThis.jinglingEarly.set(path, { at: performance.now(), answer });
  return answer;
}

/** What was asked for early at that address; undefined when nothing was, or not of late. */
export function takeEarly(path: string): Promise<unknown> | undefined {
  const asked = globalThis.jinglingEarly?.get(path);
  if (!asked) return undefined;
  globalThis.jinglingEarly?.delete(path);
  return performance.now() - asked.at < NEWS_MS ? asked.answer : undefined;
}

/** Lets go of all that was not taken: something changes, maybe who is signed in. */
export function forgetEarly() {
  globalThis.jinglingEarly?.clear();
}
