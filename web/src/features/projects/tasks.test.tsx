/** The tasks of member departments: a member's own first, filtered, told how they stand, reminded of, taken along as a file. */
import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ProjectTaskItem, ProjectTasks } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./page.tsx";
import { detail, task, unit } from "./samples.ts";
import { taskTable } from "./task-table.ts";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const other: ProjectTaskItem = {
  ...task,
  row: 1,
  organisation: unit,
  task: "移交数据目录",
  due: null,
  state: "no_day",
  days_late: 0,
  about: "task:shuili:移交数据目录",
};
const counted = (of: ProjectTaskItem) => ({ unit: of.organisation, tasks: 1, open: 1, overdue: 1 });
const all: ProjectTasks = {
  day: "2026-06-01",
  items: [task, other],
  units: [counted(task), { ...counted(other), overdue: 0 }],
  own: [],
  may_remind: false,
};
const VIEW = "/projects?view=tasks";
const member = userWith(["project.read", "project.edit"], "operator");
const office = userWith(["project.read", "project.edit", "project.manage"], "planner");

function draw(tasks: ProjectTasks, user = member, path = VIEW) {
  const kept = {
    ...detail.kept,
    tasks: [task, other].map(({ organisation, task: what, due, done, progress }) => ({
      organisation: organisation.id,
      task: what,
      due,
      done,
      progress,
    })),
  };
  const calls = serve({
    "GET /api/v1/projects": {
      day: "2026-06-01",
      items: [],
      total: 0,
      of_plan: 0,
      organisations: [],
      may_manage: false,
    },
    "GET /api/v1/project-tasks": tasks,
    "GET /api/v1/projects/smart-water": { ...detail, kept },
    "PUT /api/v1/projects/smart-water": detail,
    "POST /api/v1/projects/smart-water/reminders": detail,
  });
  show(<Page />, { user, path });
  return calls;
}

describe("the tasks of member departments", () => {
  it("show a member its own at once, and the others when asked", async () => {
    const calls = draw({ ...all, own: ["jingxin"] });
    expect(await screen.findByText(/Your department's tasks/)).toBeTruthy();
    const asked = () =>
      calls.filter(({ path }) => path.startsWith("/api/v1/project-tasks")).map(({ path }) => path);
    expect(asked()).toEqual([
      "/api/v1/project-tasks?open=true",
      "/api/v1/project-tasks?organisation=jingxin&open=true",
    ]);
    fireEvent.click(screen.getByText("Open ones only"));
    await waitFor(() => expect(asked()).toContain("/api/v1/project-tasks?organisation=jingxin"));
  });

  it("stand with their project, day and state, and are only read by who does not keep the project", async () => {
    draw(all);
    const shown = await screen.findAllByTestId("project-task");
    expect(shown.map((one) => one.textContent)).toEqual(["编制接口标准", "移交数据目录"]);
    expect(screen.getByText("Overdue 1 d")).toBeTruthy();
    expect(screen.getByText("No day")).toBeTruthy();
    expect(screen.getAllByText("Smart water conservancy")).toHaveLength(2);
    expect(screen.getByTestId("project-task-count").textContent).toBe("2 tasks, 1 overdue");
    expect(screen.queryByText("Say how it stands")).toBeNull();
    expect(screen.queryByText("Remind")).toBeNull();
  });

  it("are said to be done on the project, the other tasks as they are", async () => {
    const calls = draw({ ...all, items: [{ ...task, may_edit: true }, other] });
    fireEvent.click(await screen.findByText("Say how it stands"));
    fireEvent.change(await screen.findByLabelText("Progress"), { target: { value: "已印发 " } });
    fireEvent.change(screen.getByLabelText("Done on"), { target: { value: "2026-06-01" } });
    fireEvent.click(screen.getByTestId("project-task-save"));
    await waitFor(() => expect(calls.some(({ method }) => method === "PUT")).toBe(true));
    expect(calls.find(({ method }) => method === "PUT")?.body).toEqual({
      version: 3,
      section: "tasks",
      tasks: [
        {
          organisation: "jingxin",
          task: "编制接口标准",
          due: "2026-05-31",
          done: "2026-06-01",
          progress: "已印发",
        },
        { organisation: "shuili", task: "移交数据目录", due: null, done: null, progress: "" },
      ],
    });
  });

  it("that were changed meanwhile are not written over", async () => {
    const calls = draw({ ...all, items: [{ ...task, task: "另一项", may_edit: true }] });
    fireEvent.click(await screen.findByText("Say how it stands"));
    fireEvent.click(await screen.findByTestId("project-task-save"));
    expect(await screen.findByText(/changed or taken away/)).toBeTruthy();
    expect(calls.some(({ method }) => method === "PUT")).toBe(false);
  });

  it("are reminded of by the office while they are overdue, once", async () => {
    const reminded: ProjectTaskItem = {
      ...task,
      row: 2,
      task: "开放路由权限",
      reminder: { case_id: 7, number: "TM-7", state: "dispatched" },
    };
    const calls = draw({ ...all, items: [task, other, reminded], may_remind: true, own: ["fagai"] }, office);
    expect((await screen.findByText("Reminded: TM-7")).getAttribute("href")).toBe("/cases/7");
    fireEvent.click(screen.getByText("Remind"));
    const dialog = await screen.findByRole("dialog");
    expect(within(dialog).getByText(/a case of Economy Bureau/)).toBeTruthy();
    fireEvent.change(screen.getByLabelText("What is asked for"), { target: { value: "请报完成时间" } });
    fireEvent.click(screen.getByTestId("project-task-remind"));
    await waitFor(() => expect(calls.some(({ method }) => method === "POST")).toBe(true));
    expect(calls.find(({ method }) => method === "POST")?.body).toMatchObject({
      about: "task:jingxin:编制接口标准",
      note: "请报完成时间",
    });
  });

  it("are a table with words", () => {
    const t = ((key: string) => key) as Parameters<typeof taskTable>[1];
    const { columns, rows } = taskTable(all, t, (zh) => zh);
    expect(columns).toHaveLength(9);
    expect(Object.values(rows[0] ?? {})).toEqual([
      "天门市“智慧水利”建设项目",
      "市经信局",
      "编制接口标准",
      "2026-05-31",
      null,
      "project-task.overdue",
      1,
      "",
      "市水利和湖泊局",
    ]);
  });
});
