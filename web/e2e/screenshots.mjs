/**
 * Photographs every page, in Chinese and English, on a desktop and a phone.
 * `JINGLING_URL=http://127.0.0.1:PORT JINGLING_USER=… JINGLING_PASSWORD=… npm run screenshots -- [page …] [--out DIR]`
 * Without JINGLING_URL it photographs the made-up city of `npm run dev` (user `admin`, password `demo`).
 */
import { mkdir } from "node:fs/promises";
import { parseArgs } from "node:util";
import { DESKTOP, launch, openPage, PHONE, signIn } from "./browser.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string", default: "shots" },
    language: { type: "string" },
    size: { type: "string" },
  },
});
const base = process.env.JINGLING_URL ?? "http://127.0.0.1:5173";
const username = process.env.JINGLING_USER ?? "admin";
const password = process.env.JINGLING_PASSWORD ?? "demo";

const first = (page, path) =>
  page.evaluate(async (p) => {
    const answer = await (await fetch(p)).json();
    return (answer.items ?? answer.indicators ?? [])[0];
  }, path);

/** Name → how to get there after sign-in. */
const PAGES = {
  map: async (page) => {
    await page.goto("/map");
    await page.waitForSelector('[data-map="ready"]', { timeout: 30_000 });
  },
  "map-card": async (page) => {
    await page.goto("/map");
    const alert = await first(page, "/api/v1/alerts?state=active");
    await page.goto(`/map?entity=${encodeURIComponent(alert.entity_id)}`);
    await page.waitForSelector('[data-map="ready"]', { timeout: 30_000 });
    await page.waitForTimeout(1_500);
  },
  entity: async (page) => {
    await page.goto("/map");
    const alert = await first(page, "/api/v1/alerts?state=active");
    await page.goto(`/entities/${encodeURIComponent(alert.entity_id)}`);
    await page.waitForSelector("canvas", { timeout: 15_000 });
  },
  provenance: async (page) => {
    await PAGES.entity(page);
    await page.locator('[data-testid="provenance"]').first().click();
    await page.waitForSelector(".raw");
  },
  alerts: (page) => page.goto("/alerts"),
  "alert-case": async (page) => {
    const found = await page.evaluate(async () => {
      const answer = await (await fetch("/api/v1/alerts?state=active")).json();
      return answer.items.find((alert) => alert.case_id === null) ?? answer.items[0];
    });
    await page.goto(`/alerts?alert=${encodeURIComponent(found.id)}`);
    await page.locator('[data-action="alert.open-case"]').first().click();
  },
  cases: (page) => page.goto("/cases"),
  case: async (page) => {
    await page.goto("/cases");
    const found = await first(page, "/api/v1/cases");
    await page.goto(`/cases/${found.id}`);
  },
  field: (page) => page.goto("/field"),
  devices: (page) => page.goto("/devices"),
  "device-add": async (page) => {
    await page.goto("/devices");
    await page.locator('[data-action="device.add"]').first().click();
  },
  "dead-letters": (page) => page.goto("/dead-letters"),
  "dead-letter": async (page) => {
    await page.goto("/dead-letters");
    await page.locator('[data-testid="dead-letter"]').first().click();
    await page.waitForSelector(".raw");
  },
  sql: async (page) => {
    await page.goto("/sql");
    await page.locator('[data-testid="sample"]').first().click();
    await page.keyboard.press("Control+Enter");
  },
  plan: (page) => page.goto("/plan"),
  indicator: async (page) => {
    await page.goto("/plan");
    const found = await first(page, "/api/v1/plan");
    await page.goto(`/plan/${found.id}`);
  },
};

await mkdir(values.out, { recursive: true });
const browser = await launch();
let failures = 0;
for (const language of values.language ? [values.language] : ["zh", "en"]) {
  for (const [sizeName, size] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    if (values.size && values.size !== sizeName) continue;
    const { page, context, problems } = await openPage(browser, base, { language, size });
    const shot = (name) => page.screenshot({ path: `${values.out}/${name}-${language}-${sizeName}.png` });
    await page.goto("/sign-in");
    await page.waitForSelector("#username");
    if (positionals.length === 0 || positionals.includes("sign-in")) await shot("sign-in");
    await signIn(page, username, password);
    for (const [name, go] of Object.entries(PAGES)) {
      if (positionals.length > 0 && !positionals.includes(name)) continue;
      try {
        await go(page);
        await page.waitForTimeout(900);
      } catch (error) {
        failures += 1;
        console.error(`${name}-${language}-${sizeName}: ${error.message.split("\n")[0]}`);
      }
      await shot(name);
      for (const problem of problems.splice(0)) {
        failures += 1;
        console.error(`${name}-${language}-${sizeName}: ${problem}`);
      }
    }
    await context.close();
  }
}
await browser.close();
process.exitCode = failures > 0 ? 1 : 0;
