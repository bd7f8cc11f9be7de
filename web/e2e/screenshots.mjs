/**
 * Photographs every page, in Chinese and English, on a desktop and a phone, and fails on any script error.
 * `npm run screenshots -- --city DIR [page …] [--out DIR]`: of the city that runs in DIR, made by `jingling demo`;
 * cases and a dead letter are put into it first. Without `--city`, of the made-up city of `npm run dev`.
 * With `--states` of what the pages show while they wait, when there is nothing and when something failed.
 */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DESKTOP, launch, openPage, PHONE, signIn } from "./browser.mjs";
import { live, manholes, rain } from "./city-life.mjs";
import { water } from "./city-water.mjs";
import { SIGN_IN_STATES, STATES } from "./states.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    city: { type: "string" },
    url: { type: "string" },
    out: { type: "string", default: "shots" },
    language: { type: "string" },
    size: { type: "string" },
    states: { type: "boolean", default: false },
  },
});
const readJson = async (...path) => JSON.parse(await readFile(join(...path), "utf8"));
let base = values.url ?? "http://127.0.0.1:5173";
let people = Object.fromEntries(
  ["admin", "security", "auditor", "duty", "field", "planner"].map((username) => [
    username,
    { username, password: "demo" },
  ]),
);
if (values.city) {
  const addresses = await readJson(values.city, "run", "addresses.json");
  const own = `http://${addresses.http}`;
  base = values.url ?? own;
  const signIns = await readJson(values.city, "secrets", "first-sign-in.json");
  people = Object.fromEntries(signIns.map((person) => [person.username, person]));
  const { token } = await readJson(values.city, "secrets", "demo-devices.json");
  await live(own, people, token);
  // Every time: rain that is hours old is not drawn.
  await rain(own, token);
  const binary = process.env.JINGLING_BINARY;
  await water({ base: own, people, token, folder: values.city, binary, addresses });
}

const all = (page, path) =>
  page.evaluate(async (p) => {
    const answer = await (await fetch(p)).json();
    return answer.items ?? answer.indicators ?? [];
  }, path);
const first = async (page, path) => (await all(page, path))[0];
const station = async (page) => {
  const stations = await all(page, "/api/v1/entities?type=WaterObserved");
  return (stations.find(({ attributes }) => attributes.warningLevel) ?? stations[0]).id;
};

/** A row of a list, on a desktop or a phone. */
const LIST = ".ant-table-row, .card-list > li";

