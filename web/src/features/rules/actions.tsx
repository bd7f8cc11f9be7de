/** What can be done with rules, their failures and maintenance windows. */
import { CheckOutlined, ExperimentOutlined, PlusOutlined, StopOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import { change } from "../../lib/api.ts";
import type { BackTest, MaintenanceWindow, Rule, RuleFailure } from "../../lib/types.ts";

export interface PageContext {
  tryText: () => void;
  addMaintenance: () => void;
}

export const pageActions: Action<PageContext>[] = [
  {
    name: "rule.try-text",
    title: "rule.try-text",
    permission: "rule.manage",
    icon: <ExperimentOutlined />,
    shortcut: "t",
    predicate: () => true,
    perform: ({ tryText }) => tryText(),
  },
  {
    name: "rule.maintenance-add",
    title: "rule.maintenance-add",
    permission: "rule.manage",
    icon: <PlusOutlined />,
    shortcut: "m",
    predicate: () => true,
    perform: ({ addMaintenance }) => addMaintenance(),
  },
];

export interface TryContext {
  rule: Rule | null;
  text: string;
  period: { from: string; until: string } | null;
  running: BackTest | null;
  began: (test: BackTest) => void;
}

export const tryActions: Action<TryContext>[] = [
  {
    name: "rule.run",
    title: "rule.run",
    permission: "rule.manage",
    icon: <ExperimentOutlined />,
    primary: true,
    predicate: ({ rule, text, period, running }) =>
      running === null && period !== null && (rule !== null || text.trim() !== ""),
    perform: async ({ rule, text, period, began }) => {
      const what = rule ? { rule_id: rule.id } : { text };
      began(await change<BackTest>("POST", "/api/v1/rules/back-tests", { ...what, ...period }));
    },
  },
  {
    name: "rule.stop",
    title: "rule.stop",
    permission: "rule.manage",
    icon: <StopOutlined />,
    predicate: ({ running }) => running !== null,
    perform: ({ running }) => running && change("DELETE", `/api/v1/rules/back-tests/${running.id}`),
  },
];

export interface FailureContext {
  failure: RuleFailure;
  changed: () => unknown;
}

export const failureActions: Action<FailureContext>[] = [
  {
    name: "rule.dismiss",
    title: "rule.dismiss",
    permission: "rule.manage",
    icon: <CheckOutlined />,
    predicate: ({ failure }) => failure.dismissed_at === null,
    perform: async ({ failure, changed }) => {
      await change("POST", `/api/v1/rules/failures/${failure.id}/dismiss`);
      await changed();
    },
  },
];

export interface WindowContext {
  window: MaintenanceWindow;
  now: number;
  changed: () => unknown;
}

export const windowActions: Action<WindowContext>[] = [
  {
    name: "rule.maintenance-end",
    title: "rule.maintenance-end",
    permission: "rule.manage",
    icon: <StopOutlined />,
    predicate: ({ window, now }) => window.ended_at === null && Date.parse(window.until) > now,
    perform: async ({ window, changed }) => {
      await change("POST", `/api/v1/rules/maintenance/${window.id}/end`);
      await changed();
    },
  },
];

/** Makes a maintenance window. */
export const addMaintenance = (body: Record<string, string>) =>
  change("POST", "/api/v1/rules/maintenance", body);
