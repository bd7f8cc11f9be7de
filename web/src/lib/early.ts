/**
 * Answers that are asked for while the program is still on its way: beside it, not after it. Each is taken once, by the first who
 * reads that address.
 */

/** An answer that was not taken by then is no news any more, milliseconds. */
const KEPT_MS = 10_000;

interface Asked {
  at: number;
  answer: Promise<Response | null>;
}

const asked = new Map<string, Asked>();

/** Asks for the addresses; whatever goes wrong is found out by who asks again. */
export function askEarly(paths: readonly string[]) {
  for (const path of paths) {
    const answer = fetch(path, { credentials: "same-origin", headers: { accept: "application/json" } });
    asked.set(path, {
      at: performance.now(),
      answer: answer.then(
        (response) => (response.ok ? response : null),
        () => null,
      ),
    });
  }
}

/** The answer to that address, null when it was none of use; undefined where nobody asked, or too long ago. */
export function takeEarly(path: string): Promise<Response | null> | undefined {
  const found = asked.get(path);
  asked.delete(path);
  return found && performance.now() - found.at < KEPT_MS ? found.answer : undefined;
}
