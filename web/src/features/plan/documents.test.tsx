/** Documents of the plan office: which period is wanted first, what is to come, and the file that is asked for and handed over. */
import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import dayjs from "dayjs";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { PlanNumber, PlanNumbers } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { DocumentDialog, firstPeriod, isToCome } from "./documents.tsx";
import { Numbers } from "./numbers.tsx";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const reader = userWith(["indicator.read", "project.read"]);
const office = userWith(["indicator.read", "project.read", "indicator.lock"]);
const given: PlanNumber = {
  year: 2026,
  number: 5,
  name: "天门新基建办〔2026〕5号",
  kind: "circular",
  period: "2026-10",
  plan: "tianmen-14-5",
  language: "zh",
  title: "十月通报",
  at: "2026-11-02T01:00:00Z",
  by: "周明",
  files: [{ format: "pdf", size_bytes: 9, sha256: "ab".repeat(32) }],
  voided_at: null,
  voided_by: null,
  voided_why: null,
};
const register: PlanNumbers = {
  year: 2026,
  years: [2026],
  next: 6,
  next_name: "天门新基建办〔2026〕6号",
  gaps: [
    { first: 1, last: 3 },
    { first: 4, last: 4 },
  ],
  items: [given],
  may_give: true,
};

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
    // Who gives no numbers is not asked for one.
    expect(screen.queryByText("编号印发")).toBeNull();
    fireEvent.click(screen.getByText("Word"));
    fireEvent.click(screen.getByTestId("document-submit"));
    await waitFor(() => expect(closed).toHaveBeenCalled());
    expect(names).toEqual([`plan-assessment-${year}.docx`]);
    const { searchParams } = new URL(calls.at(-1)?.path ?? "", "http://city");
    expect(Object.fromEntries(searchParams)).toEqual({
      format: "docx",
      language: "zh",
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

describe("numbers of documents", () => {
  it("are given by the register, and the file is the one that was kept", async () => {
    const month = dayjs().subtract(1, "month").format("YYYY-MM");
    const calls = serve({
      "GET /api/v1/plan/document-numbers": register,
      [`POST /api/v1/plan/documents/circular/${month}`]: given,
    });
    const files: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
      files.push(this.getAttribute("href") ?? "");
    });
    const [closed, listed] = [vi.fn(), vi.fn()];
    show(<DocumentDialog plan={null} onClose={closed} onGiven={listed} />, { user: office, language: "zh" });
    fireEvent.click(await screen.findByText("编号印发"));
    expect(await screen.findByText("不填就取下一个：天门新基建办〔2026〕6号")).toBeTruthy();
    fireEvent.click(screen.getByTestId("document-submit"));
    await waitFor(() => expect(listed).toHaveBeenCalled());
    expect(calls.find(({ method }) => method === "POST")?.body).toEqual({
      language: "zh",
      plan: null,
      number: null,
    });
    expect(files).toEqual(["/api/v1/plan/document-numbers/2026/5/pdf"]);
  });

  it("are listed with what is missing, and made void with a reason", async () => {
    const calls = serve({
      "GET /api/v1/plan/document-numbers": register,
      "POST /api/v1/plan/document-numbers/2026/5/void": { ...given, voided_at: "2026-11-03T00:00:00Z" },
    });
    show(<Numbers onClose={() => {}} />, { user: office, language: "zh" });
    const item = await screen.findByTestId("number-5");
    expect(item.textContent).toContain("天门新基建办〔2026〕5号");
    expect(item.querySelector("a")?.getAttribute("href")).toBe("/api/v1/plan/document-numbers/2026/5/pdf");
    expect(screen.getByText("缺号：1–3、4")).toBeTruthy();
    fireEvent.click(item.querySelector("[data-action='plan.number-void']") as HTMLElement);
    fireEvent.change(await screen.findByLabelText("作废理由"), { target: { value: "数据更正" } });
    fireEvent.click(screen.getByTestId("number-void"));
    await waitFor(() => expect(calls.some(({ method }) => method === "POST")).toBe(true));
    expect(calls.find(({ method }) => method === "POST")?.body).toEqual({ reason: "数据更正" });
  });

  it("are not made void by who only reads", async () => {
    serve({ "GET /api/v1/plan/document-numbers": { ...register, may_give: false } });
    show(<Numbers onClose={() => {}} />, { user: reader, language: "zh" });
    const item = await screen.findByTestId("number-5");
    expect(item.querySelector("[data-action='plan.number-void']")).toBeNull();
  });
});