/** Name → how to get there after sign-in. */
const PAGES = {
  overview: async (page) => {
    await page.goto("/");
    await page.waitForSelector("[data-system]");
  },
  menu: async (page, { phone }) => {
    await PAGES.overview(page);
    const shape = page.locator(phone ? '[data-testid="menu"]' : '[data-testid="rail-shape"]');
    await shape.click();
    // The menu's shape is remembered; the pages after this one have it wide.
    return () => (phone ? page.keyboard.press("Escape") : shape.click());
  },
  system: async (page) => {
    await page.goto("/");
    await page.locator('[data-system] a[href^="/systems/"]').first().click();
    await page.waitForURL("**/systems/*");
    await page.waitForSelector("h2");
  },
  wall: async (page) => {
    await page.goto("/wall");
    await page.waitForSelector('[data-map="ready"]', { timeout: 60_000 });
    await page.waitForSelector(".wall-system");
  },
  replay: async (page) => {
    await page.goto("/replay");
    await page.waitForSelector('[data-testid="replay-at"]', { timeout: 60_000 });
    await page.waitForSelector('[data-map="ready"]', { timeout: 60_000 });
  },
  map: async (page) => {
    await page.goto("/map");
    await page.waitForSelector('[data-map="ready"]', { timeout: 60_000 });
  },
  "map-rain": async (page) => {
    await PAGES.map(page);
    const panel = page.locator(".map-top > button");
    if (await panel.isVisible()) await panel.click();
    const box = page.locator(".layer", { hasText: /日雨量图|Rain of the day/ }).locator("input");
    await box.check();
    await page.waitForSelector(".isolines-told");
    if (await panel.isVisible()) {
      await page.locator(".ant-drawer-close").click();
      await page.waitForSelector(".isolines-bar");
    }
    // What is shown is remembered; the pages after this one have none.
    return () => page.evaluate(() => localStorage.removeItem("jingling.map.isolines"));
  },
  "map-card": async (page) => {
    await page.goto(`/map?entity=${encodeURIComponent(await station(page))}`);
    await page.waitForSelector('[data-map="ready"]', { timeout: 60_000 });
    await page.waitForTimeout(2_500);
  },
  entity: async (page) => {
    await page.goto(`/entities/${encodeURIComponent(await station(page))}`);
    await page.waitForSelector("canvas", { timeout: 15_000 });
  },
  "entity-forecast": async (page, { phone }) => {
    await PAGES.entity(page);
    await page.locator(".forecast-past .ant-switch").click();
    // A phone has the figures open.
    if (!phone) await page.locator(".forecast-points summary").click();
    await page.locator('[data-testid="forecast"]').scrollIntoViewIfNeeded();
  },
  provenance: async (page) => {
    await PAGES.entity(page);
    await page.locator('[data-testid="provenance"]').first().click();
    await page.waitForSelector(".raw");
  },
  correct: async (page) => {
    await PAGES.provenance(page);
    await page.locator('[data-action="observation.correct"]').first().click();
  },
  correction: async (page) => {
    await PAGES.entity(page);
    await page.locator('[data-testid="corrections"]').scrollIntoViewIfNeeded();
  },
  alerts: async (page) => {
    await page.goto("/alerts");
    await page.waitForSelector(LIST);
  },
  alert: async (page) => {
    const found = await first(page, "/api/v1/alerts?state=active");
    await page.goto(`/alerts?alert=${found.id}`);
    await page.waitForSelector(".markdown");
  },
  "alert-case": async (page) => {
    const alerts = await all(page, "/api/v1/alerts?state=active");
    const found = alerts.find((alert) => alert.case_id === null) ?? alerts[0];
    await page.goto(`/alerts?alert=${encodeURIComponent(found.id)}`);
    await page.locator('[data-action="alert.open-case"]').first().click();
  },
  cases: async (page) => {
    await page.goto("/cases");
    await page.waitForSelector(LIST);
  },
  "cases-board": async (page) => {
    await page.goto("/cases?view=board");
    await page.waitForSelector(".case-column");
  },
  "case-scores": async (page) => {
    await page.goto("/cases/scores");
    await page.waitForSelector(LIST);
  },
  rules: async (page) => {
    await page.goto("/rules");
    await page.waitForSelector('[data-testid="rule"]');
  },
  "rule-text": async (page) => {
    await PAGES.rules(page);
    await page.locator('[data-testid="rule"]').first().click();
    await page.waitForSelector(".rule-text");
  },
  runs: async (page) => {
    await page.goto("/runs");
    await page.waitForSelector('[data-testid="run"]');
  },
  "run-definition": async (page) => {
    await PAGES.runs(page);
    await page.locator('[data-testid="run-definition"]').first().click();
  },
  run: async (page) => {
    const found = await first(page, "/api/v1/runs?outcome=done");
    await page.goto(`/runs/${found.id}`);
    await page.waitForSelector("canvas", { timeout: 15_000 });
    await page.locator('[data-action="run.repeat"]').first().click();
    await page.waitForSelector('[data-testid="run-again"]');
  },
  "run-failed": async (page) => {
    const found = await first(page, "/api/v1/runs?outcome=failed");
    await page.goto(`/runs/${found.id}`);
    await page.waitForSelector('[data-testid="run-output"]');
  },
  dispatch: async (page) => {
    await page.goto("/dispatch");
    await page.waitForSelector('[data-testid="dispatch-row"]');
    await page.waitForSelector('[data-testid="suggestion"] canvas');
  },
  "dispatch-suggestion": async (page) => {
    await PAGES.dispatch(page);
    await page.locator('[data-testid="suggestion"]').evaluate((each) => each.scrollIntoView());
  },
  "dispatch-command": async (page) => {
    const found = await first(page, "/api/v1/commands?state=done");
    await page.goto(`/dispatch?id=${found.id}`);
    await page.waitForSelector(".ant-drawer-open .ant-timeline");
  },
  "dispatch-decide": async (page) => {
    await PAGES.dispatch(page);
    await page.locator('[data-testid="dispatch-waiting"]').first().click();
    await page.waitForSelector('[data-action="dispatch.approve"]');
  },
  "dispatch-ask": async (page) => {
    await PAGES.dispatch(page);
    await page.locator('[data-action="dispatch.ask-suggested"]').first().click();
    await page.waitForSelector('.dispatch-interlocks [data-goes="true"]');
  },
  charging: async (page) => {
    await page.goto("/charging?days=month");
    await page.waitForSelector('[data-testid="charging-now"]');
  },
  supervision: async (page) => {
    await page.goto("/charging/supervision?days=month");
    await page.waitForSelector('[data-testid="supervision-goals"]');
  },
  notifications: async (page) => {
    await page.goto("/notifications");
    await page.waitForSelector("h1");
  },
  "notice-rules": async (page) => {
    await PAGES.notifications(page);
    await page.locator(".ant-segmented-item").last().click();
  },
  case: async (page) => {
    const cases = await all(page, "/api/v1/cases");
    const found = cases.find((item) => item.state === "closed") ?? cases[0];
    await page.goto(`/cases/${found.id}`);
    await page.waitForSelector(".history-step");
  },
  "case-dispatch": async (page) => {
    const cases = await all(page, "/api/v1/cases");
    await page.goto(`/cases/${cases.find((item) => item.state === "filed").id}`);
    await page.locator('[data-action="case.dispatch"]').first().click();
  },
  duty: async (page) => {
    await page.goto("/duty");
    await page.waitForSelector('[data-testid="on-duty"]');
  },
  "duty-plans": async (page) => {
    await page.goto("/duty?tab=plans");
    await page.waitForSelector('[role="tabpanel"]');
  },
  views: async (page) => {
    await page.goto("/views");
    await page.waitForSelector('[data-testid="view-group"]');
  },
  "view-register": async (page) => {
    await page.goto("/views/water-stations");
    await page.waitForSelector('[data-testid="register"]');
  },
  "view-register-long": async (page) => {
    await page.goto("/views/streetlights?sort=-power");
    await page.waitForSelector('[data-testid="register"] tr[data-row]');
  },
  bulletins: async (page) => {
    await page.goto("/bulletins");
    await page.waitForSelector('[data-testid="bulletin"]', { timeout: 30_000 });
  },
  "view-form": async (page) => {
    await page.goto("/views/water-readings");
    await page.waitForSelector("form");
  },
  "view-board": async (page) => {
    await page.goto("/views/streetlight-board");
    await page.waitForSelector(".view-column");
  },
  devices: async (page) => {
    await page.goto("/devices");
    await page.waitForSelector(LIST);
  },
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
  account: async (page) => {
    await page.goto("/account");
    await page.waitForSelector('[data-testid="session"]');
  },
  audit: async (page) => {
    await page.goto("/audit");
    await page.waitForSelector('[data-testid="audit-chain"]');
    await page.waitForSelector('[data-testid="audit-row"]');
  },
  security: async (page) => {
    await page.goto("/security");
    await page.waitForSelector('[data-testid="security-card"]');
  },
  policy: async (page) => {
    await page.goto("/policy");
    await page.waitForSelector('[data-testid="policy"]');
  },
  "policy-city": async (page) => {
    await page.goto("/policy?tab=city");
    // A city without policies of its own has examples to begin with.
    const example = page.locator('[data-testid="policy-text"], [data-testid="policy-sample"]').first();
    await example.waitFor();
    if ((await page.locator('[data-testid="policy-text"]').count()) === 0) await example.click();
    await page.waitForSelector('[data-testid="policy-text"]');
  },
  "policy-why": async (page) => {
    const entity = "urn:ngsi-ld:WaterObserved:62206900";
    await page.goto(`/policy?tab=why&username=duty&entity=${encodeURIComponent(entity)}`);
    await page.waitForSelector('[data-testid="policy-why"]');
  },
  organisation: async (page) => {
    await page.goto("/organisation");
    await page.waitForSelector("h1");
  },
  "person-sign-in": async (page) => {
    await page.goto("/organisation?q=field");
    await page.locator('[data-action="person.sign-in"]').first().click();
    await page.waitForSelector('[data-testid="sign-in"] h3');
  },
  clients: async (page) => {
    await page.goto("/clients");
    await page.waitForSelector('[data-testid="client"], .ant-empty');
  },
  "client-add": async (page) => {
    await page.goto("/clients");
    await page.locator('[data-action="client.add"]').click();
    await page.waitForSelector('[data-testid="client-submit"]');
  },
  personal: async (page) => {
    await page.goto("/personal");
    // The officer of a demonstration's station; nobody's number.
    await page.locator('[data-testid="personal-subject"]').fill("19900000001");
    await page.locator('[data-testid="personal-purpose"]').click();
    await page.locator(".ant-select-item-option").last().click();
    await page.locator('[data-action="personal.find"]').first().click();
    await page.waitForSelector('[data-testid="personal-held"]');
    await page.locator('[data-action="personal.viewers"]').first().click();
    await page.waitForSelector('[data-testid="personal-viewers"]');
  },
  sql: async (page) => {
    await page.goto("/sql");
    await page.locator('[data-testid="sample"]').first().click();
    await page.keyboard.press("Control+Enter");
    await page.waitForSelector(".result-row");
  },
  import: async (page) => {
    await page.goto("/sql");
    await page.locator('[data-action="sql.import"]').first().click();
    const file = manholes(9, "JG-0010,竟陵街道,七百,2024-02-30");
    await page.locator(".ant-upload input[type=file]").setInputFiles({
      name: "井盖台账2.csv",
      mimeType: "text/csv",
      buffer: Buffer.from(file),
    });
    await page.locator('[data-testid="import-submit"]').click();
    await page.locator('[data-testid="import-report"]').scrollIntoViewIfNeeded();
  },
  "table-remove": async (page) => {
    await page.goto("/sql");
    const table = page.locator("details", { has: page.locator("summary code", { hasText: /^manholes$/ }) });
    await table.locator("summary").click();
    await table.locator('[data-action="table.remove"]').click();
  },
  approvals: async (page) => {
    await page.goto("/approvals");
    await page.waitForSelector('[data-testid="approval-row"]');
  },
  approval: async (page) => {
    await PAGES.approvals(page);
    await page.locator('[data-testid="approval-row"]').first().click();
    await page.waitForSelector('[data-testid="approval-content"]');
  },
  roles: async (page) => {
    await page.goto("/roles");
    await page.waitForSelector('[data-testid="account-row"]');
  },
  "roles-grant": async (page) => {
    await PAGES.roles(page);
    await page.locator('[data-action="roles.grant"]').first().click();
  },
  plan: async (page) => {
    await page.goto("/plan");
    await page.waitForSelector("#root .path-bar");
  },
  indicator: async (page) => {
    const indicators = await all(page, "/api/v1/plan");
    const found = indicators.find((indicator) => indicator.method === "computed") ?? indicators[0];
    await page.goto(`/plan/${found.id}`);
    await page.waitForSelector("canvas", { timeout: 30_000 });
  },
  public: async (page) => {
    await page.goto("/public");
    await page.waitForSelector('[data-testid="portal-figure"]');
  },
  "public-indicator": async (page) => {
    await PAGES.public(page);
    const one = page.locator("details", { has: page.locator('.portal-tag:not([data-standing="withheld"])') });
    await one.first().locator("summary").click();
    await one.first().evaluate((each) => each.scrollIntoView());
  },
  report: async (page) => {
    const indicators = await all(page, "/api/v1/plan");
    await page.goto(`/plan/${indicators.find((indicator) => indicator.method === "reported").id}`);
    await page.locator('[data-action="indicator.report"]').first().click();
  },
  reporting: async (page) => {
    await page.goto("/reporting");
    await page.waitForSelector('[data-testid="reporting"]');
  },
  projects: async (page) => {
    await page.goto("/projects");
    await page.waitForSelector('[data-testid="project-row"]');
  },
  "projects-gantt": async (page) => {
    await page.goto("/projects?view=gantt");
    await page.waitForSelector('[data-testid="gantt-row"]');
  },
  "projects-months": async (page) => {
    await page.goto("/projects?view=months");
    await page.waitForSelector('[data-testid="project-month"]');
  },
  "projects-assessment": async (page) => {
    await page.goto("/projects?view=assessment");
    await page.waitForSelector('[data-testid="project-assessed"]');
  },
  project: async (page) => {
    const found = await first(page, "/api/v1/projects");
    await page.goto(`/projects/${found.id}`);
    await page.waitForSelector('[data-testid="project-money"]');
  },
  field: async (page) => {
    await page.goto("/field");
    await page.waitForSelector(".task-actions");
  },
  charge: async (page) => {
    await page.goto("/charge");
    await page.waitForSelector('[data-testid="charge-place"]');
    await page.getByText(/只看空闲|Free only/).click();
  },
};
/** Whose page it is, where it is not the duty officer's: nobody has every page. */
const WHOSE = {
  devices: "admin",
  "device-add": "admin",
  audit: "auditor",
  policy: "security",
  "policy-city": "security",
  "policy-why": "security",
  security: "security",
  "notice-rules": "admin",
  organisation: "admin",
  "person-sign-in": "admin",
  clients: "admin",
  "client-add": "admin",
  import: "planner",
  "table-remove": "planner",
  report: "planner",
  reporting: "planner",
  projects: "planner",
  "projects-gantt": "planner",
  "projects-months": "planner",
  "projects-assessment": "planner",
  project: "planner",
  approvals: "security",
  approval: "security",
  roles: "security",
  "roles-grant": "security",
  field: "field",
  charging: "operator",
  supervision: "operator",
  charge: "resident",
};

