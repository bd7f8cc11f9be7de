/** A file is looked at before it is imported, and bad lines are left out only when somebody says so. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ImportReport } from "../../lib/types.ts";
import { serve, show } from "../../test-tools.tsx";
import { ImportDialog, tableName } from "./import-dialog.tsx";

afterEach(() => vi.unstubAllGlobals());

const looked: ImportReport = {
  table: "towns",
  written: false,
  format: "csv",
  encoding: "GB18030",
  sheet: null,
  columns: [{ name: "镇", type: "text", unit: null, filled: 2 }],
  rows_seen: 3,
  rows_good: 2,
  rows_bad: 1,
  problems_count: 1,
  problems: [
    {
      line: 4,
      column: "数",
      value: "许多",
      code: "import-cell",
      what_zh: "不是数",
      what_en: "not a number",
      place_zh: "第 4 行",
      place_en: "line 4",
      mend_zh: "请填数",
      mend_en: "write a number",
    },
  ],
  notes: [],
};

describe("the import dialog", () => {
  it("looks first, then imports what was looked at", async () => {
    const calls = serve({
      "POST /api/v1/tables/towns/import": ({ path }: { path: string }) =>
        path.includes("dry_run=true") ? looked : { ...looked, written: true },
    });
    const onClose = vi.fn();
    const { baseElement } = show(<ImportDialog onClose={onClose} />);
    const button = await screen.findByTestId("import-submit");
    expect(button.hasAttribute("disabled")).toBe(true);
    const input = baseElement.querySelector("input[type=file]") as HTMLInputElement;
    fireEvent.change(input, { target: { files: [new File(["镇\n"], "Towns.csv")] } });
    await waitFor(() => expect(button.hasAttribute("disabled")).toBe(false));
    fireEvent.click(button);
    await screen.findByText("not a number");
    expect(calls[0]?.path).toContain("file=Towns.csv");
    // One line is bad: the button looks again until somebody leaves it out.
    fireEvent.click(screen.getByText("Leave the 1 bad rows out"));
    fireEvent.click(button);
    await waitFor(() => expect(onClose).toHaveBeenCalled());
    const last = calls.at(-1)?.path ?? "";
    expect([last.includes("on_error=skip"), last.includes("dry_run")]).toEqual([true, false]);
  }, 20_000);

  it("makes names that SQL needs no quotes for", () => {
    expect(["Towns 2026.xlsx", "乡镇（新）.csv", "2026-人口.csv", "a.b.csv"].map(tableName)).toEqual([
      "towns_2026",
      "乡镇_新",
      "人口",
      "a_b",
    ]);
  });
});
