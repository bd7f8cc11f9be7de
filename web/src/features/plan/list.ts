/** What the list of a plan is made of: the page and what is drawn before it (`src/first`) show the same. Without a library. */
import { query } from "../../lib/api.ts";
import type { Indicator, IndicatorStatus } from "../../lib/types.ts";

export const STATUSES: readonly IndicatorStatus[] = ["met", "on_path", "behind", "unknown"];

export const STATUS_COLOURS: Record<IndicatorStatus, string> = {
  met: "#26744a",
  on_path: "#0e6b7c",
  behind: "#b4540a",
  unknown: "#5d7078",
};

/** Where a goal is from; `all`: no choice was made. */
export type Origin = Indicator["origin"] | "all";
const ORIGINS: readonly Origin[] = ["all", "table", "text", "platform"];

/** The origins of which there is an indicator, and the choice of none. */
export const originsOf = (indicators: readonly Indicator[]) =>
  ORIGINS.filter((origin) => origin === "all" || indicators.some((each) => each.origin === origin));

/** The groups in the plan's order, each once: its Chinese name and its English one. */
export const groupsOf = (indicators: readonly Indicator[]): [zh: string, en: string][] => [
  ...new Map(indicators.map((each) => [each.group_zh, each.group_en])),
];

/** Where the page of an indicator is; as a plan wants it, where one is named. */
export const indicatorPath = (id: string, plan: string | null = null) =>
  `/plan/${encodeURIComponent(id)}${query({ plan })}`;

/** Where the server answers a plan; null: the one that holds today. */
export const planAnswer = (plan: string | null) => `/api/v1/plan${query({ plan })}`;

/** Where the server lists the plans. */
export const PLANS_ANSWER = "/api/v1/plans";

/** Where what the server answers of an indicator begins. */
export const answersOf = (id: string) => `/api/v1/plan/indicators/${encodeURIComponent(id)}`;

/** Where the server answers an indicator, as a plan wants it. */
export const indicatorAnswer = (id: string, plan: string | null) => `${answersOf(id)}${query({ plan })}`;

/** Where the server answers what was reported of an indicator, and whether it is for who asks to report. */
export const filingsAnswer = (id: string) => `${answersOf(id)}/reports`;
