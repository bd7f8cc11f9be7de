/** The pages of key projects: what is missing is shown as missing, filters are asked of the server, rows are reached by keys, and what is wrong is refused. */
import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { Route, Routes } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ProjectDetail, ProjectItem, Projects } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page as ProjectPage } from "./detail.tsx";
import { Page } from "./page.tsx";
import { detail, item, milestone, photo, photos, unit } from "./samples.ts";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const late: ProjectItem = {
  ...item,
  id: "smart-gas",
  name_en: "Smart gas",
  organisation: unit,
  status: "late",
  stage: "building",
  findings: [{ kind: "milestone_overdue", count: 2 }],
  start: "2025-01-01",
  end: "2026-12-31",
  milestones: [{ ...milestone("开工", "2025-03-01"), state: "overdue", days_late: 12 }],
  money: { planned_fen: 200_000_000, arranged_fen: 200_000_000, paid_fen: 50_000_000 },
};
const list: Projects = {
  day: "2026-06-01",
  items: [item, late],
  total: 16,
  of_plan: 16,
  organisations: [unit],
  may_manage: false,
};
const reader = userWith(["project.read"]);
const office = userWith(["project.read", "project.edit", "project.manage"], "planner");

describe("the list of key projects", () => {
  it("shows what is missing as missing", async () => {
    serve({ "GET /api/v1/projects": list });
    show(<Page />, { user: reader });
    expect(await screen.findByText("Smart water conservancy")).toBeTruthy();
    expect(screen.getByText("nobody answers for it · no milestones · no money recorded")).toBeTruthy();
    expect(screen.getByText("No money recorded")).toBeTruthy();
    expect(screen.getByText("paid 50 of 200")).toBeTruthy();
    expect(screen.getByText("milestones overdue: 2")).toBeTruthy();
    expect(screen.queryByText("Add a project")).toBeNull();
  });

  it("asks the server for what is filtered by the address", async () => {
    const calls = serve({ "GET /api/v1/projects": { ...list, items: [] } });
    show(<Page />, { user: reader, path: "/projects?plan_box=2&status=late" });
    expect(await screen.findByText("No such project")).toBeTruthy();
    expect(calls[0]?.path).toBe("/api/v1/projects?plan_box=2&status=late");
  });

  it("draws a chart whose rows are links that arrow keys go along", async () => {
    serve({ "GET /api/v1/projects": list });
    show(<Page />, { user: reader, path: "/projects?view=gantt" });
    const rows = await screen.findAllByTestId("gantt-row");
    const read = rows.map((row) => [
      row.querySelector(".gantt-name strong")?.textContent,
      row.querySelector(".gantt-days")?.textContent,
      row.querySelector('svg[role="img"]')?.getAttribute("aria-label"),
    ]);
    expect(read).toEqual([
      ["Smart water conservancy", "No days given", "No milestones"],
      ["Smart gas", "2025-01-01 – 2026-12-31", "开工 2025-03-01 Overdue"],
    ]);
    rows[0]?.focus();
    fireEvent.keyDown(rows[0] as HTMLElement, { key: "ArrowDown" });
    expect(document.activeElement).toBe(rows[1]);
    fireEvent.keyDown(rows[1] as HTMLElement, { key: "ArrowUp" });
    expect(document.activeElement).toBe(rows[0]);
  });

  it("lists who has not stated the month first", async () => {
    const stated = {
      month: "2026-06",
      organisation: unit,
      progress: "p",
      problems: "",
      at: "2026-06-02T00:00:00Z",
      by: "王敏",
      in_time: true,
    };
    const named = (one: ProjectItem) => ({ id: one.id, name_zh: one.name_zh, name_en: one.name_en });
    serve({
      "GET /api/v1/projects": list,
      "GET /api/v1/project-months/*": {
        month: "2026-06",
        due: "2026-07-05",
        day: "2026-07-06",
        items: [
          { ...named(item), organisation: unit, state: "in_time", report: stated, photo },
          { ...named(late), organisation: unit, state: "missing", report: null, photo: null },
        ],
        nobody: [],
      },
    });
    show(<Page />, { user: reader, path: "/projects?view=months" });
    const cards = await screen.findAllByTestId("project-month");
    expect(cards.map((card) => card.querySelector("a")?.textContent)).toEqual([
      "Smart gas",
      "Smart water conservancy",
    ]);
    expect(screen.getByText(/2 owed, 1 not stated/)).toBeTruthy();
    const newest = screen.getByAltText("2026-03-02 打桩");
    expect(newest.getAttribute("src")).toBe("/api/v1/projects/smart-water/photos/2/small");
  });

  it("opens each figure of a unit to its rows", async () => {
    const sums = { planned_fen: 11_000, arranged_fen: 11_000, paid_fen: 5_000 };
    serve({
      "GET /api/v1/projects": list,
      "GET /api/v1/project-assessments/*": {
        year: 2026,
        day: "2026-06-01",
        projects: [{ id: late.id, name_zh: late.name_zh, name_en: late.name_en }],
        units: [
          {
            unit,
            figures: {
              organisation: unit.id,
              projects: 1,
              kept: 0,
              late: 0,
              overdue: 1,
              money: sums,
              reports_in_time: 2,
              reports_late: 0,
              reports_missing: 0,
              milestone_rows: [
                { project: late.id, name: "开工", planned: "2026-03-01", done: null, state: "overdue" },
              ],
              money_rows: [{ project: late.id, source: "city", sums }],
              report_rows: [],
            },
          },
        ],
      },
    });
    show(<Page />, { user: reader, path: "/projects?view=assessment" });
    const figures = await screen.findAllByTestId("project-figure");
    expect(figures.map((figure) => figure.querySelector("summary")?.textContent)).toEqual([
      "Milestones: 0 kept, 0 late, 1 overdue",
      "Money (yuan): paid 50.00 of 110.00 · 45%",
      "Months: 2 in time, 0 late, 0 missing",
    ]);
    expect(figures[0]?.textContent).toContain("开工");
    expect(figures[2]?.textContent).toContain("None");
  });
});

