/** What can be done with key projects: adding one, stating a month, reminding, ending. */
import { BellOutlined, CameraOutlined, FormOutlined, PlusOutlined, StopOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { ProjectDetail } from "../../lib/types.ts";

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
