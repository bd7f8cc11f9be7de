/** The front page shows the plan's frame with what runs, honestly grey where nothing is installed, each figure a link. */
import { screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Overview, SystemState } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { frameOf, verdictOf } from "./frame.ts";
import { Page } from "./page.tsx";

const system = (id: string, part: SystemState["part"], more: Partial<SystemState> = {}): SystemState => ({
  id,
  part,
  name_zh: `系统${id}`,
  name_en: `System ${id}`,
  quote: "话",
  installed: true,
  packs: [],
  entity_types: [],
  flow: null,
  alerts: null,
  cases: null,
  targets: null,
  ...more,
});
const none = { critical: 0, major: 0, minor: 0, info: 0, unacknowledged: 0 };
const flow = { total: 10, heard: 9, others: 0, silent: 0, newest_at: "2026-11-26T00:00:00Z" };
const overview: Overview = {
  at: "2026-11-26T00:00:01Z",
  heard_within_seconds: 900,
  flow,
  alerts: { ...none, critical: 2 },
  alerts_truncated: false,
  cases: null,
  targets: { met: 3, on_path: 1, behind: 2, unknown: 4 },
  notices: 0,
  systems: [
    system("S10", "standards", { installed: false }),
    system("S18", "thematic", { installed: false }),
    system("S28", "thematic", {
      flow,
      alerts: { ...none, critical: 2 },
      cases: { open: 4, overdue: 1, states: [] },
      targets: [{ id: "x", name_zh: "指标", name_en: "Target", status: "met" }],
    }),
    system("S02", "command", { alerts: { ...none, critical: 2 } }),
    system("S01", "data", { flow }),
  ],
};

describe("the front page", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("puts each system in its place of the frame, installed ones first", () => {
    const { base, thematic, three } = frameOf(overview.systems);
    expect(base.map((s) => s.id)).toEqual(["S01", "S02"]);
    expect(thematic.map((s) => s.id)).toEqual(["S28", "S18"]);
    expect(three.map((s) => s.id)).toEqual(["S10"]);
  });

  it("judges by what is worst, and calls nothing well that is not known", () => {
    const of = (more: Partial<SystemState>) => verdictOf(system("S28", "thematic", more));
    expect(of({ installed: false, flow })).toBe("absent");
    expect(of({})).toBe("unknown");
    expect(of({ flow, alerts: none })).toBe("good");
    expect(of({ flow: { ...flow, silent: 1 }, alerts: none })).toBe("watch");
    expect(of({ flow: { ...flow, heard: 0 }, alerts: none })).toBe("watch");
    expect(of({ flow, alerts: { ...none, minor: 1 } })).toBe("watch");
    expect(of({ flow, alerts: { ...none, major: 1 } })).toBe("bad");
    expect(of({ flow, alerts: none, cases: { open: 1, overdue: 1, states: [] } })).toBe("bad");
  });

  it("shows the figures as links to their rows, and only those that the caller may see", async () => {
    serve({ "GET /api/v1/overview": overview });
    show(<Page />, { user: userWith(["entity.read", "alert.read"]) });
    const tile = await screen.findByRole("article", { name: "System S28" });
    const link = within(tile).getByText("9 of 10 heard").closest("a");
    expect(link?.getAttribute("href")).toBe("/systems/S28#flow");
    expect(within(tile).getByText(/Critical 2/)).toBeTruthy();
    expect(within(tile).getByText(/1 overdue/)).toBeTruthy();
    expect(within(tile).getByText("1 of 1 met")).toBeTruthy();
    const absent = screen.getByRole("article", { name: "System S18" });
    expect(within(absent).getByText("Not installed")).toBeTruthy();
    // The whole city's line has no cases: the server gave none.
    const sums = screen.getByRole("region", { name: "The whole city" });
    expect(within(sums).queryByText("Cases")).toBeNull();
    expect(within(sums).getByText("3 of 10 met")).toBeTruthy();
  });

  it("tells apart what is not expected to report", async () => {
    const systems = [
      system("S28", "thematic", { flow: { ...flow, others: 7_000 } }),
      system("S21", "thematic", { flow: { ...flow, total: 0, heard: 0, others: 11 } }),
    ];
    serve({ "GET /api/v1/overview": { ...overview, systems } });
    show(<Page />, { user: userWith(["entity.read"]) });
    const tile = await screen.findByRole("article", { name: "System S28" });
    expect(within(tile).getByText("and 7,000 that do not report")).toBeTruthy();
    const still = screen.getByRole("article", { name: "System S21" });
    expect(within(still).getByText("11 that do not report")).toBeTruthy();
    // Nothing that should speak is unheard: no reason to worry.
    expect(within(still).getByText("Well")).toBeTruthy();
  });

  it("says that a city has no plan, in Chinese too", async () => {
    serve({ "GET /api/v1/overview": { ...overview, systems: [] } });
    show(<Page />, { user: userWith(["entity.read"]), language: "zh" });
    expect(await screen.findByText("这座城市没有载入规划")).toBeTruthy();
  });

  it("tells when it cannot be read", async () => {
    const problem = { code: "not-ready", detail: "starting", status: 503 };
    serve({ "GET /api/v1/overview": () => new Response(JSON.stringify(problem), { status: 503 }) });
    show(<Page />, { user: userWith(["entity.read"]) });
    expect(await screen.findByText("starting")).toBeTruthy();
  });
});
