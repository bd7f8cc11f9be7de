/** The dispatch board: what waits comes first, interlocks are told before asking, one's own is not decided on, and a refusal is shown with its reasons. */
import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Command, CommandDetail, CommandInterlock, CommandOffer } from "../../lib/types.ts";
import { type Call, drawNothing, serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./page.tsx";

const GATE = "urn:ngsi-ld:SluiceGate:1";
const command: Command = {
  id: 17,
  entity_id: GATE,
  entity_type: "SluiceGate",
  entity_name: "罗汉寺闸",
  command: "set-opening",
  title_zh: "闸门开度",
  title_en: "Opening",
  value: 0.5,
  unit: "MTR",
  reason: "调度令 3 号",
  approval: "second-person",
  state: "asked",
  asked_by: "王敏",
  asked_at: "2026-07-01T00:00:00Z",
  expires_at: "2026-07-01T00:15:00Z",
  changed_at: "2026-07-01T00:00:00Z",
  decided_by: null,
  why: [],
  answer: null,
  may_decide: true,
  may_withdraw: false,
};
const step = (name: string, state: string, by: string) => ({
  at: "2026-07-01T00:00:00Z",
  step: name,
  state,
  by,
  note: "",
  detail: null,
});
const detail: CommandDetail = { ...command, steps: [step("ask", "asked", "王敏")] };
const why = {
  code: "command-interlock-refuses",
  what_zh: "闸门正在启闭",
  what_en: "The gates are moving",
  mend_zh: "等它停下",
  mend_en: "wait until they stand",
};
const interlock = (outcome: string | null, lets_go: boolean | null): CommandInterlock => ({
  text_zh: "闸门正在启闭",
  text_en: "The gates are moving",
  outcome,
  lets_go,
  attribute: null,
});
const offer: CommandOffer = {
  command: "set-opening",
  title_zh: "闸门开度",
  title_en: "Opening",
  value: "number",
  unit: "MTR",
  unit_symbol: "m",
  min: 0,
  max: 2.5,
  step: 0.01,
  words: [],
  approval: "second-person",
  expires_seconds: 900,
  interlocks: [interlock(null, null)],
  may_ask: null,
  why: [],
};
const attribute = (title_en: string, unit: string | null) => ({
  value: unit ? "number" : "text",
  title_zh: title_en,
  title_en,
  unit,
  unit_missing: "assume",
  min: null,
  max: null,
  personal: null,
  words: [],
});
const layer = {
  icon: "sluice",
  colour: "#08979c",
  attribute: "gateState",
  zoom_min: 9,
  shown: false,
  isolines: null,
};
const kind = (name: string, commands: string[]) => ({
  name,
  title_zh: name,
  title_en: name,
  source: null,
  open: true,
  data_subject: null,
  heard_within_seconds: null,
  count: 1,
  commands,
  view: null,
  views: [
    {
      id: name,
      title_zh: name,
      title_en: name,
      entity_type: name,
      order: 1,
      layer,
      table: null,
      chart: null,
      form: null,
      board: null,
    },
  ],
  attributes: { gateState: attribute("State", null), name: attribute("Name", null) },
});
const thing = {
  id: GATE,
  type: "SluiceGate",
  name: "罗汉寺闸",
  location: null,
  modified_at: "2026-07-01T00:00:00Z",
  attributes: {
    gateState: {
      value: "closed",
      unit: null,
      observed_at: "2026-07-01T00:00:00Z",
      quality: "good",
      position: 1,
      masked: false,
    },
  },
};
const all = ["command.read", "command.ask", "command.approve", "entity.read"];

function open(more: Record<string, unknown> = {}, permissions = all, path = "/dispatch") {
  const calls = serve({
    "GET /api/v1/types": { items: [kind("SluiceGate", ["set-opening"]), kind("WaterObserved", [])] },
    "GET /api/v1/entities": { items: [thing], next: null },
    "GET /api/v1/commands": ({ path: asked }: Call) => ({
      items: asked.includes("state=asked") ? [command] : [{ ...command, id: 16, state: "failed" }],
      next: null,
    }),
    "GET /api/v1/commands/17": detail,
    ...more,
  });
  show(<Page />, { user: userWith(permissions), path });
  return calls;
}

const run = {
  id: 41,
  definition_id: "water-joint-dispatch",
  target_id: "urn:ngsi-ld:WaterReservoir:1",
  target_name: "石门水库",
  due_at: "2026-07-01T00:00:00Z",
  outcome: "done",
  problems: [],
};
const suggested = {
  method: "joint-dispatch",
  choice: "cut-the-peak",
  actions: [
    {
      kind: "release",
      thing: run.target_id,
      command: null,
      unit: "MQS",
      now: 660,
      value: 580,
      is_change: true,
    },
    { kind: "gate", thing: GATE, command: "set-opening", unit: "MTR", now: 0.5, value: 0, is_change: true },
    { kind: "pump", thing: null, command: "set-running", unit: null, now: 2, value: 2, is_change: false },
  ],
  reasons: [
    {
      about: "gate",
      zh: "外河比内河高，闸开着会倒灌。",
      en: "Outside it is higher: an open gate lets the river in.",
    },
  ],
  violations: [
    {
      about: "safe-flow",
      zh: "控制断面超过安全泄量。",
      en: "the section passes its safe discharge for 2 h.",
    },
  ],
  comparison: [{ measure: "peak_section", unit: "MQS", nothing: 720, rules: 650, suggested: 640 }],
  limits: { safe_m3s: 640, limit_m: 92.5, polder_limit_m: null },
  doubts: ["a", "b"],
  doubts_zh: ["甲", "乙"],
};

/** What a city that suggests answers. */
function suggesting(items: unknown[]) {
  const columns = ["at", "nothing_section_m3s", "suggested_section_m3s"];
  const rows = [["2026-07-01T01:00:00Z", "720", "640"]];
  return {
    "GET /api/v1/runs/definitions": [
      { id: "water-joint-dispatch", engine: "water.joint-dispatch", next_at: "2026-07-01T01:10:00Z" },
    ],
    "GET /api/v1/runs": { items, next: null },
    "GET /api/v1/runs/41": { ...run, report: suggested, output: { columns, rows }, ended_at: run.due_at },
    [`GET /api/v1/entities/${encodeURIComponent(GATE)}`]: thing,
    [`GET /api/v1/entities/${encodeURIComponent(GATE)}/commands`]: ({ path }: Call) => [
      path.includes("value=0") ? { ...offer, interlocks: [interlock("free", true)], may_ask: true } : offer,
    ],
    "POST /api/v1/commands": { ...detail, may_decide: false, may_withdraw: true },
    "POST /api/v1/runs": { runs: [] },
  };
}

describe("the dispatch board", () => {
  beforeEach(drawNothing);
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it("has what waits first, then what can be told with its state, then what became of the rest", async () => {
    const calls = open();
    const waiting = await screen.findByTestId("dispatch-waiting");
    expect(waiting.textContent).toContain("罗汉寺闸");
    expect(waiting.textContent).toContain("Opening → 0.5 m");
    expect(waiting.textContent).toContain("asked by 王敏");
    const things = await screen.findAllByTestId("dispatch-thing");
    expect(things.map((each) => each.textContent)).toEqual([expect.stringContaining("State closed")]);
    const types = calls.filter(({ path }) => path.startsWith("/api/v1/entities?"));
    expect(types.map(({ path }) => path)).toEqual([
      "/api/v1/entities?type=SluiceGate&attributes=gateState&limit=500",
    ]);
    expect((await screen.findByTestId("dispatch-row")).textContent).toContain("failed");
    const order = screen.getAllByRole("region").map((region) => region.getAttribute("aria-label"));
    expect(order).toEqual(["Waiting for approval", "What can be told", "Commands so far"]);
  });

  it("says what the interlocks say of a value before it is asked for", async () => {
    const calls = open({
      [`GET /api/v1/entities/${encodeURIComponent(GATE)}/commands`]: ({ path }: Call) =>
        path.includes("value=0.5")
          ? [{ ...offer, interlocks: [interlock("refuses", false)], may_ask: false, why: [why] }]
          : path.includes("value=0.2")
            ? [{ ...offer, interlocks: [interlock("free", true)], may_ask: true }]
            : [offer],
      "POST /api/v1/commands": { ...detail, may_decide: false, may_withdraw: true },
    });
    fireEvent.click(await screen.findByRole("button", { name: /Ask/ }));
    const dialog = await screen.findByRole("dialog");
    expect(within(dialog).getByText(/Another person .* within 15 min/)).toBeTruthy();
    const value = within(dialog).getByRole("spinbutton");
    fireEvent.change(value, { target: { value: "0.5" } });
    expect(await within(dialog).findByText("· holds: refuses")).toBeTruthy();
    // The list has told of the interlock; the warning says what to do and does not tell it again.
    expect((await within(dialog).findByTestId("dispatch-cannot")).textContent).toBe(
      "This cannot be asked for nowwait until they stand",
    );
    fireEvent.change(value, { target: { value: "0.2" } });
    expect(await within(dialog).findByText("· does not hold: lets go")).toBeTruthy();
    expect(within(dialog).queryByTestId("dispatch-cannot")).toBeNull();
    fireEvent.click(within(dialog).getByTestId("dispatch-ask"));
    expect(await within(dialog).findByText("Say why")).toBeTruthy();
    expect(calls.some(({ method }) => method === "POST")).toBe(false);
    fireEvent.change(within(dialog).getByLabelText("Reason"), { target: { value: "调度令 3 号" } });
    fireEvent.click(within(dialog).getByTestId("dispatch-ask"));
    await waitFor(() =>
      expect(calls.find(({ method }) => method === "POST")?.body).toEqual({
        entity_id: GATE,
        command: "set-opening",
        value: 0.2,
        reason: "调度令 3 号",
      }),
    );
    expect(await screen.findByText("Command 17")).toBeTruthy();
  });

  it("is approved by another person, with what they say, and shows why it failed", async () => {
    const failed: CommandDetail = {
      ...detail,
      state: "failed",
      may_decide: false,
      decided_by: "张三",
      why: [why],
      steps: [...detail.steps, step("approve", "approved", "张三"), step("fail", "failed", "commands")],
    };
    let now = detail;
    const calls = open({
      "GET /api/v1/commands/17": () => now,
      [`GET /api/v1/entities/${encodeURIComponent(GATE)}/commands`]: [
        { ...offer, interlocks: [interlock("free", true)] },
      ],
      "POST /api/v1/commands/17/approve": () => {
        now = failed;
        return failed;
      },
    });
    fireEvent.click(await screen.findByTestId("dispatch-waiting"));
    // Whoever decides sees what the interlocks say now.
    expect(await screen.findByText("· does not hold: lets go")).toBeTruthy();
    fireEvent.change(await screen.findByLabelText("What you say to it"), { target: { value: "同意" } });
    fireEvent.click(screen.getByRole("button", { name: /Approve and send/ }));
    expect(await screen.findByText("wait until they stand")).toBeTruthy();
    expect(calls.find(({ method }) => method === "POST")?.body).toEqual({ note: "同意" });
    expect(screen.queryByRole("button", { name: /Approve and send/ })).toBeNull();
  });

  it("offers the asker to take it back and nothing else, and who only reads nothing", async () => {
    open(
      { "GET /api/v1/commands/17": { ...detail, may_decide: false, may_withdraw: true } },
      all,
      "/dispatch?id=17",
    );
    expect(await screen.findByRole("button", { name: /Withdraw/ })).toBeTruthy();
    expect(screen.getByText(/Another person must agree/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Approve and send/ })).toBeNull();
    expect(screen.queryByLabelText("What you say to it")).toBeNull();
  });

  it("shows how the gates stand by the station's answer", async () => {
    const bays = [50, 50, 50].map((opening_cm) => ({ open: true, opening_cm }));
    const answer = { door: "sl651", function: "4E", body: { gates: bays } };
    const done = { ...detail, state: "done", may_decide: false, decided_by: "张三", answer };
    open({ "GET /api/v1/commands/17": done }, all, "/dispatch?id=17");
    expect((await screen.findByText("As answered")).nextElementSibling?.textContent).toBe("3 × 0.5 m");
  });

  it("tells what to do now and why, and asks for it with the run as the reason", async () => {
    const calls = open(suggesting([run]), [...all, "run.read"]);
    const card = await screen.findByTestId("suggestion");
    const steps = await within(card).findAllByTestId("suggested");
    await waitFor(() => expect(steps[1]?.textContent).toContain("Opening of 罗汉寺闸 0.5 m → 0 m"));
    expect(steps.map(({ dataset }) => dataset.kind)).toEqual(["release", "gate", "pump"]);
    expect(steps[0]?.textContent).toContain("carried out by who runs the reservoir");
    expect(steps[2]?.textContent).toContain("keep 2");
    expect(card.textContent).toContain("an open gate lets the river in");
    expect(within(card).getByTestId("suggestion-violations").textContent).toContain(
      "passes its safe discharge",
    );
    const row = within(card).getByRole("row", { name: /Peak at the section/ });
    expect(
      within(row)
        .getAllByRole("cell")
        .map(({ textContent }) => textContent),
    ).toEqual(["720", "650", "640"]);
    expect(within(card).getByText("2 in doubt")).toBeTruthy();
    expect(within(card).getByRole("link", { name: "Run 41" }).getAttribute("href")).toBe("/runs/41");
    // Only what changes and can be told has a button.
    const buttons = within(card).getAllByRole("button", { name: /Ask/ });
    expect(buttons).toHaveLength(1);
    fireEvent.click(buttons[0] as HTMLElement);
    const dialog = await screen.findByRole("dialog");
    expect(within(dialog).getByRole("spinbutton").getAttribute("value")).toBe("0.00");
    // Interlocks are asked about what is filled in.
    expect(await within(dialog).findByText("· does not hold: lets go")).toBeTruthy();
    fireEvent.click(within(dialog).getByTestId("dispatch-ask"));
    await waitFor(() =>
      expect(calls.find(({ method }) => method === "POST")?.body).toEqual({
        entity_id: GATE,
        command: "set-opening",
        value: 0,
        reason: expect.stringContaining("run-41"),
      }),
    );
  });

  it("shows the newest run of each chain, and why one could not be reckoned", async () => {
    const failed = {
      ...run,
      id: 42,
      outcome: "failed",
      problems: [
        {
          code: "engine-parameter",
          what: "第 2 点不高于前一点",
          place: "parameters: capacity_curve",
          mend: "give the points from the lowest level to the highest",
        },
      ],
    };
    open(suggesting([failed, run]), [...all, "run.read"]);
    expect((await screen.findByTestId("suggestion")).textContent).toContain("第 2 点不高于前一点");
    expect(screen.queryByTestId("suggested")).toBeNull();
  });

  it("says what is missing where nothing was suggested, and reckons when asked to", async () => {
    const calls = open(suggesting([]), [...all, "run.read", "run.start"]);
    expect(await screen.findByText("Nothing was reckoned yet")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: /Reckon now/ }));
    await waitFor(() =>
      expect(calls.find(({ method }) => method === "POST")?.body).toEqual({
        definition_id: "water-joint-dispatch",
        target_id: null,
      }),
    );
  });

  it("says how to begin where there is no reservoir, and nothing at all where no run suggests", async () => {
    const none = suggesting([]);
    open({ ...none, "GET /api/v1/entities": { items: [], next: null } }, [...all, "run.read"]);
    expect(await screen.findByText("No reservoir is registered")).toBeTruthy();
    cleanup();
    open({ ...none, "GET /api/v1/runs/definitions": [] }, [...all, "run.read"]);
    expect(await screen.findByText("Commands so far")).toBeTruthy();
    await waitFor(() => expect(screen.queryByText("Joint dispatch suggested")).toBeNull());
  });

  it("has no button to ask for who may not", async () => {
    open({}, ["command.read", "entity.read"]);
    await screen.findByTestId("dispatch-thing");
    expect(screen.queryByRole("button", { name: /Ask/ })).toBeNull();
  });
});
