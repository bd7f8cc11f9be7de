/** A roster is looked at before it is imported, its mistakes are told by cell, and passwords are handed over once. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { RosterReport } from "../../lib/types.ts";
import { serve, show } from "../../test-tools.tsx";
import { RosterDialog } from "./import-dialog.tsx";

const none = { added: 0, changed: 0, same: 0 };
const good: RosterReport = {
  written: false,
  organisations: none,
  posts: none,
  people: { added: 1, changed: 0, same: 2 },
  holders: 1,
  lines: [{ sheet: "人员", line: 2, doing: "add", id: "zhao", name: "赵六" }],
  lines_count: 3,
  mistakes: [],
  mistakes_count: 0,
  not_read: ["人员：备注"],
  sign_ins: [],
  approval: null,
};
const bad: RosterReport = {
  ...good,
  mistakes: [
    {
      sheet: "人员",
      line: 4,
      column: "角色",
      value: "国王",
      code: "unknown-role",
      what_zh: "没有角色“国王”",
      what_en: "there is no role",
      mend_zh: "请填其中一个",
      mend_en: "use one of these",
    },
  ],
  mistakes_count: 1,
};

function choose(page: Element, name: string) {
  const input = page.querySelector("input[type=file]") as HTMLInputElement;
  fireEvent.change(input, { target: { files: [new File(["x"], name)] } });
}

async function ready(page: Element) {
  const button = await screen.findByTestId("roster-submit");
  expect(button.hasAttribute("disabled")).toBe(true);
  choose(page, "roster.xlsx");
  await waitFor(() => expect(button.hasAttribute("disabled")).toBe(false));
  return button;
}

describe("the roster dialog", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("tells mistakes by sheet, line and column, and only looks again", async () => {
    const calls = serve({ "POST /api/v1/organisation/import": bad });
    const { baseElement } = show(<RosterDialog changed={vi.fn()} onClose={vi.fn()} />);
    const button = await ready(baseElement);
    fireEvent.click(button);
    expect(await screen.findByText("there is no role")).toBeTruthy();
    expect(screen.getByText("人员 · line 4 · 角色")).toBeTruthy();
    expect(button.textContent).toBe("Check");
    fireEvent.click(button);
    await waitFor(() => expect(calls.length).toBe(2));
    expect(calls.every((call) => call.path.includes("dry_run=true"))).toBe(true);
  }, 20_000);

  it("imports what was looked at, and closes when the passwords are saved", async () => {
    const sign_ins = [{ username: "zhao", name: "=赵六", organisation: "keji", password: "7m2kq" }];
    const calls = serve({
      "POST /api/v1/organisation/import": ({ path }: { path: string }) =>
        path.includes("dry_run=true") ? good : { ...good, written: true, sign_ins, approval: { id: 5 } },
    });
    const saved: Blob[] = [];
    vi.stubGlobal("URL", {
      ...URL,
      createObjectURL: (blob: Blob) => `blob:${saved.push(blob)}`,
      revokeObjectURL: () => {},
    });
    const [changed, onClose] = [vi.fn(), vi.fn()];
    const { baseElement } = show(<RosterDialog changed={changed} onClose={onClose} />);
    const button = await ready(baseElement);
    fireEvent.click(button);
    expect(await screen.findByText("赵六")).toBeTruthy();
    expect(screen.getByText("Not read: 人员：备注")).toBeTruthy();
    fireEvent.click(button);
    const close = await screen.findByTestId("roster-close");
    expect(close.hasAttribute("disabled")).toBe(true);
    expect(screen.getByTestId("roster-approval").textContent).toContain("5");
    expect(changed).toHaveBeenCalled();
    fireEvent.click(screen.getByTestId("roster-sign-ins"));
    await waitFor(() => expect(close.hasAttribute("disabled")).toBe(false));
    fireEvent.click(close);
    expect(onClose).toHaveBeenCalled();
    expect(calls[1]?.path).toContain("dry_run=false");
    expect(saved.length).toBe(1);
  }, 20_000);
});