describe("one key project", () => {
  const draw = (project: ProjectDetail, user = office) => {
    const calls = serve({
      "GET /api/v1/projects/smart-water": project,
      "GET /api/v1/organisations": { items: [] },
      "PUT /api/v1/projects/smart-water": project,
      "GET /api/v1/projects/smart-water/photos": photos([]),
      "GET /api/v1/projects/smart-water/history": { items: [], next: null, organisations: [] },
    });
    show(
      <Routes>
        <Route path="/projects/:id" element={<ProjectPage />} />
      </Routes>,
      { user, path: "/projects/smart-water" },
    );
    return calls;
  };

  it("says what is not there yet, and whose words it has", async () => {
    draw({ ...detail, may_edit: false, may_manage: false }, reader);
    expect(await screen.findByText("No milestones: nothing can be judged.")).toBeTruthy();
    expect(screen.getByText("No money is recorded.")).toBeTruthy();
    expect(screen.getByText(detail.quote ?? "")).toBeTruthy();
    expect(screen.getByText("Reporting rate")).toBeTruthy();
    expect(screen.queryByText("Change")).toBeNull();
  });

  it("refuses an end before its start, and sends what is right", async () => {
    const profile = { ...detail.kept.profile, start: "2026-06-01", end: "2026-05-31" };
    const calls = draw({ ...detail, kept: { ...detail.kept, profile } });
    fireEvent.click(await screen.findByLabelText("Change: Responsibility and plan"));
    fireEvent.click(await screen.findByTestId("project-save"));
    expect(await screen.findByText("The end is before the start")).toBeTruthy();
    expect(calls.some(({ method }) => method === "PUT")).toBe(false);
    fireEvent.change(screen.getByLabelText("Planned end"), { target: { value: "2026-06-30" } });
    fireEvent.click(screen.getByTestId("project-save"));
    await waitFor(() => expect(calls.some(({ method }) => method === "PUT")).toBe(true));
    expect(calls.find(({ method }) => method === "PUT")?.body).toEqual({
      version: 3,
      section: "profile",
      profile: { organisation: null, start: "2026-06-01", end: "2026-06-30", total_fen: null, note: "" },
    });
  });

  it("writes a list anew, row by row", async () => {
    const calls = draw(detail);
    fireEvent.click(await screen.findByLabelText("Change: Milestones"));
    fireEvent.click(await screen.findByTestId("project-more"));
    fireEvent.change(await screen.findByLabelText("Milestone"), { target: { value: "开工" } });
    fireEvent.change(screen.getByLabelText("Planned"), { target: { value: "2026-09-01" } });
    fireEvent.click(screen.getByTestId("project-save"));
    await waitFor(() => expect(calls.some(({ method }) => method === "PUT")).toBe(true));
    expect(calls.find(({ method }) => method === "PUT")?.body).toEqual({
      version: 3,
      section: "milestones",
      milestones: [
        { name: "开工", planned: "2026-09-01", forecast: null, done: null, evidence: "", photo: null },
      ],
    });
  });
});
