/**
 * The plan page on a phone: 390 × 844, touch, the processor four times slower. Prints as JSON how long it takes until the figures stand
 * on the screen when the page is opened for the first time, again (the pages kept by the browser), and when one comes to it from another
 * page; the same of the page of an indicator. Each moment is that of the frame after the page changed.
 * `node e2e/measure-plan.mjs --city DIR [--url http://…] [--rounds 7] [--cpu 4]`
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { launch, PHONE } from "./browser.mjs";
import { caller } from "./city-life.mjs";

const WAIT_MS = 60_000;
/** What stands when a page is there: each indicator of the list with its path; the path of one. */
const STANDS = { list: ".path-bar", indicator: "canvas" };

const { values } = parseArgs({
  options: {
    city: { type: "string" },
    url: { type: "string" },
    rounds: { type: "string", default: "7" },
    cpu: { type: "string", default: "4" },
  },
});
const read = (...path) => JSON.parse(readFileSync(join(values.city, ...path), "utf8"));
const base = values.url ?? `http://${read("run", "addresses.json").http}`;
const people = Object.fromEntries(read("secrets", "first-sign-in.json").map((one) => [one.username, one]));
const planner = await caller(base, people.planner);
const browser = await launch();

async function phone() {
  const context = await browser.newContext({
    baseURL: base,
    viewport: PHONE,
    hasTouch: true,
    isMobile: true,
    locale: "zh-CN",
  });
  const [name, value] = planner.headers.cookie.split("=");
  await context.addCookies([{ name, value, url: base, httpOnly: true, sameSite: "Strict" }]);
  await context.addInitScript((selectors) => {
    window.stood = {};
    new MutationObserver(() => {
      for (const [what, selector] of Object.entries(selectors)) {
        if (window.stood[what] !== undefined || document.querySelector(selector) === null) continue;
        window.stood[what] = 0;
        requestAnimationFrame(() => {
          window.stood[what] = performance.now();
        });
      }
    }).observe(document, { childList: true, subtree: true });
  }, STANDS);
  return context;
}

async function tab(context) {
  const page = await context.newPage();
  const tools = await context.newCDPSession(page);
  await tools.send("Emulation.setCPUThrottlingRate", { rate: Number(values.cpu) });
  return page;
}

const stood = async (page, what) => {
  const found = await page.waitForFunction((one) => window.stood[one], what, { timeout: WAIT_MS });
  return found.jsonValue();
};

/** From the moment at which the address is asked for. */
async function opened(context, path, what) {
  const page = await tab(context);
  await page.goto(path, { waitUntil: "commit" });
  const ms = await stood(page, what);
  await page.close();
  return ms;
}

/** From the tap on a link of a page that stands already. */
async function tapped(context, from, link, what) {
  const page = await tab(context);
  await page.goto(from);
  await page.locator(link).first().waitFor({ timeout: WAIT_MS });
  await page.waitForLoadState("networkidle");
  await page.evaluate(() => {
    window.stood = {};
  });
  const began = await page
    .locator(link)
    .first()
    .evaluate((element) => {
      element.click();
      return performance.now();
    });
  const ms = (await stood(page, what)) - began;
  await page.close();
  return ms;
}

const times = { first: [], again: [], indicator: [], "indicator-tapped": [] };
const { indicators } = await planner.call("GET", "/api/v1/plan");
const one = indicators.find(({ method, value }) => method === "computed" && value !== null) ?? indicators[0];
for (let round = 0; round < Number(values.rounds); round += 1) {
  const context = await phone();
  times.first.push(await opened(context, "/plan", "list"));
  times.again.push(await opened(context, "/plan", "list"));
  times.indicator.push(await opened(context, `/plan/${one.id}`, "indicator"));
  times["indicator-tapped"].push(await tapped(context, "/plan", `a[href="/plan/${one.id}"]`, "indicator"));
  await context.close();
}
await browser.close();
const figures = Object.entries(times).map(([name, all]) => {
  const sorted = all.map(Math.round).sort((a, b) => a - b);
  return [name, { median_ms: sorted[Math.floor(sorted.length / 2)], all_ms: sorted }];
});
console.log(
  JSON.stringify(
    { indicators: indicators.length, cpu: Number(values.cpu), ...Object.fromEntries(figures) },
    null,
    2,
  ),
);
