/**
 * The field page without a network. A phone signs in and reads its tasks; the network goes, the page is closed and opened
 * anew, a task is taken and finished with a photo, a voice note and a signature; the browser is closed, the server killed,
 * the browser opened again; when the server is back and the worker has signed in again, it has exactly one of each. After the
 * sign-out nothing of the person is left in the browser.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPhone, signIn } from "./browser.mjs";
import { caller } from "./city-life.mjs";
import { riverPhoto } from "./photo.mjs";

const WAIT_MS = 30_000;

/** A case for the field worker, opened by the duty officer and dispatched after a pause. */
export async function dispatchTo(duty, worker, title, pauseMs = 0) {
  const made = await duty.call("POST", "/api/v1/cases", {
    title,
    description: "请到现场处置并拍照",
    severity: "minor",
    location: [113.165, 30.652],
  });
  const act = (action, more) => duty.call("POST", `/api/v1/cases/${made.id}/actions`, { action, ...more });
  if (!made.actions.includes("dispatch")) await act("file");
  if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  await act("dispatch", { organisation: worker.organisation, assignee: worker.id });
  return made.id;
}

/** What the browser keeps: databases, the tasks as last read, and every address in the caches. */
function keptIn(page) {
  return page.evaluate(async () => {
    const databases = (await indexedDB.databases()).map(({ name }) => name).sort();
    const kept = databases.includes("jingling-kept")
      ? await new Promise((resolve) => {
          const opening = indexedDB.open("jingling-kept");
          opening.onsuccess = () => {
            const asked = opening.result.transaction("kept").objectStore("kept").get("one");
            asked.onsuccess = () => {
              opening.result.close();
              resolve(asked.result ?? null);
            };
          };
        })
      : null;
    const cached = [];
    for (const name of await caches.keys())
      for (const request of await (await caches.open(name)).keys())
        cached.push(new URL(request.url).pathname);
    return { databases, kept, cached, storage: Object.keys(localStorage) };
  });
}

