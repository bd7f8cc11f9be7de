/** Asks axe-core what on a page people who hear it, or use only the keyboard, cannot reach or read. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** What WCAG 2.2 asks at its levels A and AA. */
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** Throws with every rule that `within` does not keep, and where. */
export async function accessible(page, what, within = "body") {
  // Said to the browser, not written into the page: the page's own policy lets no foreign script in.
  await page.evaluate(source);
  // What fades in is paler until it stands: people read it afterwards. What turns for ever is not waited for.
  await page.evaluate(() => {
    const ends = (one) => one.effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY;
    return Promise.allSettled(
      document
        .getAnimations()
        .filter(ends)
        .map((one) => one.finished),
    );
  });
  const { violations, passes } = await page.evaluate(
    ([selector, values]) => window.axe.run(selector, { runOnly: { type: "tag", values } }),
    [within, TAGS],
  );
  if (passes.length === 0) throw new Error(`axe-core looked at nothing of ${what}`);
  const told = violations.map(({ id, help, nodes }) => {
    const where = nodes.map(({ html, failureSummary }) => `    ${html.slice(0, 200)} ${failureSummary}`);
    return `  ${id}: ${help}\n${where.join("\n")}`;
  });
  if (told.length > 0)
    throw new Error(`${what} keeps ${told.length} rules of axe-core not:\n${told.join("\n")}`);
}
