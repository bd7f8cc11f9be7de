/** Every word that a page shows, by key: Chinese, English. One file per feature. */
import { accountWords } from "./words/account.ts";
import { alertWords } from "./words/alerts.ts";
import { approvalWords } from "./words/approvals.ts";
import { auditWords } from "./words/audit.ts";
import { bulletinWords } from "./words/bulletins.ts";
import { caseWords } from "./words/cases.ts";
import { chargeWords } from "./words/charge.ts";
import { chargingWords } from "./words/charging.ts";
import { chargingGridWords } from "./words/charging-grid.ts";
import { chargingMoneyWords } from "./words/charging-money.ts";
import { chargingSupervisionWords } from "./words/charging-supervision.ts";
import { clientWords } from "./words/clients.ts";
import { commandWords } from "./words/command.ts";
import { commonWords } from "./words/common.ts";
import { dataWords } from "./words/data.ts";
import { dispatchWords } from "./words/dispatch.ts";
import { dutyWords } from "./words/duty.ts";
import { firstWords } from "./words/first.ts";
import { formWords } from "./words/forms.ts";
import { mapWords } from "./words/map.ts";
import { notificationWords } from "./words/notifications.ts";
import { oidcWords } from "./words/oidc.ts";
import { organisationWords } from "./words/organisation.ts";
import { personalWords } from "./words/personal.ts";
import { planWords } from "./words/plan.ts";
import { policyWords } from "./words/policy.ts";
import { portalWords } from "./words/portal.ts";
import { problemWords } from "./words/problems.ts";
import { projectWords } from "./words/projects.ts";
import { reportWords } from "./words/reports.ts";
import { ruleWords } from "./words/rules.ts";
import { runWords } from "./words/runs.ts";
import { securityWords } from "./words/security.ts";
import { viewWords } from "./words/views.ts";

export const words = {
  ...commonWords,
  ...firstWords,
  ...accountWords,
  ...mapWords,
  ...alertWords,
  ...approvalWords,
  ...auditWords,
  ...bulletinWords,
  ...caseWords,
  ...chargeWords,
  ...chargingWords,
  ...chargingGridWords,
  ...chargingMoneyWords,
  ...chargingSupervisionWords,
  ...clientWords,
  ...commandWords,
  ...dataWords,
  ...dispatchWords,
  ...dutyWords,
  ...formWords,
  ...notificationWords,
  ...oidcWords,
  ...personalWords,
  ...organisationWords,
  ...planWords,
  ...policyWords,
  ...portalWords,
  ...problemWords,
  ...projectWords,
  ...reportWords,
  ...ruleWords,
  ...runWords,
  ...securityWords,
  ...viewWords,
} as const satisfies Record<string, readonly [zh: string, en: string]>;

export type Key = keyof typeof words;

/** A key made of a known prefix and a value from the server; undefined when there is no word for it. */
export function keyOf(prefix: string, value: string): Key | undefined {
  const key = `${prefix}.${value}`;
  return key in words ? (key as Key) : undefined;
}
