/**
 * Reads the plan, its indicators and reported figures; reports, decides, locks. All keys begin with `plan`, so that the live
 * stream refreshes them.
 */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { change, get, getBlob, query } from "../../lib/api.ts";
import type { Language } from "../../lib/format.ts";
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
  Plans,
  TownComparison,
} from "../../lib/types.ts";

const PLAN = "/api/v1/plan";
const one = (id: string) => `${PLAN}/indicators/${encodeURIComponent(id)}`;
const filingAt = (id: number) => `${PLAN}/reports/${id}`;

/** The plan of that id; null: the one that holds today. */
export const planOf = (plan: string | null) =>
  queryOptions({
    queryKey: ["plan", "all", plan],
    queryFn: ({ signal }) => get<Plan>(`${PLAN}${query({ plan })}`, signal),
  });

export const planQuery = planOf(null);

export const plansQuery = queryOptions({
  queryKey: ["plan", "plans"],
  queryFn: ({ signal }) => get<Plans>("/api/v1/plans", signal),
});

/** An indicator as a plan wants it; null: the one that holds today. */
export const indicatorQuery = (id: string, plan: string | null = null) =>
  queryOptions({
    queryKey: ["plan", "indicator", id, plan],
    queryFn: ({ signal }) => get<IndicatorDetail>(`${one(id)}${query({ plan })}`, signal),
  });

/** Its towns side by side, and what they had at the end of a day; empty: no day. */
export const townsQuery = (id: string, plan: string | null, since: string) =>
  queryOptions({
    queryKey: ["plan", "towns", id, plan, since],
    queryFn: ({ signal }) => get<TownComparison>(`${one(id)}/towns${query({ plan, since })}`, signal),
    placeholderData: keepPreviousData,
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

export type DocumentKind = "circular" | "meeting" | "assessment";
export type DocumentFormat = "pdf" | "docx" | "xlsx";

/** A document of the plan office as a file; without a number it is a draft. */
export const readDocument = ({
  kind,
  period,
  ...asked
}: {
  kind: DocumentKind;
  /** A month, `2026-10`; of an assessment a year. */
  period: string;
  format: DocumentFormat;
  language: Language;
  number: number | null;
  plan: string | null;
}): Promise<Blob> => getBlob(`${PLAN}/documents/${kind}/${period}${query(asked)}`);
