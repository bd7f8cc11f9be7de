/**
 * Opens the duty officer's page of alerts in a running city, says `ready`, and notes when the alert of each entity `probe-…`
 * first stands on the page; on `done` it prints those moments (milliseconds since 1970) as JSON and ends. A moment is that of the
 * frame after the page changed, so that it was drawn. See bench/alerts.
 * `JINGLING_URL=… JINGLING_USER=… JINGLING_PASSWORD=… node e2e/measure-alerts.mjs`
 */
import { createInterface } from "node:readline";
import { DESKTOP, launch, openPage, signIn } from "./browser.mjs";

const browser = await launch();
const { page } = await openPage(browser, process.env.JINGLING_URL, { language: "en", size: DESKTOP });
await signIn(page, process.env.JINGLING_USER, process.env.JINGLING_PASSWORD);
await page.goto("/alerts");
await page.waitForLoadState("networkidle").catch(() => undefined);
await page.evaluate(() => {
  window.shown = {};
  let asked = false;
  const look = () => {
    asked = false;
    const now = performance.timeOrigin + performance.now();
    for (const [who] of document.body.innerText.matchAll(/probe-\d{5}/g)) window.shown[who] ??= now;
  };
  new MutationObserver(() => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(look);
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
});
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) if (line === "done") break;
console.log(JSON.stringify({ shown: await page.evaluate(() => window.shown) }));
await browser.close();
