/** The pages that a person may visit, in the order of the menu. */
import {
  AimOutlined,
  AlertOutlined,
  ApiOutlined,
  AuditOutlined,
  CheckSquareOutlined,
  CodeOutlined,
  ControlOutlined,
  DesktopOutlined,
  FolderOpenOutlined,
  FormOutlined,
  FundOutlined,
  GlobalOutlined,
  HistoryOutlined,
  HomeOutlined,
  IdcardOutlined,
  InboxOutlined,
  SafetyOutlined,
  ScheduleOutlined,
  SolutionOutlined,
  TeamOutlined,
} from "@ant-design/icons";
import type { ReactNode } from "react";
import type { Key } from "../i18n/words.ts";
import { can } from "../lib/session.ts";
import type { User } from "../lib/types.ts";

export interface NavItem {
  path: string;
  title: Key;
  icon: ReactNode;
  /** The permission that it needs; null: whoever may do anything at all. */
  permission: string | null;
  /** Any of these is as good. */
  or?: string[];
  /** Shown to these roles only; the permission alone is not a reason to offer it. */
  roles?: string[];
}

export const NAV: NavItem[] = [
  { path: "/", title: "nav.overview", icon: <HomeOutlined />, permission: null },
  { path: "/field", title: "nav.field", icon: <AimOutlined />, permission: "case.handle", roles: ["field"] },
  { path: "/map", title: "nav.map", icon: <GlobalOutlined />, permission: "entity.read" },
  { path: "/alerts", title: "nav.alerts", icon: <AlertOutlined />, permission: "alert.read" },
  { path: "/rules", title: "nav.rules", icon: <ControlOutlined />, permission: "alert.read" },
  { path: "/cases", title: "nav.cases", icon: <FolderOpenOutlined />, permission: "case.read" },
  { path: "/duty", title: "nav.duty", icon: <ScheduleOutlined />, permission: "duty.read" },
  { path: "/views", title: "nav.views", icon: <FormOutlined />, permission: "entity.read" },
  { path: "/plan", title: "nav.plan", icon: <FundOutlined />, permission: "indicator.read" },
  { path: "/replay", title: "nav.replay", icon: <HistoryOutlined />, permission: "entity.read" },
  { path: "/wall", title: "nav.wall", icon: <DesktopOutlined />, permission: "entity.read" },
  { path: "/devices", title: "nav.devices", icon: <ApiOutlined />, permission: "device.read" },
  {
    path: "/dead-letters",
    title: "nav.dead-letters",
    icon: <InboxOutlined />,
    permission: "deadletter.read",
  },
  { path: "/sql", title: "nav.sql", icon: <CodeOutlined />, permission: "sql.query" },
  { path: "/policy", title: "nav.policy", icon: <SafetyOutlined />, permission: "policy.read" },
  { path: "/security", title: "nav.security", icon: <SafetyOutlined />, permission: "security.read" },
  {
    path: "/personal",
    title: "nav.personal",
    icon: <IdcardOutlined />,
    permission: "personal.export",
  },
  {
    path: "/organisation",
    title: "nav.organisation",
    icon: <TeamOutlined />,
    permission: "organisation.read",
  },
  { path: "/audit", title: "nav.audit", icon: <AuditOutlined />, permission: "audit.read" },
  { path: "/roles", title: "nav.roles", icon: <SolutionOutlined />, permission: "role.grant" },
  {
    path: "/approvals",
    title: "nav.approvals",
    icon: <CheckSquareOutlined />,
    permission: "approval.decide",
    or: ["table.remove"],
  },
];

export function navFor(user: User): NavItem[] {
  const may = ({ permission, or = [] }: NavItem) =>
    permission === null ? user.permissions.length > 0 : [permission, ...or].some((p) => can(user, p));
  return NAV.filter((item) => may(item) && (!item.roles || item.roles.includes(user.role)));
}

/** Whether a page is the one of an address, or below it. */
export function isAt(item: NavItem, pathname: string): boolean {
  return item.path === "/"
    ? pathname === "/" || pathname.startsWith("/systems/")
    : pathname.startsWith(item.path);
}

/** Where a person's day begins: the city at a glance, for everybody who may see anything of it. */
export function firstPage(user: User | null): string {
  if (!user) return "/sign-in";
  return navFor(user).length > 0 ? "/" : "/no-rights";
}
