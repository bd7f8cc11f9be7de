/** A style element that a script makes carries the page's nonce; other elements, and HTML, do not. */
import { describe, expect, it } from "vitest";
import { giveNonce } from "./nonce.ts";

const fresh = (head: string) =>
  new DOMParser().parseFromString(`<head>${head}</head><body></body>`, "text/html");

describe("the nonce of style elements", () => {
  it("is given to what scripts make and to nothing else", () => {
    const page = fresh("");
    const meta = page.createElement("meta");
    meta.setAttribute("property", "csp-nonce");
    meta.nonce = "abc";
    page.head.append(meta);
    giveNonce(page);
    expect(page.createElement("style").nonce).toBe("abc");
    expect(page.createElement("script").nonce ?? "").toBe("");
    page.body.innerHTML = "<style>p{color:red}</style>";
    expect(page.querySelector("style")?.nonce ?? "").toBe("");
  });

  it("is left alone on a page that has none", () => {
    const page = fresh("");
    giveNonce(page);
    expect(page.createElement("style").nonce ?? "").toBe("");
  });
});
