/**
 * Takes the four clocks of bench/clocks on a running city, each so many times, and prints them as JSON. A moment is that of the
 * frame after the page changed, so that it was drawn; a click or key counts from when the browser has it.
 * `JINGLING_URL=… JINGLING_PEOPLE='{"duty": {"username": …, "password": …}, "field": …}' node e2e/measure-clocks.mjs [--times 50]`
 */
import { parseArgs } from "node:util";
import { DESKTOP, launch, openPage, PHONE, signIn } from "./browser.mjs";
import { caller } from "./city-life.mjs";
import { dispatchTo } from "./field-offline.mjs";

const WAIT_MS = 60_000;
/** What the standard's tenders ask, divided by ten, milliseconds. */
const AIMS_MS = { locate: 300, map: 500, report: 3_000, task: 1_000 };
/** A person looks before the next step; what the step before set going is over, milliseconds. */
const REST_MS = 700;
/** Without a movement for so long the map is at rest, milliseconds. */
const CALM_MS = 700;

/** Tells this run's cases from those of another on the same city. */
const RUN = Date.now().toString(36);

const { values } = parseArgs({ options: { times: { type: "string", default: "50" } } });
const times = Number(values.times);
const base = process.env.JINGLING_URL;
const people = JSON.parse(process.env.JINGLING_PEOPLE);
const duty = await caller(base, people.duty);
const worker = await caller(base, people.field);
// Whoever takes reports in, at another desk.
const clerk = await caller(base, people.duty);
const browser = await launch();
const open = async (who, size, path) => {
  const { page } = await openPage(browser, base, { language: "zh", size });
  await signIn(page, people[who].username, people[who].password);
  await page.goto(path);
  return page;
};
const rest = (page) => page.waitForTimeout(REST_MS);

async function onMap() {
  const page = await open("duty", DESKTOP, "/map");
  await page.waitForSelector('[data-map="ready"]', { timeout: WAIT_MS });
  await page.waitForFunction(
    () => Number(document.querySelector('[data-testid="map"]').dataset.points) > 0,
    null,
    { timeout: WAIT_MS },
  );
  await page.evaluate(() => {
    window.asked = 0;
    window.stood = 0;
    // The map says its zoom whenever it comes to rest.
    new MutationObserver(() =>
      requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          window.stood = performance.now();
        }),
      ),
    ).observe(document.querySelector('[data-testid="map"]'), { attributeFilter: ["data-zoom"] });
    const note = (event) => {
      window.asked = event.timeStamp;
    };
    for (const kind of ["mousedown", "keydown"]) window.addEventListener(kind, note, { capture: true });
  });
  return page;
}

/** From the last click or key until the map came to rest. */
async function moved(page, act) {
  await page.evaluate(() => {
    window.stood = 0;
  });
  await act();
  // A movement that another took the place of has an end too: it is the last one that counts.
  const took = await page.waitForFunction(
    (calmMs) => window.stood > 0 && performance.now() - window.stood > calmMs && window.stood - window.asked,
    CALM_MS,
    { timeout: WAIT_MS },
  );
  return took.jsonValue();
}

async function locate(page) {
  // A city that was started a moment ago is still being told of its first entities.
  let places = [];
  for (const until = Date.now() + WAIT_MS; places.length === 0; await page.waitForTimeout(500)) {
    if (Date.now() > until) throw new Error("no entity has a name and a place");
    const { items } = await duty.call("GET", `/api/v1/entities?limit=${Math.min(times + 50, 200)}`);
    places = items.filter(({ name, location }) => name && location);
  }
  const search = page.locator(".map-search input");
  const took = { found: [], stood: [], both: [] };
  for (let n = 0; n < times; n += 1) {
    const { name } = places[n % places.length];
    await search.fill("");
    await rest(page);
    await page.evaluate((wanted) => {
      window.hit = 0;
      document.querySelector(".map-search input").addEventListener(
        "input",
        () => {
          window.typed = performance.now();
        },
        { once: true },
      );
      const look = () => {
        if (window.hit) return;
        const all = [...document.querySelectorAll(".ant-select-item-option .search-hit .ellipsis")];
        if (all.some((one) => one.textContent === wanted)) window.hit = performance.now();
      };
      window.hits?.disconnect();
      window.hits = new MutationObserver(() => requestAnimationFrame(look));
      window.hits.observe(document.body, { childList: true, subtree: true, characterData: true });
    }, name);
    await search.focus();
    await page.keyboard.insertText(name);
    const typed = await page.evaluate(() => window.typed);
    const hit = await (await page.waitForFunction(() => window.hit, null, { timeout: WAIT_MS })).jsonValue();
    const option = page.locator(".ant-select-item-option").filter({ hasText: name }).first();
    const stood = await moved(page, () => option.click());
    took.found.push(hit - typed);
    took.stood.push(stood);
    took.both.push(hit - typed + stood);
    await page.keyboard.press("Escape");
    await rest(page);
  }
  return took;
}

