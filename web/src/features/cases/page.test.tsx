/** The list and the board keep their filters in the address; the scorecards open to their cases. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { Route, Routes, useLocation } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serve, show, userWith } from "../../test-tools.tsx";
import { duration } from "./due.tsx";
import { filterOf } from "./filters.tsx";
import { Page } from "./page.tsx";
import { Page as Scores } from "./scores.tsx";

function Where() {
  const { search } = useLocation();
  return <output data-testid="search">{search}</output>;
}
const page = (
  <Routes>
    <Route
      path="/cases"
      element={
        <>
          <Page />
          <Where />
        </>
      }
    />
    <Route path="/cases/scores" element={<Scores />} />
  </Routes>
);
const user = userWith(["case.read"]);
const rate = (numerator: number, denominator: number) => ({
  numerator,
  denominator,
  value: denominator ? numerator / denominator : null,
});

describe("cases", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("reads the filters from the address and asks the server for them", async () => {
    const calls = serve({
      "GET /api/v1/cases": { items: [], next: null },
      "GET /api/v1/organisations": { items: [] },
    });
    show(page, { user, path: "/cases?state=handling&overdue=1&text=%E4%BA%95%E7%9B%96" });
    expect(await screen.findByText("No cases")).toBeTruthy();
    const asked = new URLSearchParams(
      calls.find((c) => c.path.startsWith("/api/v1/cases?"))?.path.split("?")[1],
    );
    expect(Object.fromEntries(asked)).toEqual({ state: "handling", overdue: "true", text: "井盖" });
    fireEvent.click(screen.getByRole("button", { name: "Clear filters" }));
    await waitFor(() => expect(screen.getByTestId("search").textContent).toBe(""));
  });

  it("shows the board by step with what is overdue, and more of a column from its beginning", async () => {
    const card = (id: number, state: string) => ({
      id,
      number: `TM-${id}`,
      title: `案件${id}`,
      severity: "minor",
      state,
    });
    const column = { state: null, cases: [], next: null, count: 0, overdue: 0 };
    const calls = serve({
      "GET /api/v1/cases/board": {
        count_max: 1_000,
        workflows: [{ name: "flood-case", title_zh: "汛情处置", title_en: "Flood case" }],
        columns: [
          { ...column, step: "file", count: 1_000, overdue: 3, next: "7:1", cases: [card(1, "filed")] },
          { ...column, step: "handle", count: 2, cases: [card(2, "handling"), card(3, "split")] },
        ],
      },
      "GET /api/v1/cases": { items: [card(1, "filed"), card(4, "filed")], next: null },
      "GET /api/v1/organisations": { items: [] },
    });
    show(page, { user, path: "/cases?view=board&severity=minor", language: "zh" });
    const file = await screen.findByRole("region", { name: "案件建立" });
    expect(file.textContent).toContain("至少 1000 件 · 超时 3 件");
    // Where states are mixed, each card says its own.
    const handle = screen.getByRole("region", { name: "任务处理" });
    expect(handle.textContent).toContain("已分办");
    expect(file.textContent).not.toContain("已立案");
    const [first, second, third] = screen.getAllByRole("link", { name: /案件\d/ });
    first?.focus();
    fireEvent.keyDown(first as HTMLElement, { key: "ArrowRight" });
    expect(document.activeElement).toBe(second);
    fireEvent.keyDown(second as HTMLElement, { key: "ArrowDown" });
    expect(document.activeElement).toBe(third);
    fireEvent.click(screen.getByRole("button", { name: "加载更多" }));
    expect(await screen.findByText("案件4")).toBeTruthy();
    expect(screen.getAllByText("案件1")).toHaveLength(1);
    const asked = calls.find((c) => c.path.startsWith("/api/v1/cases?"))?.path ?? "";
    expect(Object.fromEntries(new URLSearchParams(asked.split("?")[1]))).toEqual({
      severity: "minor",
      step: "file",
      order: "urgent",
    });
  });

  it("shows the board of one workflow by its own states", async () => {
    const calls = serve({
      "GET /api/v1/cases/board": {
        count_max: 1_000,
        workflows: [{ name: "flood-case", title_zh: "汛情处置", title_en: "Flood case" }],
        columns: [
          {
            step: "collect",
            state: { name: "noted", title_zh: "已登记", title_en: "Noted" },
            count: 0,
            overdue: 0,
            cases: [],
            next: null,
          },
        ],
      },
      "GET /api/v1/organisations": { items: [] },
    });
    show(page, { user, path: "/cases?view=board&workflow=flood-case" });
    expect(await screen.findByRole("region", { name: "Noted" })).toBeTruthy();
    expect(calls.some((c) => c.path === "/api/v1/cases/board?workflow=flood-case")).toBe(true);
  });

  it("leaves out of an address what is no filter", () => {
    expect(filterOf(new URLSearchParams("state=nowhere&town=429006001")).state).toBeUndefined();
    expect(filterOf(new URLSearchParams("town=429006001")).town).toBe("429006001");
  });

  it("shows each figure with what it is made of, and opens it to its cases", {
    timeout: 20_000,
  }, async () => {
    const calls = serve({
      "GET /api/v1/organisations": { items: [{ id: "water", name_zh: "水利局", name_en: "Water Bureau" }] },
      "GET /api/v1/cases/figures": {
        from: "2026-11-01T00:00:00Z",
        until: "2026-12-01T00:00:00Z",
        by: "organisation",
        items: [
          {
            key: "water",
            filed: 12,
            closed: 9,
            closing: rate(9, 10),
            extending: rate(0, 12),
            in_time: rate(8, 10),
            overdue: rate(1, 10),
            reworked: rate(0, 0),
            handling_s: rate(7_200, 2),
            returned: 0,
            late_steps: 0,
            supervised: 0,
            extended: 0,
            escalated: 0,
            reopened: 0,
          },
        ],
      },
      "GET /api/v1/cases/figures/rows": {
        total: 1,
        items: [{ case_id: 3, number: "TM-3", title: "Manhole", at: "2026-11-23T00:00:00Z", seconds: 0 }],
      },
    });
    show(page, { user, path: "/cases/scores?from=2026-11-01T00:00:00Z&until=2026-12-01T00:00:00Z" });
    // The first table that a run shows takes its time on a busy machine.
    expect(await screen.findByText("Water Bureau", {}, { timeout: 10_000 })).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "80.0 % (8/10)" }));
    expect(await screen.findByText("Manhole")).toBeTruthy();
    const rows = calls.find((call) => call.path.includes("figures/rows"))?.path ?? "";
    expect(rows).toContain("figure=in_time");
    expect(rows).toContain("key=water");
  });

  it("shows figures by unit grid and by class under their names", { timeout: 20_000 }, async () => {
    const none = rate(0, 0);
    const row = (key: string) => ({
      key,
      filed: 4,
      closed: 3,
      closing: rate(3, 4),
      extending: rate(1, 4),
      in_time: none,
      overdue: none,
      reworked: none,
      handling_s: none,
      returned: 0,
      late_steps: 0,
      supervised: 0,
      extended: 1,
      escalated: 0,
      reopened: 0,
    });
    const calls = serve({
      "GET /api/v1/cases/grids": { items: [{ code: "429006001001001", name: "鸿渐社区001网格" }] },
      "GET /api/v1/cases/figures": { from: "", until: "", by: "grid", items: [row("429006001001001")] },
    });
    show(page, { user, path: "/cases/scores?by=grid" });
    expect(await screen.findByText("鸿渐社区001网格 429006001001001", {}, { timeout: 10_000 })).toBeTruthy();
    expect(screen.getByRole("button", { name: "3 · 75.0 % (3/4)" })).toBeTruthy();
    expect(screen.getByRole("button", { name: "1 · 25.0 % (1/4)" })).toBeTruthy();
    expect(calls.some((call) => call.path.includes("by=grid"))).toBe(true);
    expect(filterOf(new URLSearchParams("category=B0102&grid=429006001001001"))).toMatchObject({
      category: "B0102",
      grid: "429006001001001",
    });
  });

  it("says working time in hours, and all hours in days", () => {
    const t = ((key: string, values?: Record<string, unknown>) => `${values?.n} ${key.slice(5)}`) as never;
    expect(duration(7_800, false, t)).toBe("2 hours 10 minutes");
    expect(duration(-180_000, false, t)).toBe("50 hours");
    expect(duration(180_000, true, t)).toBe("2 days 2 hours");
    expect(duration(0, true, t)).toBe("0 minutes");
  });
});
