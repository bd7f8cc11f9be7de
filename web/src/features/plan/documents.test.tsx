/** Documents of the plan office: which period is wanted first, what is to come, and the file that is asked for and handed over. */
import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import dayjs from "dayjs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serve, show, userWith } from "../../test-tools.tsx";
import { DocumentDialog, firstPeriod, isToCome } from "./documents.tsx";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const reader = userWith(["indicator.read", "project.read"]);

describe("documents of the plan office", () => {
  it("are first those of what is over, and none is of what is to come", () => {
    const today = dayjs("2026-01-15");
    expect(firstPeriod("circular", today).format("YYYY-MM")).toBe("2025-12");
    expect(firstPeriod("meeting", today).format("YYYY-MM")).toBe("2026-01");
    expect(firstPeriod("assessment", today).format("YYYY")).toBe("2025");
    expect(isToCome("circular", dayjs("2026-01-31"), today)).toBe(false);
    expect(isToCome("circular", dayjs("2026-02-01"), today)).toBe(true);
    expect(isToCome("meeting", dayjs("2026-02-28"), today)).toBe(false);
    expect(isToCome("meeting", dayjs("2026-03-01"), today)).toBe(true);
    expect(isToCome("assessment", dayjs("2026-12-31"), today)).toBe(false);
    expect(isToCome("assessment", dayjs("2027-01-01"), today)).toBe(true);
  });

  it("are asked for with what was chosen, and handed over as a file", async () => {
    const year = dayjs().subtract(1, "year").format("YYYY");
    const calls = serve({
      [`GET /api/v1/plan/documents/assessment/${year}`]: () => new Response("PK", { status: 200 }),
    });
    const names: string[] = [];
    vi.stubGlobal("URL", Object.assign(URL, { createObjectURL: () => "blob:x", revokeObjectURL: () => {} }));
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
      names.push(this.download);
    });
    const closed = vi.fn();
    show(<DocumentDialog plan="tianmen-14-5" onClose={closed} />, { user: reader, language: "zh" });
    fireEvent.click(await screen.findByText("年度评估报告"));
    fireEvent.change(screen.getByRole("spinbutton"), { target: { value: "12" } });
    fireEvent.click(screen.getByText("Word"));
    fireEvent.click(screen.getByTestId("document-submit"));
    await waitFor(() => expect(closed).toHaveBeenCalled());
    expect(names).toEqual([`plan-assessment-${year}.docx`]);
    const { searchParams } = new URL(calls.at(-1)?.path ?? "", "http://city");
    expect(Object.fromEntries(searchParams)).toEqual({
      format: "docx",
      language: "zh",
      number: "12",
      plan: "tianmen-14-5",
    });
  });

  it("say what is wrong, and stay", async () => {
    const month = dayjs().subtract(1, "month").format("YYYY-MM");
    const problem = { code: "document-number", detail: "no number", detail_zh: "不是发文顺序号" };
    serve({
      [`GET /api/v1/plan/documents/circular/${month}`]: () =>
        new Response(JSON.stringify(problem), { status: 400 }),
    });
    const closed = vi.fn();
    show(<DocumentDialog plan={null} onClose={closed} />, { user: reader, language: "zh" });
    fireEvent.click(await screen.findByTestId("document-submit"));
    expect(await screen.findByText(/不是发文顺序号/)).toBeTruthy();
    expect(closed).not.toHaveBeenCalled();
  });
});
