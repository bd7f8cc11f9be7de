/** Supervision of charging: who finds it, figures with how they are counted, towns and villages, faults, the subsidy by the address, fire. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { useLocation } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Language } from "../../lib/format.ts";
import type { ChargingSupervised, ChargingSupervision } from "../../lib/types.ts";
import { isAt, NAV, navFor } from "../../shell/navigation.tsx";
import { type Call, serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./page.tsx";

const SUPERVISION = "/api/v1/charging/supervision";
const POINT = "urn:ngsi-ld:ChargePoint:CP1";
const overall: ChargingSupervised = {
  points: 4,
  alternating: 1,
  direct: 1,
  without_place: 2,
  rated: 2,
  rated_w: 67_000,
  online: 3,
  online_rate: 0.75,
  faulted: 1,
  seconds: 40_000,
  charging_seconds: 8_680,
  time_rate: 0.217,
  sessions: 4,
  energy_wh: 62_000,
  rated_energy_wh: 52_000,
  possible_wh: 520_000,
  energy_rate: 0.1,
  days: 8,
  days_missing: 2,
  missing_rate: 0.25,
  without_energy: 1,
  without_time: 0,
  without_card: 0,
  incomplete: 1,
  incomplete_rate: 0.25,
  faults: 2,
  fault_seconds: 900,
  repairs: 1,
  repair_mean_seconds: 600,
};
const none: ChargingSupervised = {
  ...overall,
  points: 0,
  rated_w: 0,
  online_rate: null,
  time_rate: null,
  energy_rate: null,
  missing_rate: null,
  energy_wh: 0,
  faults: 0,
};
const worst = {
  id: POINT,
  name: "一号桩",
  place: null,
  operator: "甲公司",
  town: "429006001",
  faulted: true,
  faults: 2,
  fault_seconds: 900,
  days: 2,
  days_missing: 1,
};
const found: ChargingSupervision = {
  from: "2026-11-23",
  to: "2026-11-29",
  at: "2026-11-29T04:42:49Z",
  definitions: [
    { id: "online", zh: "现在在线的充电桩 ÷ 全部。", en: "Points on the line, of all." },
    { id: "far", zh: "直线距离。", en: "Straight, not by road." },
    { id: "subsidy", zh: "逐单四舍五入。", en: "Each rounded to the fen." },
  ],
  places_known: 1,
  overall,
  operators: [
    { key: "city", name: "city", operator: null, figures: none },
    { key: "甲公司", name: "甲公司", operator: null, figures: overall },
  ],
  places: [
    { key: "urn:ngsi-ld:EVChargingStation:A", name: "甲站", operator: "甲公司", figures: overall },
    { key: "", name: "", operator: null, figures: none },
  ],
  places_left_out: 0,
  towns: [
    { code: "429006100", name: "多宝镇", places: 0, villages: 37, villages_far: 37, figures: none },
    { code: "429006001", name: "竟陵街道", places: 1, villages: 21, villages_far: 2, figures: overall },
    { code: "", name: "", places: 0, villages: 0, villages_far: 0, figures: none },
  ],
  sessions_elsewhere: 3,
  worst: [worst],
  silent: [worst],
  subsidy: {
    rate: "0.2000",
    cap_fen: 40_000,
    due_fen: 60_000,
    operators: [
      {
        operator: "甲公司",
        sessions: 1,
        energy_wh: 22_000,
        unjudged_wh: 0,
        sum_fen: 44_000,
        due_fen: 40_000,
        excluded: [
          {
            reason: "backwards",
            title_zh: "电表倒走",
            title_en: "the meter ran backwards",
            sessions: 1,
            energy_wh: -600,
          },
        ],
      },
      {
        operator: "city",
        sessions: 1,
        energy_wh: 10_000,
        unjudged_wh: 10_000,
        sum_fen: 20_000,
        due_fen: 20_000,
        excluded: [],
      },
    ],
  },
  goals: [
    {
      id: "charging-points",
      name_zh: "新能源汽车充电桩",
      name_en: "Charge points for electric vehicles",
      unit_zh: "个",
      unit_en: "points",
      value: 491.3,
      target: 4_913,
      target_year: 2025,
      baseline: 413,
      baseline_year: 2020,
    },
  ],
  far: {
    km: 5,
    located: 2,
    villages: 639,
    far: 60,
    items: [
      {
        code: "429006100001",
        name: "远村",
        town: "429006100",
        town_name: "多宝镇",
        lon: 112.69,
        lat: 30.68,
        km: 41.234,
        nearest: POINT,
      },
    ],
    notes_zh: ["示意图。"],
    notes_en: ["Schematic."],
  },
  fire: { chargers: 12, alarms: [{ rule: "residential-charger-smoke", raised: 2, active: 1 }] },
};
const officer = userWith(["entity.read", "alert.read", "charging.read"], "planner");

function Where() {
  const { pathname, search } = useLocation();
  return <output data-testid="where">{pathname + search}</output>;
}
const where = () => screen.getByTestId("where").textContent;

function open(query = "", answer: unknown = found, language: Language = "en") {
  const calls = serve({ [`GET ${SUPERVISION}`]: answer });
  show(
    <>
      <Page />
      <Where />
    </>,
    { user: officer, path: `/charging/supervision${query}`, language },
  );
  return calls;
}

afterEach(() => vi.unstubAllGlobals());

describe("the way to supervision", () => {
  it("stands in the menu of who may read charging, and is not charging's own entry", () => {
    expect(navFor(officer).map(({ path }) => path)).toContain("/charging/supervision");
    expect(navFor(userWith(["entity.read"])).map(({ path }) => path)).not.toContain("/charging/supervision");
    const here = (pathname: string) => NAV.filter((item) => isAt(item, pathname)).map(({ path }) => path);
    expect(here("/charging/supervision")).toEqual(["/charging/supervision"]);
    expect(here("/charging/sessions/3")).toEqual(["/charging"]);
  });
});

describe("the overview", () => {
  it("has every figure with what it is of, and says how it is counted on a click", async () => {
    const calls = open("?days=week");
    const figures = await screen.findByTestId("supervision-figures");
    expect(figures.textContent).toContain("3 of 4 outlets, now");
    expect(figures.textContent).toContain("75.0 %");
    expect(figures.textContent).toContain("1 DC, 1 AC, 2 not told; 2 without a place");
    expect(figures.textContent).toContain("67 kW");
    expect(figures.textContent).toContain("2 of 8 days of outlets");
    const sessions = within(figures).getByRole("link", { name: "4 sessions that ended on these days" });
    expect(sessions.getAttribute("href")).toBe("/charging?view=sessions&from=2026-11-23&to=2026-11-29");
    fireEvent.click(within(figures).getByRole("button", { name: "How On the line is counted" }));
    expect(await screen.findByText("Points on the line, of all.")).toBeTruthy();
    const goal = screen.getByTestId("supervision-goals");
    expect(goal.textContent).toContain("10.0 %");
    expect(goal.textContent).toContain("target 4,913 points by 2025; 413 points in 2020");
    expect(within(goal).getByRole("link").getAttribute("href")).toBe("/plan/charging-points");
    expect(screen.getByText(/3 sessions are of outlets that are not registered/)).toBeTruthy();
    expect(screen.getByText("No place")).toBeTruthy();
    const asked = calls.find(({ path }) => path.startsWith(SUPERVISION))?.path ?? "";
    expect(asked).toMatch(/from=\d{4}-\d\d-\d\d&to=\d{4}-\d\d-\d\d$/);
  });

  it("says that nothing is registered, in Chinese too", async () => {
    const nothing = { ...found, overall: { ...none, sessions: 0 }, operators: [], places: [], goals: [] };
    open("", nothing, "zh");
    expect(await screen.findByText("还没有登记充电桩")).toBeTruthy();
    expect(screen.getByText("规划中没有充电目标")).toBeTruthy();
  });
});

describe("the keyboard", () => {
  it("counts again by a key", async () => {
    const calls = open();
    await screen.findByTestId("supervision-figures");
    fireEvent.keyDown(document.body, { key: "r" });
    await waitFor(() => expect(calls.filter(({ path }) => path.startsWith(SUPERVISION))).toHaveLength(2));
    expect(screen.queryByRole("button", { name: /Download every session/ })).toBeNull();
  });
});

describe("towns", () => {
  it("are compared, those with the most outlets first, and sorted by a click", async () => {
    open("?view=towns");
    const towns = await screen.findByTestId("supervision-towns");
    const names = () =>
      within(towns)
        .getAllByRole("row")
        .map((row) => row.querySelector("td.charging-town")?.textContent)
        .filter(Boolean);
    expect(names()).toEqual(["竟陵街道", "多宝镇", "Not known"]);
    fireEvent.click(within(towns).getAllByText("Far villages")[0] as HTMLElement);
    await waitFor(() => expect(names()[0]).toBe("多宝镇"));
    // What is a share of nothing is a dash.
    expect(towns.textContent).toContain("—");
  });

  it("have villages from which charging is far, by a distance that stands in the address", async () => {
    const calls = open("?view=towns&far_km=5");
    const far = await screen.findByTestId("supervision-far");
    expect(far.textContent).toContain("60 of 639 villages and communities are farther than 5 km");
    expect(within(far).getByRole("link", { name: "41.2 km" }).getAttribute("href")).toContain("CP1");
    expect(within(far).getByText("Schematic.")).toBeTruthy();
    const field = screen.getByLabelText("How far is far, km");
    fireEvent.change(field, { target: { value: "8" } });
    fireEvent.keyDown(field, { key: "Enter", keyCode: 13 });
    await waitFor(() => expect(where()).toContain("far_km=8"));
    await waitFor(() => expect(calls.some(({ path }) => path.includes("far_km=8"))).toBe(true));
  });
});

describe("faults", () => {
  it("name the outlets, with the way to them", async () => {
    open("?view=faults");
    const list = await screen.findByTestId("supervision-worst");
    expect(within(list).getByRole("link", { name: "一号桩" })).toBeTruthy();
    expect(within(list).getByText("Faulted now")).toBeTruthy();
    expect(within(list).getByText("15 min")).toBeTruthy();
    expect(screen.getByTestId("supervision-silent").textContent).toContain("1 of 2");
  });
});

describe("the subsidy", () => {
  it("shows what counts and what does not, and leads to the sessions", async () => {
    open("?view=subsidy&from=2026-11-23&to=2026-11-29&rate=0.2&cap=400");
    const subsidy = await screen.findByTestId("supervision-subsidy");
    expect(subsidy.textContent).toContain("the meter ran backwards: 1 sessions, -0.6 kWh");
    expect(subsidy.textContent).toContain("440.00400.00");
    expect(subsidy.textContent).toContain("All600.00");
    const link = within(subsidy).getAllByRole("link")[0];
    expect(link?.getAttribute("href")).toContain("view=sessions&from=2026-11-23&to=2026-11-29&operator=");
  });

  it("is reckoned anew by the rate that is entered, and its table follows", async () => {
    const calls = open("?view=subsidy&from=2026-11-23&to=2026-11-29", (call: Call) =>
      call.path.includes("rate=x")
        ? Response.json({ code: "charging-price", detail: '"x" is no price' }, { status: 400 })
        : found,
    );
    await screen.findByTestId("supervision-subsidy");
    const clicked: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
      clicked.push(this.getAttribute("href") ?? "");
    });
    const rate = screen.getByLabelText("Rate (yuan/kWh)");
    fireEvent.change(rate, { target: { value: "0.15" } });
    fireEvent.blur(rate);
    await waitFor(() => expect(where()).toContain("rate=0.15"));
    await waitFor(() => expect(calls.some(({ path }) => path.endsWith("rate=0.15"))).toBe(true));
    fireEvent.click(screen.getByRole("button", { name: /Download every session/ }));
    expect(clicked).toEqual([`${SUPERVISION}/subsidy.csv?from=2026-11-23&to=2026-11-29&rate=0.15`]);
    // What the server does not take is said, and can be mended where it was entered.
    const wrong = screen.getByLabelText("Rate (yuan/kWh)");
    fireEvent.change(wrong, { target: { value: "x" } });
    fireEvent.blur(wrong);
    expect(await screen.findByText('"x" is no price')).toBeTruthy();
    expect(screen.getByLabelText("Rate (yuan/kWh)")).toBeTruthy();
  });
});

describe("fire safety", () => {
  it("tells alarms by kind, and that none is registered", async () => {
    open("?view=fire");
    const list = await screen.findByTestId("supervision-fire");
    expect(within(list).getByText("Smoke")).toBeTruthy();
    expect(screen.getByRole("link", { name: "All alerts" })).toBeTruthy();
  });

  it("says what to do where none is registered", async () => {
    open("?view=fire", { ...found, fire: { chargers: 0, alarms: [] } });
    expect(await screen.findByText("No residential charger is registered")).toBeTruthy();
  });
});
