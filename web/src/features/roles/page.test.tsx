/** Giving roles: what a role may do is said before, and an administrator's role is asked for, not given. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./page.tsx";

const security = userWith(["role.grant", "approval.decide"], "security");
const account = {
  id: 9,
  username: "wang",
  name: "王工",
  role: "none",
  organisation: null,
  disabled: false,
};
const roles = {
  items: [
    { role: "auditor", permissions: ["audit.read"], is_administrator: true },
    { role: "duty", permissions: ["case.read", "case.dispatch"], is_administrator: false },
    { role: "none", permissions: [], is_administrator: false },
  ],
};

describe("giving roles", () => {
  afterEach(() => vi.unstubAllGlobals());
  const pick = async (role: string) => {
    fireEvent.click(await screen.findByRole("button", { name: /Change the role/ }));
    fireEvent.mouseDown(await screen.findByRole("combobox"));
    fireEvent.click(await screen.findByTitle(role));
  };

  it("gives one that is no administrator's at once", async () => {
    const calls = serve({
      "GET /api/v1/accounts": { items: [account], next: null },
      "GET /api/v1/roles": roles,
      "POST /api/v1/accounts/9/role": { ...account, role: "duty" },
    });
    show(<Page />, { user: security });
    await pick("Duty officer");
    expect(await screen.findByText(/case\.dispatch/)).toBeTruthy();
    expect(screen.queryByText(/a second person must agree/)).toBeNull();
    fireEvent.click(screen.getByTestId("role-submit"));
    expect(await screen.findByText(/王工 is now/)).toBeTruthy();
    expect(calls.find((call) => call.method === "POST")?.body).toEqual({ role: "duty", reason: "" });
  }, 20_000);

  it("says that an administrator's waits for a second person, and where", async () => {
    const approval = { id: 4, act: "administrator.role", title_zh: "授予", title_en: "Give a role" };
    const calls = serve({
      "GET /api/v1/accounts": { items: [account], next: null },
      "GET /api/v1/roles": roles,
      "POST /api/v1/accounts/9/role": { approval },
    });
    show(<Page />, { user: security });
    await pick("Audit administrator");
    await waitFor(() => expect(screen.getAllByText(/a second person must agree/).length).toBe(1));
    fireEvent.click(screen.getByTestId("role-submit"));
    expect(await screen.findByText("Asked for, not done yet")).toBeTruthy();
    expect(screen.getByTestId("approval-open")).toBeTruthy();
    expect(screen.queryByText(/is now/)).toBeNull();
    expect(calls.find((call) => call.method === "POST")?.body).toEqual({ role: "auditor", reason: "" });
  }, 20_000);
});
