/**
 * What the pages show while they wait, when there is nothing, and when something failed: the server's answers are
 * held back, emptied or refused on their way to the page, so that the states of any city can be photographed.
 */

/** Pages with data of their own: where they are, and which answers are theirs. `id` is found in the city. */
const PAGES = {
  overview: { path: "/", data: /^\/api\/v1\/overview$/, emptiable: false },
  replay: { path: "/replay", data: /^\/api\/v1\/replay/, emptiable: false },
  map: { path: "/map", data: /^\/api\/v1\/(map\/entities|alerts)/ },
  alerts: { path: "/alerts", data: /^\/api\/v1\/alerts/ },
  cases: { path: "/cases", data: /^\/api\/v1\/cases/ },
  case: { path: "/cases/1", data: /^\/api\/v1\/cases\/1$/, emptiable: false },
  register: { path: "/views/water-stations", data: /^\/api\/v1\/entities$/ },
  bulletins: { path: "/bulletins", data: /^\/api\/v1\/bulletins$/ },
  devices: { path: "/devices", data: /^\/api\/v1\/devices/ },
  organisation: { path: "/organisation", data: /^\/api\/v1\/(organisation|people)/, emptiable: false },
  audit: { path: "/audit", data: /^\/api\/v1\/audit(\?|$)/ },
  approvals: { path: "/approvals", data: /^\/api\/v1\/approvals(\?|$)/ },
  roles: { path: "/roles", data: /^\/api\/v1\/accounts/ },
  policy: { path: "/policy", data: /^\/api\/v1\/policy$/ },
  security: { path: "/security", data: /^\/api\/v1\/security$/, emptiable: false },
  "dead-letters": { path: "/dead-letters", data: /^\/api\/v1\/dead-letters/ },
  runs: { path: "/runs", data: /^\/api\/v1\/runs/ },
  plan: { path: "/plan", data: /^\/api\/v1\/plan$/ },
  entity: {
    path: "/entities/{id}",
    data: /^\/api\/v1\/(entities\/|alerts)/,
    empty: /^\/api\/v1\/(entities\/.*\/(history|forecasts)|alerts)/,
  },
  field: { path: "/field", data: /^\/api\/v1\/cases/ },
};
/** Time for the page to draw what it has, and longest wait for a state, milliseconds. */
const DRAW_MS = 1_000;
const WAIT_MS = 30_000;
/** By what a state is known. */
const SHOWS = {
  loading: ".ant-spin",
  empty: '.ant-empty, [data-state="empty"]',
  error: '.ant-result, [data-state="failed"]',
  offline: ".ant-result",
};

const problem = (status, code, detail, mend) => ({
  status,
  contentType: "application/problem+json",
  body: JSON.stringify({ title: code, status, code, detail, place: "", mend }),
});
const FAILED = problem(
  503,
  "store-unavailable",
  "the store of records cannot be reached: connection refused",
  "look at the server's log and at /readyz",
);

/** The same answer with nothing in it. */
function emptied(answer) {
  if (Array.isArray(answer)) return [];
  const lists = [
    "items",
    "points",
    "indicators",
    "contradictions",
    "ids",
    "type",
    "lon",
    "lat",
    "name",
    "severity",
  ];
  const kept = Object.entries(answer).map(([key, value]) => [
    key,
    Array.isArray(value) && lists.includes(key) ? [] : value,
  ]);
  return { ...Object.fromEntries(kept), ...("next" in answer ? { next: null } : {}) };
}

const HANDLERS = {
  // Held until the page is left.
  loading: () => {},
  empty: async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: emptied(await response.json()) });
  },
  error: (route) => route.fulfill(FAILED),
  offline: (route) => route.abort("connectionrefused"),
};

async function entityOf(page) {
  const answer = await page.evaluate(async () =>
    (await fetch("/api/v1/entities?type=WaterObserved&limit=1")).json(),
  );
  return encodeURIComponent(answer.items[0].id);
}

