/** Rules: said in words, tried on the past, failures dismissed, windows ended. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { translator } from "../../i18n/index.tsx";
import type { BackTestReport, Rule } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Report } from "./back-test.tsx";
import { Page } from "./page.tsx";
import { heading, packNames, says, span } from "./say.ts";

const rule: Rule = {
  id: "stage-rise",
  version: 2,
  pack: "pack-water",
  kind: "rate",
  title_zh: "{entity}水位上涨 {value} {unit}",
  title_en: "{entity}: stage rises {value} {unit}",
  entity_type: "WaterObserved",
  attribute: "waterLevel",
  severity: "major",
  calendar: null,
  hours: [],
  suppressed_by: [],
  open_alerts: 3,
  failing: 1,
  declared: { op: ">=", threshold: 0.5, window_seconds: 3600, per_seconds: 3600, for_seconds: 0 },
  text: 'id = "stage-rise"',
};
const failure = {
  id: 7,
  rule_id: "stage-rise",
  rule_version: 2,
  entity_id: "urn:ngsi-ld:WaterObserved:1",
  entity_type: "WaterObserved",
  code: "rule-value-kind",
  what: "the attribute holds a text",
  first_at: "2026-11-26T01:00:00Z",
  last_at: "2026-11-26T02:00:00Z",
  position: 3,
  count: 12,
  dismissed_at: null,
  dismissed_by: null,
};
const window = {
  id: 5,
  rule_id: null,
  entity_id: "urn:ngsi-ld:WaterObserved:1",
  entity_type: null,
  from: "2026-01-01T00:00:00Z",
  until: "2999-01-01T00:00:00Z",
  reason: "换传感器",
  made_by: "duty",
  made_at: "2026-01-01T00:00:00Z",
  ended_by: null,
  ended_at: null,
  is_on: true,
};
const answers = {
  "GET /api/v1/rules": { items: [rule] },
  "GET /api/v1/rules/failures": { items: [failure], next: null },
  "GET /api/v1/rules/maintenance": { items: [window], next: null },
};
const duty = userWith(["alert.read", "rule.manage"]);

describe("rules", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("says each kind in both languages", () => {
    expect(says(rule, translator("en"))).toBe(
      "waterLevel of WaterObserved changes over 1 h by ≥ 0.5 per 1 h",
    );
    const silent = { ...rule, kind: "silence", declared: { for_seconds: 900 } };
    expect(says(silent, translator("zh"))).toBe("WaterObserved 15 min 没有数据");
    const stated = { ...silent, declared: { threshold: { attribute: "reportInterval" } } };
    expect(says(stated, translator("en"))).toBe(
      "WaterObserved says nothing for longer than its own reportInterval",
    );
    const foretold = {
      ...rule,
      kind: "forecast",
      declared: {
        op: ">=",
        threshold: { attribute: "warningLevel" },
        forecast: {
          entity_type: "WaterLevelForecast",
          bound: "lower",
          within_hours: 24,
          age_hours_max: 12,
          certainty_min: 0.8,
        },
      },
    };
    expect(says(foretold, translator("zh"))).toBe(
      "预报 WaterLevelForecast 说 24 小时内 WaterObserved 的 waterLevel（区间下限）≥ warningLevel；发布超过 12 小时的预报不用，把握低于 80% 的不用",
    );
    const apart = {
      ...rule,
      kind: "deviation",
      declared: { threshold: 0.3, for_seconds: 600, forecast: { entity_type: "F", age_hours_max: 12 } },
    };
    expect(says(apart, translator("en"))).toBe(
      "waterLevel of WaterObserved is further than 0.3 from F, held for 10 min; forecasts older than 12 hours are not used",
    );
    const outside = { ...apart, declared: { ...apart.declared, threshold: null, for_seconds: 0 } };
    expect(says(outside, translator("zh"))).toBe(
      "WaterObserved 的 waterLevel 超出预报 F 的区间；发布超过 12 小时的预报不用",
    );
    const other = {
      ...rule,
      kind: "threshold",
      declared: {
        op: ">",
        threshold: { relation: "upstream", attribute: "waterLevel", plus: 1 },
        for_seconds: 61,
      },
    };
    expect(says(other, translator("en"))).toBe(
      "waterLevel of WaterObserved > upstream.waterLevel + 1, held for 61 s",
    );
    const level = { title_zh: "水位", title_en: "Stage" };
    const kind = { title_zh: "水情站", title_en: "River station", attributes: { waterLevel: level } };
    const names = packNames(new Map([["WaterObserved", kind as never]]), (zh) => zh);
    expect(says(silent, translator("zh"), names)).toBe("水情站 15 min 没有数据");
    expect(says(other, translator("zh"), names)).toContain("水位");
    expect(span(7200)).toBe("2 h");
    expect([span(86_400), span(604_800)]).toEqual(["24 h", "7 d"]);
  });

  it("names a rule without the marks that only an alert fills", () => {
    expect(heading(rule.title_en, rule, translator("en"))).toBe("Entity: stage rises …");
    const limit = { ...rule, declared: { op: ">", threshold: 75 } };
    expect(heading("{entity}：PM2.5 {value} {unit}，超过 {threshold} {unit}", limit, translator("zh"))).toBe(
      "对象：PM2.5 …，超过 75",
    );
  });

  it("lists rules and opens one with its text", async () => {
    serve(answers);
    show(<Page />, { user: duty });
    const row = await screen.findByTestId("rule");
    expect(row.textContent).toContain("stage-rise");
    fireEvent.click(row);
    expect(await screen.findByText('id = "stage-rise"')).toBeTruthy();
  }, 20_000);

  it("dismisses a failure", async () => {
    const calls = serve({ ...answers, "POST /api/v1/rules/failures/7/dismiss": { ...failure } });
    show(<Page />, { user: duty });
    fireEvent.click(await screen.findByRole("tab", { name: "Failures" }));
    fireEvent.click(await screen.findByRole("button", { name: /Dismiss/ }));
    await waitFor(() => expect(calls.some((call) => call.method === "POST")).toBe(true));
  }, 20_000);

  it("offers nothing to change to who only reads", async () => {
    serve(answers);
    show(<Page />, { user: userWith(["alert.read"], "viewer") });
    await screen.findByTestId("rule");
    expect(screen.queryByRole("button", { name: /Try a new rule/ })).toBeNull();
  }, 20_000);

  it("tells what would have been raised", () => {
    const report: BackTestReport = {
      observations: 1000,
      is_cut: true,
      alerts: 2,
      storms: 0,
      open: 1,
      held_back: 0,
      failures: 0,
      first_failure: null,
      by_day: [{ name: "2026-07-01", alerts: 2 }],
      by_entity: [{ name: "urn:ngsi-ld:WaterObserved:1", alerts: 2 }],
      listed: [
        {
          entity_id: "urn:ngsi-ld:WaterObserved:1",
          entity_name: "天门站",
          from: "2026-07-01T00:00:00Z",
          until: null,
          severity: "major",
          title_zh: "水位上涨",
          title_en: "stage rises",
          value: 0.6,
          is_storm: false,
          decided: [],
        },
      ],
    };
    show(<Report report={report} />, { user: duty });
    const shown = screen.getByTestId("back-test-report").textContent;
    expect(shown).toContain("2 alerts (0 storms), 1 open at the end");
    expect(shown).toContain("only a part of the period");
    expect(shown).toContain("天门站");
  });
});
