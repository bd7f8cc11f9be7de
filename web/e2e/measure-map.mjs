/**
 * Pans the map of a running city with the mouse while it lives, and prints as JSON what a person would feel: the
 * time between frames, and the page's own work, task by task. Where the page's thread waits for a picture that the
 * processor draws in place of a graphics card, that waiting is told apart.
 * `JINGLING_URL=… JINGLING_USER=… JINGLING_PASSWORD=… node e2e/measure-map.mjs [--seconds 20]`; see bench/map.
 */
import { parseArgs } from "node:util";
import { DESKTOP, launch, openPage, signIn } from "./browser.mjs";

/** What a frame may take at 60 a second, and what a person feels as a jerk, milliseconds. */
const FRAME_MS = 1_000 / 60;
const JERK_MS = 50;
/** Where Chromium says that it waits for the picture. */
const WAITS = new Set(["ImplementationBase::WaitForCmd", "CommandBufferProxyImpl::WaitForGetOffset"]);

const { values } = parseArgs({ options: { seconds: { type: "string", default: "20" } } });
const browser = await launch();
const { page } = await openPage(browser, process.env.JINGLING_URL, { language: "en", size: DESKTOP });
// Every type is shown, also those that the packs leave off at first.
await page.addInitScript(() => localStorage.setItem("jingling.map.hidden", "[]"));
await signIn(page, process.env.JINGLING_USER, process.env.JINGLING_PASSWORD);
await page.goto("/map");
await page.waitForSelector('[data-map="ready"]', { timeout: 120_000 });
await page.waitForFunction(
  () => Number(document.querySelector('[data-testid="map"]').dataset.points) > 0,
  null,
  { timeout: 120_000 },
);
const entities = await page.evaluate(() =>
  Number(document.querySelector('[data-testid="map"]').dataset.points),
);
await page.waitForTimeout(3_000);

const box = await page.locator(".map-canvas canvas").first().boundingBox();
const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };

/** Drags the map round and round; each step is answered before the next, as a hand would wait. */
async function pan(untilMs) {
  await page.mouse.move(middle.x, middle.y);
  await page.mouse.down();
  for (let step = 1; Date.now() < untilMs; step += 1) {
    const turn = (step / 60) * 2 * Math.PI;
    await page.mouse.move(middle.x + 220 * Math.sin(turn), middle.y + 140 * (1 - Math.cos(turn)));
  }
  await page.mouse.up();
}

// A first gesture, by which the page learns how quick the computer is; then a rest.
await pan(Date.now() + 1_500);
await page.waitForTimeout(1_500);
await page.evaluate(() => {
  const seen = { frames: [], events: 0, ids: 0, alerts: 0 };
  window.seen = seen;
  let last = performance.now();
  const tick = (now) => {
    seen.frames.push(now - last);
    last = now;
    if (!seen.done) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  const stream = new EventSource("/api/v1/events");
  stream.addEventListener("entity", (event) => {
    seen.events += 1;
    seen.ids += JSON.parse(event.data).ids.length;
  });
  stream.addEventListener("alert", () => {
    seen.alerts += 1;
  });
});
await browser.startTracing(page, { categories: ["toplevel", "gpu"] });
const begin = Date.now();
await pan(begin + Number(values.seconds) * 1_000);
const tookS = (Date.now() - begin) / 1_000;
const seen = await page.evaluate(() => {
  window.seen.done = true;
  return window.seen;
});
const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
await browser.close();

/** The page's tasks: how long each took without the waiting inside it. */
function ownWork(events) {
  const mains = new Set(
    events
      .filter((e) => e.name === "thread_name" && e.args.name === "CrRendererMain")
      .map((e) => `${e.pid}:${e.tid}`),
  );
  const byThread = new Map();
  for (const e of events) {
    const thread = `${e.pid}:${e.tid}`;
    if (e.ph !== "X" || !e.dur || !mains.has(thread)) continue;
    const kept = byThread.get(thread) ?? { tasks: [], waits: [] };
    byThread.set(thread, kept);
    if (e.name === "ThreadControllerImpl::RunTask") kept.tasks.push(e);
    else if (WAITS.has(e.name)) kept.waits.push(e);
  }
  const busiest = [...byThread.values()].sort((a, b) => b.tasks.length - a.tasks.length)[0];
  const order = (a, b) => a.ts - b.ts;
  const waits = outermost(busiest.waits.sort(order));
  let next = 0;
  return busiest.tasks.sort(order).map((task) => {
    let waitedUs = 0;
    while (next < waits.length && waits[next].ts < task.ts) next += 1;
    while (next < waits.length && waits[next].ts < task.ts + task.dur) {
      waitedUs += waits[next].dur;
      next += 1;
    }
    return Math.max(0, task.dur - waitedUs) / 1_000;
  });
}

/** Spans that lie in no other; sorted by their begin. */
function outermost(spans) {
  const kept = [];
  let end = 0;
  for (const span of spans) {
    if (span.ts < end) continue;
    kept.push(span);
    end = span.ts + span.dur;
  }
  return kept;
}

const round = (value) => Math.round(value * 10) / 10;
const up = (a, b) => a - b;
const at = (sorted, share) =>
  round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
const frames = seen.frames.slice(1).sort(up);
const tasks = ownWork(traceEvents).sort(up);
const workMs = tasks.reduce((sum, ms) => sum + ms, 0);
console.log(
  JSON.stringify({
    entities,
    heard_per_second: {
      entities: Math.round(seen.ids / tookS),
      events: round(seen.events / tookS),
      alerts: round(seen.alerts / tookS),
    },
    frames_per_second: round(frames.length / tookS),
    frame_ms: { p50: at(frames, 0.5), p95: at(frames, 0.95), p99: at(frames, 0.99), max: at(frames, 1) },
    own_work_ms_per_second: round(workMs / tookS),
    own_work_ms_per_frame: round(workMs / frames.length),
    own_task_ms: { p99: at(tasks, 0.99), max: at(tasks, 1) },
    own_tasks_over_a_frame: tasks.filter((ms) => ms > FRAME_MS).length,
    own_tasks_over_50_ms: tasks.filter((ms) => ms > JERK_MS).length,
  }),
);
