/** What became of a project: in the words of its fields, whoever changed it, and more when asked. */
import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import type { ProjectHistory, ProjectHistoryEntry } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { History } from "./history.tsx";
import { unit } from "./samples.ts";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const entry: ProjectHistoryEntry = {
  id: 9,
  at: "2026-06-01T00:00:00Z",
  by: "赵工",
  kind: "changed",
  section: "stage",
  old: "preparing",
  new: "building",
  reason: "",
};
const row = { name: "开工", planned: "2026-03-01", forecast: null, done: null, evidence: "", photo: null };
const all: ProjectHistory = {
  items: [
    { ...entry, id: 12, kind: "ended", section: null, old: null, new: null, reason: "并入省级项目" },
    entry,
    {
      ...entry,
      id: 8,
      section: "milestones",
      old: [row],
      new: [{ ...row, done: "2026-03-02", photo: 4 }],
    },
    {
      ...entry,
      id: 7,
      section: "profile",
      old: { organisation: null, total_fen: null },
      new: { organisation: "shuili", total_fen: 123_456 },
    },
    {
      ...entry,
      id: 6,
      section: "risks",
      old: [],
      new: [{ risk: "汛期", level: "high", measure: "", over: true }],
    },
    { ...entry, id: 5, section: "tasks", old: [], new: [] },
  ],
  next: "5",
  organisations: [unit],
};

it("says who changed what, before and afterwards", async () => {
  const calls = serve({ "GET /api/v1/projects/smart-water/history": all });
  show(<History project="smart-water" />, { user: userWith(["project.read"]) });
  expect(await screen.findByText("Ended: 并入省级项目")).toBeTruthy();
  const read = (tag: string) =>
    [...screen.getByTestId("project-history").querySelectorAll(tag)].map((one) => one.textContent);
  expect(read("del")).toEqual([
    "Preparing",
    "Milestone 开工 · Planned 2026-03-01",
    "Responsible unit empty",
    "Whole cost empty",
  ]);
  expect(read("ins")).toEqual([
    "Building",
    "Milestone 开工 · Planned 2026-03-01 · Done 2026-03-02 · Photo that shows it photo 4",
    "Responsible unit Water and Lakes Bureau",
    "Whole cost 1,234.56 yuan",
    "Risk 汛期 · Level High risk · Over",
  ]);
  expect(screen.getByText("only the order was changed")).toBeTruthy();
  expect(screen.getAllByText(/赵工/)).toHaveLength(6);
  fireEvent.click(screen.getByTestId("project-history-more"));
  await waitFor(() =>
    expect(calls.map(({ path }) => path)).toEqual([
      "/api/v1/projects/smart-water/history?limit=10",
      "/api/v1/projects/smart-water/history?limit=20",
    ]),
  );
});
