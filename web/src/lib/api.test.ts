/** Every failure becomes one error that says what, where and the mend. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, change, get, query, whenSignedOut } from "./api.ts";

const answer = (status: number, body: string, headers: Record<string, string> = {}) =>
  vi.stubGlobal(
    "fetch",
    vi.fn(async () => new Response(status === 204 ? null : body, { status, headers })),
  );
const failure = async (work: Promise<unknown>): Promise<ApiError> => {
  const error = await work.then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
};

describe("api", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("reads the server's problem", async () => {
    answer(
      400,
      JSON.stringify({ code: "sql", detail: "no such column", place: "line 2", mend: "see the tables" }),
    );
    const error = await failure(get("/api/v1/x"));
    expect(error).toMatchObject({ status: 400, code: "sql", place: "line 2", mend: "see the tables" });
    expect(error.message).toBe("no such column");
    expect(error.passing).toBe(false);
  });

  it("has the server's words in both languages where there are two", async () => {
    const english = { detail: "the file is too large", place: "body", mend: "cut it" };
    const chinese = { detail_zh: "文件太大", place_zh: "文件", mend_zh: "请拆分" };
    answer(413, JSON.stringify({ code: "import-size", ...english, ...chinese }));
    const both = await failure(get("/api/v1/x"));
    expect(both.in("zh")).toEqual({ detail: "文件太大", place: "文件", mend: "请拆分" });
    expect(both.in("en")).toMatchObject(english);
    answer(413, JSON.stringify({ code: "import-size", ...english, detail_zh: null }));
    expect((await failure(get("/api/v1/x"))).in("zh")).toMatchObject(english);
  });

  it("keeps what a proxy says that speaks no JSON", async () => {
    answer(502, "<h1>Bad gateway</h1>");
    const error = await failure(get("/api/v1/x"));
    expect(error).toMatchObject({ status: 502, detail: "<h1>Bad gateway</h1>", passing: true });
  });

  it("tells how long to wait", async () => {
    answer(429, JSON.stringify({ code: "rate-limited", detail: "too many" }), { "retry-after": "20" });
    expect((await failure(change("POST", "/api/v1/session", {}))).retryAfterSeconds).toBe(20);
  });

  it("names a lost network", async () => {
    vi.stubGlobal("fetch", async () => {
      throw new TypeError("Failed to fetch");
    });
    expect(await failure(get("/api/v1/x"))).toMatchObject({ status: 0, code: "network", passing: true });
  });

  it("tells that the session ended, but not when the sign-in itself is wrong", async () => {
    const ended = vi.fn();
    whenSignedOut(ended);
    answer(401, "{}");
    await failure(change("POST", "/api/v1/session", {}));
    expect(ended).not.toHaveBeenCalled();
    await failure(get("/api/v1/cases"));
    expect(ended).toHaveBeenCalledOnce();
  });

  it("sends the header that guards changes, and takes 204 for done", async () => {
    answer(204, "");
    await expect(change("DELETE", "/api/v1/devices/a")).resolves.toBeUndefined();
    const [, init] = vi.mocked(fetch).mock.calls[0] ?? [];
    expect(init?.headers).toMatchObject({ "x-jingling-csrf": "1" });
  });

  it("leaves out what is not set", () => {
    expect(query({ a: 1, b: "", c: null, d: undefined, e: false, f: "x y" })).toBe("?a=1&e=false&f=x+y");
    expect(query({})).toBe("");
  });
});