const unknown = values.states ? [] : positionals.filter((name) => name !== "sign-in" && !PAGES[name]);
if (unknown.length > 0)
  throw new Error(`no page ${unknown.join(", ")}; there are ${Object.keys(PAGES).join(", ")}`);
const wanted = (name) => positionals.length === 0 || positionals.includes(name);
await mkdir(values.out, { recursive: true });
const browser = await launch();
let failures = 0;
for (const language of values.language ? [values.language] : ["zh", "en"]) {
  for (const [sizeName, size] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    if (values.size && values.size !== sizeName) continue;
    const { page, context, problems } = await openPage(browser, base, { language, size });
    const take = async (name, go) => {
      let undo;
      try {
        undo = await go?.(page, { phone: sizeName === "phone" });
        await page.waitForTimeout(values.states ? 0 : 1_200);
      } catch (error) {
        failures += 1;
        console.error(`${name}-${language}-${sizeName}: ${error.message.split("\n")[0]}`);
      }
      await page.screenshot({ path: `${values.out}/${name}-${language}-${sizeName}.png` });
      if (typeof undo === "function") await undo();
      for (const problem of problems.splice(0)) {
        // An answer that was refused on purpose is told by the browser too.
        if (values.states && /Failed to load resource/.test(problem)) continue;
        failures += 1;
        console.error(`${name}-${language}-${sizeName}: ${problem}`);
      }
    };
    if (values.states) {
      for (const [name, go] of Object.entries(SIGN_IN_STATES)) if (wanted(name)) await take(name, go);
    }
    await page.goto("/sign-in");
    await page.waitForSelector("#username");
    if (wanted("sign-in") && !values.states) await take("sign-in");
    let signedIn = null;
    for (const [name, go] of Object.entries(values.states ? STATES : PAGES)) {
      const whose = WHOSE[name.replace(/-(loading|empty|error|offline)$/, "")] ?? "duty";
      if (!wanted(name) || !people[whose]) continue;
      if (whose !== signedIn) {
        await context.clearCookies();
        await signIn(page, people[whose].username, people[whose].password);
        signedIn = whose;
      }
      await take(name, go);
    }
    await context.close();
  }
}
await browser.close();
process.exitCode = failures > 0 ? 1 : 0;
