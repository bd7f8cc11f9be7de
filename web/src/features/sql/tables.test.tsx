/** A department's table is removed by who may, after a question; the platform's own never. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { TableInfo } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { TableList } from "./tables.tsx";

const own: TableInfo = { name: "cases", description: "Cases.", columns: [], imported: null };
const towns: TableInfo = {
  name: "towns",
  description: "乡镇",
  columns: [{ name: "镇", title_en: null, title_zh: null, type: "text", unit: null }],
  imported: {
    title_zh: "乡镇名录",
    title_en: "Towns",
    department: null,
    rows: 26,
    rows_left_out: 0,
    imported_at: "2026-11-24T00:00:00Z",
    imported_by: "Chen",
    file: "乡镇.xlsx",
    sha256: "0123456789abcdef",
    format: "excel",
    sheet: null,
  },
};
const may = userWith(["sql.query", "table.import", "table.remove"]);

describe("the tables beside the editor", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("removes a department's table after a question", async () => {
    let items = [own, towns];
    const calls = serve({
      "GET /api/v1/tables": () => ({ items }),
      "DELETE /api/v1/tables/towns": () => {
        items = [own];
        return new Response(null, { status: 204 });
      },
    });
    show(<TableList onPick={() => {}} />, { user: may });
    const button = await screen.findByText("Remove this table");
    // One button only: the platform's own tables have none.
    fireEvent.click(button);
    const confirm = await screen.findByTestId("table-remove-confirm");
    expect(screen.getAllByText("Remove the table Towns (towns)?").length).toBeGreaterThan(0);
    expect(screen.getByText(/26 rows imported from 乡镇.xlsx/)).toBeTruthy();
    expect(calls.some((call) => call.method === "DELETE")).toBe(false);
    fireEvent.click(confirm);
    await waitFor(() => expect(screen.queryByText("towns")).toBeNull());
    expect(screen.getByText("cases")).toBeTruthy();
  }, 20_000);

  it("says that it waits for a second person, and keeps the table", async () => {
    const approval = { id: 3, act: "table.remove", title_zh: "删除", title_en: "Remove a table" };
    const calls = serve({
      "GET /api/v1/tables": { items: [own, towns] },
      "DELETE /api/v1/tables/towns": { approval },
    });
    show(<TableList onPick={() => {}} />, { user: may });
    fireEvent.click(await screen.findByText("Remove this table"));
    fireEvent.change(await screen.findByLabelText("Reason"), { target: { value: "导错了" } });
    fireEvent.click(await screen.findByTestId("table-remove-confirm"));
    expect(await screen.findByText("Asked for, not done yet")).toBeTruthy();
    expect(screen.queryByText(/is removed/)).toBeNull();
    const sent = calls.find((call) => call.method === "DELETE")?.path ?? "";
    expect(new URLSearchParams(sent.split("?")[1]).get("reason")).toBe("导错了");
    expect(screen.getByText("towns")).toBeTruthy();
  }, 20_000);

  it("offers it to nobody else", async () => {
    serve({ "GET /api/v1/tables": { items: [own, towns] } });
    show(<TableList onPick={() => {}} />, { user: userWith(["sql.query", "table.import"], "analyst") });
    await screen.findByText("towns");
    expect(document.querySelector("[data-action='table.remove']")).toBeNull();
  });
});
