/**
 * A day of the wall screen in minutes: the real program with its demonstration city, the wall in headless Chromium, and 24
 * hours of the page's own clock with events at a city's pace: every second an `entity` event, every half a minute an alert
 * raised or cleared, every minute a case. Prints as JSON what the page holds at the start, in the middle and at the end, after
 * its rubbish was collected; fails when the end holds more than GROWTH_MAX times the start.
 * `JINGLING_BINARY=… node e2e/measure-wall.mjs [--hours 24] [--size 3840x2160]`
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { launch, openPage, signIn } from "./browser.mjs";

/** The end may hold so many times what the start held. */
const GROWTH_MAX = 1.25;
/** The page's clock goes on by so much at once, seconds: what is due then is done once, and drawn. A frame of the map takes the processor a
 * tenth of a second and more where there is no graphics card, so that a day with a frame for each second would take hours. */
const STEP_S = 300;
/** The page settles before it is measured first, milliseconds. */
const SETTLE_MS = 5_000;
const WAIT_MS = 120_000;

const { values } = parseArgs({
  options: { hours: { type: "string", default: "24" }, size: { type: "string", default: "1920x1080" } },
});
const [width, height] = values.size.split("x").map(Number);
const binary = process.env.JINGLING_BINARY;
if (!binary || !existsSync(binary)) {
  console.error(`JINGLING_BINARY names no program: ${binary}`);
  process.exit(1);
}
const work = mkdtempSync(join(tmpdir(), "jingling-wall-"));
const city = join(work, "city");
execFileSync(binary, ["init", city, "--demo"], { stdio: ["ignore", "ignore", "inherit"] });
const server = spawn(
  binary,
  ["serve", city, ...["http", "mqtt"].flatMap((door) => ["--set", `${door}.listen=127.0.0.1:0`])],
  { stdio: ["ignore", "ignore", "inherit"] },
);
const ended = new Promise((resolve) => server.on("exit", resolve));

/** Where the program listens, once it does. */
async function address() {
  const file = join(city, "run", "addresses.json");
  for (const end = Date.now() + WAIT_MS; Date.now() < end; await sleep(50)) {
    if (server.exitCode !== null) throw new Error(`the city ended with ${server.exitCode}`);
    if (existsSync(file)) return `http://${JSON.parse(readFileSync(file, "utf8")).http}`;
  }
  throw new Error("the city does not listen");
}

/** In place of the server's stream: the measurement tells the page what happens. */
function ownStream() {
  const open = new Set();
  window.EventSource = class extends EventTarget {
    constructor() {
      super();
      open.add(this);
      setTimeout(() => this.onopen?.(), 0);
    }
    close() {
      open.delete(this);
    }
  };
  window.tellAll = (events) => {
    for (const [name, data] of events)
      for (const source of open) source.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
  };
}

let failed = false;
let browser;
try {
  const base = await address();
  const people = JSON.parse(readFileSync(join(city, "secrets", "first-sign-in.json"), "utf8"));
  const duty = people.find((person) => person.username === "duty");
  execFileSync(binary, ["sim", city, "--seconds", "10"], { stdio: "ignore" });
  browser = await launch();
  const { page, context, problems } = await openPage(browser, base, { size: { width, height } });
  await page.addInitScript(ownStream);
  await page.clock.install();
  await signIn(page, duty.username, duty.password);
  await page.goto("/wall");
  await page.waitForSelector('[data-map="ready"]', { timeout: WAIT_MS });
  await page.waitForSelector(".wall-system", { timeout: WAIT_MS });
  await sleep(SETTLE_MS);
  const devtools = await context.newCDPSession(page);
  await devtools.send("Performance.enable");
  const ids = await page.evaluate(async () => (await (await fetch("/api/v1/map/entities")).json()).ids);

  const measured = async () => {
    await devtools.send("HeapProfiler.collectGarbage");
    const { metrics } = await devtools.send("Performance.getMetrics");
    const of = (name) => metrics.find((metric) => metric.name === name).value;
    return {
      heap_mib: Math.round((of("JSHeapUsedSize") / 2 ** 20) * 10) / 10,
      nodes: of("Nodes"),
      listeners: of("JSEventListeners"),
    };
  };

  /** What happens in `STEP_S` seconds from second `from` of the day. */
  const eventsOf = (from) => {
    const events = [];
    for (let second = from; second < from + STEP_S; second += 1) {
      const some = Array.from({ length: 20 }, (_, n) => ids[(second * 20 + n) % ids.length]);
      events.push(["entity", { ids: some, position: second }]);
      if (second % 30 === 0) {
        const at = new Date(Date.now() + second * 1_000).toISOString();
        events.push([
          "alert",
          {
            id: 1_000_000 + second,
            entity_id: some[0],
            severity: ["info", "minor", "major", "critical"][(second / 30) % 4],
            title_zh: `告警 ${second}`,
            title_en: `Alert ${second}`,
            raised_at: at,
            cleared_at: (second / 30) % 2 ? at : null,
          },
        ]);
      }
      if (second % 60 === 0) events.push(["case", { id: second }]);
    }
    return events;
  };

  const seconds = Number(values.hours) * 3_600;
  const start = await measured();
  let middle = start;
  const began = Date.now();
  for (let second = 0; second < seconds; second += STEP_S) {
    await page.evaluate((events) => window.tellAll(events), eventsOf(second));
    await page.clock.fastForward(STEP_S * 1_000);
    if (second <= seconds / 2 && second + STEP_S > seconds / 2) middle = await measured();
    if ((second + STEP_S) % 3_600 === 0)
      console.error(`${(second + STEP_S) / 3_600} h in ${Math.round((Date.now() - began) / 1_000)} s`);
  }
  await sleep(SETTLE_MS);
  const end = await measured();
  const growth = Math.round((end.heap_mib / start.heap_mib) * 100) / 100;
  failed = growth > GROWTH_MAX || problems.some((problem) => problem.startsWith("script"));
  console.log(
    JSON.stringify({
      hours: Number(values.hours),
      took_s: Math.round((Date.now() - began) / 1_000),
      entities: ids.length,
      size: values.size,
      start,
      middle,
      end,
      growth,
      growth_max: GROWTH_MAX,
      problems: problems.slice(0, 5),
    }),
  );
} finally {
  await browser?.close();
  server.kill("SIGINT");
  await ended;
  rmSync(work, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
