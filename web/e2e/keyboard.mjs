/** Walks the pages with the keyboard alone, as who cannot use a mouse does; throws where the way ends. */

/** More steps than any page's head and list have together. */
const STEPS_MAX = 80;
const WAIT_MS = 20_000;

/** What has the focus, for messages. */
const held = (page) =>
  page.evaluate(() => {
    const { tagName, id, className, innerText } = document.activeElement;
    return `${tagName.toLowerCase()}#${id}.${className} ${(innerText ?? "").slice(0, 40)}`;
  });

/** Presses Tab until `selector` has the focus, and asks that a person can see that it has. */
export async function tabTo(page, selector) {
  await page.locator(selector).first().waitFor({ timeout: WAIT_MS });
  for (let step = 0; step < STEPS_MAX; step += 1) {
    await page.keyboard.press("Tab");
    const found = await page.evaluate((wanted) => {
      const { activeElement } = document;
      if (!activeElement.matches(wanted)) return null;
      // Fields show it by their frame around them, rows by their cells, the map by its picture.
      const framed = [activeElement, activeElement.parentElement, activeElement.parentElement.parentElement];
      for (const at of [...framed, activeElement.firstElementChild, activeElement.nextElementSibling]) {
        if (!at) continue;
        const { outlineStyle, boxShadow } = getComputedStyle(at);
        if (outlineStyle !== "none" || boxShadow !== "none") return { seen: true };
      }
      return { seen: false };
    }, selector);
    if (!found) continue;
    if (!found.seen) throw new Error(`${selector} has the focus and does not show it`);
    return;
  }
  throw new Error(`${STEPS_MAX} times Tab do not lead to ${selector}; the last was ${await held(page)}`);
}

/** Waits until what `selector` names has the focus. */
export async function focused(page, selector) {
  await page
    .waitForFunction((wanted) => document.activeElement?.matches(wanted), selector, { timeout: WAIT_MS })
    .catch(async () => {
      throw new Error(`${selector} has not got the focus; ${await held(page)} has`);
    });
}

/** Opens a dialog with Enter, finds the keyboard inside, closes it with Escape, finds it back where it was. */
async function openAndClose(page, opener) {
  await page.keyboard.press("Enter");
  await focused(page, ".ant-modal *");
  await page.keyboard.press("Escape");
  await page.locator(".ant-modal-wrap").first().waitFor({ state: "hidden" });
  await focused(page, opener);
}

/** Signs in, opens an alert, comes to its case, opens a dialog there and closes it, and comes nearer on the map. */
export async function walk(page, username, password) {
  await page.goto("/sign-in");
  await focused(page, "#username");
  await page.keyboard.type(username);
  await tabTo(page, "#password");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));

  await tabTo(page, 'a[href="/alerts"]');
  await page.keyboard.press("Enter");
  await tabTo(page, "tr[data-alert]");
  await page.keyboard.press("Enter");
  await focused(page, "aside");
  await page.keyboard.press("Escape");
  await focused(page, "tr[data-alert]");
  await page.keyboard.press("Enter");
  await tabTo(page, '[data-action="alert.to-case"]');
  await page.keyboard.press("Enter");

  await page.waitForURL("**/cases/*");
  await tabTo(page, '[data-action="case.comment"]');
  await openAndClose(page, '[data-action="case.comment"]');

  await tabTo(page, 'a[href="/map"]');
  await page.keyboard.press("Enter");
  await tabTo(page, ".maplibregl-canvas");
  await page.waitForFunction(
    () => Number(document.querySelector('[data-testid="map"]')?.dataset.singles) > 0,
    null,
    { timeout: WAIT_MS },
  );
  const zoom = () => page.locator('[data-testid="map"]').getAttribute("data-zoom").then(Number);
  const before = await zoom();
  await page.keyboard.press("+");
  await page.waitForFunction(
    (last) => Number(document.querySelector('[data-testid="map"]').dataset.zoom) > last,
    before,
    { timeout: WAIT_MS },
  );
}
