/**
 * The plan office's pages (规划, 指标填报, 重点项目, 一表同享): each opens in both languages on a desktop and a phone without an error, is no
 * wider than its window, and axe-core finds nothing of what WCAG 2.2 asks at A and AA.
 */
import { accessible } from "./axe.mjs";
import { DESKTOP, openPage, PHONE, signIn } from "./browser.mjs";

const seen = (name) => `[data-testid="${name}"]`;
const WAIT_MS = 20_000;
/** Where each is, and what stands there when it is there. */
const PAGES = {
  "/plan": "#root .path-bar",
  "/plan/charging-points": "canvas",
  "/plan/5g-user-penetration": '[data-action="indicator.report"]',
  "/reporting": seen("reporting"),
  "/projects": seen("project-row"),
  "/projects?view=gantt": seen("gantt-row"),
  "/projects?view=tasks": seen("project-task-count"),
  "/projects?view=months": '[data-testid="project-month"], .ant-alert-warning',
  "/projects?view=assessment": seen("project-assessed"),
  "/projects?view=packages": seen("package-add"),
  "/projects/smart-water": seen("project-money"),
  "/forms": seen("form-item"),
  "/forms?view=burden": seen("burden-row"),
};

/** Throws with every page that is not for everybody, and why. */
export async function planOffice({ browser, base, password }) {
  const told = [];
  const look = async (language, size) => {
    const { page, context, problems } = await openPage(browser, base, { language, size });
    await signIn(page, "planner", password);
    for (const [path, stands] of Object.entries(PAGES)) {
      const what = `${path} in ${language} at ${size.width} px`;
      try {
        await page.goto(path);
        await page.locator(stands).first().waitFor({ timeout: WAIT_MS });
        await accessible(page, what);
        const [wide, room] = await page.evaluate(() => [
          document.documentElement.scrollWidth,
          document.documentElement.clientWidth,
        ]);
        if (wide > room) told.push(`${what} is ${wide} px wide`);
      } catch (error) {
        told.push(`${what}: ${error.message}`);
      }
      for (const problem of problems.splice(0)) told.push(`${what}: ${problem}`);
    }
    await context.close();
  };
  // Colours and roles are the same in both languages, widths are not.
  await Promise.all([look("zh", DESKTOP), look("zh", PHONE)]);
  await look("en", PHONE);
  if (told.length > 0) throw new Error(told.join("\n"));
}
