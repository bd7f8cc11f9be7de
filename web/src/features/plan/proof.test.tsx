/** The way from a figure to what proves it: what it is computed from, and where a click on a row leads. */
import { cleanup, fireEvent, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Indicator, IndicatorProof, RowLead, SqlResult } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Inputs, RowsBehind, TownRowsDialog } from "./proof.tsx";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const user = userWith(["indicator.read"]);
const indicator = { id: "x", name_zh: "充电桩", name_en: "Charge points" } as Indicator;

/** A row with a cell for each column; only rows in sight are drawn, so the place has a height. */
function rowOf(cells: Record<string, string | number>): SqlResult {
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(400);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(900);
  return {
    columns: Object.entries(cells).map(([name, cell]) => ({
      name,
      type: typeof cell === "number" ? "integer" : "text",
    })),
    rows: [cells],
    row_count: 1,
    truncated: false,
    elapsed_ms: 1,
  };
}

const lead = (column: string, to: RowLead["to"]): RowLead => ({ column, to, has_message: false });

describe("the rows behind a figure", () => {
  it("lead to the message, the thing and the record, and say where no device sent anything", async () => {
    const onPosition = vi.fn();
    const onReport = vi.fn();
    const rows = rowOf({
      journal_position: 11,
      entity_id: "urn:x:1",
      device_id: "urn:d:1",
      filing_id: 12,
      case_id: 13,
      project_id: "smart-water",
      alert_id: 14,
      form_return: "town-charging/429006001/2026-10",
      name: "桩",
    });
    const leads = [
      lead("journal_position", "message"),
      lead("entity_id", "entity"),
      lead("device_id", "device"),
      lead("filing_id", "report"),
      lead("case_id", "case"),
      lead("project_id", "project"),
      lead("alert_id", "alert"),
      lead("form_return", "form"),
    ];
    show(<RowsBehind rows={rows} leads={leads} onPosition={onPosition} onReport={onReport} />, { user });
    fireEvent.click(await screen.findByText("11"));
    fireEvent.click(screen.getByText("12"));
    expect([onPosition.mock.calls, onReport.mock.calls]).toEqual([[[11]], [[12]]]);
    const pages = ["urn:x:1", "urn:d:1", "13", "smart-water", "14", "town-charging/429006001/2026-10"];
    expect(pages.map((text) => screen.getByText(text).getAttribute("href"))).toEqual([
      "/entities/urn%3Ax%3A1",
      "/entities/urn%3Ad%3A1",
      "/cases/13",
      "/projects/smart-water",
      "/alerts?alert=14",
      "/forms/town-charging/429006001/2026-10",
    ]);
    expect(screen.getByText("桩").closest("a, button")).toBeNull();
    expect(screen.getByText(/reported by a person, no device sent it/)).toBeTruthy();
  });
});

describe("what a figure is computed from", () => {
  const proof: IndicatorProof = {
    inputs: [
      {
        kind: "things",
        name: "ChargePoint",
        title_zh: "充电桩",
        title_en: "Charge point",
        count: 1_200,
        devices: 3,
        newest: "2026-11-28T01:00:00Z",
        imported: null,
      },
      {
        kind: "table",
        name: "towns_2025",
        title_zh: "乡镇表",
        title_en: "Towns",
        count: 28,
        devices: null,
        newest: "2026-11-01T00:00:00Z",
        imported: {
          title_zh: "乡镇表",
          title_en: "Towns",
          department: null,
          rows: 28,
          rows_left_out: 0,
          imported_at: "2026-11-01T00:00:00Z",
          imported_by: "admin",
          file: "乡镇.xlsx",
          sha256: "cd".repeat(32),
          format: "excel",
          sheet: null,
        },
      },
    ],
    clock: true,
    town: null,
  };

  it("is told with its devices, its files and how fresh it is", async () => {
    serve({ "GET /api/v1/plan/indicators/x/proof": proof });
    show(<Inputs indicator={indicator} />, { user });
    const card = await screen.findByTestId("proof-inputs");
    await screen.findByText("Charge point");
    const told = card.textContent ?? "";
    for (const word of [
      "1,200 things",
      "said by 3 devices",
      "28 rows",
      "乡镇.xlsx",
      "cd".repeat(32),
      "asks for the time",
    ]) {
      expect(told).toContain(word);
    }
  });

  it("is a town's own rows for the town's figure", async () => {
    const rows = rowOf({ entity_id: "urn:x:9" });
    const calls = serve({
      "GET /api/v1/plan/indicators/x/proof": {
        ...proof,
        town: { code: "429006001", name: "竟陵街道", rows, leads: [lead("entity_id", "entity")] },
      },
    });
    const town = { code: "429006001", name: "竟陵街道" };
    const openers = { onPosition: () => {}, onReport: () => {} };
    show(<TownRowsDialog indicator={indicator} town={town} onClose={() => {}} {...openers} />, { user });
    const link = await screen.findByText("urn:x:9");
    expect(link.getAttribute("href")).toBe("/entities/urn%3Ax%3A9");
    expect(calls[0]?.path).toContain("town=429006001");
  });
});
