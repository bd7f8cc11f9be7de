/** What a browser keeps of a person is shown while it is young enough, and who signed out without a network is out. */
import { QueryClient } from "@tanstack/react-query";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serve, userWith } from "../test-tools.tsx";
import { giveBack, isFresh, isSignOutOwed, type Kept } from "./kept.ts";
import { sessionQuery, signIn, signOut } from "./session.ts";
import type { User } from "./types.ts";

const HOUR_MS = 3_600_000;
const kept: Kept = {
  user: userWith(["case.handle"], "field"),
  at: 1_000 * HOUR_MS,
  hoursMax: 72,
  entries: [{ key: ["case", 7], data: { id: 7, title: "cover missing" }, at: 999 * HOUR_MS }],
};

describe("kept tasks", () => {
  it("are shown for so many hours after they were read, by a clock that may be put back a little", () => {
    const later = (hours: number) => isFresh(kept, kept.at + hours * HOUR_MS);
    expect([later(0), later(71.9), later(72), later(-0.5), later(-2)]).toEqual([
      true,
      true,
      false,
      true,
      false,
    ]);
    expect(isFresh({ ...kept, hoursMax: 0 }, kept.at)).toBe(false);
  });
  it("come back with their age, so that they are read again as soon as possible", () => {
    const queryClient = new QueryClient();
    giveBack(queryClient, kept, sessionQuery.queryKey);
    expect(queryClient.getQueryData(["case", 7])).toEqual({ id: 7, title: "cover missing" });
    expect(queryClient.getQueryState(["case", 7])?.dataUpdatedAt).toBe(999 * HOUR_MS);
    expect(queryClient.getQueryData(sessionQuery.queryKey)).toEqual(kept.user);
  });
  it("are taken away when the server says that somebody else is signed in", () => {
    const queryClient = new QueryClient();
    giveBack(queryClient, kept, sessionQuery.queryKey);
    queryClient.setQueryData(sessionQuery.queryKey, { ...kept.user });
    expect(queryClient.getQueryData(["case", 7])).toBeDefined();
    queryClient.setQueryData(sessionQuery.queryKey, { ...userWith(["case.handle"], "field"), id: 8 } as User);
    expect(queryClient.getQueryData(["case", 7])).toBeUndefined();
    expect(queryClient.getQueryData(sessionQuery.queryKey)?.id).toBe(8);
  });
});

describe("signing out", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    localStorage.clear();
  });
  const session = (queryClient: QueryClient) => queryClient.fetchQuery({ ...sessionQuery, staleTime: 0 });

  it("holds without a network, and ends the session with the first answer", async () => {
    const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } });
    queryClient.setQueryData(sessionQuery.queryKey, kept.user);
    let isReached = false;
    const calls = serve({
      "DELETE /api/v1/session": () => {
        if (!isReached) throw new TypeError("no network");
        return new Response(null, { status: 204 });
      },
      // The cookie is still good.
      "GET /api/v1/session": { user: kept.user },
    });
    await signOut(queryClient);
    expect(isSignOutOwed()).toBe(true);
    expect(await session(queryClient)).toBeNull();
    expect(isSignOutOwed()).toBe(true);
    isReached = true;
    await session(queryClient);
    expect(isSignOutOwed()).toBe(false);
    const order = calls.map(({ method }) => method);
    expect(order).toEqual(["DELETE", "DELETE", "DELETE", "GET"]);
  });

  it("is settled by who signs in next: the session's cookie is another", async () => {
    const queryClient = new QueryClient();
    localStorage.setItem("jingling.sign-out-owed", "1");
    serve({ "POST /api/v1/session": { user: kept.user } });
    await signIn(queryClient, "wang", "secret");
    expect(isSignOutOwed()).toBe(false);
  });
});
