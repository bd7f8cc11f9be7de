/** Sign-in says what is wrong, and when to try again. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./page.tsx";

const problem = (status: number, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ code: "x", detail: "from the server" }), { status, headers });

function enter(username: string, password: string) {
  fireEvent.change(screen.getByLabelText("User name"), { target: { value: username } });
  fireEvent.change(screen.getByLabelText("Password"), { target: { value: password } });
  fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
}

describe("sign-in", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("asks for both fields before it asks the server", async () => {
    const calls = serve({});
    show(<Page />);
    fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
    expect(await screen.findByText("Enter your user name")).toBeTruthy();
    expect(screen.getByText("Enter your password")).toBeTruthy();
    expect(calls.filter((c) => c.method === "POST")).toEqual([]);
  });

  it("signs in and remembers who", async () => {
    const user = userWith(["entity.read"]);
    const calls = serve({ "POST /api/v1/session": { user } });
    const { queryClient } = show(<Page />);
    enter(" wang ", "secret");
    await waitFor(() => expect(queryClient.getQueryData(["session"])).toEqual(user));
    expect(calls.find((c) => c.method === "POST")?.body).toEqual({ username: "wang", password: "secret" });
  });

  it("does not say which of the two was wrong", async () => {
    serve({ "POST /api/v1/session": () => problem(401) });
    show(<Page />);
    enter("wang", "wrong");
    expect(await screen.findByText("User name or password is not correct")).toBeTruthy();
  });

  it("counts down when attempts are limited, and cannot be pressed meanwhile", async () => {
    serve({ "POST /api/v1/session": () => problem(429, { "retry-after": "30" }) });
    show(<Page />);
    enter("wang", "wrong");
    const told = await screen.findByText(
      /Too many attempts\. Try again at \d\d:\d\d:\d\d UTC\+8 \(in (30|29) s\)/,
    );
    expect(told).toBeTruthy();
    expect((screen.getByRole("button", { name: "Sign in" }) as HTMLButtonElement).disabled).toBe(true);
  });

  const step = {
    totp: true,
    recovery: true,
    passkey: false,
    enrol: false,
    expires_at: "2026-11-26T08:00:00Z",
  };

  it("asks for the second step and finishes with a code", async () => {
    const user = userWith(["entity.read"]);
    const calls = serve({
      "POST /api/v1/session": step,
      "POST /api/v1/session/second": ({ body }: { body: { code: string } }) =>
        body.code === "123456" ? { user } : problem(401),
    });
    const { queryClient } = show(<Page />);
    enter("wang", "secret");
    const code = await screen.findByLabelText("Code, or recovery code");
    expect(screen.queryByLabelText("Password")).toBeNull();
    fireEvent.change(code, { target: { value: "1" } });
    fireEvent.click(screen.getByRole("button", { name: "Go on" }));
    expect(await screen.findByText(/from the server/)).toBeTruthy();
    fireEvent.change(code, { target: { value: "123456" } });
    fireEvent.click(screen.getByRole("button", { name: "Go on" }));
    await waitFor(() => expect(queryClient.getQueryData(["session"])).toEqual(user));
    const tries = calls.filter((c) => c.path === "/api/v1/session/second");
    expect(tries.map((c) => c.body)).toEqual([{ code: "1" }, { code: "123456" }]);
  });

  it("begins again when the second step is over", async () => {
    const over = { code: "sign-in-begin-again", detail: "the sign-in is over" };
    serve({
      "POST /api/v1/session": step,
      "POST /api/v1/session/second": () => new Response(JSON.stringify(over), { status: 400 }),
    });
    show(<Page />);
    enter("wang", "secret");
    fireEvent.change(await screen.findByLabelText("Code, or recovery code"), { target: { value: "1" } });
    fireEvent.click(screen.getByRole("button", { name: "Go on" }));
    expect(await screen.findByLabelText("Password")).toBeTruthy();
    expect(screen.getByText("The sign-in is over; begin again")).toBeTruthy();
  });

  it("offers a passkey only on the page that passkeys are for", async () => {
    vi.stubGlobal("PublicKeyCredential", class {});
    serve({ "GET /api/v1/session/methods": { passkey_origin: window.location.origin } });
    const { unmount } = show(<Page />);
    expect(await screen.findByRole("button", { name: /Use a passkey/ })).toBeTruthy();
    unmount();
    const calls = serve({ "GET /api/v1/session/methods": { passkey_origin: "https://city.example.gov.cn" } });
    show(<Page />);
    await waitFor(() => expect(calls.length).toBe(1));
    expect(screen.queryByRole("button", { name: /Use a passkey/ })).toBeNull();
  });

  const province = { id: "province", name_zh: "省统一身份认证", name_en: "the province" };

  it("sends to an outside provider where there is one, and comes back to the page that was asked for", async () => {
    const assign = vi.fn();
    vi.stubGlobal("location", { ...window.location, assign });
    const calls = serve({
      "GET /api/v1/session/methods": { passkey_origin: null, providers: [province] },
      "POST /api/v1/session/outside/province": { redirect_to: "https://sso.example/auth?state=s" },
    });
    show(<Page />, { path: "/sign-in?return_to=%2Fcases" });
    fireEvent.click(await screen.findByRole("button", { name: /Sign in with the province/ }));
    await waitFor(() => expect(assign).toHaveBeenCalledWith("https://sso.example/auth?state=s"));
    expect(calls.find((c) => c.method === "POST")?.body).toEqual({ return_to: "/cases" });
  });

  it("gives no page of another site to go back to, and tells when the provider cannot be used", async () => {
    const calls = serve({
      "GET /api/v1/session/methods": { passkey_origin: null, providers: [province] },
      "POST /api/v1/session/outside/province": () =>
        new Response(JSON.stringify({ code: "outside-unreachable", detail: "x" }), { status: 503 }),
    });
    show(<Page />, { path: "/sign-in?return_to=%2F%2Fevil.example", language: "zh" });
    fireEvent.click(await screen.findByRole("button", { name: /用省统一身份认证登录/ }));
    expect(await screen.findByText("外部身份提供方暂时无法使用，请稍后再试")).toBeTruthy();
    expect(calls.find((c) => c.method === "POST")?.body).toEqual({ return_to: null });
  });

  it("goes on with the second step of a sign-in that began at a provider", async () => {
    const user = userWith(["entity.read"]);
    serve({
      "GET /api/v1/session/methods": { passkey_origin: null, providers: [province] },
      "GET /api/v1/session/second": step,
      "POST /api/v1/session/second": { user },
    });
    const { queryClient } = show(<Page />, { path: "/sign-in?second=1&return_to=%2Fcases" });
    expect(await screen.findByText(/Your identity is confirmed/)).toBeTruthy();
    fireEvent.change(screen.getByLabelText("Code, or recovery code"), { target: { value: "123456" } });
    fireEvent.click(screen.getByRole("button", { name: "Go on" }));
    await waitFor(() => expect(queryClient.getQueryData(["session"])).toEqual(user));
  });

  it("sets a second factor up where the role asks for one, and shows recovery codes before it lets in", async () => {
    const user = userWith(["entity.read"], "admin");
    serve({
      "POST /api/v1/session": { ...step, totp: false, recovery: false, enrol: true },
      "POST /api/v1/session/enrol/totp": { secret: "ABCDEFGH", uri: "otpauth://totp/x", qr_svg: "<svg/>" },
      "POST /api/v1/session/enrol/totp/confirm": { user, recovery_codes: ["aaaa-bbbb-cccc-dddd"] },
    });
    const { queryClient } = show(<Page />);
    enter("wang", "secret");
    expect(await screen.findByText("ABCD EFGH")).toBeTruthy();
    fireEvent.change(screen.getByLabelText("The six digits that the app shows"), {
      target: { value: "123456" },
    });
    fireEvent.click(screen.getByRole("button", { name: "Put in use" }));
    expect(await screen.findByText("aaaa-bbbb-cccc-dddd")).toBeTruthy();
    expect(queryClient.getQueryData(["session"])).toBeNull();
    fireEvent.click(screen.getByTestId("recovery-kept"));
    await waitFor(() => expect(queryClient.getQueryData(["session"])).toEqual(user));
  });
});
