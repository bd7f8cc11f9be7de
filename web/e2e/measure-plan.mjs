/**
 * The plan page on a phone: 390 × 844, touch, the processor as it is and four times slower. Prints as JSON how long it takes from the
 * moment at which the address is asked for until the first figures are on the screen, and until the program is there and shows them
 * itself: opened for the first time, again (the pages and the connection kept by the browser), and the same of the page of an indicator;
 * and of an indicator that is tapped in the list. Each moment is that after the frame in which it came.
 * `node e2e/measure-plan.mjs --city DIR [--url http://…] [--rounds 7] [--cpu 1,4]`
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { launch, PHONE } from "./browser.mjs";
import { caller } from "./city-life.mjs";

const WAIT_MS = 60_000;
/** What stands when figures are there, drawn by whom ever; when the program shows the list; when it shows the path of an indicator. */
const STANDS = { figures: ".plan-figure strong", list: "#root .path-bar", indicator: "#root canvas" };

const { values } = parseArgs({
  options: {
    city: { type: "string" },
    url: { type: "string" },
    rounds: { type: "string", default: "7" },
    cpu: { type: "string", default: "1,4" },
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
        requestAnimationFrame(() =>
          setTimeout(() => {
            window.stood[what] = performance.now();
          }),
        );
      }
    }).observe(document, { childList: true, subtree: true });
  }, STANDS);
  return context;
}

async function tab(context, cpu) {
  const page = await context.newPage();
  const tools = await context.newCDPSession(page);
  await tools.send("Emulation.setCPUThrottlingRate", { rate: cpu });
  return page;
}

const stood = async (page, what) => {
  const found = await page.waitForFunction((one) => window.stood[one], what, { timeout: WAIT_MS });
  return found.jsonValue();
};

/** From the moment at which the address is asked for: until figures stand, and until the program shows them. */
async function opened(context, cpu, path, what) {
  const page = await tab(context, cpu);
  await page.goto(path, { waitUntil: "commit" });
  const program = await stood(page, what);
  const figures = await stood(page, "figures");
  await page.close();
  return { figures, program };
}

/** From the tap on a link of a page that stands already. */
async function tapped(context, cpu, from, link, what) {
  const page = await tab(context, cpu);
  await page.goto(from);
  await page.locator(`#root ${link}`).first().waitFor({ timeout: WAIT_MS });
  await page.waitForLoadState("networkidle");
  await page.evaluate(() => {
    window.stood = {};
  });
  const began = await page
    .locator(`#root ${link}`)
    .first()
    .evaluate((element) => {
      element.click();
      return performance.now();
    });
  const ms = (await stood(page, what)) - began;
  await page.close();
  return { program: ms };
}

const { indicators } = await planner.call("GET", "/api/v1/plan");
const one = indicators.find(({ method, value }) => method === "computed" && value !== null) ?? indicators[0];
const LINK = `a[href="/plan/${one.id}"]`;

/** Every way to come to the page, one after another on a phone that never was here. */
async function round(cpu) {
  const context = await phone();
  const times = {
    first: await opened(context, cpu, "/plan", "list"),
    again: await opened(context, cpu, "/plan", "list"),
    indicator: await opened(context, cpu, `/plan/${one.id}`, "indicator"),
    "indicator-tapped": await tapped(context, cpu, "/plan", LINK, "indicator"),
  };
  await context.close();
  return times;
}

const summary = (all) => {
  const sorted = all.map(Math.round).sort((a, b) => a - b);
  return { median_ms: sorted[Math.floor(sorted.length / 2)], all_ms: sorted };
};
const measured = {};
for (const cpu of values.cpu.split(",").map(Number)) {
  const rounds = [];
  for (let n = 0; n < Number(values.rounds); n += 1) rounds.push(await round(cpu));
  measured[`cpu_${cpu}`] = Object.fromEntries(
    Object.entries(rounds[0]).map(([way, moments]) => [
      way,
      Object.fromEntries(
        Object.keys(moments).map((moment) => [moment, summary(rounds.map((each) => each[way][moment]))]),
      ),
    ]),
  );
}
await browser.close();
console.log(JSON.stringify({ indicators: indicators.length, ...measured }, null, 2));
