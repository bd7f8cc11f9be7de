/** What can be done with key projects: adding one, stating a month, reminding, ending. */
import {
  BellOutlined,
  CameraOutlined,
  DownloadOutlined,
  EditOutlined,
  FormOutlined,
  PlusOutlined,
  StopOutlined,
} from "@ant-design/icons";
import type { Translate } from "../../i18n/index.tsx";
import type { Action } from "../../lib/actions.tsx";
import type { ProjectDetail, ProjectTaskItem, ProjectTasks } from "../../lib/types.ts";
import { download, toCsv } from "../sql/csv.ts";
import { taskTable } from "./task-table.ts";

export interface ListContext {
  add: () => void;
}

export const listActions: Action<ListContext>[] = [
  {
    name: "project.add",
    title: "project.add",
    permission: "project.manage",
    icon: <PlusOutlined />,
    primary: true,
    predicate: () => true,
    perform: ({ add }) => add(),
  },
];

export interface ProjectContext {
  project: ProjectDetail;
  open: (dialog: "report" | "photos" | "remind" | "end") => void;
}

export const projectActions: Action<ProjectContext>[] = [
  {
    name: "project.report",
    title: "project.report",
    permission: "project.edit",
    icon: <FormOutlined />,
    primary: true,
    shortcut: "r",
    predicate: ({ project }) => project.may_edit && project.item.organisation !== null,
    perform: ({ open }) => open("report"),
  },
  {
    name: "project.photos",
    title: "project-photo.add",
    permission: "project.edit",
    icon: <CameraOutlined />,
    shortcut: "p",
    predicate: ({ project }) => project.may_edit,
    perform: ({ open }) => open("photos"),
  },
  {
    name: "project.remind",
    title: "project.remind",
    permission: "project.manage",
    icon: <BellOutlined />,
    predicate: ({ project }) => project.may_manage && project.item.organisation !== null,
    perform: ({ open }) => open("remind"),
  },
  {
    name: "project.end",
    title: "project.end",
    permission: "project.manage",
    icon: <StopOutlined />,
    danger: true,
    predicate: ({ project }) => project.may_manage,
    perform: ({ open }) => open("end"),
  },
];

export interface TasksContext {
  tasks: ProjectTasks;
  t: Translate;
  p: (zh: string, en: string) => string;
}

export const tasksActions: Action<TasksContext>[] = [
  {
    name: "project-task.csv",
    title: "project-task.csv",
    permission: "project.read",
    icon: <DownloadOutlined />,
    predicate: ({ tasks }) => tasks.items.length > 0,
    perform: ({ tasks, t, p }) =>
      download(`project-tasks-${tasks.day}.csv`, "text/csv;charset=utf-8", toCsv(taskTable(tasks, t, p))),
  },
];

export interface TaskContext {
  item: ProjectTaskItem;
  mayRemind: boolean;
  open: (dialog: "set" | "remind") => void;
}

export const taskActions: Action<TaskContext>[] = [
  {
    name: "project-task.set",
    title: "project-task.set",
    permission: "project.edit",
    icon: <EditOutlined />,
    predicate: ({ item }) => item.may_edit,
    perform: ({ open }) => open("set"),
  },
  {
    name: "project-task.remind",
    title: "project-task.remind",
    permission: "project.manage",
    icon: <BellOutlined />,
    predicate: ({ item, mayRemind }) => mayRemind && item.state === "overdue" && item.reminder === null,
    perform: ({ open }) => open("remind"),
  },
];