async function until(what, ask) {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${WAIT_MS} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function must(isSo, what) {
  if (!isSo) throw new Error(what);
}

/**
 * The walk. `kill` ends the server hard, `revive` brings it back at the same address; `folder` is for what the phone keeps and
 * for the photo. `people`: username → password.
 */
export async function fieldOffline({ base, people, kill, revive, folder }) {
  const duty = await caller(base, { username: "duty", password: people.duty });
  const worker = await caller(base, { username: "field", password: people.field });
  const title = `井盖缺失·离线 ${Date.now()}`;
  const id = await dispatchTo(duty, worker.user, title);
  const otherId = await dispatchTo(duty, worker.user, `路灯不亮·草稿 ${Date.now()}`);
  const picture = join(folder, "photo.png");
  writeFileSync(picture, riverPhoto());
  const phone = join(folder, "phone");
  const problems = [];
  const watched = (page) => {
    page.on("pageerror", (error) => problems.push(`script: ${error.message}`));
    page.on("console", (message) => {
      if (/Content Security Policy/.test(message.text())) problems.push(message.text());
    });
    return page;
  };

  let context = await openPhone(phone, base);
  let page = watched(await context.newPage());
  await signIn(page, "field", people.field);
  await page.goto("/field");
  const task = () => page.locator(`article[data-case="${id}"]`);
  await task().waitFor({ timeout: WAIT_MS });
  await page.evaluate(() => navigator.serviceWorker.ready);
  await until("the task is kept", async () =>
    (await keptIn(page)).kept?.entries.some(({ key }) => key[0] === "case" && key[1] === id),
  );
  const online = await keptIn(page);
  must(online.cached.length > 5, `too little is cached: ${online.cached}`);
  must(!online.cached.some((path) => /^\/(api|ngsi-ld|oauth2)/.test(path)), `cached: ${online.cached}`);

  // No network; the page is closed, and opened anew.
  await context.setOffline(true);
  await page.close();
  page = watched(await context.newPage());
  await page.goto("/field");
  await task().waitFor({ timeout: WAIT_MS });
  await page.locator('[data-testid="field-as-of"]').waitFor({ timeout: WAIT_MS });
  const isAnswered = await page.evaluate(() =>
    fetch("/api/v1/cases?mine=true").then(
      () => true,
      () => false,
    ),
  );
  must(!isAnswered, "an answer of the API came without a network");
  const head = task().locator(".task-head");
  if ((await head.getAttribute("aria-expanded")) !== "true") await head.click();
  const act = (name) => task().locator(`[data-action="${name}"]`).first();
  await act("task.take").click();
  await task().locator('[data-step="take"]').waitFor();
  await task().locator('[data-testid="field-note"]').fill("已补装井盖,四周无松动");
  await task().locator('[data-testid="field-photo"]').setInputFiles(picture);
  await task().locator('[data-kind="photo"]').getByText("±").waitFor({ timeout: WAIT_MS });
  await task().locator('[data-testid="field-voice"]').click();
  await page.waitForTimeout(1_500);
  await task().locator('[data-testid="field-voice-stop"]').click();
  await task().locator('[data-kind="voice"]').waitFor();
  await sign(page, task());
  await task().locator('[data-kind="signature"]').waitFor();
  await act("task.finish").click();
  await task().locator('[data-step="finish"]').waitFor();
  equalSteps(await shownSteps(task()), ["take", "finish"], "steps before the browser was closed");

  // The browser is closed, and the server is gone.
  await context.close();
  await kill();
  context = await openPhone(phone, base);
  page = watched(await context.newPage());
  await page.goto("/field");
  await task().waitFor({ timeout: WAIT_MS });
  equalSteps(await shownSteps(task()), ["take", "finish"], "steps after the browser was closed");
  await page.locator('[data-testid="field-as-of"]').waitFor({ timeout: WAIT_MS });

  // The server is back. The browser's session went with the browser: sending waits for the person, and nothing is lost.
  await revive();
  const hasToSignIn = await Promise.race([
    page.waitForURL("**/sign-in", { timeout: WAIT_MS }).then(() => true),
    page
      .locator('[data-answer="done"]')
      .first()
      .waitFor({ timeout: WAIT_MS })
      .then(() => false),
  ]);
  if (hasToSignIn) {
    const before = await duty.call("GET", `/api/v1/cases/${id}`);
    must(before.state === "dispatched", `a step was done without a session: ${before.state}`);
    await page.locator("#username").fill("field");
    await page.locator("#password").fill(people.field);
    await page.locator("button[type=submit]").click();
    await page.waitForURL("**/field");
  }
  await page.locator('[data-step="finish"][data-answer="done"]').waitFor({ timeout: WAIT_MS });
  const done = await duty.call("GET", `/api/v1/cases/${id}`);
  const count = (list, key, value) => list.filter((one) => one[key] === value).length;
  const of = JSON.stringify({
    state: done.state,
    take: count(done.history, "action", "take"),
    finish: count(done.history, "action", "finish"),
    photo: count(done.attachments, "kind", "photo"),
    voice: count(done.attachments, "kind", "voice"),
    signature: count(done.attachments, "kind", "signature"),
    all: done.attachments.length,
  });
  const wanted = JSON.stringify({
    state: "handled",
    take: 1,
    finish: 1,
    photo: 1,
    voice: 1,
    signature: 1,
    all: 3,
  });
  must(of === wanted, `on the server: ${of}, wanted ${wanted}`);

  // Whoever leaves leaves nothing, and is asked first when something was not sent.
  const drafted = page.locator(`article[data-case="${otherId}"]`);
  if ((await drafted.locator(".task-head").getAttribute("aria-expanded")) !== "true")
    await drafted.locator(".task-head").click();
  await drafted.locator('[data-action="task.take"]').first().click();
  await drafted.locator('[data-testid="field-note"]').fill("还没写完");
  await until("the draft is kept", () =>
    page.evaluate(async () =>
      (await indexedDB.databases()).some(({ name }) => name.startsWith("jingling-field-")),
    ),
  );
  await page.waitForTimeout(500);
  await page.locator('header [class*="header-button"]').last().click();
  await page.getByText("退出登录").click();
  await page.locator(".ant-modal-confirm-btns .ant-btn-dangerous").click();
  await page.waitForURL("**/sign-in");
  const left = await keptIn(page);
  must(left.kept === null, "tasks are kept after the sign-out");
  must(!left.databases.some((name) => name.startsWith("jingling-field-")), `databases: ${left.databases}`);
  must(left.storage.join() === "jingling.language", `storage: ${left.storage}`);
  await context.setOffline(true);
  await page.goto("/field");
  await page.waitForTimeout(1_000);
  must(!(await page.locator("body").textContent()).includes(title), "a task is shown after the sign-out");
  await context.close();
  must(problems.length === 0, `problems on the phone: ${problems.join("; ")}`);
  return { hasToSignIn };
}

async function sign(page, task) {
  await task.locator('[data-testid="field-sign"]').click();
  await page.locator('[data-testid="field-signer"]').fill("李某");
  await page.locator('[data-testid="field-capacity"]').first().click();
  await page.locator(".ant-select-item-option").first().click();
  // The list of capacities covers the pad while it folds: the pad is waited for, as a person does, and measured where it stands then.
  const canvas = page.locator('[data-testid="field-sign-pad"]');
  await canvas.hover({ position: { x: 30, y: 60 } });
  const pad = await canvas.boundingBox();
  await page.mouse.move(pad.x + 30, pad.y + 60);
  await page.mouse.down();
  for (const [x, y] of [
    [80, 20],
    [120, 70],
    [180, 30],
  ])
    await page.mouse.move(pad.x + x, pad.y + y, { steps: 4 });
  await page.mouse.up();
  await page.locator('[data-testid="field-sign-done"]').click();
}

const shownSteps = (task) =>
  task.locator("[data-step]").evaluateAll((all) => all.map((one) => one.getAttribute("data-step")));

function equalSteps(actual, expected, what) {
  must(actual.join() === expected.join(), `${what}: ${actual}, not ${expected}`);
}
