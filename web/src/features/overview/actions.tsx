/** What can be done on the front page: look again, and go to where the day's work is. */
import { DesktopOutlined, GlobalOutlined, HistoryOutlined, ReloadOutlined } from "@ant-design/icons";
import type { NavigateFunction } from "react-router";
import type { Action } from "../../lib/actions.tsx";

export interface OverviewContext {
  refresh: () => unknown;
  navigate: NavigateFunction;
}

export const overviewActions: Action<OverviewContext>[] = [
  {
    name: "overview.refresh",
    title: "overview.refresh",
    permission: null,
    icon: <ReloadOutlined />,
    shortcut: "r",
    predicate: () => true,
    perform: ({ refresh }) => refresh(),
  },
  {
    name: "overview.map",
    title: "nav.map",
    permission: "entity.read",
    icon: <GlobalOutlined />,
    shortcut: "m",
    predicate: () => true,
    perform: ({ navigate }) => navigate("/map"),
  },
  {
    name: "overview.wall",
    title: "nav.wall",
    permission: "entity.read",
    icon: <DesktopOutlined />,
    shortcut: "w",
    predicate: () => true,
    perform: ({ navigate }) => navigate("/wall"),
  },
  {
    name: "overview.replay",
    title: "nav.replay",
    permission: "entity.read",
    icon: <HistoryOutlined />,
    shortcut: "p",
    predicate: () => true,
    perform: ({ navigate }) => navigate("/replay"),
  },
];
