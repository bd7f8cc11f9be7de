/**
 * A newer program takes the older one's place while a phone has it open. A door in front of the server makes another build of
 * its pages: the first script has another name, and the old name is gone.
 */
import { createServer, request } from "node:http";
import { join } from "node:path";
import { openPhone, signIn } from "./browser.mjs";

const WAIT_MS = 30_000;
const ENTRY = /\/assets\/index-[\w-]+\.js/;
/** The version in the worker: the digest that its cache is named by. */
const VERSION = /[0-9a-f]{16}/;

/** Listens before the server at `base` until `close`; `renew` makes it a newer one and cuts what is open, as a restart does. */
async function door(base) {
  const target = new URL(base);
  const first = await (await fetch(base)).text();
  const old = ENTRY.exec(first)?.[0];
  if (!old) throw new Error(`the first page has no script of its own: ${first}`);
  const newer = old.replace(".js", "-newer.js");
  let isNewer = false;
  const open = new Set();
  const server = createServer((from, to) => {
    const isPage = isNewer && (from.headers.accept?.includes("text/html") || /^\/(sw\.js)?$/.test(from.url));
    if (isNewer && from.url === old) {
      to.writeHead(404);
      return to.end();
    }
    const path = isNewer && from.url === newer ? old : from.url;
    const headers = isPage ? { ...from.headers, "accept-encoding": "identity" } : from.headers;
    const { hostname: host, port } = target;
    const asked = request({ host, port, path, method: from.method, headers }, (answer) => {
      if (!isPage) {
        to.writeHead(answer.statusCode, answer.headers);
        return answer.pipe(to);
      }
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => {
        const text = Buffer.concat(parts).toString().replaceAll(old, newer);
        const made = from.url === "/sw.js" ? text.replace(VERSION, "feedfeedfeedfeed") : text;
        const { "content-length": _, "transfer-encoding": __, ...rest } = answer.headers;
        to.writeHead(answer.statusCode, rest);
        to.end(made);
      });
    });
    asked.on("error", () => to.destroy());
    to.on("close", () => asked.destroy());
    from.pipe(asked);
  });
  server.on("connection", (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    old,
    newer,
    renew() {
      isNewer = true;
      cut();
    },
    close() {
      server.close();
      cut();
    },
  };
}

const scriptOf = (page) =>
  page.evaluate(() => new URL(document.querySelector("script[type=module]").src).pathname);

export async function newVersion({ base, people, folder }) {
  const before = await door(base);
  const context = await openPhone(join(folder, "phone-new-version"), before.base);
  try {
    const page = await context.newPage();
    await signIn(page, "field", people.field);
    await page.goto("/field");
    await page.locator("h1").waitFor({ timeout: WAIT_MS });
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null, null, { timeout: WAIT_MS });
    await page.locator('[data-live="live"]').waitFor({ timeout: WAIT_MS, state: "attached" });
    if ((await scriptOf(page)) !== before.old) throw new Error("the first program is not the old one");

    // The page hears that the server was away, and finds the newer worker. What is open stays as it is until the reader agrees.
    before.renew();
    await page.locator('[data-testid="renew"]').waitFor({ timeout: WAIT_MS });
    if ((await scriptOf(page)) !== before.old) throw new Error("the page was taken away from its reader");
    const isKept = await page.evaluate((path) => fetch(path).then((answer) => answer.ok), before.old);
    if (!isKept) throw new Error("the page that is open lost its own build");
    await page.locator('[data-testid="renew"]').click();
    await page.waitForFunction(
      (path) => document.querySelector("script[type=module]")?.src.endsWith(path),
      before.newer,
      {
        timeout: WAIT_MS,
      },
    );
    await page.locator("h1").waitFor({ timeout: WAIT_MS });
    await page.close();

    // And without a network it is the newer one too.
    await context.setOffline(true);
    const again = await context.newPage();
    await again.goto("/field");
    await again.locator("h1").waitFor({ timeout: WAIT_MS });
    if ((await scriptOf(again)) !== before.newer) throw new Error("an old page opened without a network");
  } finally {
    await context.close();
    before.close();
  }
}
