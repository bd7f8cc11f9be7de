/** On an indicator's page: the projects that serve it, what of them is late, and their money. */
import { cleanup, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { serve, show, userWith } from "../../test-tools.tsx";
import { ProjectsOfGoal } from "./of-goal.tsx";
import { item, milestone } from "./samples.ts";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const late = {
  ...item,
  status: "late",
  findings: [],
  milestones: [
    { ...milestone("招标", "2026-03-01"), state: "overdue", days_late: 9 },
    { ...milestone("竣工", "2027-01-01"), state: "on_course" },
  ],
  money: { planned_fen: 300_000_000, arranged_fen: 200_000_000, paid_fen: 100_000_000 },
};
const other = { ...item, id: "other", name_zh: "其他项目" };

it("tells how many are late, which milestones, and the money of all", async () => {
  const calls = serve({
    "GET /api/v1/projects": { items: [late, other] },
    "GET /api/v1/plan/indicators/x/projects": {
      indicator: "x",
      told: "known",
      value: 12,
      passed_over: 0,
      projects: [
        { project: late.id, things: 3, without: 9, part: 3 },
        { project: "other", things: 0, without: null, part: null },
      ],
    },
  });
  show(<ProjectsOfGoal id="x" unit="个" />, { user: userWith(["project.read"], "planner"), language: "zh" });
  const card = await screen.findByTestId("projects-of-goal");
  expect(card.textContent).toContain("2 个项目，1 个滞后，1 个里程碑逾期");
  expect(card.textContent).toContain("计划 300，到位 200，支付 100");
  expect(card.textContent).toContain("招标");
  expect(card.textContent).not.toContain("竣工");
  expect(await screen.findByText("贡献 3 个（3 处资产；没有它们为 9 个）")).toBeTruthy();
  expect(card.textContent).toContain("未登记形成的资产，贡献无从计算");
  expect(calls[0]?.path).toBe("/api/v1/projects?indicator=x");
});

it("says that a figure which does not follow from things alone has no parts", async () => {
  serve({
    "GET /api/v1/projects": { items: [other] },
    "GET /api/v1/plan/indicators/x/projects": {
      indicator: "x",
      told: "not_of_things",
      value: null,
      passed_over: 0,
      projects: [{ project: "other", things: 2, without: null, part: null }],
    },
  });
  show(<ProjectsOfGoal id="x" unit="%" />, { user: userWith(["project.read"], "planner"), language: "zh" });
  expect(await screen.findByText(/分不出各项目的贡献/)).toBeTruthy();
  expect(screen.queryByText(/^贡献/)).toBeNull();
});

it("is not there for whom projects are not", () => {
  const calls = serve({ "GET /api/v1/projects": { items: [late] } });
  show(<ProjectsOfGoal id="x" unit="个" />, { user: userWith(["indicator.read"]), language: "zh" });
  expect(screen.queryByTestId("projects-of-goal")).toBeNull();
  expect(calls).toEqual([]);
});
