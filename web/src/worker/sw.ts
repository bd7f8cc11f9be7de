/**
 * The service worker: keeps the first page and the field page's assets, so that the field page opens without a network.
 * Answers of the API never come from it. It holds nothing of any person.
 *
 * A new version of the program has another list of assets, and so another worker: it fetches its own, whole or not at all,
 * and takes over at once. Assets have a hash in their name, so that a page that is still open gets those of its own build; the
 * first page comes from the server whenever that answers.
 */
import {
  answering,
  CACHE_PREFIX,
  FIRST_PAGE,
  FIRST_PAGE_WAIT_MS,
  firstPage,
  isOfSameBuild,
  outlived,
  withNewNonce,
} from "./serving.ts";

declare const self: ServiceWorkerGlobalScope;
/** Put in by `web/dev/kept-assets.ts`: what is kept, and a digest of it. */
declare const __KEPT_ASSETS__: string[];
declare const __KEPT_VERSION__: string;

const assets = __KEPT_ASSETS__;
const own = `${CACHE_PREFIX}${__KEPT_VERSION__}`;

/** Fetches all that is kept, past the browser's own cache; nothing is kept when the server is of another build already. */
async function install() {
  const page = await fetch(FIRST_PAGE, { cache: "reload", credentials: "omit" });
  if (!page.ok || !isOfSameBuild(await page.clone().text(), assets))
    throw new Error("the first page is of another build than this worker");
  try {
    const cache = await caches.open(own);
    await Promise.all([
      cache.put(FIRST_PAGE, page),
      // What is named by its hash may come from the browser's cache: the page has just loaded most of it.
      cache.addAll(assets.map((path) => new Request(path, { credentials: "omit" }))),
    ]);
  } catch (error) {
    await caches.delete(own);
    throw error;
  }
  await self.skipWaiting();
}

async function activate() {
  const open = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const gone = outlived(await caches.keys(), own, open.length > 0);
  await Promise.all(gone.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function keptFirstPage(): Promise<Response | undefined> {
  const kept = await (await caches.open(own)).match(FIRST_PAGE, { ignoreVary: true });
  return kept && withNewNonce(kept, (bytes) => crypto.getRandomValues(new Uint8Array(bytes)));
}

/** From whichever build's cache has it: its name says what it is. */
async function asset(request: Request): Promise<Response> {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const by = answering(event.request, self.location.origin, assets);
  if (by === "asset") event.respondWith(asset(event.request));
  if (by !== "first-page") return;
  const waited = new Promise<void>((resolve) => setTimeout(resolve, FIRST_PAGE_WAIT_MS));
  event.respondWith(firstPage(fetch(event.request), keptFirstPage, waited));
});
