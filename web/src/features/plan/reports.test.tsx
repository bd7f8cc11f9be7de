/** Reported figures: what waits can be approved or returned with a reason, a correction shows both values, a claim its distance. */
import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type {
  Indicator,
  IndicatorComparison,
  IndicatorFiling,
  IndicatorFilings,
  IndicatorReporting,
} from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page, Reports } from "./reports.tsx";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const filing: IndicatorFiling = {
  id: 7,
  indicator_id: "5g-user-penetration",
  name_zh: "5G用户普及率",
  name_en: "5G user penetration",
  unit_zh: "%",
  unit_en: "%",
  is_claim: false,
  period: "2025",
  value: 53.5,
  evidence: "天经信〔2026〕8号",
  files: [
    {
      id: 4,
      name: "年报 2025.pdf",
      media_type: "application/pdf",
      size_bytes: 20_480,
      sha256: "ab".repeat(32),
      added_at: "2026-11-01T00:00:00Z",
      added_by: "赵",
    },
  ],
  note: null,
  organisation: { id: "jingxin", name_zh: "市经信局", name_en: "Economy Bureau" },
  state: "submitted",
  levels: ["unit", "plan-office"],
  agreed: 0,
  level: "unit",
  by: "赵",
  created_at: "2026-11-01T00:00:00Z",
  changed_at: "2026-11-01T00:00:00Z",
  submitted_at: "2026-11-01T00:00:00Z",
  corrects: 3,
  old_value: 52,
  reason: "漏计乡镇用户",
  counts: false,
  lock: null,
  may_edit: false,
  may_decide: true,
  may_withdraw: false,
  may_correct: false,
};
const reporting: IndicatorReporting = {
  levels: ["unit", "plan-office"],
  period: "2025",
  due: [],
  waiting: [filing],
  under_way: [],
  mine: [],
  locks: [],
  file_bytes_max: 1_000,
  files_max: 3,
  may_lock: false,
};
const user = userWith(["indicator.read", "indicator.report", "indicator.approve", "case.open"], "operator");

describe("the page of reported figures", () => {
  it("shows both values of a correction and returns it only with a reason", async () => {
    const calls = serve({
      "GET /api/v1/plan/reporting": reporting,
      "POST /api/v1/plan/reports/7/return": { ...filing, state: "returned", steps: [] },
    });
    show(<Page />, { user });
    const row = await screen.findByTestId("filing-row");
    expect(row.textContent).toContain("52 → 53.5 %");
    expect(row.textContent).toContain("waits for the unit");
    expect(screen.queryByText("Lock a period")).toBeNull();
    fireEvent.click(screen.getByText("Return"));
    const send = await screen.findByTestId("decision-submit");
    fireEvent.click(send);
    await screen.findByText("Required");
    const posted = () => calls.filter(({ method }) => method === "POST");
    expect(posted()).toEqual([]);
    fireEvent.change(screen.getByLabelText("Why"), { target: { value: "与年报不符" } });
    fireEvent.click(send);
    await waitFor(() => expect(posted().map(({ body }) => body)).toEqual([{ note: "与年报不符" }]));
  });

  it("offers no decision to who may not take it", async () => {
    serve({
      "GET /api/v1/plan/reporting": {
        ...reporting,
        waiting: [],
        under_way: [{ ...filing, may_decide: false }],
      },
    });
    show(<Page />, { user });
    await screen.findByTestId("filing-row");
    expect(screen.queryByText("Approve")).toBeNull();
    expect(screen.getByText("Nothing waits for your approval")).toBeTruthy();
  });
});

describe("an indicator's reports", () => {
  it("puts a claim beside what was measured and makes a case of it", async () => {
    const comparison: IndicatorComparison = {
      period: "2025",
      report_id: 9,
      claimed: 3,
      measured: 1,
      measured_at: "2025-12-31T00:00:00Z",
      difference: 2,
      difference_percent: 200,
      case: null,
      may_open_case: true,
    };
    const filings: IndicatorFilings = {
      responsible: null,
      may_report: true,
      levels: ["unit"],
      items: [],
      next: null,
      comparisons: [comparison],
    };
    const calls = serve({
      "GET /api/v1/plan/indicators/5g-base-stations/reports": filings,
      "POST /api/v1/plan/indicators/5g-base-stations/claims/2025/case": { number: "TM-1" },
    });
    const indicator = { id: "5g-base-stations", unit_zh: "个", unit_en: "" } as Indicator;
    show(<Reports indicator={indicator} />, { user });
    await screen.findByText("+2 (+200%)");
    fireEvent.click(screen.getByText("Make a case"));
    await screen.findByText("Case TM-1 was opened");
    expect(calls.some(({ method }) => method === "POST")).toBe(true);
  });
});
