/** The pages that a person may visit, in sections and in the order of the menu. */
import {
  AccountBookOutlined,
  AimOutlined,
  AlertOutlined,
  ApartmentOutlined,
  ApiOutlined,
  AuditOutlined,
  CalculatorOutlined,
  CarOutlined,
  CheckSquareOutlined,
  CodeOutlined,
  ControlOutlined,
  DesktopOutlined,
  FileDoneOutlined,
  FolderOpenOutlined,
  FormOutlined,
  FundOutlined,
  GlobalOutlined,
  HistoryOutlined,
  HomeOutlined,
  IdcardOutlined,
  InboxOutlined,
  LockOutlined,
  ProjectOutlined,
  ReadOutlined,
  SafetyOutlined,
  ScheduleOutlined,
  SlidersOutlined,
  SnippetsOutlined,
  SolutionOutlined,
  TeamOutlined,
  ThunderboltOutlined,
} from "@ant-design/icons";
import type { ReactNode } from "react";
import type { Key } from "../i18n/words.ts";
import { can } from "../lib/session.ts";
import type { User } from "../lib/types.ts";

/** The sections of the menu, in its order. */
export const NAV_SECTIONS = ["situation", "handling", "data", "administration"] as const;
export type NavSection = (typeof NAV_SECTIONS)[number];

export interface NavItem {
  path: string;
  section: NavSection;
  title: Key;
  icon: ReactNode;
  /** The permission that it needs; null: whoever may do anything but charge a vehicle. */
  permission: string | null;
  /** Any of these is as good. */
  or?: string[];
  /** Wanted on the few places of a phone's bottom bar before others. */
  onBar?: boolean;
  /** Shown to these roles only; the permission alone is not a reason to offer it. */
  roles?: string[];
}

/** Who may do this alone comes as a driver, and has nothing of the city's to look at. */
const CHARGE = "charging.use";

