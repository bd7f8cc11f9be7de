/** What was asked for early is taken once, and only while it is news. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { change, get } from "./api.ts";
import { askEarly, forgetEarly, takeEarly } from "./early.ts";

const PATH = "/api/v1/plan";

/** Each answer says how many were asked for before it. */
function server(status = 200) {
  let n = 0;
  const fetched = vi.fn(async () => {
    n += 1;
    return new Response(JSON.stringify({ n }), { status: n === 1 ? status : 200 });
  });
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

describe("early", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    forgetEarly();
  });

  it("is taken by the first who reads that address, and by nobody else", async () => {
    const fetched = server();
    void askEarly(PATH);
    expect(await get(PATH)).toEqual({ n: 1 });
    expect(await get(PATH)).toEqual({ n: 2 });
    expect(fetched).toHaveBeenCalledTimes(2);
  });

  it("comes from no copy that this browser keeps", async () => {
    const fetched = server();
    await askEarly(PATH);
    expect(fetched).toHaveBeenCalledWith(PATH, expect.objectContaining({ cache: "no-store" }));
  });

  it("is asked for again when it was refused", async () => {
    server(401);
    void askEarly(PATH);
    expect(await get(PATH)).toEqual({ n: 2 });
  });

  it("is asked for again when the server could not be reached, or spoke no JSON", async () => {
    for (const first of [() => Promise.reject(new TypeError("no network")), async () => new Response("<")]) {
      vi.stubGlobal("fetch", vi.fn(first));
      expect(await askEarly(PATH)).toBeUndefined();
      const later = server();
      expect(await get(PATH)).toEqual({ n: 1 });
      expect(later).toHaveBeenCalledTimes(1);
    }
  });

  it("is no news after a while", () => {
    server();
    const clock = vi.spyOn(performance, "now").mockReturnValue(0);
    void askEarly(PATH);
    clock.mockReturnValue(60_000);
    expect(takeEarly(PATH)).toBeUndefined();
  });

  it("is of nobody any more once anything was changed: a sign-in, for one", async () => {
    server();
    void askEarly(PATH);
    await change("POST", "/api/v1/session", {});
    expect(await get(PATH)).toEqual({ n: 3 });
  });
});
