/** Towns side by side: a merged town as what it is, a code that nobody knows, what changed, the order, the file; and the switch of plans. */
import { cleanup, fireEvent, screen } from "@testing-library/react";
import { Route, Routes } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ComparedTown, IndicatorDetail, TownComparison } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { toCsv } from "../sql/csv.ts";
import { plansQuery } from "./queries.ts";
import { PlanSwitch } from "./switch.tsx";
import { barOf, ordered, townTable } from "./towns.ts";
import { Towns } from "./towns.tsx";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const town = (code: string, name: string, value: number | null, rank: number | null): ComparedTown => ({
  code,
  name,
  value,
  rank,
  merged: [],
  share: value === null ? null : value / 6,
  pull: null,
  before: null,
  change: null,
  way: null,
});

const merged = {
  code: "429006199",
  name: "旧河镇",
  into_name: "竟陵街道",
  on: "2024-05-01",
  value: 1,
};

const found: TownComparison = {
  indicator: "x",
  plan: "tianmen-14-5",
  aggregation: "sum",
  day: "2026-11-28",
  value: 6,
  target: 1_800,
  total: 4,
  difference: 2,
  since: null,
  history: "not_asked",
  total_before: null,
  change: null,
  way: null,
  towns: [
    { ...town("429006001", "竟陵街道", 3, 1), merged: [merged] },
    town("429006002", "候口街道", 1, 2),
    town("429006003", "杨林街道", null, null),
  ],
  unknown: [
    { code: "429006998", value: 1, mend_zh: "写明 successions.csv", mend_en: "say in successions.csv" },
  ],
  without_town: 1,
};

const since: TownComparison = {
  ...found,
  since: "2025-12-31",
  history: "known",
  total_before: 2,
  change: 2,
  way: 0.25,
  towns: found.towns.map((one, n) => ({
    ...one,
    before: 2 - n,
    change: [1, -4, null][n] ?? null,
    way: n / 10,
  })),
};

const indicator = {
  id: "x",
  plan: "tianmen-14-5",
  unit_zh: "个",
  unit_en: "stations",
  towns: { aggregation: "sum" },
} as unknown as IndicatorDetail;

const user = userWith(["indicator.read"], "operator");

describe("towns side by side", () => {
  it("tells a merged town as what it was, a code that nobody knows with its mend, and what names no town", async () => {
    const calls = serve({ "GET /api/v1/plan/indicators/x/towns": found });
    show(<Towns indicator={indicator} onTown={() => {}} />, { user, language: "zh" });
    const card = await screen.findByTestId("towns");
    await screen.findByText(/原旧河镇，2024-05-01 并入竟陵街道/);
    for (const words of ["合计 4 个", "相差2 个", "没有写镇街的1 个", "50%", "16.7%"]) {
      expect(card.textContent).toContain(words);
    }
    const unknown = screen.getByTestId("unknown-town").textContent;
    expect(unknown).toContain("429006998：1 个");
    expect(unknown).toContain("successions.csv");
    expect(calls[0]?.path).toBe("/api/v1/plan/indicators/x/towns?plan=tianmen-14-5");
    expect(screen.queryByTestId("towns-history")).toBeNull();
  });

  it("asks for a day and tells what changed since", async () => {
    const calls = serve({
      "GET /api/v1/plan/indicators/x/towns": ({ path }: { path: string }) =>
        path.includes("since") ? since : found,
    });
    show(<Towns indicator={indicator} onTown={() => {}} />, { user, language: "zh" });
    await screen.findByText(/原旧河镇/);
    fireEvent.change(screen.getByLabelText("与这一天末比较"), { target: { value: "2025-12-31" } });
    const history = await screen.findByTestId("towns-history");
    expect(history.textContent).toContain("2025-12-31末为2 个，至今变化+2。");
    expect(history.textContent).toContain("25%");
    expect(calls.at(-1)?.path).toContain("since=2025-12-31");
  });

  it("says why nothing can be compared", async () => {
    const nothing = { ...found, since: "2019-12-31", history: "nothing" };
    serve({ "GET /api/v1/plan/indicators/x/towns": nothing });
    show(<Towns indicator={indicator} onTown={() => {}} />, { user, language: "en" });
    await screen.findByText(/Nothing was kept by 2019-12-31/);
  });

  it("is not there for what does not follow from towns", () => {
    const calls = serve({});
    show(<Towns indicator={{ ...indicator, towns: null }} onTown={() => {}} />, { user });
    expect(screen.queryByTestId("towns")).toBeNull();
    expect(calls).toEqual([]);
  });
});

describe("the order and the file", () => {
  const names = (order: Parameters<typeof ordered>[1]) =>
    ordered(since.towns, order).map((one) => one.code.at(-1));

  it("puts what is not known last", () => {
    expect(names("rank")).toEqual(["1", "2", "3"]);
    expect(names("value")).toEqual(["1", "2", "3"]);
    expect(names("change")).toEqual(["1", "2", "3"]);
    expect(names("way")).toEqual(["3", "2", "1"]);
  });

  it("draws bars against the longest", () => {
    expect(found.towns.map((one) => barOf(one.value, found.towns))).toEqual([1, 1 / 3, 0]);
    expect(barOf(1, [])).toBe(0);
  });

  it("holds every town and what has none", () => {
    const notes = { merged: ({ name }: { name: string }) => `原${name}`, unknown: "不认识", without: "没有" };
    const lines = toCsv(townTable(found, notes)).trim().split("\r\n");
    expect(lines[0]).toContain("rank,code,town,value,share");
    expect(lines.slice(1)).toEqual([
      "1,429006001,竟陵街道,3,0.5,,,,,原旧河镇,",
      `2,429006002,候口街道,1,${1 / 6},,,,,,`,
      ",429006003,杨林街道,,,,,,,,",
      ",429006998,,1,,,,,,,不认识",
      ",,,1,,,,,,,没有",
    ]);
  });
});

describe("the switch of plans", () => {
  const plan = (id: string, title_zh: string, phase: string, chosen: boolean) => ({
    id,
    title_zh,
    title_en: title_zh,
    period: [2020, 2025],
    phase,
    chosen,
    pack: "p",
    indicators: 1,
  });
  const shown = (items: unknown[]) => {
    serve({ "GET /api/v1/plans": { day: "2026-11-28", items } });
    const page = (
      <Routes>
        <Route path="/plan" element={<PlanSwitch shown="a" />} />
      </Routes>
    );
    return show(page, { user, language: "zh", path: "/plan" });
  };

  it("is there when there are several, with where each stands", async () => {
    shown([plan("a", "十四五", "over", false), plan("b", "十五五", "running", true)]);
    expect((await screen.findByLabelText("选择规划")).closest(".plan-switch")?.textContent).toContain(
      "十四五 · 已到期",
    );
  });

  it("is not there when there is one", async () => {
    const { queryClient } = shown([plan("a", "十四五", "over", true)]);
    await vi.waitFor(() => expect(queryClient.getQueryData(plansQuery.queryKey)).toBeDefined());
    expect(screen.queryByLabelText("选择规划")).toBeNull();
  });
});
