/** The account's page shows how a person signs in, and changes it. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { OwnAccount } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./page.tsx";

const later = new Date(Date.now() + 300_000).toISOString();
const session = (id: string, is_this: boolean) => ({
  id,
  is_this,
  peer: "10.1.2.3",
  began_by: "totp",
  created_at: "2026-11-26T08:00:00Z",
  last_seen_at: "2026-11-26T09:00:00Z",
  expires_at: later,
});
const account: OwnAccount = {
  username: "wang",
  password_set_at: "2026-11-01T08:00:00Z",
  totp_since: null,
  recovery_codes_left: 0,
  passkeys: [
    {
      id: 3,
      name: "Office computer",
      is_synced: true,
      created_at: "2026-11-02T08:00:00Z",
      last_used_at: null,
    },
  ],
  sessions: [session("aa", true), session("bb", false)],
  second_factor_required: false,
  passkey_origin: "https://city.example.gov.cn",
  young_until: later,
};
const withAccount = (change: Partial<OwnAccount>, answers: Record<string, unknown> = {}) =>
  serve({
    "GET /api/v1/account": { ...account, ...change },
    "GET /api/v1/oidc/grants": { items: [] },
    ...answers,
  });
const user = userWith([]);

describe("my account", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("shows factors and sessions, and says where passkeys work", async () => {
    withAccount({});
    show(<Page />, { user });
    expect(await screen.findByText("Office computer")).toBeTruthy();
    expect(screen.getByText(/Passkeys work under https:\/\/city\.example\.gov\.cn alone/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Add a passkey" })).toBeNull();
    expect(screen.getAllByTestId("session")).toHaveLength(2);
    expect(screen.getByText("This session")).toBeTruthy();
    // One's own is ended by signing out.
    expect(screen.getAllByRole("button", { name: "End" })).toHaveLength(1);
  });

  it("ends another session", async () => {
    const calls = withAccount(
      {},
      { "DELETE /api/v1/account/sessions/bb": new Response(null, { status: 204 }) },
    );
    show(<Page />, { user });
    fireEvent.click(await screen.findByRole("button", { name: "End" }));
    await waitFor(() => expect(calls.some((c) => c.path === "/api/v1/account/sessions/bb")).toBe(true));
  });

  it("puts codes in use and shows the recovery codes once", async () => {
    const calls = withAccount(
      {},
      {
        "POST /api/v1/account/totp": { secret: "ABCDEFGH", uri: "otpauth://totp/x", qr_svg: "<svg/>" },
        "POST /api/v1/account/totp/confirm": { recovery_codes: ["aaaa-bbbb-cccc-dddd"] },
      },
    );
    show(<Page />, { user });
    fireEvent.click(await screen.findByRole("button", { name: /Put codes in use/ }));
    expect(await screen.findByText("ABCD EFGH")).toBeTruthy();
    const field = screen.getByLabelText("The six digits that the app shows");
    fireEvent.change(field, { target: { value: "12" } });
    fireEvent.click(screen.getByTestId("totp-submit"));
    expect(await screen.findByText("Enter six digits")).toBeTruthy();
    fireEvent.change(field, { target: { value: "123 456" } });
    fireEvent.click(screen.getByTestId("totp-submit"));
    expect(await screen.findByText("aaaa-bbbb-cccc-dddd")).toBeTruthy();
    expect(calls.filter((c) => c.path.endsWith("/confirm")).map((c) => c.body)).toEqual([
      { code: "123 456" },
    ]);
    fireEvent.click(screen.getByTestId("recovery-kept"));
    await waitFor(() => expect(screen.queryByText("aaaa-bbbb-cccc-dddd")).toBeNull());
  });

  it("links and unlinks outside identities, where the city has a provider", async () => {
    const assign = vi.fn();
    vi.stubGlobal("location", { ...window.location, assign });
    const provider = (id: string) => ({ id, name_zh: id, name_en: `the ${id}` });
    const calls = withAccount(
      {},
      {
        "GET /api/v1/session/methods": {
          passkey_origin: null,
          providers: [provider("province"), provider("ministry")],
        },
        "GET /api/v1/account/identities": {
          items: [
            {
              ...provider("province"),
              id: 5,
              provider: "province",
              subject: "u-1",
              shown: "Wang Min",
              linked_by: "claim",
              linked_at: "2026-11-26T08:00:00Z",
              last_used_at: null,
            },
          ],
        },
        "POST /api/v1/account/identities": { redirect_to: "https://sso.example/auth" },
        "DELETE /api/v1/account/identities/5": new Response(null, { status: 204 }),
      },
    );
    show(<Page />, { user });
    expect(await screen.findByText(/Wang Min/)).toBeTruthy();
    expect(screen.getByText("linked by itself")).toBeTruthy();
    expect(screen.queryByTestId("free-province")).toBeNull();
    expect(screen.getByTestId("free-ministry").textContent).toContain("the ministry");
    fireEvent.click(screen.getByRole("button", { name: "Link" }));
    await waitFor(() => expect(assign).toHaveBeenCalledWith("https://sso.example/auth"));
    expect(calls.find((c) => c.method === "POST")?.body).toEqual({ provider: "ministry" });
    fireEvent.click(screen.getByRole("button", { name: /Unlink/ }));
    fireEvent.click(await screen.findByRole("button", { name: "OK" }));
    await waitFor(() => expect(calls.some((c) => c.method === "DELETE")).toBe(true));
  });

  it("shows nothing of outside identities where the city has no provider", async () => {
    const calls = withAccount({}, { "GET /api/v1/session/methods": { passkey_origin: null, providers: [] } });
    show(<Page />, { user });
    expect(await screen.findByText("Office computer")).toBeTruthy();
    expect(screen.queryByText("Linked outside identities")).toBeNull();
    expect(calls.some((c) => c.path === "/api/v1/account/identities")).toBe(false);
  });

  it("says when one must sign in again first, and what the role asks", async () => {
    withAccount({ young_until: "2026-01-01T00:00:00Z", second_factor_required: true });
    show(<Page />, { user });
    expect(await screen.findByRole("button", { name: "Sign in again" })).toBeTruthy();
    expect(screen.getByText(/Your role must sign in with a second factor/)).toBeTruthy();
  });

  it("tells what went wrong with a new password before and after it is sent", async () => {
    const wrong = { code: "password-old-wrong", detail: "the old password is wrong" };
    const calls = withAccount(
      {},
      { "POST /api/v1/account/password": () => new Response(JSON.stringify(wrong), { status: 400 }) },
    );
    show(<Page />, { user });
    fireEvent.click(await screen.findByRole("button", { name: "Change password" }));
    const put = (label: string, value: string) =>
      fireEvent.change(screen.getByLabelText(label), { target: { value } });
    put("Old password", "old one");
    put("New password (at least 12 characters)", "short");
    put("New password again", "other");
    fireEvent.click(screen.getByTestId("password-submit"));
    expect(await screen.findByText("At least 12 characters")).toBeTruthy();
    expect(await screen.findByText("The two differ")).toBeTruthy();
    expect(calls.some((c) => c.method === "POST")).toBe(false);
    put("New password (at least 12 characters)", "a long enough one");
    put("New password again", "a long enough one");
    fireEvent.click(screen.getByTestId("password-submit"));
    expect(await screen.findByText(/old password is wrong/i)).toBeTruthy();
  });
});
