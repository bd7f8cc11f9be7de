/** A roster's file is looked at before it is imported, and its mistakes are told by cell. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { DutyImport } from "../../lib/types.ts";
import { serve, show } from "../../test-tools.tsx";
import { RosterImport } from "./roster-import.tsx";

const IMPORT = "POST /api/v1/duty/turns/import";
const good: DutyImport = {
  written: false,
  added: 1,
  same: 1,
  lines: [
    {
      sheet: "十二月",
      line: 2,
      day: "2026-12-01",
      pattern_id: 3,
      post: "值班员",
      user_id: 7,
      user_name: "王敏",
      same: false,
    },
  ],
  mistakes: [],
  mistakes_count: 0,
  not_read: ["十二月：食堂"],
};
const bad: DutyImport = {
  ...good,
  mistakes: [
    {
      sheet: "十二月",
      line: 4,
      column: "人员",
      value: "赵六",
      code: "duty-person-unknown",
      what_zh: "本单位没有“赵六”",
      what_en: "nobody is called so",
      mend_zh: "请核对姓名",
      mend_en: "check the name",
    },
  ],
  mistakes_count: 1,
};

async function ready(page: Element) {
  const button = await screen.findByTestId("duty-import");
  const input = page.querySelector("input[type=file]") as HTMLInputElement;
  fireEvent.change(input, { target: { files: [new File(["x"], "roster.csv")] } });
  await waitFor(() => expect(button.hasAttribute("disabled")).toBe(false));
  return button;
}

const dialog = (onClose: () => void) => (
  <RosterImport organisation="command-centre" patterns={[]} changed={vi.fn()} onClose={onClose} />
);

describe("the import of a roster", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("tells mistakes by sheet, line and column, and only looks again", async () => {
    const calls = serve({ [IMPORT]: bad });
    const { baseElement } = show(dialog(vi.fn()));
    const button = await ready(baseElement);
    fireEvent.click(button);
    expect(await screen.findByText("nobody is called so")).toBeTruthy();
    expect(screen.getByText("十二月 · line 4 · 人员")).toBeTruthy();
    fireEvent.click(button);
    await waitFor(() => expect(calls.length).toBe(2));
    expect(calls.every((call) => call.path.includes("dry_run=true"))).toBe(true);
  });

  it("imports what was looked at, for the organisation of the page", async () => {
    const onClose = vi.fn();
    const calls = serve({
      [IMPORT]: ({ path }: { path: string }) => ({ ...good, written: path.includes("dry_run=false") }),
    });
    const { baseElement } = show(dialog(onClose));
    const button = await ready(baseElement);
    fireEvent.click(button);
    expect(await screen.findByText("王敏")).toBeTruthy();
    expect(screen.getByText("Not read: 十二月：食堂")).toBeTruthy();
    fireEvent.click(button);
    await waitFor(() => expect(onClose).toHaveBeenCalled());
    expect(calls[1]?.path).toContain("dry_run=false");
    expect(calls[1]?.path).toContain("organisation=command-centre");
  });
});
