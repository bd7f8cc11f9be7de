/**
 * Opens the duty officer's page of alerts in a running city, says `ready`, and notes when the alert of each entity `probe-…`
 * first stands on the page; on `done` it prints those moments (milliseconds since 1970) as JSON and ends, and beside them those at
 * which the page heard of each. A moment on the page is that of the frame after it changed, so that it was drawn. See bench/alerts.
 * `JINGLING_URL=… JINGLING_USER=… JINGLING_PASSWORD=… node e2e/measure-alerts.mjs`
 */
import { createInterface } from "node:readline";
import { DESKTOP, launch, openPage, signIn } from "./browser.mjs";

const browser = await launch();
const { page } = await openPage(browser, process.env.JINGLING_URL, { language: "en", size: DESKTOP });
await page.addInitScript(() => {
  window.heard = {};
  const add = EventSource.prototype.addEventListener;
  EventSource.prototype.addEventListener = function (name, listener, ...more) {
    const noting = (message) => {
      const now = performance.timeOrigin + performance.now();
      for (const [who] of message.data.matchAll(/probe-\d{5}/g)) window.heard[who] ??= now;
      listener.call(this, message);
    };
    return add.call(this, name, name === "alert" ? noting : listener, ...more);
  };
});
await signIn(page, process.env.JINGLING_USER, process.env.JINGLING_PASSWORD);
await page.goto("/alerts");
await page.waitForLoadState("networkidle").catch(() => undefined);
await page.evaluate(() => {
  window.shown = {};
  // Only what was added or changed is read: reading the whole page for each alert would cost more than drawing it.
  const waiting = new Set();
  let asked = false;
  const note = () => {
    asked = false;
    const now = performance.timeOrigin + performance.now();
    for (const who of waiting) window.shown[who] ??= now;
    waiting.clear();
  };
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      for (const node of addedNodes.length > 0 ? addedNodes : [target]) {
        for (const [who] of (node.textContent ?? "").matchAll(/probe-\d{5}/g))
          if (!(who in window.shown)) waiting.add(who);
      }
    }
    if (asked || waiting.size === 0) return;
    asked = true;
    requestAnimationFrame(note);
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
});
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) if (line === "done") break;
console.log(JSON.stringify(await page.evaluate(() => ({ shown: window.shown, heard: window.heard }))));
await browser.close();
