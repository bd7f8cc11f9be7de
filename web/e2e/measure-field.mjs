/**
 * The field page on a phone: 390 × 844, touch, the processor four times slower, Chromium's "slow 4G" (1.6 Mbit/s down, 0.75 up,
 * 562 ms for each request). Prints as JSON how long it takes until the tasks stand on the screen when it is opened for the first
 * time, again, and without a network, and from a dispatch to the task standing on the phone. Each moment is that of the frame
 * after the page changed.
 * `node e2e/measure-field.mjs --city DIR [--url http://…] [--rounds 5] [--dispatches 20] [--network slow-4g|none] [--cpu 4]`
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { launch, PHONE } from "./browser.mjs";
import { caller } from "./city-life.mjs";
import { dispatchTo } from "./field-offline.mjs";

/** What Chromium's developer tools call so; bytes a second, milliseconds. */
const NETWORKS = {
  "slow-4g": { downloadThroughput: 180_000, uploadThroughput: 84_375, latency: 562.5 },
  none: { downloadThroughput: -1, uploadThroughput: -1, latency: 0 },
};
const WAIT_MS = 120_000;
/** Between two steps of the dispatcher; what the step before set going is over, milliseconds. */
const REST_MS = 3_000;

const { values } = parseArgs({
  options: {
    city: { type: "string" },
    url: { type: "string" },
    rounds: { type: "string", default: "5" },
    dispatches: { type: "string", default: "20" },
    network: { type: "string", default: "slow-4g" },
    cpu: { type: "string", default: "4" },
  },
});
const read = (...path) => JSON.parse(readFileSync(join(values.city, ...path), "utf8"));
const base = values.url ?? `http://${read("run", "addresses.json").http}`;
const people = Object.fromEntries(read("secrets", "first-sign-in.json").map((one) => [one.username, one]));
const duty = await caller(base, people.duty);
const worker = await caller(base, people.field);
const network = { offline: false, ...NETWORKS[values.network] };
const browser = await launch();
const overall = await browser.newBrowserCDPSession();

/** Slows the service workers as well: what they fetch does not pass the page. */
async function slowWorkers(conditions) {
  const { targetInfos } = await overall.send("Target.getTargets");
  for (const { targetId } of targetInfos.filter(({ type }) => type === "service_worker")) {
    const { sessionId } = await overall.send("Target.attachToTarget", { targetId, flatten: false });
    for (const [id, method, params] of [
      [1, "Network.enable", {}],
      [2, "Network.emulateNetworkConditions", conditions],
    ])
      await overall.send("Target.sendMessageToTarget", {
        sessionId,
        message: JSON.stringify({ id, method, params }),
      });
  }
}

async function newPhone() {
  const context = await browser.newContext({
    baseURL: base,
    viewport: PHONE,
    hasTouch: true,
    isMobile: true,
    locale: "zh-CN",
  });
  const [name, value] = worker.headers.cookie.split("=");
  await context.addCookies([{ name, value, url: base, httpOnly: true, sameSite: "Strict" }]);
  await context.addInitScript(() => {
    window.stood = {};
    const look = () => {
      const now = performance.timeOrigin + performance.now();
      for (const one of document.querySelectorAll("article[data-case]"))
        window.stood[one.dataset.case] ??= now;
    };
    let asked = false;
    new MutationObserver(() => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        look();
      });
    }).observe(document, { childList: true, subtree: true });
  });
  return context;
}

async function openTab(context, conditions) {
  const page = await context.newPage();
  const tools = await context.newCDPSession(page);
  await tools.send("Network.enable");
  await tools.send("Network.emulateNetworkConditions", conditions);
  await tools.send("Emulation.setCPUThrottlingRate", { rate: Number(values.cpu) });
  return page;
}

/** When that case stands on the page, milliseconds since 1970. */
async function stands(page, id) {
  const found = await page.waitForFunction((one) => window.stood[one], String(id), {
    timeout: WAIT_MS,
    polling: 100,
  });
  return found.jsonValue();
}

/** How long until the task stands on the screen, from the moment at which the page is asked for. */
async function open(context, id, conditions) {
  await slowWorkers(conditions);
  const page = await openTab(context, conditions);
  await page.goto("/field", { waitUntil: "commit", timeout: WAIT_MS });
  const stood = await stands(page, id);
  return { page, ms: stood - (await page.evaluate(() => performance.timeOrigin)) };
}

const kept = (page) =>
  page.waitForFunction(
    async () => {
      await navigator.serviceWorker.ready;
      return new Promise((resolve) => {
        const opening = indexedDB.open("jingling-kept");
        opening.onsuccess = () => {
          const { result } = opening;
          const tables = [...result.objectStoreNames];
          if (tables.length === 0) return resolve(false);
          const asked = result.transaction("kept").objectStore("kept").get("one");
          asked.onsuccess = () => {
            result.close();
            resolve(asked.result !== undefined);
          };
        };
      });
    },
    null,
    { timeout: WAIT_MS },
  );

const times = { first: [], second: [], offline: [], dispatch: [] };
const id = await dispatchTo(duty, worker.user, `测量·首屏 ${Date.now()}`);
let phone;
let page;
for (let round = 0; round < Number(values.rounds); round += 1) {
  await phone?.close();
  phone = await newPhone();
  const first = await open(phone, id, network);
  times.first.push(first.ms);
  await kept(first.page);
  await first.page.close();
  const second = await open(phone, id, network);
  times.second.push(second.ms);
  await second.page.close();
  const offline = { ...network, offline: true };
  await phone.setOffline(true);
  const third = await open(phone, id, offline);
  times.offline.push(third.ms);
  await third.page.close();
  await phone.setOffline(false);
}
({ page } = await open(phone, id, network));
await page.locator('[data-live="live"]').waitFor({ timeout: WAIT_MS, state: "attached" });
await page.waitForTimeout(3_000);
for (let n = 0; n < Number(values.dispatches); n += 1) {
  // A case stands at the dispatcher's first; the clock runs from the request that dispatches it.
  let sentAt = 0;
  const timed = {
    ...duty,
    call: (method, path, body) => {
      if (body?.action === "dispatch") sentAt = Date.now();
      return duty.call(method, path, body);
    },
  };
  const made = await dispatchTo(timed, worker.user, `测量·派遣 ${n}`, REST_MS);
  times.dispatch.push((await stands(page, made)) - sentAt);
  await page.waitForTimeout(REST_MS);
}
await browser.close();

function spread(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const at = (share) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return { median_ms: at(0.5), p90_ms: at(0.9), p99_ms: at(0.99), count: sorted.length };
}
console.log(
  JSON.stringify(
    {
      phone: { ...PHONE, cpu_slower: Number(values.cpu), network: values.network },
      first_opening: spread(times.first),
      second_opening: spread(times.second),
      opening_without_a_network: spread(times.offline),
      dispatch_to_the_phone: spread(times.dispatch),
    },
    null,
    2,
  ),
);
