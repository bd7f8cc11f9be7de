/** Duty: what is unsigned is loud, a hand-over is signed by another, a step is ticked off, a drill is marked. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Activation, DutyHandOver, DutyTurn } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./page.tsx";

const turn: DutyTurn = {
  id: 1,
  organisation: "command-centre",
  pattern_id: 3,
  pattern_zh: "白班",
  pattern_en: "Day shift",
  day: "2026-11-27",
  post: "值班员",
  user_id: 7,
  user_name: "王敏",
  from: "2026-11-27T00:00:00Z",
  until: "2999-11-27T12:00:00Z",
  swaps: [],
};
const handOver: DutyHandOver = {
  id: 5,
  organisation: "command-centre",
  pattern_id: 3,
  pattern_zh: "夜班",
  pattern_en: "Night shift",
  day: "2026-11-26",
  from: "2026-11-26T12:00:00Z",
  until: "2026-11-27T00:00:00Z",
  notes: "三号泵检修中",
  attached: { alerts: [], cases: [] },
  outgoing_id: 8,
  outgoing: "李芳",
  written_at: "2026-11-27T00:05:00Z",
  incoming: null,
  signed_at: null,
  remark: null,
};
const activation: Activation = {
  id: 9,
  plan_id: "flood",
  plan_version: 1,
  title_zh: "防汛预案",
  title_en: "Flood response",
  organisation: "command-centre",
  alert_id: null,
  case_id: null,
  severity: "major",
  drill: true,
  started_at: "2026-11-27T01:00:00Z",
  started_by: "王敏",
  ended_at: null,
  ended_by: null,
  summary: null,
  resources: ["pump"],
  steps: [
    {
      id: "verify",
      title_zh: "核实",
      title_en: "Verify",
      who_zh: "值班员",
      who_en: "Duty officer",
      due_at: "2026-11-27T01:05:00Z",
      done_at: null,
      done_by: null,
      skipped: false,
      note: null,
      late: true,
    },
  ],
};
const organisation = {
  id: "command-centre",
  name_zh: "城市运营指挥中心",
  name_en: "Command centre",
  parent: null,
  kind: "department",
  credit_code: null,
  division: null,
  disabled: false,
  of_profile: true,
};
const now = {
  items: [
    {
      organisation: "command-centre",
      name_zh: "城市运营指挥中心",
      name_en: "Command centre",
      on: [turn],
      next: [],
    },
  ],
  unsigned: [handOver],
  missing: [],
};
const answers = {
  "GET /api/v1/duty/now": now,
  "GET /api/v1/organisation": { organisations: [organisation], posts: [] },
  "GET /api/v1/duty/roster": { patterns: [], turns: [turn] },
  "GET /api/v1/duty/hand-overs": { items: [handOver], next: null },
  "GET /api/v1/duty/activations": { items: [activation], next: null },
  "GET /api/v1/duty/activations/9": activation,
  "POST /api/v1/duty/activations/9/steps/verify": activation,
  "POST /api/v1/duty/hand-overs/5/sign": { ...handOver, signed_at: "2026-11-27T00:10:00Z" },
};

afterEach(() => vi.unstubAllGlobals());

const duty = (id = 7) => ({ ...userWith(["duty.read", "duty.act"]), id });

describe("the duty page", () => {
  it("shows who is on duty, and loudly what nobody signed", async () => {
    serve(answers);
    show(<Page />, { user: duty() });
    expect((await screen.findByTestId("on-duty")).textContent).toContain("王敏");
    expect((await screen.findByTestId("duty-unsigned")).textContent).toContain("李芳");
  });

  it("lets another than who wrote it sign a hand-over", async () => {
    const calls = serve(answers);
    show(<Page />, { user: duty(), path: "/duty?tab=hand-overs" });
    const row = await screen.findByTestId("hand-over");
    fireEvent.click(within(row).getByRole("button", { name: /Sign/ }));
    fireEvent.click(await screen.findByTestId("duty-sign"));
    await waitFor(() =>
      expect(calls.find((c) => c.path.endsWith("/hand-overs/5/sign"))?.body).toEqual({ remark: "" }),
    );
  });

  it("offers the signature to nobody who wrote it", async () => {
    serve(answers);
    show(<Page />, { user: duty(8), path: "/duty?tab=hand-overs" });
    const row = await screen.findByTestId("hand-over");
    expect(within(row).queryByRole("button", { name: /Sign/ })).toBeNull();
  });

  it("marks a drill, and ticks a step off", async () => {
    const calls = serve(answers);
    show(<Page />, { user: duty(), path: "/duty?tab=plans&activation=9" });
    expect((await screen.findAllByTestId("drill")).length).toBeGreaterThan(0);
    const step = await screen.findByTestId("duty-step");
    fireEvent.click(within(step).getByRole("button", { name: /Done/ }));
    await waitFor(() =>
      expect(calls.find((c) => c.path.endsWith("/steps/verify"))?.body).toEqual({ skipped: false, note: "" }),
    );
  });
});
