/** The audit page: whole or broken is said first, filters ask the server, an act opens with its fields in words. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { AuditChain, AuditEntry, AuditEvent } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./page.tsx";

const may = userWith(["audit.read"], "admin");
const act: AuditEntry = {
  id: 12,
  at: "2026-11-24T00:00:00Z",
  actor_kind: "user",
  actor_id: 7,
  actor: "王敏",
  action: "alert.acknowledge",
  title_zh: "确认告警",
  title_en: "Alert acknowledged",
  target: "alert:3",
  detail: { rule_id: "level-high" },
  peer: "10.0.0.5",
  hash: "66c7f0f462eeedd9",
};
const event: AuditEvent = {
  action: "alert.acknowledge",
  title_zh: "确认告警",
  title_en: "Alert acknowledged",
  target: "alert:<id>",
  fields: [{ name: "rule_id", zh: "告警规则", en: "the rule that raised it", optional: false }],
};
const whole: AuditChain = {
  whole: true,
  proved_at: "2026-11-24T01:00:00Z",
  rows: 12,
  last: 12,
  hash: "66c7f0f462eeedd9",
  chained_later: 0,
  seals: 2,
  sealed_to: 10,
  sealed_by: 2,
  sealed_at: "2026-11-24T00:30:00Z",
  breaks: [],
  more: false,
  not_sealed: null,
};
const answers = (chain: unknown = whole, items: AuditEntry[] = [act]) => ({
  "GET /api/v1/audit": { items, next: null },
  "GET /api/v1/audit/events": { items: [event] },
  "GET /api/v1/audit/chain": chain,
});

describe("the audit page", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("says that the chain is whole and by which seal, and opens an act with its fields in words", async () => {
    serve(answers());
    show(<Page />, { user: may });
    expect(await screen.findByText("Whole")).toBeTruthy();
    expect(screen.getByText(/Rows up to 10 are proved by seal 2/)).toBeTruthy();
    fireEvent.click((await screen.findAllByText("Alert acknowledged"))[0] as HTMLElement);
    expect(await screen.findByText("the rule that raised it")).toBeTruthy();
    expect(screen.getByText("level-high")).toBeTruthy();
  }, 20_000);

  it("says in Chinese where it is broken", async () => {
    const breaks = [
      {
        kind: "row-changed",
        from: 5,
        to: 5,
        seal: null,
        at: null,
        what_zh: "第 5 条被改过",
        what_en: "row 5 was changed",
      },
    ];
    serve(answers({ ...whole, whole: false, sealed_by: null, sealed_at: null, breaks }));
    show(<Page />, { user: may, language: "zh" });
    expect(await screen.findByText("断于第 5 条")).toBeTruthy();
    expect(screen.getByText("第 5 条被改过")).toBeTruthy();
    expect(screen.getByText("还没有一条由封印证实")).toBeTruthy();
  }, 20_000);

  it("verifies again when it is asked, by key too", async () => {
    const calls = serve(answers());
    show(<Page />, { user: may });
    await screen.findByText("Whole");
    const proofs = () => calls.filter((call) => call.path === "/api/v1/audit/chain").length;
    expect(proofs()).toBe(1);
    fireEvent.keyDown(window, { key: "v" });
    await waitFor(() => expect(proofs()).toBe(2));
  }, 20_000);

  it("asks the server for what is looked for, and says when there is nothing", async () => {
    const calls = serve(answers(whole, []));
    show(<Page />, { user: may, path: "/audit?action=user.create" });
    expect(await screen.findByText("No act is like that")).toBeTruthy();
    const field = screen.getByLabelText("Actor");
    fireEvent.change(field, { target: { value: " 王 " } });
    fireEvent.keyDown(field, { key: "Enter", keyCode: 13 });
    const asked = `/api/v1/audit?actor=${encodeURIComponent("王")}&action=user.create`;
    await waitFor(() => expect(calls.map((call) => call.path)).toContain(asked));
  }, 20_000);

  it("shows what failed with a way to try again, and the rest all the same", async () => {
    serve({ ...answers(), "GET /api/v1/audit": () => new Response("{}", { status: 500 }) });
    show(<Page />, { user: may });
    expect(await screen.findByText("Whole")).toBeTruthy();
    expect(await screen.findByText("Try again")).toBeTruthy();
  }, 20_000);
});