export const NAV: NavItem[] = [
  {
    path: "/",
    section: "situation",
    title: "nav.overview",
    icon: <HomeOutlined />,
    permission: null,
    onBar: true,
  },
  {
    path: "/map",
    section: "situation",
    title: "nav.map",
    icon: <GlobalOutlined />,
    permission: "entity.read",
    onBar: true,
  },
  {
    path: "/wall",
    section: "situation",
    title: "nav.wall",
    icon: <DesktopOutlined />,
    permission: "entity.read",
  },
  {
    path: "/replay",
    section: "situation",
    title: "nav.replay",
    icon: <HistoryOutlined />,
    permission: "entity.read",
  },
  {
    path: "/plan",
    section: "situation",
    title: "nav.plan",
    icon: <FundOutlined />,
    permission: "indicator.read",
  },
  {
    path: "/projects",
    section: "situation",
    title: "nav.projects",
    icon: <ProjectOutlined />,
    permission: "project.read",
  },
  {
    path: "/field",
    section: "handling",
    title: "nav.field",
    icon: <AimOutlined />,
    permission: "case.handle",
    onBar: true,
    roles: ["field"],
  },
  {
    path: "/alerts",
    section: "handling",
    title: "nav.alerts",
    icon: <AlertOutlined />,
    permission: "alert.read",
    onBar: true,
  },
  {
    path: "/cases",
    section: "handling",
    title: "nav.cases",
    icon: <FolderOpenOutlined />,
    permission: "case.read",
    onBar: true,
  },
  {
    path: "/duty",
    section: "handling",
    title: "nav.duty",
    icon: <ScheduleOutlined />,
    permission: "duty.read",
  },
  {
    path: "/dispatch",
    section: "handling",
    title: "nav.dispatch",
    icon: <SlidersOutlined />,
    permission: "command.read",
  },
  {
    path: "/charging",
    section: "handling",
    title: "nav.charging",
    icon: <ThunderboltOutlined />,
    permission: "charging.read",
  },
  {
    path: "/charging/supervision",
    section: "handling",
    title: "nav.supervision",
    icon: <AccountBookOutlined />,
    permission: "charging.read",
  },
  {
    path: "/charge",
    section: "handling",
    title: "nav.charge",
    icon: <CarOutlined />,
    permission: CHARGE,
  },
  {
    path: "/bulletins",
    section: "handling",
    title: "nav.bulletins",
    icon: <ReadOutlined />,
    permission: "entity.read",
  },
  {
    path: "/rules",
    section: "handling",
    title: "nav.rules",
    icon: <ControlOutlined />,
    permission: "alert.read",
  },
  {
    path: "/reporting",
    section: "data",
    title: "nav.reporting",
    icon: <FileDoneOutlined />,
    permission: "indicator.report",
    or: ["indicator.approve"],
  },
  {
    path: "/forms",
    section: "data",
    title: "nav.forms",
    icon: <SnippetsOutlined />,
    permission: "indicator.report",
    or: ["indicator.read"],
  },
  {
    path: "/views",
    section: "data",
    title: "nav.views",
    icon: <FormOutlined />,
    permission: "entity.read",
  },
  {
    path: "/devices",
    section: "data",
    title: "nav.devices",
    icon: <ApiOutlined />,
    permission: "device.read",
  },
  {
    path: "/dead-letters",
    section: "data",
    title: "nav.dead-letters",
    icon: <InboxOutlined />,
    permission: "deadletter.read",
  },
  {
    path: "/runs",
    section: "data",
    title: "nav.runs",
    icon: <CalculatorOutlined />,
    permission: "run.read",
  },
  {
    path: "/sql",
    section: "data",
    title: "nav.sql",
    icon: <CodeOutlined />,
    permission: "sql.query",
  },
  {
    path: "/personal",
    section: "data",
    title: "nav.personal",
    icon: <IdcardOutlined />,
    permission: "personal.export",
  },
  {
    path: "/organisation",
    section: "administration",
    title: "nav.organisation",
    icon: <TeamOutlined />,
    permission: "organisation.read",
  },
  {
    path: "/clients",
    section: "administration",
    title: "nav.clients",
    icon: <ApartmentOutlined />,
    permission: "user.manage",
  },
  {
    path: "/approvals",
    section: "administration",
    title: "nav.approvals",
    icon: <CheckSquareOutlined />,
    permission: "approval.decide",
    or: ["table.remove"],
  },
  {
    path: "/roles",
    section: "administration",
    title: "nav.roles",
    icon: <SolutionOutlined />,
    permission: "role.grant",
  },
  {
    path: "/policy",
    section: "administration",
    title: "nav.policy",
    icon: <LockOutlined />,
    permission: "policy.read",
  },
  {
    path: "/audit",
    section: "administration",
    title: "nav.audit",
    icon: <AuditOutlined />,
    permission: "audit.read",
  },
  {
    path: "/security",
    section: "administration",
    title: "nav.security",
    icon: <SafetyOutlined />,
    permission: "security.read",
  },
];

export function navFor(user: User): NavItem[] {
  const may = ({ permission, or = [] }: NavItem) =>
    permission === null
      ? user.permissions.some((p) => p !== CHARGE)
      : [permission, ...or].some((p) => can(user, p));
  return NAV.filter((item) => may(item) && (!item.roles || item.roles.includes(user.role)));
}

/** The pages that a person may visit by section, without the sections in which there is none. */
export function sectionsOf(items: NavItem[]): { section: NavSection; items: NavItem[] }[] {
  return NAV_SECTIONS.map((section) => ({
    section,
    items: items.filter((item) => item.section === section),
  })).filter((each) => each.items.length > 0);
}

const isBelow = (path: string, pathname: string) => pathname === path || pathname.startsWith(`${path}/`);

/** Whether a page is the one of an address, or below it, and no other page of the menu is nearer. */
export function isAt({ path }: NavItem, pathname: string): boolean {
  if (path === "/") return pathname === "/" || pathname.startsWith("/systems/");
  const isNearer = (other: NavItem) => other.path.startsWith(`${path}/`) && isBelow(other.path, pathname);
  return isBelow(path, pathname) && !NAV.some(isNearer);
}

/** The pages of a phone's bottom bar, which has so many places: those that are wanted there, then others. */
export function barItems(items: NavItem[], placesMax: number): NavItem[] {
  const wanted = items.filter((item) => item.onBar);
  return [...wanted, ...items.filter((item) => !item.onBar)].slice(0, placesMax);
}

/** Where a person's day begins: the city at a glance, for everybody who may see anything of it; a driver finds a place to charge. */
export function firstPage(user: User | null): string {
  if (!user) return "/sign-in";
  const [first] = navFor(user);
  return first?.path ?? "/no-rights";
}
