/**
 * Duty: what is unsigned is loud, a hand-over is signed by another, a step is ticked off, a drill is marked, plans can be read,
 * a turn whose person left is told, a resource's state is kept.
 */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type {
  Activation,
  DutyHandOver,
  DutyTurn,
  Entity,
  EntityType,
  ResponsePlan,
} from "../../lib/types.ts";
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
  open: null,
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
  open: [{ ...turn, id: 2, user_name: "钱进", open: "left" }],
};
const plan: ResponsePlan = {
  id: "flood",
  version: 2,
  title_zh: "防汛预案",
  title_en: "Flood response",
  alert_rules: ["water-stage-warning"],
  resources: ["pump"],
  level_zh: null,
  level_en: null,
  suggested: [{ zh: "一个以上测站达到警戒水位", en: "One station or more at the warning stage" }],
  steps: [
    {
      id: "verify",
      title_zh: "核实",
      title_en: "Verify the stage",
      who_zh: "值班员",
      who_en: "Duty officer",
      within_minutes: 5,
    },
  ],
};
const pump = {
  id: "urn:ngsi-ld:EmergencyResource:P1",
  type: "EmergencyResource",
  name: "一号泵车",
  modified_at: "2026-11-27T00:00:00Z",
  location: [113.1, 30.6],
  attributes: { status: { value: "available" }, category: { value: "pump" } },
} as unknown as Entity;
const text = (value: string, title_en: string) => ({ value, title_zh: title_en, title_en, unit: null });
const kind = {
  name: "EmergencyResource",
  title_zh: "应急资源",
  title_en: "Resource",
  attributes: { status: text("text", "State"), location: text("geometry", "Location") },
  views: [
    {
      id: "emergency-state",
      title_zh: "资源动态",
      title_en: "State",
      entity_type: "EmergencyResource",
      order: 6,
      layer: null,
      table: null,
      chart: null,
      board: null,
      form: {
        new: false,
        fields: [
          {
            attribute: "status",
            required: false,
            choices: [{ value: "available", title_zh: "可用", title_en: "Free" }],
          },
          { attribute: "location", required: false, choices: [], from: [], list: false },
        ],
      },
    },
  ],
} as unknown as EntityType;
const answers = {
  "GET /api/v1/duty/now": now,
  "GET /api/v1/organisation": { organisations: [organisation], posts: [] },
  "GET /api/v1/duty/roster": { patterns: [], turns: [turn] },
  "GET /api/v1/duty/hand-overs": { items: [handOver], next: null },
  "GET /api/v1/duty/activations": ({ path }: { path: string }) => ({
    items: path.includes("open=true") ? [activation] : [],
    next: null,
  }),
  "GET /api/v1/duty/plans": { items: [plan] },
  "GET /api/v1/duty/suggestions": { items: [] },
  "GET /api/v1/entities": { items: [pump], next: null },
  "GET /api/v1/types": { items: [kind] },
  "POST /api/v1/views/emergency-state/entries": { entity_id: pump.id, refused: [] },
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
    show(<Page />, { user: duty(), path: "/duty?tab=plans" });
    const running = await screen.findByTestId("running");
    expect(within(running).getByTestId("drill")).toBeTruthy();
    expect(running.textContent).toContain("0 of 1 steps");
    const step = within(running).getByTestId("duty-step");
    fireEvent.click(within(step).getByRole("button", { name: /Done/ }));
    await waitFor(() =>
      expect(calls.find((c) => c.path.endsWith("/steps/verify"))?.body).toEqual({ skipped: false, note: "" }),
    );
  });

  it("tells whoever makes the roster of turns whose person left, and nobody else", async () => {
    serve(answers);
    const keeper = { ...userWith(["duty.read", "duty.manage"]), id: 7 };
    const shown = show(<Page />, { user: keeper });
    expect((await screen.findByTestId("duty-open-turns")).textContent).toContain("钱进");
    shown.unmount();
    show(<Page />, { user: duty() });
    await screen.findByTestId("duty-unsigned");
    expect(screen.queryByTestId("duty-open-turns")).toBeNull();
  });

  it("marks such a turn on the roster", async () => {
    serve({ ...answers, "GET /api/v1/duty/roster": { patterns: [], turns: [{ ...turn, open: "closed" }] } });
    show(<Page />, { user: duty(), path: "/duty?tab=roster" });
    expect((await screen.findByTestId("duty-open")).textContent).toContain("sign-in is closed");
  });

  it("shows a plan's steps before anything happens, and starts the one that is read", async () => {
    const calls = serve({ ...answers, "POST /api/v1/duty/activations": activation });
    show(<Page />, { user: duty(), path: "/duty?tab=plans" });
    fireEvent.click(await screen.findByText("1 steps within 5 min, version 2"));
    const shown = await screen.findByTestId("plan");
    expect(shown.textContent).toContain("Verify the stage");
    expect(shown.textContent).toContain("within 5 min of the start");
    expect(shown.textContent).toContain("Mobile pump");
    fireEvent.click(within(shown).getByRole("button", { name: /Start a plan/ }));
    fireEvent.click(await screen.findByTestId("duty-start"));
    await waitFor(() =>
      expect(calls.find((c) => c.method === "POST")?.body).toMatchObject({ plan: "flood", drill: false }),
    );
  });

  it("keeps a resource's place on its form", async () => {
    const calls = serve(answers);
    const officer = userWith(["duty.read", "entity.read", "data.enter"]);
    show(<Page />, { user: officer, path: "/duty?tab=resources" });
    const row = await screen.findByTestId("resource");
    expect(row.textContent).toContain("Mobile pump");
    expect(row.textContent).toContain("Available");
    fireEvent.click(within(row).getByRole("button", { name: /State and place/ }));
    fireEvent.change(await screen.findByLabelText("Longitude"), { target: { value: "113.2" } });
    fireEvent.click(screen.getByRole("button", { name: /Send/ }));
    expect(await screen.findByText(/Give a longitude/)).toBeTruthy();
    fireEvent.change(screen.getByLabelText("Latitude"), { target: { value: "30.7" } });
    fireEvent.click(screen.getByRole("button", { name: /Send/ }));
    await waitFor(() => expect(calls.some((call) => call.method === "POST")).toBe(true));
    expect(calls.find((call) => call.method === "POST")?.body).toMatchObject({
      id: pump.id,
      location: { type: "GeoProperty", value: { type: "Point", coordinates: [113.2, 30.7] } },
    });
  });
});
