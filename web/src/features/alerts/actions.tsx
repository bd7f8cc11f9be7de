/** What can be done with an alert. */
import {
  CheckOutlined,
  FileSearchOutlined,
  FolderAddOutlined,
  FolderOpenOutlined,
  ThunderboltOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import { change } from "../../lib/api.ts";
import type { Alert } from "../../lib/types.ts";

export interface AlertContext {
  alert: Alert;
  navigate: (to: string) => unknown;
  openCase: (alert: Alert) => void;
  showSource: (position: number) => void;
  /** The alert after a change. */
  changed: (alert: Alert) => void;
}

export const alertActions: Action<AlertContext>[] = [
  {
    name: "alert.acknowledge",
    title: "alert.acknowledge",
    permission: "alert.acknowledge",
    icon: <CheckOutlined />,
    shortcut: "a",
    predicate: ({ alert }) => alert.acknowledged_at === null,
    perform: async ({ alert, changed }) =>
      changed(await change<Alert>("POST", `/api/v1/alerts/${alert.id}/acknowledge`)),
  },
  {
    name: "alert.open-case",
    title: "alert.open-case",
    permission: "case.open",
    icon: <FolderAddOutlined />,
    primary: true,
    shortcut: "c",
    predicate: ({ alert }) => alert.case_id === null,
    perform: ({ alert, openCase }) => openCase(alert),
  },
  {
    name: "alert.to-case",
    title: "alert.to-case",
    permission: "case.read",
    icon: <FolderOpenOutlined />,
    shortcut: "c",
    predicate: ({ alert }) => alert.case_id !== null,
    perform: ({ alert, navigate }) => navigate(`/cases/${alert.case_id}`),
  },
  {
    name: "alert.start-plan",
    title: "duty.from-alert",
    permission: "duty.act",
    icon: <ThunderboltOutlined />,
    shortcut: "p",
    predicate: ({ alert }) => alert.cleared_at === null,
    perform: ({ alert, navigate }) =>
      navigate(`/duty?tab=plans&alert=${alert.id}&rule=${encodeURIComponent(alert.rule_id)}`),
  },
  {
    name: "alert.to-source",
    title: "alert.to-source",
    permission: "entity.read",
    icon: <FileSearchOutlined />,
    shortcut: "s",
    predicate: () => true,
    perform: ({ alert, showSource }) => showSource(alert.position),
  },
];
