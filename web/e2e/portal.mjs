/**
 * The page of everybody (`/public`): nobody signs in; in both languages, on a desktop and a phone, axe-core finds nothing; the
 * keyboard alone leads to an indicator and its proof; little is loaded. Prints how long it takes from asking for the page to the first
 * figure on a phone whose processor is four times slower.
 */
import { accessible } from "./axe.mjs";
import { DESKTOP, openPage, PHONE } from "./browser.mjs";
import { caller } from "./city-life.mjs";
import { focused, tabTo } from "./keyboard.mjs";

/** How a city must be set for it. */
export const SETTINGS = [
  "portal.open=true",
  "portal.licence=https://creativecommons.org/licenses/by/4.0/",
  "portal.kept_seconds=1",
];
const PAGE = "/public";
const FIGURE = '[data-testid="portal-figure"]';
const OFFERED = '[data-testid="opportunities"] [data-testid="package"]';
const WAIT_MS = 20_000;
/** How often it is looked how long the first figure takes: printed, as other work on the machine may slow it down. */
const ROUNDS = 3;
/** How many times slower the phone's processor is. */
const CPU_SLOWER = 4;
/** What the whole page may weigh on the wire, bytes. */
const BYTES_MAX = 200_000;

/** Throws when the page is wider than its window. */
async function fits(page, what) {
  const [wide, window_] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  if (wide > window_) throw new Error(`${what} is ${wide} px wide in a window of ${window_} px`);
}

/** What the plan office publishes for investors: a project package. `planner`: the password of that name. */
async function offer(base, planner) {
  const office = await caller(base, { username: "planner", password: planner });
  const content = {
    kind: "projects",
    title_zh: "智慧水利项目包",
    title_en: "Smart water projects",
    summary_zh: "汉江沿线水利感知与运维",
    summary_en: "Sensing and operation along the Han",
    contact_zh: "市发改委投资科",
    contact_en: "Development and Reform Commission",
    valid_until: "2099-12-31",
    entries: [
      {
        project: "smart-water",
        sought: ["capital", "operator"],
        words_zh: "寻求测站运维伙伴",
        words_en: "Somebody to run the gauges",
        with_money: true,
      },
    ],
  };
  const { id, version } = await office.call("POST", "/api/v1/investment-packages", { content });
  await office.call("POST", `/api/v1/investment-packages/${id}/publish`, { version });
}

/** Opened, with one indicator that is published and one that is not. */
async function seen(browser, base, language, size) {
  const { page, context, problems } = await openPage(browser, base, { language, size });
  const what = `${PAGE} in ${language} at ${size.width} px`;
  await page.goto(PAGE);
  await page.locator(FIGURE).waitFor({ timeout: WAIT_MS });
  await page.locator(OFFERED).waitFor({ timeout: WAIT_MS });
  await accessible(page, what);
  await fits(page, what);
  for (const standing of ['[data-standing="withheld"]', ':not([data-standing="withheld"])']) {
    const one = page.locator("details", { has: page.locator(`.portal-tag${standing}`) }).first();
    await one.locator("summary").click();
    const shown = standing.startsWith(":") ? "proof" : "withheld";
    await one.locator(`[data-testid="${shown}"]`).waitFor({ timeout: WAIT_MS });
  }
  await accessible(page, `${what}, opened`);
  await fits(page, `${what}, opened`);
  if (problems.length > 0) throw new Error(`${what}: ${problems.join("; ")}`);
  await context.close();
}

/** From the address to a filter, a search, an indicator and its proof, and back to all. */
async function walked(browser, base) {
  const { page, context } = await openPage(browser, base, { language: "en", size: DESKTOP });
  await page.goto(PAGE);
  await page.locator(FIGURE).waitFor({ timeout: WAIT_MS });
  await tabTo(page, ".portal-skip");
  await page.keyboard.press("Enter");
  await focused(page, "#indicators");
  // The list is drawn after the sum, whole.
  await page.locator("details").first().waitFor({ timeout: WAIT_MS });
  const all = await page.locator("details").count();
  await tabTo(page, 'button[data-standing="withheld"]');
  await page.keyboard.press("Space");
  const withheld = await page.locator("details").count();
  if (!(withheld > 0 && withheld < all)) throw new Error(`${withheld} of ${all} are not published`);
  await page.keyboard.press("Space");
  await tabTo(page, 'input[type="search"]');
  await page.keyboard.type("base stations");
  await page.waitForFunction((n) => document.querySelectorAll("details").length < n, all);
  await tabTo(page, "summary");
  await page.keyboard.press("Enter");
  await page.locator('details[open] [data-testid="proof"], details[open] [data-testid="withheld"]').waitFor();
  // A link to one indicator opens it.
  const id = await page.locator("details[open]").getAttribute("data-indicator");
  await page.goto("about:blank");
  await page.goto(`${PAGE}#${id}`);
  await focused(page, `details[open][data-indicator="${id}"] summary`);
  await context.close();
}

/** Milliseconds from asking for the page to the frame in which the first figure stands, and bytes on the wire. */
async function opened(browser, base) {
  const { page, context } = await openPage(browser, base, { size: PHONE });
  await page.addInitScript((figure) => {
    new MutationObserver((_, watch) => {
      if (!document.querySelector(figure)) return;
      watch.disconnect();
      requestAnimationFrame(() =>
        setTimeout(() => {
          window.stoodAfter = performance.now();
        }),
      );
    }).observe(document, { childList: true, subtree: true });
  }, FIGURE);
  const tools = await context.newCDPSession(page);
  await tools.send("Network.enable");
  let bytes = 0;
  tools.on("Network.loadingFinished", ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  await tools.send("Emulation.setCPUThrottlingRate", { rate: CPU_SLOWER });
  await page.goto(PAGE);
  const found = await page.waitForFunction(() => window.stoodAfter, null, { timeout: WAIT_MS });
  const ms = Math.round(await found.jsonValue());
  await context.close();
  return { ms, bytes };
}

export async function portal({ browser, base, planner }) {
  await offer(base, planner);
  for (const language of ["zh", "en"])
    for (const size of [DESKTOP, PHONE]) await seen(browser, base, language, size);
  await walked(browser, base);
  const rounds = [];
  for (let n = 0; n < ROUNDS; n += 1) rounds.push(await opened(browser, base));
  const times = rounds.map(({ ms }) => ms).sort((a, b) => a - b);
  const bytes = Math.max(...rounds.map((round) => round.bytes));
  const median = times[Math.floor(times.length / 2)];
  console.log(
    `      first figure on a phone (${PHONE.width} px, processor ${CPU_SLOWER} times slower): median ${median} ms of ${times.join(", ")}; ${bytes} B on the wire`,
  );
  if (bytes > BYTES_MAX) throw new Error(`${PAGE} loads ${bytes} B, more than ${BYTES_MAX}`);
}
