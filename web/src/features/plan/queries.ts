/**
 * Reads the plan, its indicators and reported figures; reports, decides, locks. All keys begin with `plan`, so that the live
 * stream refreshes them.
 */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { change, get, getBlob, query, upload } from "../../lib/api.ts";
import type { Language } from "../../lib/format.ts";
import type {
  IndicatorCase,
  IndicatorCases,
  IndicatorDetail,
  IndicatorFiling,
  IndicatorFilingDetail,
  IndicatorFilingFile,
  IndicatorFilings,
  IndicatorLock,
  IndicatorProof,
  IndicatorReport,
  IndicatorReportChange,
  IndicatorReporting,
  Plan,
  PlanNumber,
  PlanNumbers,
  Plans,
  TownComparison,
} from "../../lib/types.ts";
import { filingsAnswer, indicatorAnswer, answersOf as one, PLANS_ANSWER, planAnswer } from "./list.ts";

const PLAN = "/api/v1/plan";
const filingAt = (id: number) => `${PLAN}/reports/${id}`;

/** The plan of that id; null: the one that holds today. */
export const planOf = (plan: string | null) =>
  queryOptions({
    queryKey: ["plan", "all", plan],
    queryFn: ({ signal }) => get<Plan>(planAnswer(plan), signal),
  });

export const planQuery = planOf(null);

export const plansQuery = queryOptions({
  queryKey: ["plan", "plans"],
  queryFn: ({ signal }) => get<Plans>(PLANS_ANSWER, signal),
});

/** An indicator as a plan wants it; null: the one that holds today. */
export const indicatorQuery = (id: string, plan: string | null = null) =>
  queryOptions({
    queryKey: ["plan", "indicator", id, plan],
    queryFn: ({ signal }) => get<IndicatorDetail>(indicatorAnswer(id, plan), signal),
  });

/** Its towns side by side, and what they had at the end of a day; empty: no day. */
export const townsQuery = (id: string, plan: string | null, since: string) =>
  queryOptions({
    queryKey: ["plan", "towns", id, plan, since],
    queryFn: ({ signal }) => get<TownComparison>(`${one(id)}/towns${query({ plan, since })}`, signal),
    placeholderData: keepPreviousData,
  });

/** What its query reads and how fresh that is; of a town the rows behind its figure too. */
export const proofQuery = (id: string, town: string | null = null) =>
  queryOptions({
    queryKey: ["plan", "proof", id, town],
    queryFn: ({ signal }) => get<IndicatorProof>(`${one(id)}/proof${query({ town })}`, signal),
  });

export const reportingQuery = queryOptions({
  queryKey: ["plan", "reporting"],
  queryFn: ({ signal }) => get<IndicatorReporting>(`${PLAN}/reporting`, signal),
});

export const filingsQuery = (id: string) =>
  queryOptions({
    queryKey: ["plan", "reports", id],
    queryFn: ({ signal }) => get<IndicatorFilings>(filingsAnswer(id), signal),
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

export const fileUrl = (report: number, file: number) => `${filingAt(report)}/files/${file}`;

/** Adds a file that proves a figure. */
export function addFile(report: number, file: File): Promise<IndicatorFilingFile> {
  return upload(`${filingAt(report)}/files`, file, file.name);
}

export function removeFile(report: number, file: number): Promise<void> {
  return change("DELETE", fileUrl(report, file));
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

/** A draft of a document of the plan office as a file. */
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
  plan: string | null;
}): Promise<Blob> => getBlob(`${PLAN}/documents/${kind}/${period}${query(asked)}`);

const NUMBERS = `${PLAN}/document-numbers`;

/** The register of numbers of a year; of the present one for null. */
export const numbersQuery = (year: number | null) =>
  queryOptions({
    queryKey: ["plan", "numbers", year],
    queryFn: ({ signal }) => get<PlanNumbers>(`${NUMBERS}${query({ year })}`, signal),
  });

/** Gives a document its number, the next one for null, and keeps its files. */
export function giveNumber({
  kind,
  period,
  ...asked
}: {
  kind: DocumentKind;
  period: string;
  language: Language;
  plan: string | null;
  number: number | null;
}) {
  return change<PlanNumber>("POST", `${PLAN}/documents/${kind}/${period}`, asked);
}

/** Where a file of a numbered document is. */
export const numberedFile = ({ year, number }: Pick<PlanNumber, "year" | "number">, format: string) =>
  `${NUMBERS}/${year}/${number}/${format}`;

export function voidNumber(year: number, number: number, reason: string) {
  return change<PlanNumber>("POST", `${NUMBERS}/${year}/${number}/void`, { reason });
}
