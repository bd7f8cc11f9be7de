/** Systems that people sign in to: registered with a secret that is shown once, changed, shut out, removed. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { OidcClient } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./page.tsx";

const water: OidcClient = {
  client_id: "jlc-water",
  name: "水利调度",
  is_public: false,
  redirect_uris: ["https://water.example.gov.cn/callback"],
  post_logout_redirect_uris: [],
  backchannel_logout_uri: null,
  grants: ["authorization_code"],
  scopes: ["openid", "profile"],
  asks_consent: true,
  disabled: false,
  created_at: "2026-11-01T00:00:00Z",
  created_by: "admin",
  secret_set_at: "2026-11-01T00:00:00Z",
};
const CLIENTS = "/api/v1/oidc/clients";
const answers = { [`GET ${CLIENTS}`]: { items: [water] } };
const manager = userWith(["user.manage"], "admin");

const press = async (action: string) => {
  await screen.findByTestId("client");
  fireEvent.click(document.querySelector(`[data-action="${action}"]`) as HTMLElement);
};
/** Says yes to a question. */
const agree = async (title: string) => {
  const question = (await screen.findAllByText(title))[0]?.closest<HTMLElement>(".ant-modal-confirm");
  fireEvent.click(within(question as HTMLElement).getByText("Yes"));
};

describe("connected systems", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("registers a system by key, sends its addresses line by line and shows the secret once", async () => {
    const calls = serve({
      ...answers,
      [`POST ${CLIENTS}`]: { client: { ...water, name: "停车" }, client_secret: "jls_once" },
    });
    show(<Page />, { user: manager });
    await screen.findByTestId("client");
    fireEvent.keyDown(window, { key: "n" });
    fireEvent.change(await screen.findByLabelText("Name"), { target: { value: " 停车 " } });
    fireEvent.click(screen.getByTestId("client-submit"));
    expect(await screen.findByText("A system in a browser needs one at least")).toBeTruthy();
    fireEvent.change(screen.getByLabelText("Addresses to go back to"), {
      target: { value: "https://a.example/cb\n\n https://b.example/cb " },
    });
    fireEvent.click(screen.getByTestId("client-submit"));
    expect((await screen.findByTestId("client_secret")).textContent).toContain("jls_once");
    expect(calls.find((call) => call.method === "POST")?.body).toEqual({
      name: "停车",
      is_public: false,
      redirect_uris: ["https://a.example/cb", "https://b.example/cb"],
      post_logout_redirect_uris: [],
      backchannel_logout_uri: null,
      grants: ["authorization_code"],
      scopes: ["openid", "profile"],
      asks_consent: true,
    });
    fireEvent.click(screen.getByText("I have it"));
    await waitFor(() => expect(screen.queryByText("jls_once")).toBeNull());
  }, 30_000);

  it("makes a new secret and removes, each only after it was agreed to", async () => {
    const calls = serve({
      ...answers,
      [`POST ${CLIENTS}/jlc-water/secret`]: { client: water, client_secret: "jls_second" },
      [`DELETE ${CLIENTS}/jlc-water`]: () => new Response(null, { status: 204 }),
    });
    show(<Page />, { user: manager });
    await press("client.secret");
    expect(calls.filter((call) => call.method !== "GET")).toEqual([]);
    await agree("Make a new secret for “水利调度”?");
    expect((await screen.findByTestId("client_secret")).textContent).toContain("jls_second");
    fireEvent.click(screen.getByText("I have it"));
    await press("client.remove");
    await agree("Remove “水利调度”?");
    await waitFor(() => expect(calls.filter((call) => call.method === "DELETE").length).toBe(1));
  }, 30_000);

  it("lets one that is shut out in again, and offers a public one no secret", async () => {
    const closed = { ...water, is_public: true, disabled: true, secret_set_at: null };
    const calls = serve({
      [`GET ${CLIENTS}`]: { items: [closed] },
      [`PATCH ${CLIENTS}/jlc-water`]: { ...closed, disabled: false },
    });
    show(<Page />, { user: manager });
    await press("client.open");
    await waitFor(() =>
      expect(calls.find((call) => call.method === "PATCH")?.body).toEqual({ disabled: false }),
    );
    expect(document.querySelector('[data-action="client.secret"]')).toBeNull();
  }, 20_000);

  it("says what helps where there is none", async () => {
    serve({ [`GET ${CLIENTS}`]: { items: [] } });
    show(<Page />, { user: manager });
    expect(await screen.findByText("No system is registered yet")).toBeTruthy();
  });
});
