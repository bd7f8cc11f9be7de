/** Starts the system's Chromium for the end-to-end tests and the screenshots. */
import { chromium } from "playwright-core";

/** Without a screen and a graphics card: WebGL in software, nothing sent home. */
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--ignore-gpu-blocklist",
];

export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

/**
 * A page of its own, in one language, on a desktop or a phone. `problems` collects what went wrong in it:
 * errors of scripts, and requests to any host but the page's own.
 */
export async function openPage(browser, base, { language = "zh", size = DESKTOP } = {}) {
  const phone = size.width < 768;
  const context = await browser.newContext({
    baseURL: base,
    viewport: size,
    hasTouch: phone,
    isMobile: phone,
    locale: language === "zh" ? "zh-CN" : "en-GB",
    deviceScaleFactor: 1,
  });
  await context.addInitScript((l) => localStorage.setItem("jingling.language", l), language);
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(`script: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of (401|403|404|429)/.test(message.text())) {
      problems.push(`console: ${message.text()}`);
    }
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (/^https?:$/.test(url.protocol) && url.origin !== new URL(base).origin)
      problems.push(`outside: ${url.origin}`);
  });
  return { page, context, problems };
}

/**
 * A phone of its own, whose browser can be closed and opened again with what it keeps in `folder`; it has a place and a
 * microphone.
 */
export async function openPhone(folder, base, { language = "zh" } = {}) {
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [...FLAGS, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
    baseURL: base,
    viewport: PHONE,
    hasTouch: true,
    isMobile: true,
    locale: language === "zh" ? "zh-CN" : "en-GB",
    geolocation: { longitude: 113.166, latitude: 30.653, accuracy: 12 },
    permissions: ["geolocation", "microphone"],
  });
  await context.addInitScript((l) => localStorage.setItem("jingling.language", l), language);
  return context;
}

export async function signIn(page, username, password, from = "/sign-in") {
  await page.goto(from);
  await page.locator("#username").fill(username);
  await page.locator("#password").fill(password);
  await page.locator("button[type=submit]").click();
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
}
