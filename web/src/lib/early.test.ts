/** What was asked for early is taken once, and only while it is news. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { get } from "./api.ts";
import { askEarly, takeEarly } from "./early.ts";

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
    vi.restoreAllMocks();
    void takeEarly(PATH);
  });

  it("is taken by the first who reads that address, and by nobody else", async () => {
    const fetched = server();
    askEarly([PATH]);
    expect(await get(PATH)).toEqual({ n: 1 });
    expect(await get(PATH)).toEqual({ n: 2 });
    expect(fetched).toHaveBeenCalledTimes(2);
  });

  it("is asked for again when it was refused", async () => {
    server(401);
    askEarly([PATH]);
    expect(await get(PATH)).toEqual({ n: 2 });
  });

  it("is asked for again when the server could not be reached", async () => {
    vi.stubGlobal(
      "fetch",
      vi.fn(async () => Promise.reject(new TypeError("no network"))),
    );
    askEarly([PATH]);
    const later = server();
    expect(await get(PATH)).toEqual({ n: 1 });
    expect(later).toHaveBeenCalledTimes(1);
  });

  it("is no news after a while", async () => {
    server();
    const clock = vi.spyOn(performance, "now").mockReturnValue(0);
    askEarly([PATH]);
    clock.mockReturnValue(60_000);
    expect(takeEarly(PATH)).toBeUndefined();
  });
});
