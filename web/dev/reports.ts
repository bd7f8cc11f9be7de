/** Reported figures for developing the pages: one city's worth, in memory. Never shipped. */
import type {
  IndicatorFiling,
  IndicatorFilingDetail,
  IndicatorFilingFile,
  IndicatorFilings,
  IndicatorReport,
  IndicatorReporting,
} from "../src/lib/types.ts";
import { plan } from "./plan.ts";

const LEVELS = ["unit", "plan-office"];
const filings: IndicatorFiling[] = [];

function of(id: string): IndicatorFiling[] {
  return filings.filter((filing) => filing.indicator_id === id);
}

export function reporting(): IndicatorReporting {
  const due = plan.indicators.filter((i) => i.method === "reported" && of(i.id).length === 0);
  return {
    levels: LEVELS,
    period: "2025",
    due: due.map(({ id, name_zh, name_en, unit_zh, unit_en, value }) => ({
      indicator_id: id,
      name_zh,
      name_en,
      unit_zh,
      unit_en,
      organisation: null,
      latest: value,
      latest_period: value === null ? null : "2024",
      may_report: true,
    })),
    waiting: filings.filter((filing) => filing.state === "submitted"),
    under_way: [],
    mine: filings.filter((filing) => filing.state === "draft" || filing.state === "returned"),
    locks: [],
    file_bytes_max: 10 * 1024 * 1024,
    files_max: 20,
    may_lock: true,
  };
}

export function filingsOf(id: string): IndicatorFilings {
  return { responsible: null, may_report: true, levels: LEVELS, items: of(id), next: null, comparisons: [] };
}

export function reported(id: string, report: IndicatorReport, by: string): IndicatorFilingDetail | undefined {
  const indicator = plan.indicators.find((each) => each.id === id);
  if (!indicator) return undefined;
  const now = new Date().toISOString();
  const state = report.draft ? "draft" : "submitted";
  const filing: IndicatorFiling = {
    id: filings.length + 1,
    indicator_id: id,
    name_zh: indicator.name_zh,
    name_en: indicator.name_en,
    unit_zh: indicator.unit_zh,
    unit_en: indicator.unit_en,
    is_claim: indicator.method === "computed",
    period: report.period,
    value: report.value,
    evidence: report.evidence ?? "",
    files: [],
    note: report.note ?? null,
    organisation: null,
    state,
    levels: LEVELS,
    agreed: 0,
    level: report.draft ? null : "unit",
    by,
    created_at: now,
    changed_at: now,
    submitted_at: report.draft ? null : now,
    corrects: report.corrects ?? null,
    old_value: null,
    reason: report.reason ?? null,
    counts: false,
    lock: null,
    may_edit: state === "draft",
    may_decide: state === "submitted",
    may_withdraw: true,
    may_correct: false,
  };
  filings.unshift(filing);
  return filingDetail(filing.id);
}

export function filingDetail(id: number): IndicatorFilingDetail | undefined {
  const filing = filings.find((each) => each.id === id);
  return filing && { ...filing, steps: [], removed_files: [] };
}

/** A file of a report; its bytes are not kept. */
export function filed(id: number): IndicatorFilingFile | undefined {
  const filing = filings.find((each) => each.id === id);
  if (!filing) return undefined;
  const file: IndicatorFilingFile = {
    id: filing.files.length + 1,
    name: "年报.pdf",
    media_type: "application/pdf",
    size_bytes: 20_480,
    sha256: "ab".repeat(32),
    added_at: new Date().toISOString(),
    added_by: filing.by,
  };
  filing.files.push(file);
  return file;
}

/** A step, without asking who takes it. */
export function stepped(id: number, step: string): IndicatorFilingDetail | undefined {
  const filing = filings.find((each) => each.id === id);
  if (!filing) return undefined;
  const isLast = filing.agreed + 1 === LEVELS.length;
  if (step === "approve") {
    filing.agreed += 1;
    filing.state = isLast ? "approved" : "submitted";
    filing.counts = isLast;
  } else {
    filing.state = { submit: "submitted", return: "returned", withdraw: "withdrawn" }[step] ?? filing.state;
  }
  filing.level = filing.state === "submitted" ? (LEVELS[filing.agreed] ?? null) : null;
  filing.may_decide = filing.state === "submitted";
  filing.may_edit = filing.state === "returned";
  filing.may_withdraw = filing.may_decide || filing.may_edit;
  return filingDetail(id);
}
