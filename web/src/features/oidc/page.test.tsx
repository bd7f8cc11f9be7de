/** Consent: what is asked is shown, the answer sends the browser back, and nobody is asked who need not be. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./page.tsx";

const SEARCH = "?client_id=jlc-1&state=s&asked_at=1.0";
const question = {
  client_name: "水利调度",
  client_host: "https://water.example",
  scopes: ["openid", "profile"],
  needs_consent: true,
  needs_sign_in: false,
  redirect_to: null,
};
const onward = { redirect_to: "https://water.example/cb?code=c" };
const assign = vi.fn();

describe("consent", () => {
  beforeEach(() => {
    assign.mockClear();
    vi.stubGlobal("location", { ...window.location, assign });
  });
  afterEach(() => vi.unstubAllGlobals());
  const open = (search = SEARCH, user: ReturnType<typeof userWith> | null = userWith([])) =>
    show(<Page />, { user, path: `/oidc/authorize${search}` });

  it("shows who asks for what, and goes back with the answer", async () => {
    const calls = serve({
      "GET /api/v1/oidc/authorization": question,
      "POST /api/v1/oidc/authorization": onward,
    });
    open();
    expect(await screen.findByText("Sign in to 水利调度")).toBeTruthy();
    expect(screen.getByText(/https:\/\/water\.example/)).toBeTruthy();
    expect(screen.getByText("Your name and user name")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: /Agree and sign in/ }));
    await waitFor(() => expect(assign).toHaveBeenCalledWith(onward.redirect_to));
    expect(calls.at(-1)?.body).toEqual({ query: SEARCH.slice(1), approve: true });
  });

  it("says no", async () => {
    const calls = serve({
      "GET /api/v1/oidc/authorization": question,
      "POST /api/v1/oidc/authorization": onward,
    });
    open();
    fireEvent.click(await screen.findByRole("button", { name: /Refuse/ }));
    await waitFor(() => expect(assign).toHaveBeenCalled());
    expect(calls.at(-1)?.body).toEqual({ query: SEARCH.slice(1), approve: false });
  });

  it("does not ask who has said yes, nor whom nobody may ask", async () => {
    serve({
      "GET /api/v1/oidc/authorization": { ...question, needs_consent: false },
      "POST /api/v1/oidc/authorization": onward,
      "GET /api/v1/oidc/refusal": { redirect_to: "https://water.example/cb?error=login_required" },
    });
    open();
    await waitFor(() => expect(assign).toHaveBeenCalledWith(onward.redirect_to));
    open(`${SEARCH}&prompt=none`, null);
    await waitFor(() =>
      expect(assign).toHaveBeenLastCalledWith("https://water.example/cb?error=login_required"),
    );
  });

  it("sends nobody anywhere when the request is not good", async () => {
    const problem = { code: "oidc-redirect-uri", detail: "not registered", mend: "go back" };
    serve({
      "GET /api/v1/oidc/authorization": () => new Response(JSON.stringify(problem), { status: 400 }),
    });
    open();
    expect(await screen.findByText(/not registered/)).toBeTruthy();
    expect(assign).not.toHaveBeenCalled();
  });
});
