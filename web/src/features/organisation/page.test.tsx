/** The organisation page: the tree, posts and people of what is chosen, and what may be done by whom. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { OrganisationTree, PersonDetail } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./page.tsx";

const tree: OrganisationTree = {
  organisations: [
    {
      id: "shuili",
      name_zh: "水利局",
      name_en: "Water Bureau",
      kind: "department",
      parent: null,
      credit_code: null,
      division: null,
      disabled: false,
      of_profile: true,
      people: 2,
    },
    {
      id: "pump",
      name_zh: "泵站",
      name_en: "Pump Station",
      kind: "operator",
      parent: "shuili",
      credit_code: "914403001922038216",
      division: "429006001",
      disabled: false,
      of_profile: false,
      people: 0,
    },
  ],
  posts: [
    {
      id: "pump-1",
      organisation: "pump",
      title_zh: "值守",
      title_en: "Watch",
      duty: "Look after the pumps",
      role: "field",
      division: null,
      disabled: false,
      holders: [{ id: 9, user_id: 3, name: "李四", from: "2026-11-01T00:00:00Z", until: null }],
    },
  ],
};
const li: PersonDetail = {
  id: 3,
  username: "li.si",
  name: "李四",
  role: "field",
  organisation: "shuili",
  phone: "138****5678",
  disabled: false,
  password_set_at: "2026-11-01T00:00:00Z",
  posts: [
    {
      holder_id: 9,
      id: "pump-1",
      organisation: "pump",
      title_zh: "值守",
      title_en: "Watch",
      role: "field",
      from: "2026-11-01T00:00:00Z",
      until: null,
    },
  ],
};
const answers = {
  "GET /api/v1/organisation": tree,
  "GET /api/v1/people": { items: [li], next: null },
};
const manager = userWith(["organisation.read", "user.manage"], "admin");
const security = userWith(["organisation.read", "role.grant"], "security");
const reader = userWith(["organisation.read"]);

describe("the organisation page", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("shows the tree by kind, and what is chosen with its posts and who holds them", async () => {
    const calls = serve(answers);
    show(<Page />, { user: reader });
    expect(await screen.findByText("Department")).toBeTruthy();
    fireEvent.click(await screen.findByText("Pump Station"));
    const unit = within(await screen.findByTestId("organisation-unit"));
    expect(unit.getByText("914403001922038216")).toBeTruthy();
    expect(unit.getByText("Water Bureau")).toBeTruthy();
    expect(screen.getByText("Look after the pumps")).toBeTruthy();
    await waitFor(() => expect(calls.map((c) => c.path)).toContain("/api/v1/people?organisation=pump"));
    expect(screen.getByText("138****5678").closest("a")).toBeNull();
  }, 20_000);

  it("offers nothing to change to who may only read", async () => {
    serve(answers);
    show(<Page />, { user: reader, path: "/organisation?of=pump" });
    await screen.findByText("Look after the pumps");
    expect(document.querySelector("[data-action]")).toBeNull();
    expect(document.querySelector(".ant-tag-close-icon")).toBeNull();
  }, 20_000);

  it("searches people on the server, and the tree here", async () => {
    const calls = serve(answers);
    show(<Page />, { user: reader });
    await screen.findByText("Department");
    fireEvent.change(screen.getByLabelText("Search names and codes"), { target: { value: "nothing" } });
    expect(screen.getByText("No organisation matches")).toBeTruthy();
    const field = screen.getByLabelText("Search people");
    fireEvent.change(field, { target: { value: " 李 " } });
    fireEvent.keyDown(field, { key: "Enter", keyCode: 13 });
    const asked = `/api/v1/people?q=${encodeURIComponent("李")}`;
    await waitFor(() => expect(calls.map((call) => call.path)).toContain(asked));
  }, 20_000);

  it("resets second factors and unlinks an outside identity, each only after it was agreed to", async () => {
    const identity = {
      id: 5,
      provider: "province",
      name_zh: "省统一身份认证",
      name_en: "the province's sign-in",
      subject: "s-1",
      shown: "li.si@province",
      linked_at: "2026-11-01T00:00:00Z",
      linked_by: "person",
      last_used_at: null,
    };
    let factors = { totp: true, passkeys: 1, recovery_codes_left: 9, required: false };
    const calls = serve({
      ...answers,
      "GET /api/v1/session/methods": { providers: [{ id: "province" }] },
      "GET /api/v1/users/li.si/second-factors": () => factors,
      "DELETE /api/v1/users/li.si/second-factors": () => {
        factors = { totp: false, passkeys: 0, recovery_codes_left: 0, required: false };
        return new Response(null, { status: 204 });
      },
      "GET /api/v1/users/li.si/identities": { items: [identity] },
      "DELETE /api/v1/users/li.si/identities/5": () => new Response(null, { status: 204 }),
    });
    show(<Page />, { user: manager });
    await screen.findByText("李四");
    const press = (action: string) =>
      fireEvent.click(document.querySelector(`[data-action="${action}"]`) as HTMLElement);
    press("person.sign-in");
    expect((await screen.findByTestId("identity")).textContent).toContain("li.si@province");
    const agree = async (title: string) => {
      const question = (await screen.findAllByText(title))[0]?.closest<HTMLElement>(".ant-modal-confirm");
      fireEvent.click(within(question as HTMLElement).getByText("Yes"));
    };
    await waitFor(() => expect(document.querySelector('[data-action="person.factors-reset"]')).toBeTruthy());
    press("person.factors-reset");
    expect(calls.filter((call) => call.method === "DELETE")).toEqual([]);
    await agree("Reset the second factors of 李四?");
    // Read again: nothing is left to reset.
    await waitFor(() => expect(document.querySelector('[data-action="person.factors-reset"]')).toBeNull());
    press("person.identity-unlink");
    await agree("Unlink “li.si@province”?");
    await waitFor(() =>
      expect(calls.filter((call) => call.method === "DELETE").map((call) => call.path)).toEqual([
        "/api/v1/users/li.si/second-factors",
        "/api/v1/users/li.si/identities/5",
      ]),
    );
  }, 30_000);

  it("adds a person by key and shows the password once", async () => {
    const calls = serve({
      ...answers,
      "POST /api/v1/people": { person: li, password: "7m2kq-x4d9p" },
    });
    show(<Page />, { user: manager, path: "/organisation?of=shuili" });
    await screen.findByTestId("organisation-unit");
    fireEvent.keyDown(window, { key: "n" });
    fireEvent.change(await screen.findByLabelText("Name to sign in with"), { target: { value: "li.si" } });
    fireEvent.change(screen.getByLabelText("Name"), { target: { value: "李四" } });
    fireEvent.click(screen.getByTestId("person-submit"));
    expect((await screen.findByTestId("password")).textContent).toBe("7m2kq-x4d9p");
    const sent = calls.find((call) => call.method === "POST")?.body;
    expect(sent).toMatchObject({ username: "li.si", name: "李四", organisation: "shuili" });
    fireEvent.click(screen.getByTestId("password-kept"));
    await waitFor(() => expect(screen.queryByTestId("password")).toBeNull());
  }, 20_000);

  it("takes a post back only when it is confirmed", async () => {
    const calls = serve({
      ...answers,
      "DELETE /api/v1/organisation/holders/9": () => new Response(null, { status: 204 }),
    });
    show(<Page />, { user: security, path: "/organisation?of=pump" });
    await screen.findByText("Look after the pumps");
    fireEvent.click(document.querySelector(".ant-tag-close-icon") as Element);
    expect((await screen.findAllByText("Take the post Watch back from 李四?")).length).toBeGreaterThan(0);
    expect(calls.some((call) => call.method === "DELETE")).toBe(false);
    fireEvent.click(screen.getByRole("button", { name: "Yes" }));
    await waitFor(() => expect(calls.some((call) => call.method === "DELETE")).toBe(true));
  }, 20_000);

  it("changes what is known of a person, and neither role nor sign-in with it", async () => {
    const calls = serve({ ...answers, "PATCH /api/v1/people/3": li });
    show(<Page />, { user: manager });
    const row = within(await screen.findByTestId("person-row"));
    fireEvent.click(row.getByText("Change"));
    fireEvent.change(await screen.findByLabelText("Name"), { target: { value: "李四五" } });
    fireEvent.click(screen.getByTestId("person-submit"));
    await waitFor(() => expect(calls.some((call) => call.method === "PATCH")).toBe(true));
    const sent = calls.find((call) => call.method === "PATCH")?.body as Record<string, unknown>;
    expect(sent.name).toBe("李四五");
    expect(Object.keys(sent).sort()).toEqual(["name", "organisation", "phone"]);
  }, 20_000);

  it("asks for a new password of an administrator with the reason, and says where it waits", async () => {
    const approval = { id: 7, act: "administrator.password", title_zh: "重置", title_en: "Reset" };
    const calls = serve({
      ...answers,
      "GET /api/v1/people": { items: [{ ...li, role: "security" }], next: null },
      "POST /api/v1/accounts/3/password": { approval },
    });
    show(<Page />, { user: manager });
    const row = within(await screen.findByTestId("person-row"));
    fireEvent.click(row.getByText("New password"));
    fireEvent.change(await screen.findByRole("textbox", { name: "Reason" }), { target: { value: "忘记" } });
    fireEvent.click(screen.getByRole("button", { name: "Yes" }));
    expect(await screen.findByText("Asked for, not done yet")).toBeTruthy();
    expect(calls.find((call) => call.method === "POST")?.body).toEqual({ reason: "忘记" });
    expect(screen.queryByTestId("password")).toBeNull();
  }, 20_000);

  it("closes sign-in only when it is confirmed", async () => {
    const calls = serve({ ...answers, "POST /api/v1/accounts/3/access": { ...li, disabled: true } });
    show(<Page />, { user: manager });
    const row = within(await screen.findByTestId("person-row"));
    fireEvent.click(row.getByText("Close sign-in"));
    expect((await screen.findAllByText("Close sign-in of 李四?")).length).toBeGreaterThan(0);
    expect(calls.some((call) => call.method === "POST")).toBe(false);
    fireEvent.click(screen.getByRole("button", { name: "Yes" }));
    await waitFor(() => expect(calls.some((call) => call.method === "POST")).toBe(true));
    expect(calls.find((call) => call.method === "POST")?.body).toEqual({ disabled: true, reason: "" });
  }, 20_000);

  it("shows what failed with a way to try again", async () => {
    serve({ "GET /api/v1/organisation": () => new Response("{}", { status: 500 }) });
    show(<Page />, { user: reader });
    expect(await screen.findByText("Try again")).toBeTruthy();
  }, 20_000);
});