async function move(page) {
  const took = { zoom: [], pan: [] };
  const canvas = page.locator(".map-canvas canvas").first();
  for (let n = 0; n < times; n += 1) {
    await canvas.focus();
    took.zoom.push(await moved(page, () => page.keyboard.press(n % 2 ? "-" : "+")));
    await rest(page);
    await canvas.focus();
    took.pan.push(await moved(page, () => page.keyboard.press(n % 2 ? "ArrowLeft" : "ArrowRight")));
    await rest(page);
  }
  return took;
}

/** Notes when each text first stands on a page, milliseconds since 1970. */
const watch = (page, pattern) =>
  page.evaluate((source) => {
    window.shown = {};
    let asked = false;
    const look = () => {
      asked = false;
      const now = performance.timeOrigin + performance.now();
      for (const [word] of document.body.textContent.matchAll(new RegExp(source, "g")))
        window.shown[word] ??= now;
    };
    new MutationObserver(() => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(look);
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
  }, pattern);
const shown = async (page, word) =>
  (
    await page.waitForFunction((one) => window.shown[one], word, { timeout: WAIT_MS, polling: 50 })
  ).jsonValue();
const name = (kind, n) => `${kind}-${RUN}-${String(n).padStart(5, "0")}`;
const live = (page) => page.locator('[data-live="live"]').waitFor({ timeout: WAIT_MS, state: "attached" });

async function report() {
  const page = await open("duty", DESKTOP, "/cases");
  await live(page);
  await watch(page, `report-${RUN}-\\d{5}`);
  const took = [];
  for (let n = 0; n < times; n += 1) {
    const title = name("report", n);
    const begin = Date.now();
    await clerk.call("POST", "/api/v1/cases", {
      title: `市民反映 ${title}`,
      severity: "minor",
      location: [113.165, 30.652],
    });
    took.push((await shown(page, title)) - begin);
    await rest(page);
  }
  await page.context().close();
  return took;
}

async function task() {
  const page = await open("field", PHONE, "/field");
  await live(page);
  await watch(page, `task-${RUN}-\\d{5}`);
  const took = [];
  for (let n = 0; n < times; n += 1) {
    const title = name("task", n);
    let begin = 0;
    const timed = {
      ...duty,
      call: (method, path, body) => {
        if (body?.action === "dispatch") begin = Date.now();
        return duty.call(method, path, body);
      },
    };
    await dispatchTo(timed, worker.user, `派遣 ${title}`, REST_MS);
    took.push((await shown(page, title)) - begin);
    await rest(page);
  }
  await page.context().close();
  return took;
}

function spread(list, aimMs) {
  const sorted = [...list].sort((a, b) => a - b);
  const at = (share) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return {
    median_ms: at(0.5),
    p90_ms: at(0.9),
    p99_ms: at(0.99),
    times: sorted.length,
    ...(aimMs && { aim_ms: aimMs }),
  };
}

const map = await onMap();
const entities = await map.evaluate(() =>
  Number(document.querySelector('[data-testid="map"]').dataset.points),
);
const located = await locate(map);
const moves = await move(map);
await map.context().close();
const reports = await report();
const tasks = await task();
await browser.close();
console.log(
  JSON.stringify({
    entities,
    locate: spread(located.stood, AIMS_MS.locate),
    locate_with_the_search: spread(located.both),
    search_to_hits: spread(located.found),
    map_zoom: spread(moves.zoom, AIMS_MS.map),
    map_pan: spread(moves.pan, AIMS_MS.map),
    report_to_the_centre: spread(reports, AIMS_MS.report),
    task_to_the_field_page: spread(tasks, AIMS_MS.task),
  }),
);
