/** What is ahead of an indicator, and what came of it: told as it is, also where there is nothing to tell. */
import { cleanup, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { IndicatorDetail } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { forecastSeries, Outlook } from "./outlook.tsx";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const nothing = { forecast: null, forecast_missing: null, assessment: null, towns: null };
const base = { value: 1_200, unit_zh: "个", unit_en: "stations", ...nothing } as unknown as IndicatorDetail;
const forecast: IndicatorDetail["forecast"] = {
  on: "2030-12-31",
  value: 1_750.5,
  low: 1_600,
  high: 1_901,
  level: 0.8,
  points: 12,
  from: "2026-01-05",
  to: "2027-12-31",
  back_test_forecasts: 21,
  back_test_mean_error: 12.5,
  back_test_within: 17,
};
const shown = (indicator: IndicatorDetail) => {
  serve({});
  show(<Outlook indicator={indicator} />, { user: userWith(["indicator.read"], "operator"), language: "zh" });
};

describe("the outlook of an indicator", () => {
  it("draws the forecast from the last value to the target year, with both ends of its interval", () => {
    const names = { forecast: "f", interval: "i" };
    expect(forecastSeries(base, names)).toEqual([]);
    const series = [forecastSeries({ ...base, forecast }, names)].flat();
    expect(series.map((line) => [line?.name, line && "data" in line && line.data])).toEqual([
      [
        "f",
        [
          [2027, 1_200],
          [2030, 1_750.5],
        ],
      ],
      [
        "i",
        [
          [2027, 1_200],
          [2030, 1_600],
        ],
      ],
      [
        "i",
        [
          [2027, 1_200],
          [2030, 1_901],
        ],
      ],
    ]);
  });

  it("tells the interval, and how the method did on the past", async () => {
    shown({ ...base, forecast });
    const card = await screen.findByTestId("forecast");
    expect(card.textContent).toContain("到2030-12-31：1,750.5 个");
    expect(card.textContent).toContain("80%区间：1,600 个 至 1,901 个");
    expect(card.textContent).toContain("留出21个数值，平均误差12.5 个，17个落在区间内");
  });

  it("gives no figure where there are too few values", async () => {
    const forecast_missing = { points: 2, points_min: 6, span_days: 9, span_days_min: 30 };
    shown({ ...base, forecast_missing });
    const card = await screen.findByTestId("forecast");
    expect(card.textContent).toContain("有2天的数值、跨9天；至少要6天、跨30天");
  });

  it("tells what came of it, and when it came too late", async () => {
    const assessment: IndicatorDetail["assessment"] = {
      outcome: "not_met",
      on: "2025-12-31",
      value: 1_099,
      value_on: "2025-11-02",
      share: 0.5,
      met_since: null,
      met_later_on: "2026-03-01",
    };
    shown({ ...base, assessment });
    const card = await screen.findByTestId("assessment");
    for (const words of [
      "未完成",
      "2025-12-31",
      "1,099 个（2025-11-02）",
      "走完50%",
      "2026-03-01才达到目标",
    ]) {
      expect(card.textContent).toContain(words);
    }
    expect(screen.queryByTestId("forecast")).toBeNull();
  });
});
