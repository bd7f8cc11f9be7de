/** A file is looked at before it is imported, and bad lines are left out only when somebody says so. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ImportReport } from "../../lib/types.ts";
import { serve, show } from "../../test-tools.tsx";
import { ImportDialog, tableName } from "./import-dialog.tsx";
import { stepOf } from "./import-doing.tsx";
import { Report } from "./import-report.tsx";

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

function choose(page: Element, name: string) {
  const input = page.querySelector("input[type=file]") as HTMLInputElement;
  fireEvent.change(input, { target: { files: [new File(["镇\n"], name)] } });
}

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
    choose(baseElement, "Towns.csv");
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

  it("tells how far it is, and stops when it is told to", async () => {
    let answer: (report: ImportReport) => void = () => {};
    const calls = serve({
      "POST /api/v1/tables/towns/import": () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
      "GET /api/v1/imports/*": { step: "reading", done: 43, total: 100 },
    });
    const onClose = vi.fn();
    const { baseElement } = show(<ImportDialog onClose={onClose} />);
    const button = await screen.findByTestId("import-submit");
    choose(baseElement, "Towns.csv");
    await waitFor(() => expect(button.hasAttribute("disabled")).toBe(false));
    fireEvent.click(button);
    await screen.findByText("Checking line by line");
    expect(screen.getByText("43%")).toBeTruthy();
    const job = new URLSearchParams(calls[0]?.path.split("?")[1]).get("job");
    expect(calls.some((call) => call.path === `/api/v1/imports/${job}`)).toBe(true);
    // A check leaves nothing behind: it may be stopped at any time, and the dialog stays.
    fireEvent.click(screen.getByTestId("import-cancel"));
    await waitFor(() => expect(screen.queryByTestId("import-progress")).toBeNull());
    expect(onClose).not.toHaveBeenCalled();
    expect(screen.queryByText("The file was not taken")).toBeNull();
    // Writing is not stopped once the file has arrived.
    const ready = () => waitFor(() => expect(button.className).not.toContain("loading"));
    await ready();
    fireEvent.click(button);
    await screen.findByTestId("import-progress");
    answer({ ...looked, rows_bad: 0, problems_count: 0, problems: [] });
    await screen.findByText("Import");
    await ready();
    fireEvent.click(button);
    await screen.findByTestId("import-progress");
    expect(screen.getByTestId("import-cancel").hasAttribute("disabled")).toBe(true);
    answer({ ...looked, written: true });
    await waitFor(() => expect(onClose).toHaveBeenCalled());
  }, 20_000);

  it("takes readings in by a standard table, and says what of them is new", async () => {
    const river = {
      table: "ST_RIVER_R",
      title_zh: "河道水情表",
      title_en: "Stages of rivers",
      source: "SL 323-2011",
      needs: ["STCD", "TM"],
      takes: ["Z", "Q"],
      has_times: true,
    };
    const taken = {
      rows_new: 2,
      rows_same: 1,
      values: 3,
      values_corrected: 1,
      values_out_of_range: 0,
      entities: 1,
      from: "2026-07-01T00:00:00Z",
      to: "2026-07-01T00:05:00Z",
    };
    const report = { ...looked, table: "ST_RIVER_R", problems_count: 0, problems: [], rows_bad: 0, taken };
    let written = false;
    const calls = serve({
      "GET /api/v1/intakes": { items: [river] },
      "POST /api/v1/intakes/ST_RIVER_R": () => ({ ...report, written }),
    });
    const onClose = vi.fn();
    const { baseElement } = show(<ImportDialog of="intake" onClose={onClose} />);
    const button = await screen.findByTestId("import-submit");
    choose(baseElement, "河道.csv");
    await waitFor(() => expect(button.hasAttribute("disabled")).toBe(false));
    fireEvent.click(button);
    // Which table it is, the name of a file does not say.
    await screen.findByText("Choose a table");
    expect(calls.filter((call) => call.method === "POST")).toEqual([]);
    fireEvent.mouseDown(screen.getByLabelText("Table"));
    fireEvent.click(await screen.findByText("Stages of rivers (ST_RIVER_R)"));
    await screen.findByText("It must have STCD, TM; it may have Z, Q");
    fireEvent.click(button);
    const said = await screen.findByTestId("intake-taken");
    expect(said.textContent).toContain("2 rows say something new: 3 values of 1 entities.");
    expect(said.textContent).toContain("1 rows are known already");
    expect(said.textContent).toContain("1 values were corrected by a person");
    await waitFor(() => expect(button.className).not.toContain("loading"));
    written = true;
    fireEvent.click(button);
    await waitFor(() => expect(onClose).toHaveBeenCalled());
    const posts = calls.filter((call) => call.method === "POST").map((call) => call.path);
    expect(posts.map((path) => path.includes("dry_run=true"))).toEqual([true, false]);
  }, 20_000);

  it("speaks the page's language", async () => {
    const refused = {
      code: "import-header",
      detail: "no names",
      detail_zh: "没有列名",
      mend_zh: "请写上列名",
    };
    let answer: unknown = looked;
    serve({ "POST /api/v1/tables/towns/import": () => answer });
    const { baseElement } = show(<ImportDialog onClose={() => {}} />, { language: "zh" });
    const button = await screen.findByTestId("import-submit");
    choose(baseElement, "Towns.csv");
    await waitFor(() => expect(button.hasAttribute("disabled")).toBe(false));
    fireEvent.click(button);
    await screen.findByText("不是数");
    expect(screen.getByText("请填数")).toBeTruthy();
    await waitFor(() => expect(button.className).not.toContain("loading"));
    answer = Response.json(refused, { status: 400 });
    fireEvent.click(button);
    await screen.findByText("没有列名。请写上列名");
  }, 20_000);

  it("groups the digits of every count", async () => {
    const columns = [{ name: "镇", type: "text", unit: null, filled: 400_000 }];
    show(<Report report={{ ...looked, rows_seen: 400_001, rows_good: 400_000, columns }}>{null}</Report>);
    await screen.findByText("400,001 rows, 400,000 good, 1 bad", { exact: false });
    expect(screen.getByText("400,000")).toBeTruthy();
  });

  it("knows what is done by what was sent and what is told", () => {
    const sent = { job: "a", bytes: 10, total: 10 };
    const told = { step: "reading", done: 1, total: 3 } as const;
    expect(stepOf({ ...sent, bytes: 5 }, told)).toEqual(["receiving", 50]);
    expect(stepOf(sent, null)).toEqual(["receiving", 100]);
    expect(stepOf(sent, { step: "receiving", done: 2, total: 10 })).toEqual(["receiving", 100]);
    expect(stepOf(sent, told)).toEqual(["reading", 33]);
    expect(stepOf(sent, { step: "waiting", done: 0, total: 0 })).toEqual(["waiting", null]);
    expect(stepOf({ job: "a", bytes: 0, total: 0 }, null)).toEqual(["receiving", 100]);
  });

  it("makes names that SQL needs no quotes for", () => {
    expect(["Towns 2026.xlsx", "乡镇（新）.csv", "2026-人口.csv", "a.b.csv"].map(tableName)).toEqual([
      "towns_2026",
      "乡镇_新",
      "人口",
      "a_b",
    ]);
  });
});
