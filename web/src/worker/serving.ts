/** What the service worker answers, and how. Pure but for what it is given: caches, network, randomness, timer. */

/** What our caches are called; the version follows. */
export const CACHE_PREFIX = "jingling-pages-";
/** The first page, which every page of the application begins with. */
export const FIRST_PAGE = "/";
/** How long a first page may take over the network before the kept one is shown, milliseconds. */
export const FIRST_PAGE_WAIT_MS = 2_500;
/** Random bytes of a nonce, as many as the server's (CSP Level 3 asks for 16 at least). */
const NONCE_BYTES = 18;

/** What the server answers itself, as `crates/api/src/pages.rs` and the description of its operations have it. */
const OPERATIONS = /^\/(api|ngsi-ld|oauth2|open311|\.well-known|write|healthz|readyz|metrics)(\/|$)/;

export type Answering = "first-page" | "asset" | "network";

/** Who answers a request: the kept first page stands in for a page, kept assets for assets; all else is the server's. */
export function answering(
  request: { method: string; mode: string; url: string },
  origin: string,
  kept: readonly string[],
): Answering {
  const { origin: of, pathname } = new URL(request.url);
  if (request.method !== "GET" || of !== origin || OPERATIONS.test(pathname)) return "network";
  if (request.mode === "navigate") return "first-page";
  return pathname.startsWith("/assets/") || kept.includes(pathname) ? "asset" : "network";
}

/** The newest first page while the network answers in time; without one, or when the server fails, the kept one. */
export async function firstPage(
  network: Promise<Response>,
  kept: () => Promise<Response | undefined>,
  waited: Promise<void>,
): Promise<Response> {
  const usable = network.then(
    (answer) => (answer.status >= 500 ? null : answer),
    () => null,
  );
  const answer = await Promise.race([usable, waited.then(() => null)]);
  return answer ?? (await kept()) ?? network;
}

/** The kept first page with a nonce that nobody has seen: one that was used before could be known. */
export async function withNewNonce(kept: Response, random: (bytes: number) => Uint8Array): Promise<Response> {
  const headers = new Headers(kept.headers);
  const old = /'nonce-([\w-]+)'/.exec(headers.get("content-security-policy") ?? "")?.[1];
  const text = await kept.text();
  // They are of the bytes that came over the network.
  for (const name of ["content-encoding", "content-length"]) headers.delete(name);
  if (!old) return new Response(text, { headers });
  const made = btoa(String.fromCharCode(...random(NONCE_BYTES)))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
  const policy = headers.get("content-security-policy") ?? "";
  headers.set("content-security-policy", policy.replaceAll(old, made));
  return new Response(text.replaceAll(old, made), { headers });
}

/** Whether a first page is of the same build as the assets that are kept with it: it begins with one of them. */
export function isOfSameBuild(page: string, assets: readonly string[]): boolean {
  const wanted = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? "");
  return wanted.length > 0 && wanted.every((path) => assets.includes(path));
}

/**
 * The caches to let go of when a version takes over: all of ours but its own and, while pages are open that may still be of
 * it, the one before. `names` are in the order of their making.
 */
export function outlived(names: readonly string[], own: string, arePagesOpen: boolean): string[] {
  const others = names.filter((name) => name.startsWith(CACHE_PREFIX) && name !== own);
  return arePagesOpen ? others.slice(0, -1) : others;
}
