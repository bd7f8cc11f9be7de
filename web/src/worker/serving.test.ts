/** The worker answers what it may, prefers what is new, and gives no nonce twice. */
import { describe, expect, it } from "vitest";
import { answering, firstPage, isOfSameBuild, outlived, withNewNonce } from "./serving.ts";

const ORIGIN = "https://city.example";
const ask = (path: string, more: { method?: string; mode?: string } = {}) =>
  answering({ method: "GET", mode: "cors", url: new URL(path, ORIGIN).href, ...more }, ORIGIN, [
    "/favicon.svg",
  ]);

describe("answering", () => {
  it("leaves every operation, every change and every other site to the network", () => {
    for (const path of [
      "/api/v1/session",
      "/api/v1/cases?mine=true",
      "/ngsi-ld/v1/entities",
      "/oauth2/authorize",
      "/open311/v2/services.json",
      "/.well-known/openid-configuration",
      "/healthz",
      "/metrics",
      "/sw.js",
      "/manifest.webmanifest",
    ])
      expect(ask(path), path).toBe("network");
    // An operation that is opened as a page, such as a file that is saved.
    expect(ask("/api/v1/cases/figures?format=csv", { mode: "navigate" })).toBe("network");
    expect(ask("/oauth2/authorize?client_id=x", { mode: "navigate" })).toBe("network");
    expect(ask("/assets/a.js", { method: "POST" })).toBe("network");
    expect(ask("https://elsewhere.example/assets/a.js")).toBe("network");
  });
  it("stands in for pages and assets", () => {
    expect(ask("/field", { mode: "navigate" })).toBe("first-page");
    expect(ask("/apiary", { mode: "navigate" })).toBe("first-page");
    expect(ask("/assets/index-abc.js")).toBe("asset");
    expect(ask("/favicon.svg")).toBe("asset");
  });
});

describe("the first page", () => {
  const kept = async () => new Response("kept");
  const never = new Promise<never>(() => {});
  const text = async (answer: Promise<Response>) => (await answer).text();
  it("is the server's while it answers in time", async () => {
    expect(await text(firstPage(Promise.resolve(new Response("new")), kept, never))).toBe("new");
    const refused = new Response("no", { status: 403 });
    expect(await text(firstPage(Promise.resolve(refused), kept, never))).toBe("no");
  });
  it("is the kept one without a network, while the server fails, and when it takes too long", async () => {
    expect(await text(firstPage(Promise.reject(new TypeError("no network")), kept, never))).toBe("kept");
    const failing = Promise.resolve(new Response("bad gateway", { status: 502 }));
    expect(await text(firstPage(failing, kept, never))).toBe("kept");
    expect(await text(firstPage(never, kept, Promise.resolve()))).toBe("kept");
  });
  it("fails as the network did when none is kept", async () => {
    const failed = firstPage(Promise.reject(new TypeError("no network")), async () => undefined, never);
    await expect(failed).rejects.toThrow("no network");
  });
  it("has a nonce of its own each time, in the policy and in the page", async () => {
    const policy = "style-src 'self' 'nonce-OLDOLDOLDOLDOLDOLDOLDOLD'";
    const answer = await withNewNonce(
      new Response('<meta property="csp-nonce" nonce="OLDOLDOLDOLDOLDOLDOLDOLD">', {
        headers: { "content-security-policy": policy, "x-frame-options": "DENY", "content-encoding": "br" },
      }),
      (bytes) => new Uint8Array(bytes).fill(0xfb),
    );
    const made = "-_v7-_v7-_v7-_v7-_v7-_v7";
    expect(answer.headers.get("content-security-policy")).toBe(`style-src 'self' 'nonce-${made}'`);
    expect(answer.headers.get("x-frame-options")).toBe("DENY");
    expect(answer.headers.get("content-encoding")).toBeNull();
    expect(await answer.text()).toBe(`<meta property="csp-nonce" nonce="${made}">`);
  });
});

describe("builds", () => {
  const page =
    '<script src="/assets/index-a.js"></script><link href="/assets/index-b.css"><link href="/favicon.svg">';
  it("are never mixed: a first page is kept only with the assets that it begins with", () => {
    expect(isOfSameBuild(page, ["/assets/index-a.js", "/assets/index-b.css", "/assets/c.js"])).toBe(true);
    expect(isOfSameBuild(page, ["/assets/index-other.js", "/assets/index-b.css"])).toBe(false);
    expect(isOfSameBuild("<h1>maintenance</h1>", ["/assets/index-a.js"])).toBe(false);
  });
  it("are let go of, but for the one that open pages may be of", () => {
    const names = ["jingling-pages-1", "other", "jingling-pages-2", "jingling-pages-3"];
    expect(outlived(names, "jingling-pages-3", true)).toEqual(["jingling-pages-1"]);
    expect(outlived(names, "jingling-pages-3", false)).toEqual(["jingling-pages-1", "jingling-pages-2"]);
  });
});
