/**
 * What stands on a phone before the program (`src/first`): while the program is kept away, the plan's list and an indicator are there with
 * their figures, axe-core finds nothing, a link leads where it says; when the program comes, the same words stand in the same places, and
 * each answer was asked for once. Who is not signed in sees nothing of it.
 */
import { accessible } from "./axe.mjs";
import { openPage, PHONE, signIn } from "./browser.mjs";

const WAIT_MS = 20_000;
/** Pixels by which a thing may stand elsewhere: less than what is seen. */
const MOVED_MAX = 1.5;
/** What is looked at on each page. */
const PAGES = {
  "/plan": "h1, .plan-source, .plan-summary button, .plan-legend, .plan-card, .plan-card a",
  "/plan/charging-points": ".back, h1, .plan-mark, .figure, .figures-bar",
};
const PROGRAM = /\/assets\/index-[\w-]+\.js/;

/** The words of what is looked at, and where it stands. */
const laidOut = (page, within, selector) =>
  page.evaluate(
    ([inside, wanted]) =>
      [...document.querySelector(inside).querySelectorAll(wanted)].map((each) => {
        const { top, left, width } = each.getBoundingClientRect();
        const text = each.textContent.replace(/\s+/g, " ").trim();
        return { text, href: each.getAttribute("href"), top, left, width };
      }),
    [within, selector],
  );

/** What differs between two layouts, in words. */
function differences(before, after) {
  if (before.length !== after.length) return [`${before.length} things, then ${after.length}`];
  return before.flatMap((one, n) => {
    const other = after[n];
    if (one.text !== other.text || one.href !== other.href) return [`"${one.text}" became "${other.text}"`];
    const moved = ["top", "left", "width"].filter((side) => Math.abs(one[side] - other[side]) > MOVED_MAX);
    return moved.map(
      (side) => `${side} of "${one.text.slice(0, 30)}" was ${one[side]} and became ${other[side]}`,
    );
  });
}

/** Throws with everything that is not as it should be. */
export async function firstView({ browser, base, password }) {
  const told = [];
  for (const language of ["zh", "en"]) {
    const { page, context, problems } = await openPage(browser, base, { language, size: PHONE });
    // Without the stream of what changes: what changes is asked for again.
    await page.route("**/api/v1/events*", (route) => route.abort());
    await page.goto("/plan");
    await page.locator("#root form").waitFor({ timeout: WAIT_MS });
    if ((await page.locator("#first").count()) > 0) told.push("something was drawn for nobody");
    await signIn(page, "planner", password);
    for (const [path, selector] of Object.entries(PAGES)) {
      const what = `${path} in ${language}`;
      let letIn = () => {};
      const held = new Promise((resolve) => {
        letIn = resolve;
      });
      await page.route(PROGRAM, async (route) => {
        await held;
        await route.continue();
      });
      await page.goto(path, { waitUntil: "commit" });
      await page.locator("#first :is(.plan-card, .figure-main)").first().waitFor({ timeout: WAIT_MS });
      await accessible(page, `${what}, before the program`).catch((error) => told.push(error.message));
      const before = await laidOut(page, "#first", selector);
      letIn();
      await page.locator("#root :is(.plan-card, .figure-main)").first().waitFor({ timeout: WAIT_MS });
      await page.waitForFunction(() => document.getElementById("first") === null, null, { timeout: WAIT_MS });
      const after = await laidOut(page, "#root", selector);
      told.push(...differences(before, after).map((each) => `${what}: ${each}`));
      await page.unroute(PROGRAM);
      // Opened anew, with nothing that keeps the program: an answer is news for some seconds only.
      const asked = [];
      const note = (request) => {
        const { pathname } = new URL(request.url());
        if (/^\/api\/v1\/(plan|plans|session|city)(\/indicators\/[\w-]+(\/reports)?)?$/.test(pathname))
          asked.push(pathname);
      };
      page.on("request", note);
      await page.goto(path, { waitUntil: "commit" });
      await page.locator("#root :is(.plan-card, .figure-main)").first().waitFor({ timeout: WAIT_MS });
      page.off("request", note);
      const twice = asked.filter((each, n) => asked.indexOf(each) !== n);
      if (twice.length > 0) told.push(`${what}: asked for twice: ${twice}`);
    }
    // A link works while the program is not there.
    await page.route(PROGRAM, (route) => route.abort());
    await page.goto("/plan", { waitUntil: "commit" });
    const link = page.locator("#first .plan-card a").first();
    await link.waitFor({ timeout: WAIT_MS });
    const href = await link.getAttribute("href");
    await link.click();
    await page.waitForURL(`**${href}`, { timeout: WAIT_MS, waitUntil: "commit" });
    await page.locator("#first .figure-main").waitFor({ timeout: WAIT_MS });
    await page.unroute(PROGRAM);
    told.push(...problems.filter((each) => !/ERR_FAILED/.test(each)));
    await context.close();
  }
  if (told.length > 0) throw new Error(told.join("\n"));
}
