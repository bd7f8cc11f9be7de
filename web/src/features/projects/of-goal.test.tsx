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
  const calls = serve({ "GET /api/v1/projects": { items: [late, other] } });
  show(<ProjectsOfGoal id="x" />, { user: userWith(["project.read"], "planner"), language: "zh" });
  const card = await screen.findByTestId("projects-of-goal");
  expect(card.textContent).toContain("2 个项目，1 个滞后，1 个里程碑逾期");
  expect(card.textContent).toContain("计划 300，到位 200，支付 100");
  expect(card.textContent).toContain("招标");
  expect(card.textContent).not.toContain("竣工");
  expect(calls[0]?.path).toBe("/api/v1/projects?indicator=x");
});

it("is not there for whom projects are not", () => {
  const calls = serve({ "GET /api/v1/projects": { items: [late] } });
  show(<ProjectsOfGoal id="x" />, { user: userWith(["indicator.read"]), language: "zh" });
  expect(screen.queryByTestId("projects-of-goal")).toBeNull();
  expect(calls).toEqual([]);
});
