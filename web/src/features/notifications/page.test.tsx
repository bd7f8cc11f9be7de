/** Notices are shown and noted; the account says how a person is reached; a rule says whom it would tell. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Bell } from "./bell.tsx";
import { Contacts } from "./contacts.tsx";
import { Page } from "./page.tsx";
import { targetOf, targetText } from "./rule-dialog.tsx";

const notice = (id: number, read_at: string | null, level = 1) => ({
  id,
  kind: "alert.raised",
  severity: "major",
  title_zh: "水位高",
  title_en: "High water",
  at: "2026-11-26T08:00:00Z",
  told_at: "2026-11-26T08:00:01Z",
  read_at,
  path: `/alerts?alert=${id}`,
  level,
  affected_zh: id === 9 ? ["由您负责：甲区（鸿渐社区）", "受影响洪水风险区 1 处：甲区（鸿渐社区）"] : [],
  affected_en: id === 9 ? ["You answer for: Area A (Hongjian)"] : [],
  doubt: id === 9 ? { zh: "待核", en: "to be checked", since: "2026-11-26T08:02:00Z" } : null,
});
const list = { items: [notice(9, null, 2), notice(8, "2026-11-26T09:00:00Z")], next: null, unread: 1 };
const user = userWith([]);

describe("notices", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("shows what one was told of, and takes note by a click", async () => {
    const calls = serve({
      "GET /api/v1/notifications": list,
      "POST /api/v1/notifications/9/read": { unread: 0 },
    });
    show(<Page />, { user });
    const rows = await screen.findAllByTestId("notification");
    expect(rows).toHaveLength(2);
    expect(rows[0]?.textContent).toContain("nobody before answered");
    expect(screen.getAllByTestId("notification-affected")).toHaveLength(1);
    expect(rows[0]?.textContent).toContain("You answer for: Area A (Hongjian)");
    expect(screen.getByTestId("alert-doubt").textContent).toContain("In doubtto be checked since");
    expect(screen.queryByText("Rules and channels")).toBeNull();
    fireEvent.click(rows[0] as HTMLElement);
    await waitFor(() => expect(calls.some((c) => c.path === "/api/v1/notifications/9/read")).toBe(true));
  });

  it("takes note of all up to the newest that is shown", async () => {
    const calls = serve({
      "GET /api/v1/notifications": list,
      "POST /api/v1/notifications/read": { unread: 0 },
    });
    show(<Page />, { user });
    fireEvent.click(await screen.findByRole("button", { name: /Mark all as read/ }));
    await waitFor(() => expect(calls.find((c) => c.method === "POST")?.body).toEqual({ up_to: 9 }));
  });

  it("takes note of the notice that a link names", async () => {
    const calls = serve({
      "GET /api/v1/notifications": list,
      "POST /api/v1/notifications/9/read": { unread: 0 },
    });
    show(<Page />, { user, path: "/notifications?notice=9" });
    await waitFor(() => expect(calls.filter((c) => c.method === "POST")).toHaveLength(1));
  });

  it("rings with how many wait", async () => {
    serve({ "GET /api/v1/notifications": list });
    show(<Bell />, { user });
    expect(await screen.findByRole("button", { name: "Notices, 1 unread" })).toBeTruthy();
  });

  it("says when nothing is there", async () => {
    serve({ "GET /api/v1/notifications": { items: [], next: null, unread: 0 } });
    show(<Page />, { user });
    expect(await screen.findByText("You have no notices yet")).toBeTruthy();
  });

  it("has a contact proven by a code", async () => {
    const calls = serve({
      "GET /api/v1/account/contacts": {
        items: [],
        kinds: ["email"],
        quiet_from: "22:00",
        quiet_until: "07:00",
      },
      "PUT /api/v1/account/contacts/email": new Response(null, { status: 204 }),
      "POST /api/v1/account/contacts/email/verify": new Response(null, { status: 204 }),
    });
    show(<Contacts />, { user });
    fireEvent.click(await screen.findByRole("button", { name: /Set/ }));
    fireEvent.change(screen.getByLabelText("E-mail", { selector: "input" }), {
      target: { value: "wang@example.cn" },
    });
    fireEvent.click(screen.getByRole("button", { name: /Send a code/ }));
    fireEvent.change(await screen.findByLabelText("Code"), { target: { value: "123456" } });
    fireEvent.click(await screen.findByRole("button", { name: /Prove it/ }));
    await waitFor(() => expect(calls.some((c) => c.path.endsWith("/email/verify"))).toBe(true));
    expect(calls.find((c) => c.method === "PUT")?.body).toEqual({ value: "wang@example.cn" });
  });

  it("shows rules, channels and what could not be sent to who administers it, and says whom a rule would tell", async () => {
    const calls = serve({
      "GET /api/v1/notifications": list,
      "GET /api/v1/notice-rules": {
        items: [],
        channels: [
          {
            id: "page",
            title_zh: "页面",
            title_en: "the pages",
            reach: "page",
            waiting: 0,
            sent: 4,
            failed: 0,
          },
          { id: "sms", title_zh: "短信", title_en: "SMS", reach: "phone", waiting: 1, sent: 2, failed: 3 },
        ],
      },
      "GET /api/v1/notice-messages": {
        items: [
          {
            id: 5,
            title_zh: null,
            title_en: null,
            channel: "sms",
            person: "王敏",
            rule_id: "r",
            level: 1,
            state: "failed",
            attempts: 12,
            next_at: null,
            created_at: "2026-11-26T08:00:00Z",
            sent_at: null,
            error: "it answered 503",
          },
        ],
        next: null,
      },
      "POST /api/v1/notice-messages/5/retry": new Response(null, { status: 204 }),
      "POST /api/v1/notice-rules/preview": {
        event_zh: "水位高",
        event_en: "High water",
        matches: true,
        levels: [{ people: [{ name: "李雷", sees: false, has_email: false, has_phone: true }] }],
      },
    });
    show(<Page />, { user: userWith(["notice.manage"]) });
    fireEvent.click(await screen.findByText("Rules and channels"));
    expect(await screen.findByText("3 not sent")).toBeTruthy();
    expect(await screen.findByText("it answered 503")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: /Send once more/ }));
    await waitFor(() => expect(calls.some((c) => c.path.endsWith("/5/retry"))).toBe(true));
    fireEvent.click(screen.getByRole("button", { name: /Add a rule/ }));
    fireEvent.click(await screen.findByTestId("notice-preview"));
    expect(await screen.findByText(/may not see it, is not told/)).toBeTruthy();
  });

  it("reads and writes whom a level tells as people type it", () => {
    for (const text of ["role:duty", "person:12", "assignee", "post:water-1"]) {
      expect(targetText(targetOf(text))).toBe(text);
    }
    expect(targetOf("person:12")).toEqual({ kind: "person", id: 12 });
  });
});
