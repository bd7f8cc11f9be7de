/** The security view: what is not known is not called good, what is bad is said, and a failure is told. */
import { screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { SecurityView } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { judge } from "./judge.ts";
import { Page } from "./page.tsx";

vi.mock("../../ui/chart.tsx", () => ({ AXIS: { axisLabel: {} }, Chart: () => null }));

const may = userWith(["security.read"], "admin");
const view: SecurityView = {
  at: "2026-11-24T01:00:00Z",
  sign_ins: {
    source: "audit",
    from: "2026-11-23T01:00:00Z",
    refused: 61,
    refused_hour: 55,
    refused_before: 2,
    by_account: [{ name: "wang.min", refused: 60, last_at: "2026-11-24T00:59:00Z" }],
    by_peer: [{ name: "203.0.113.9", refused: 61, last_at: "2026-11-24T00:59:00Z" }],
    by_hour: [{ from: "2026-11-24T00:00:00Z", refused: 55 }],
  },
  peers: {
    source: "doors",
    waiting: [{ door: "mqtt", peer: null, account: "gauge-7", failures: 12, until: "2026-11-24T01:00:30Z" }],
    counters: [{ name: "jingling_mqtt_sign_ins_failed_total", value: 12 }],
  },
  changes: {
    source: "audit",
    items: [
      {
        id: 9,
        at: "2026-11-24T00:30:00Z",
        actor: "admin",
        action: "user.create",
        title_zh: "新增用户",
        title_en: "User added",
        target: "user:4",
      },
    ],
  },
  certificates: {
    days_left_min: 12,
    items: [
      {
        kind: "door",
        name: "CN=city.example.gov.cn",
        source: "/etc/city.pem",
        expires_at: "2026-12-06T01:00:00Z",
        days_left: 12,
        renews_itself: false,
      },
    ],
  },
  holes: {
    packages: 900,
    has_data: false,
    brought_at: null,
    newest: null,
    unread: null,
    not_covered: 900,
    grave: null,
    total: null,
    items: [],
  },
  backup: { age_seconds: 3 * 86_400, drill_age_seconds: null, drill_good: null },
  audit: { proved_at: "2026-11-24T00:00:00Z", whole: false, rows: 40, broken_from: 17 },
  disk: { source: "/city", free_bytes: 50 * 2 ** 30, total_bytes: 100 * 2 ** 30 },
};

describe("the security view", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("says each figure, and of holes that nothing is known", async () => {
    serve({ "GET /api/v1/security": view });
    show(<Page />, { user: may });
    expect(await screen.findByText("61 in 24 hours")).toBeTruthy();
    expect(screen.getByText("Broken at row 17")).toBeTruthy();
    expect(screen.getByText("3 days ago")).toBeTruthy();
    expect(screen.getByText("50% free")).toBeTruthy();
    expect(screen.getByText("The next ends in 12 days")).toBeTruthy();
    expect(screen.getByText("gauge-7")).toBeTruthy();
    expect(screen.getByText("User added")).toBeTruthy();
    expect(screen.getAllByText("No advisories were brought in: nothing is known")).toHaveLength(2);
    expect(screen.queryByText("No advisory in the data is about this program")).toBeNull();
  });

  it("names a hole with the version that mends it", async () => {
    const hole = {
      id: "RUSTSEC-2024-0336",
      ecosystem: "crates.io",
      package: "rustls",
      version: "0.23.4",
      severity: "high",
      builds_only: false,
      summary: "An infinite loop",
      mended_in: ">=0.23.5",
      url: null,
    };
    const holes = {
      ...view.holes,
      has_data: true,
      newest: "2026-11-20",
      brought_at: "2026-11-21T00:00:00Z",
      not_covered: 0,
      grave: 1,
      total: 1,
      items: [hole],
    };
    serve({ "GET /api/v1/security": { ...view, holes } });
    show(<Page />, { user: may });
    expect(await screen.findByText("RUSTSEC-2024-0336")).toBeTruthy();
    expect(screen.getByText(">=0.23.5")).toBeTruthy();
    expect(screen.getByText("1 grave, 1 in all")).toBeTruthy();
  });

  it("tells that it may not be seen", async () => {
    const problem = { code: "forbidden", detail: "this needs the permission security.read", status: 403 };
    serve({ "GET /api/v1/security": () => new Response(JSON.stringify(problem), { status: 403 }) });
    show(<Page />, { user: may });
    expect(await screen.findByText(/security\.read/)).toBeTruthy();
  });

  it("judges by the bounds of the rules, and never calls good what is not known", () => {
    expect(judge(view)).toEqual({
      signIns: "bad",
      peers: "watch",
      certificates: "watch",
      holes: "unknown",
      backup: "bad",
      audit: "bad",
      disk: "good",
    });
    const calm: SecurityView = {
      ...view,
      sign_ins: { ...view.sign_ins, refused_hour: 0 },
      peers: { ...view.peers, waiting: [] },
      certificates: { days_left_min: null, items: [] },
      holes: null,
      backup: { age_seconds: 3_600, drill_age_seconds: 60, drill_good: true },
      audit: { proved_at: null, whole: null, rows: null, broken_from: null },
      disk: null,
    };
    expect(judge(calm)).toEqual({
      signIns: "good",
      peers: "good",
      certificates: "good",
      holes: "unknown",
      backup: "good",
      audit: "unknown",
      disk: "unknown",
    });
  });
});
