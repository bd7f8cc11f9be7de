/**
 * Reads the plan, its indicators and reported figures; reports, decides, locks. All keys begin with `plan`, so that the live
 * stream refreshes them.
 */
import { queryOptions } from "@tanstack/react-query";
import { change, get, query } from "../../lib/api.ts";
import type {
  IndicatorCase,
  IndicatorCases,
  IndicatorDetail,
  IndicatorFiling,
  IndicatorFilingDetail,
  IndicatorFilings,
  IndicatorLock,
  IndicatorReport,
  IndicatorReportChange,
  IndicatorReporting,
  Plan,
} from "../../lib/types.ts";

const PLAN = "/api/v1/plan";
const one = (id: string) => `${PLAN}/indicators/${encodeURIComponent(id)}`;
const filingAt = (id: number) => `${PLAN}/reports/${id}`;

export const planQuery = queryOptions({
  queryKey: ["plan", "all"],
  queryFn: ({ signal }) => get<Plan>(PLAN, signal),
});

export const indicatorQuery = (id: string) =>
  queryOptions({
    queryKey: ["plan", "indicator", id],
    queryFn: ({ signal }) => get<IndicatorDetail>(one(id), signal),
  });

export const reportingQuery = queryOptions({
  queryKey: ["plan", "reporting"],
  queryFn: ({ signal }) => get<IndicatorReporting>(`${PLAN}/reporting`, signal),
});

export const filingsQuery = (id: string) =>
  queryOptions({
    queryKey: ["plan", "reports", id],
    queryFn: ({ signal }) => get<IndicatorFilings>(`${one(id)}/reports`, signal),
  });

export const filingQuery = (id: number) =>
  queryOptions({
    queryKey: ["plan", "report", id],
    queryFn: ({ signal }) => get<IndicatorFilingDetail>(filingAt(id), signal),
  });

export const claimOfCaseQuery = (caseId: number) =>
  queryOptions({
    queryKey: ["plan", "cases", caseId],
    queryFn: ({ signal }) => get<IndicatorCases>(`${PLAN}/cases${query({ case_id: caseId })}`, signal),
  });

export function report(id: string, entered: IndicatorReport): Promise<IndicatorFilingDetail> {
  return change("POST", `${one(id)}/reports`, entered);
}

export function edit(
  filing: IndicatorFiling,
  entered: IndicatorReportChange,
): Promise<IndicatorFilingDetail> {
  return change("PUT", filingAt(filing.id), entered);
}

export function submit(filing: IndicatorFiling): Promise<IndicatorFilingDetail> {
  return change("POST", `${filingAt(filing.id)}/submit`);
}

export type Decision = "approve" | "return" | "withdraw";

export function decide(
  filing: IndicatorFiling,
  decision: Decision,
  note: string,
): Promise<IndicatorFilingDetail> {
  return change("POST", `${filingAt(filing.id)}/${decision}`, { note });
}

export function lock(period: string, reason: string): Promise<IndicatorLock> {
  return change("POST", `${PLAN}/locks`, { period, reason });
}

export function lift(id: number, reason: string): Promise<IndicatorLock> {
  return change("POST", `${PLAN}/locks/${id}/lift`, { reason });
}

export function makeCase(id: string, period: string): Promise<IndicatorCase> {
  return change("POST", `${one(id)}/claims/${encodeURIComponent(period)}/case`);
}
