/** Alerts: what decided one is said in words, also when a forecast did. */
import { screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Alert } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./page.tsx";

const forecast = "urn:ngsi-ld:WaterLevelForecast:62206900";
const foretold = (name: string, value: unknown, unit: string | null, at: string | null) => ({
  name,
  value,
  unit,
  observed_at: at,
  entity_id: forecast,
});
const alert: Alert = {
  id: 4,
  rule_id: "water-stage-foretold",
  rule_version: 1,
  entity_id: "urn:ngsi-ld:WaterObserved:62206900",
  entity_type: "WaterObserved",
  entity_name: "汉北河天门站",
  entity_name_en: null,
  attribute: "waterLevel",
  value: 29.45,
  threshold: 29.3,
  unit: "MTR",
  severity: "minor",
  title_zh: "预报汉北河天门站7月1日18:00水位 29.45 m（29.15～29.75 m），达到或超过警戒水位 29.3 m",
  title_en:
    "汉北河天门站: stage 29.45 m (29.15 to 29.75 m) foretold for 1 Jul 18:00, at or above the warning stage 29.3 m",
  doubt: null,
  raised_at: "2026-07-01T00:00:00Z",
  cleared_at: null,
  acknowledged_at: null,
  acknowledged_by: null,
  case_id: null,
  decided: [
    foretold("forecast_value", 29.45, "MTR", "2026-07-01T10:00:00Z"),
    foretold("forecast_upper", 29.75, "MTR", "2026-07-01T10:00:00Z"),
    foretold("forecast_certainty", 90, "P1", null),
    foretold("forecast_method", "xinanjiang 1.0.0", null, "2026-07-01T00:00:00Z"),
    { name: "warningLevel", value: 29.3, unit: "MTR", observed_at: null, entity_id: null },
  ],
  position: 9,
  runbook_zh: "核对",
  runbook_en: "Check",
  location: null,
};

describe("alerts", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("says which run foretold it, for when, and how sure", async () => {
    serve({ "GET /api/v1/alerts": { items: [alert], next: null } });
    show(<Page />, { user: userWith(["alert.read"]), language: "zh" });
    const decided = within(await screen.findByTestId("alert-decided"));
    expect(decided.getByText(/预报值 29.45 m/).textContent).toContain("18:00");
    expect(decided.getByText(/区间上限 29.75 m/)).toBeTruthy();
    expect(decided.getByText(/区间把握 90 %/)).toBeTruthy();
    expect(decided.getByText(/xinanjiang 1\.0\.0/).textContent).toContain("08:00");
    const link = decided.getByRole("link", { name: forecast });
    expect(link.getAttribute("href")).toBe(`/entities/${encodeURIComponent(forecast)}`);
    expect(decided.getByText("warningLevel").tagName).toBe("CODE");
    expect(screen.queryByTestId("alert-doubt")).toBeNull();
  }, 20_000);

  it("says what is doubted since when, in the list and beside it", async () => {
    const doubt = {
      zh: "特征水位互相矛盾，待核",
      en: "the stages contradict",
      since: "2026-07-01T02:05:00Z",
    };
    serve({ "GET /api/v1/alerts": { items: [{ ...alert, doubt }], next: null } });
    show(<Page />, { user: userWith(["alert.read"]), language: "zh" });
    const said = await screen.findAllByTestId("alert-doubt");
    expect(said).toHaveLength(2);
    expect(said[0]?.textContent).toContain("存疑特征水位互相矛盾，待核");
    expect(said[1]?.textContent).toContain("10:05");
  }, 20_000);
});
