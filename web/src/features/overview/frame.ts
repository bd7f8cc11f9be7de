/** The plan's frame 1+1+N+3, and how a system is judged at a glance. Pure. */
import type { AlertCounts, SystemState } from "../../lib/types.ts";

/** Nothing is known of it · all well · worth a look · to be mended · not installed. */
export type Verdict = "unknown" | "good" | "watch" | "bad" | "absent";

export interface Frame {
  /** The one data platform and the one command centre. */
  base: SystemState[];
  /** The N thematic systems: those installed first, each in the plan's order. */
  thematic: SystemState[];
  /** The systems of standards, security and assurance. */
  three: SystemState[];
}

const BASE = ["data", "command"];
const THREE = ["standards", "security", "assurance"];

export function frameOf(systems: readonly SystemState[]): Frame {
  const rank = (parts: string[]) => (a: SystemState, b: SystemState) =>
    parts.indexOf(a.part) - parts.indexOf(b.part);
  const thematic = systems.filter((system) => system.part === "thematic");
  return {
    base: systems.filter((system) => BASE.includes(system.part)).sort(rank(BASE)),
    thematic: [
      ...thematic.filter((system) => system.installed),
      ...thematic.filter((system) => !system.installed),
    ],
    three: systems.filter((system) => THREE.includes(system.part)).sort(rank(THREE)),
  };
}

export function alertCount(alerts: AlertCounts): number {
  return alerts.critical + alerts.major + alerts.minor + alerts.info;
}

/** Grave alerts and overdue cases are to be mended; milder ones, and entities that are silent or not heard, are worth a look. */
export function verdictOf(system: SystemState): Verdict {
  const { alerts, cases, flow } = system;
  if (!system.installed) return "absent";
  if (!alerts && !cases && !flow) return "unknown";
  if ((alerts && alerts.critical + alerts.major > 0) || (cases && cases.overdue > 0)) return "bad";
  const isQuiet = flow !== null && (flow.silent > 0 || (flow.total > 0 && flow.heard === 0));
  return (alerts && alertCount(alerts) > 0) || isQuiet ? "watch" : "good";
}

/** How many of a system's targets are reached. */
export function targetsMet(system: SystemState): { met: number; behind: number; total: number } | null {
  if (!system.targets || system.targets.length === 0) return null;
  const of = (status: string) => system.targets?.filter((target) => target.status === status).length ?? 0;
  return { met: of("met"), behind: of("behind"), total: system.targets.length };
}

/** Pages of the platform where the work of a system is done. */
const PAGES: Record<string, string> = {
  S01: "/sql",
  S02: "/map",
  S04: "/devices",
  S07: "/organisation",
  S09: "/security",
  S11: "/plan",
};

export function pageOf(system: SystemState): string | null {
  return system.installed ? (PAGES[system.id] ?? null) : null;
}