/** Shows one state of one page. */
function state(name, how) {
  const { path, data, empty } = PAGES[name];
  return async (page) => {
    const to = path.includes("{id}") ? path.replace("{id}", await entityOf(page)) : path;
    const pattern = how === "empty" && empty ? empty : data;
    const matches = (url) => pattern.test(url.pathname);
    await page.route(matches, HANDLERS[how]);
    await page.goto(to, { waitUntil: "commit" });
    // A failed reading is tried again before the page says so.
    await page.locator(SHOWS[how]).first().waitFor({ timeout: WAIT_MS });
    await page.waitForTimeout(DRAW_MS);
    return () => page.unroute(matches, HANDLERS[how]);
  };
}

/** Goes somewhere and waits until it is drawn. */
const at = (path) => async (page) => {
  await page.goto(path);
  await page.waitForTimeout(DRAW_MS);
};

/** Runs a statement from within the editor. */
async function ask(page, statement) {
  await page.locator(".cm-content").fill(statement);
  await page.keyboard.press("Control+Enter");
  await page.waitForTimeout(DRAW_MS);
}

/** Name → how to get there after sign-in; what comes back undoes it. */
export const STATES = {
  ...Object.fromEntries(
    Object.keys(PAGES).flatMap((name) =>
      ["loading", "empty", "error"]
        .filter((how) => how !== "empty" || PAGES[name].emptiable !== false)
        .map((how) => [`${name}-${how}`, state(name, how)]),
    ),
  ),
  "cases-offline": state("cases", "offline"),
  "case-missing": at("/cases/999999"),
  "entity-missing": at(`/entities/${encodeURIComponent("urn:ngsi-ld:WaterObserved:nowhere")}`),
  "run-missing": at("/runs/999999"),
  "indicator-missing": at("/plan/no-such-indicator"),
  "page-missing": at("/no-such-page"),
  "sql-error": async (page) => {
    await page.goto("/sql");
    await ask(page, "SELECT eror FROM observations WHER fail = 1");
  },
  "sql-empty": async (page) => {
    await page.route("**/api/v1/sql", async (route) => {
      const response = await route.fetch();
      const answer = await response.json();
      await route.fulfill({ response, json: { ...answer, rows: [], row_count: 0 } });
    });
    await page.goto("/sql");
    await ask(page, "SELECT entity_id FROM observations WHERE false");
    return () => page.unroute("**/api/v1/sql");
  },
  "case-form-error": async (page) => {
    await page.goto("/cases");
    await page.locator('[data-action="case.open"]').first().click();
    await page.locator(".ant-modal input").first().waitFor();
    await page.locator('[data-testid="case-submit"]').click();
    await page.waitForTimeout(DRAW_MS);
  },
  "live-broken": async (page) => {
    await page.route("**/api/v1/events", (route) => route.abort("connectionrefused"));
    await page.goto("/alerts");
    await page.waitForTimeout(DRAW_MS);
    return () => page.unroute("**/api/v1/events");
  },
};

/** States of the sign-in, which nobody has passed yet. */
export const SIGN_IN_STATES = {
  "sign-in-wrong": async (page) => {
    await page.goto("/sign-in");
    await page.locator("#username").fill("admin");
    await page.locator("#password").fill("not-the-password");
    await page.locator("button[type=submit]").click();
    await page.locator(".ant-alert").waitFor();
  },
  "sign-in-limited": async (page) => {
    await page.route("**/api/v1/session", (route) =>
      route.request().method() === "POST"
        ? route.fulfill({
            ...problem(429, "rate-limited", "too many attempts", "wait"),
            headers: { "retry-after": "20" },
          })
        : route.fallback(),
    );
    await page.goto("/sign-in");
    await page.locator("#username").fill("admin");
    await page.locator("#password").fill("not-the-password");
    await page.locator("button[type=submit]").click();
    await page.locator(".ant-alert").waitFor();
    return () => page.unroute("**/api/v1/session");
  },
};
