/** Approvals: exactly what is asked is shown, the digest of what was shown goes with a yes, and one's own is not decided on. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Approval } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./page.tsx";

const approval: Approval = {
  id: 4,
  act: "administrator.password",
  title_zh: "重置管理员密码",
  title_en: "Reset an administrator's password",
  target: "user:2",
  body: { user: 2, username: "security", role_now: "security" },
  digest: "66c7f0f462eeedd9d1f2d46bdc10e4e2",
  reason: "忘记密码",
  asked_by: 1,
  asked_by_name: "系统管理员",
  asked_at: "2026-11-26T01:00:00Z",
  expires_at: "2026-11-27T01:00:00Z",
  status: "pending",
  decided_by_name: null,
  decided_at: null,
  note: null,
  ended_at: null,
  outcome: null,
  decides: ["security", "auditor"],
  can_decide: true,
  can_withdraw: false,
  can_collect: false,
};
const auditor = userWith(["audit.read", "approval.decide"], "auditor");
const answers = (one: Approval) => ({
  "GET /api/v1/approvals": { items: [one], next: null, waiting: 1 },
  "GET /api/v1/approvals/4": one,
});

describe("approvals", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("shows what exactly is asked, and sends the digest of it with a yes", async () => {
    const done = { ...approval, status: "done", can_decide: false, outcome: "security: password set" };
    const calls = serve({
      ...answers(approval),
      "POST /api/v1/approvals/4/approve": { approval: done, answer: { password_part: "-half" } },
    });
    show(<Page />, { user: auditor });
    fireEvent.click(await screen.findByTestId("approval-row"));
    const content = await screen.findByTestId("approval-content");
    expect(content.textContent).toContain("Security administrator");
    expect(content.textContent).toContain(approval.digest);
    expect(screen.getByText("忘记密码")).toBeTruthy();
    fireEvent.change(screen.getByLabelText("What you say to it"), { target: { value: "本人确认" } });
    fireEvent.click(screen.getByRole("button", { name: /Approve/ }));
    expect((await screen.findByTestId("approval-part")).textContent).toContain("-half");
    const sent = calls.find((call) => call.method === "POST");
    expect(sent?.body).toEqual({ digest: approval.digest, note: "本人确认" });
  }, 20_000);

  it("refuses with what was said", async () => {
    let one = approval;
    const calls = serve({
      "GET /api/v1/approvals": () => ({ items: [one], next: null, waiting: 0 }),
      "GET /api/v1/approvals/4": () => one,
      "POST /api/v1/approvals/4/refuse": () => {
        one = { ...approval, status: "refused", can_decide: false };
        return one;
      },
    });
    show(<Page />, { user: auditor, path: "/approvals?which=decide&id=4" });
    fireEvent.click(await screen.findByRole("button", { name: /Refuse/ }));
    await waitFor(() => expect(calls.some((call) => call.path.endsWith("/refuse"))).toBe(true));
    await waitFor(() => expect(screen.getAllByText("refused").length).toBe(2));
    expect(screen.queryByRole("button", { name: /Approve/ })).toBeNull();
  }, 20_000);

  it("gives whoever asked no way to decide, but to take it back", async () => {
    const own = { ...approval, can_decide: false, can_withdraw: true };
    const calls = serve({
      ...answers(own),
      "POST /api/v1/approvals/4/withdraw": { ...own, status: "withdrawn", can_withdraw: false },
    });
    show(<Page />, { user: userWith(["table.remove"], "planner"), path: "/approvals?id=4" });
    expect(await screen.findByRole("button", { name: /Take back/ })).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Approve/ })).toBeNull();
    // Without the right to decide there is nothing but one's own.
    expect(calls[0]?.path).toContain("which=mine");
    fireEvent.click(screen.getByRole("button", { name: /Take back/ }));
    await waitFor(() => expect(calls.some((call) => call.path.endsWith("/withdraw"))).toBe(true));
  }, 20_000);

  it("says when nothing waits, and in Chinese", async () => {
    serve({ "GET /api/v1/approvals": { items: [], next: null, waiting: 0 } });
    show(<Page />, { user: auditor, language: "zh" });
    expect(await screen.findByText("没有等待您审批的事项")).toBeTruthy();
  }, 20_000);
});
