/**
 * End-to-end tests: the real binary, a real MQTT client (Eclipse Paho), a real browser. One walk: a device
 * speaks, an alert is raised, a case is opened, dispatched, taken in the field, finished with a photo,
 * verified and closed, and the plan's page counts what the city has. Prints `N passed, N failed`.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { account } from "./account.mjs";
import { DESKTOP, launch, openPage, PHONE, signIn } from "./browser.mjs";
import { SETTINGS as DISPATCH_SETTINGS, dispatch } from "./dispatch.mjs";
import { fieldOffline } from "./field-offline.mjs";
import { firstView } from "./first-view.mjs";
import { walk } from "./keyboard.mjs";
import { newVersion } from "./new-version.mjs";
import { photo } from "./photo.mjs";
import { planOffice } from "./plan-office.mjs";
import { SETTINGS as PORTAL_SETTINGS, portal } from "./portal.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const binary = process.env.JINGLING_BINARY;
if (!binary || !existsSync(binary)) {
  console.error(`JINGLING_BINARY names no program: ${binary}; run this through \`make test\``);
  process.exit(1);
}
const WAIT_MS = 20_000;
const work = mkdtempSync(join(tmpdir(), "jingling-e2e-"));
const city = join(work, "city");
const jingling = (...words) =>
  execFileSync(binary, words, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

/** Python with Eclipse Paho, in a folder of its own beside the build. */
function paho() {
  const folder = process.env.JINGLING_E2E_VENV ?? join(dirname(binary), "e2e-venv");
  const python = join(folder, "bin", "python");
  const has = () => {
    try {
      execFileSync(python, ["-c", "import paho.mqtt.client"], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  };
  if (!has()) {
    execFileSync("python3", ["-m", "venv", folder], { stdio: "inherit" });
    execFileSync(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "paho-mqtt"], {
      stdio: "inherit",
    });
  }
  return python;
}

/** Runs a city until `stop` or `kill`, on free ports unless told where to listen. */
async function serve(listen = "127.0.0.1:0") {
  const file = join(city, "run", "addresses.json");
  // A city that was killed leaves it behind.
  rmSync(file, { force: true });
  const child = spawn(
    binary,
    [
      "serve",
      city,
      "--set",
      `http.listen=${listen}`,
      "--set",
      "mqtt.listen=127.0.0.1:0",
      "--set",
      "mqtt.tls_listen=127.0.0.1:0",
      "--set",
      "indicators.measure_ms=500",
      ...[...DISPATCH_SETTINGS, ...PORTAL_SETTINGS].flatMap((setting) => ["--set", setting]),
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let log = "";
  child.stderr.on("data", (part) => {
    log += part;
  });
  const ended = new Promise((resolve) => child.on("exit", (code) => resolve(code)));
  const addresses = await until("the city listens", () => {
    if (child.exitCode !== null) throw new Error(`the city ended: ${log}`);
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
  });
  const stop = async () => {
    child.kill("SIGINT");
    const code = await ended;
    if (code !== 0) throw new Error(`the city ended with ${code}: ${log}`);
  };
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  return { addresses, stop, kill, base: `http://${addresses.http}` };
}

/** Asks again until there is an answer. */
async function until(what, ask) {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false && answer !== null) return answer;
    if (Date.now() > end) throw new Error(`waited ${WAIT_MS} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const results = [];
async function test(name, run) {
  const begin = Date.now();
  try {
    await run();
    results.push(true);
    console.log(`ok    ${name} (${Date.now() - begin} ms)`);
  } catch (error) {
    results.push(false);
    console.log(`FAIL  ${name}: ${error.stack ?? error}`);
  }
}
function equal(actual, expected, what) {
  if (JSON.stringify(actual) !== JSON.stringify(expected))
    throw new Error(`${what}: ${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`);
}

const python = paho();
const people = Object.fromEntries(
  JSON.parse(jingling("init", city, "--city", "tianmen", "--demo", "--json")).map((p) => [
    p.username,
    p.password,
  ]),
);
const station = "urn:ngsi-ld:WaterObserved:e2e";
const device = JSON.parse(
  jingling(
    "device",
    "add",
    city,
    "--id",
    station,
    "--type",
    "WaterObserved",
    "--name",
    "汉北河·试验",
    "--json",
  ),
);
const token = JSON.parse(
  jingling("token", "create", city, "--name", "e2e", "--role", "collector", "--json"),
).token;
let running = await serve();
const [mqttHost, mqttPort] = running.addresses.mqtt.split(":");
const publish = (...payloads) =>
  JSON.parse(
    execFileSync(
      python,
      [
        join(here, "publish.py"),
        mqttHost,
        mqttPort,
        device.client_id,
        device.username,
        device.password,
        device.topic,
      ],
      {
        input: payloads.map((p) => (typeof p === "string" ? p : JSON.stringify(p))).join("\n"),
        encoding: "utf8",
      },
    ),
  );
const machine = async (path, options = {}) => {
  const answer = await fetch(`${running.base}${path}`, {
    ...options,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...options.headers },
  });
  return { status: answer.status, body: await answer.json().catch(() => null) };
};
const at = (secondsAgo) => new Date(Date.now() - secondsAgo * 1_000).toISOString();
const level = (metres, secondsAgo) => ({
  id: station,
  type: "WaterObserved",
  waterLevel: { type: "Property", value: metres, unitCode: "MTR", observedAt: at(secondsAgo) },
});
const browser = await launch();
const open = async (user, options) => {
  const opened = await openPage(browser, running.base, options);
  await signIn(opened.page, user, people[user]);
  return opened;
};
const act = (page, name) => page.locator(`[data-action="${name}"]`).first();

await test("a device speaks over MQTT and is acknowledged", async () => {
  const sent = publish({
    ...level(28.1, 300),
    name: "汉北河·试验",
    warningLevel: { type: "Property", value: 29.3, unitCode: "MTR", observedAt: at(400) },
    guaranteeLevel: { type: "Property", value: 30.0, unitCode: "MTR", observedAt: at(400) },
    location: { type: "GeoProperty", value: { type: "Point", coordinates: [113.16, 30.67] } },
  });
  equal(sent.acknowledged, 1, "acknowledged");
  const entity = await until(
    "the entity",
    async () => (await machine(`/ngsi-ld/v1/entities/${station}`)).body?.waterLevel,
  );
  equal([entity.value, entity.unitCode], [28.1, "MTR"], "water level");
});

const duty = await open("duty");
let caseNumber;
await test("a rule raises an alert, shown without reloading", async () => {
  await duty.page.goto("/alerts");
  await duty.page.locator("h1").first().waitFor();
  publish(level(29.5, 90), level(29.6, 5));
  await duty.page.locator('[data-action="alert.open-case"]').first().waitFor({ timeout: WAIT_MS });
});
await test("the duty officer opens a case and dispatches it", async () => {
  const { page } = duty;
  await act(page, "alert.open-case").click();
  // The dialog moves while it opens; a person waits until it stands.
  await page.locator(".ant-modal:not(.ant-zoom-appear):not(.ant-zoom-enter) form input").first().waitFor();
  await page.locator('[data-testid="case-submit"]').click();
  await page.waitForURL("**/cases/*");
  const opened = await until("the case", async () =>
    page.evaluate(async () => (await (await fetch("/api/v1/cases")).json()).items[0]),
  );
  caseNumber = opened;
  await page.goto(`/cases/${opened.id}`);
  for (let step = 0; step < 2; step += 1) {
    const fresh = await page.evaluate(async (id) => (await fetch(`/api/v1/cases/${id}`)).json(), opened.id);
    if (fresh.actions.includes("dispatch")) break;
    await act(page, "case.file").click();
    await page.locator('[data-action="case.dispatch"]').first().waitFor();
  }
  await act(page, "case.dispatch").click();
  const dialog = page
    .locator(".ant-modal")
    .filter({ has: page.locator('[data-testid="case-action-submit"]') });
  await dialog.locator(".ant-select").first().click();
  await page.keyboard.type("水利");
  await page.locator(".ant-select-item-option", { hasText: "水利" }).first().click();
  await page.locator('[data-testid="case-action-submit"]').click();
  await until("dispatched", () =>
    page.evaluate(
      async (id) => (await (await fetch(`/api/v1/cases/${id}`)).json()).state === "dispatched",
      opened.id,
    ),
  );
});
await test("the keyboard alone leads from the sign-in to an alert, its case, a dialog and the map", async () => {
  const { page, context, problems } = await openPage(browser, running.base, { language: "en" });
  await walk(page, "duty", people.duty);
  equal(problems, [], "problems");
  await context.close();
});
await test("a field worker's phone takes it, adds a photo and finishes it", async () => {
  const field = await open("field", { size: PHONE });
  await field.page.goto("/field");
  await act(field.page, "task.take").click();
  await field.page.locator('[data-testid="field-note"]').first().fill("已到现场,水尺读数 29.6 m,堤段无险情");
  const picture = join(work, "photo.png");
  writeFileSync(picture, photo());
  await field.page.locator('[data-testid="field-photo"]').first().setInputFiles(picture);
  await act(field.page, "task.finish").click();
  await until("handled", () =>
    duty.page.evaluate(
      async (id) => (await (await fetch(`/api/v1/cases/${id}`)).json()).state === "handled",
      caseNumber.id,
    ),
  );
  equal(field.problems, [], "problems on the phone");
  await field.context.close();
});
await test("the officer verifies and closes; the history says who and when", async () => {
  const { page } = duty;
  await page.goto(`/cases/${caseNumber.id}`);
  for (const name of ["case.verify", "case.close"]) {
    await act(page, name).click();
    const note = page.locator(".ant-modal textarea").first();
    if (await note.isVisible().catch(() => false)) await note.fill("核查属实");
    await page.locator('[data-testid="case-action-submit"]').click();
    await page.locator(".ant-modal-wrap").first().waitFor({ state: "hidden" });
  }
  const closed = await until("closed", () =>
    page.evaluate(async (id) => {
      const found = await (await fetch(`/api/v1/cases/${id}`)).json();
      return found.state === "closed" ? found : undefined;
    }, caseNumber.id),
  );
  const done = closed.history.map((h) => h.action);
  for (const action of ["dispatch", "take", "finish", "verify", "close"])
    if (!done.includes(action)) throw new Error(`the history lacks ${action}: ${done}`);
  if (closed.history.some((h) => !h.actor || !h.at)) throw new Error("a step without who or when");
  equal(closed.attachments.length, 1, "photos");
});
await test("what is sent to the city moves an indicator of the plan", async () => {
  const sites = Array.from({ length: 3 }, (_, n) => ({
    id: `urn:ngsi-ld:TelecomBaseStation:e2e-${n}`,
    type: "TelecomBaseStation",
    generation: "5G",
    inService: true,
    name: `试验基站 ${n}`,
  }));
  const upserted = await machine("/ngsi-ld/v1/entityOperations/upsert", {
    method: "POST",
    body: JSON.stringify(sites),
  });
  equal(upserted.status, 201, "upsert");
  const found = await until("3 base stations", () =>
    duty.page.evaluate(async () => {
      const plan = await (await fetch("/api/v1/plan")).json();
      return plan.indicators.find((i) => i.id.includes("5g-base") && i.value === 3);
    }),
  );
  await duty.page.goto(`/plan/${found.id}`);
  await duty.page.getByText("e2e-0").first().waitFor({ timeout: WAIT_MS });
});
await test("a message that is not understood is kept whole, with its reason", async () => {
  const broken = `{"id": "${station}", "waterLevel": `;
  equal(publish(broken).acknowledged, 1, "acknowledged");
  const admin = await open("admin");
  await admin.page.goto("/dead-letters");
  await admin.page.locator('[data-testid="dead-letter"]').first().click();
  await admin.page.locator(".raw").first().waitFor();
  const shown = await admin.page.locator(".raw").first().innerText();
  if (!shown.includes('"waterLevel":')) throw new Error(`not whole: ${shown}`);
  await admin.context.close();
});
await test("a wrong method and a caller without a right are told so", async () => {
  equal((await machine("/api/v1/sql")).status, 405, "GET of SQL");
  equal((await machine("/api/v1/devices")).status, 403, "devices for a collector");
  equal((await fetch(`${running.base}/api/v1/devices`)).status, 401, "devices for nobody");
});
await test("a passkey of Chromium's authenticator and time-based codes sign a person in", async () => {
  // Passkeys are for a name, not for an address of numbers.
  const base = running.base.replace("127.0.0.1", "localhost");
  const problems = await account(browser, base, "planner", people.planner);
  equal(problems, [], "problems");
});
await test("one person asks for a gate to be opened, another agrees, and its station answers", async () => {
  const add = (...words) => JSON.parse(jingling(...words, "--json"));
  const [gate, kind] = ["urn:ngsi-ld:SluiceGate:62206901", "SluiceGate"];
  add("device", "add", city, "--id", gate, "--type", kind);
  const pair = [
    ["shuili.zhao", "赵试验"],
    ["shuili.qian", "钱试验"],
  ].map(([username, name]) => {
    const more = ["--username", username, "--name", name, "--role", "operator", "--organisation", "shuili"];
    return { username, name, password: add("user", "add", city, ...more).password };
  });
  const upsert = async (entities) => {
    const sent = await machine("/ngsi-ld/v1/entityOperations/upsert", {
      method: "POST",
      body: JSON.stringify(entities),
    });
    if (sent.status >= 300) throw new Error(`upsert: ${sent.status} ${JSON.stringify(sent.body)}`);
  };
  const { base, addresses } = running;
  const problems = await dispatch({ browser, base, people: pair, upsert, door: addresses.sl651 });
  equal(problems, [], "problems");
});
await test("everybody reads the plan's progress without signing in, on a phone too", () =>
  portal({ browser, base: running.base, planner: people.planner }));
await test("the plan office's pages are for everybody, on a phone too", () =>
  planOffice({ browser, base: running.base, password: people.planner }));
await test("a phone shows the plan's figures before the program is there, and nothing moves when it comes", () =>
  firstView({ browser, base: running.base, password: people.planner }));
await test("a phone without a network opens its tasks, and what is done on them arrives once", async () => {
  const { addresses, base } = running;
  await fieldOffline({
    base,
    people,
    folder: work,
    kill: () => running.kill(),
    revive: async () => {
      running = await serve(addresses.http);
    },
  });
});
await test("a newer program takes over from the one that a phone has open", () =>
  newVersion({ base: running.base, people, folder: work }));
await test("a restart: nothing acknowledged is lost", async () => {
  const before = (await machine(`/ngsi-ld/v1/entities/${station}`)).body.waterLevel.value;
  await running.stop();
  running = await serve();
  equal((await machine(`/ngsi-ld/v1/entities/${station}`)).body.waterLevel.value, before, "water level");
  equal(JSON.parse(jingling("check", city, "--json")).findings, [], "findings of check");
  const rows = JSON.parse(
    jingling(
      "query",
      city,
      "SELECT count(*) AS n FROM observations WHERE attribute = 'waterLevel'",
      "--json",
    ),
  );
  equal(rows[0].n, 3, "water levels in history");
});
await test("every page opens in both languages without an error", async () => {
  const seen = new Set();
  for (const language of ["zh", "en"]) {
    const entity = `/entities/${encodeURIComponent(station)}`;
    // Nobody has every page: each is opened by whose it is.
    const pages = Object.entries({
      duty: [
        "/",
        "/systems/S28",
        "/wall",
        "/replay",
        "/account",
        "/map",
        "/alerts",
        "/cases",
        "/dispatch",
        "/dead-letters",
        "/runs",
        "/views",
        "/views/water-stations",
        "/views/flood-risk-areas",
        "/bulletins",
        "/sql",
        "/plan",
        "/personal",
        entity,
      ],
      admin: ["/map", "/alerts", "/devices", "/dead-letters", "/plan", "/organisation", "/approvals", entity],
      security: ["/roles", "/policy", "/security", "/organisation", "/approvals"],
      auditor: ["/audit", "/approvals"],
      planner: ["/sql", "/plan", "/approvals"],
      field: ["/field"],
    });
    // Side by side: most of the time one page waits for what it asked for.
    const walks = pages.map(async ([who, all]) => {
      // Who may see a page is one question, its words in the second language are another: those are read once.
      const paths = language === "zh" ? all : all.filter((path) => !seen.has(path) && seen.add(path));
      if (paths.length === 0) return;
      const opened = await open(who, { language, size: DESKTOP });
      for (const path of paths) {
        await opened.page.goto(path);
        await opened.page.locator("h1, [data-map]").first().waitFor();
      }
      equal(opened.problems, [], `problems of ${who} in ${language}`);
      await opened.context.close();
    });
    await Promise.all(walks);
  }
});
// The restarts cut the live stream on purpose.
const unexpected = duty.problems.filter(
  (problem) => !/ERR_(CONNECTION_REFUSED|CONNECTION_RESET|INCOMPLETE_CHUNKED_ENCODING)/.test(problem),
);
await test("the duty officer's pages had no error", () => equal(unexpected, [], "problems"));
await browser.close();
await running.stop();
rmSync(work, { recursive: true, force: true });
const failed = results.filter((good) => !good).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
