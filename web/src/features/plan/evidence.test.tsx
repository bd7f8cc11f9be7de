/** Files that prove a figure: shown with their hash, added to a draft that is handed in when all are there, taken away again. */
import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { IndicatorFiling, IndicatorFilingFile } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { ReportDialog } from "./dialogs.tsx";
import { EvidenceFiles } from "./evidence.tsx";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const file: IndicatorFilingFile = {
  id: 4,
  name: "年报 2025.pdf",
  media_type: "application/pdf",
  size_bytes: 20_480,
  sha256: "ab".repeat(32),
  added_at: "2026-11-01T00:00:00Z",
  added_by: "赵",
};
const of = { id: "users", name_zh: "用户", name_en: "Users", unit_zh: "%", unit_en: "%" };
const user = userWith(["indicator.read", "indicator.report"], "operator");
const limits = { file_bytes_max: 1_000, files_max: 3 };
const pdf = (name: string, size = 3) => new File(["x".repeat(size)], name, { type: "application/pdf" });

const choose = async (files: File[]) => {
  const input = await screen.findByTestId("evidence-input");
  fireEvent.change(input, { target: { files } });
};

describe("the files of a report", () => {
  it("are links with size, hash and who brought them", () => {
    const picture = { ...file, id: 5, name: "现场.jpg", media_type: "image/jpeg" };
    show(<EvidenceFiles report={7} files={[file, picture]} />, { user });
    const link = screen.getByText(file.name) as HTMLAnchorElement;
    expect(link.getAttribute("href")).toBe("/api/v1/plan/reports/7/files/4");
    expect(link.getAttribute("download")).toBe(file.name);
    expect(screen.getByText("现场.jpg").getAttribute("target")).toBe("_blank");
    expect(screen.getAllByTitle(file.sha256)).toHaveLength(2);
    expect(screen.getByTestId("evidence").textContent).toContain("赵");
  });

  it("go to a draft, which is handed in when all of them are there", async () => {
    const draft = { id: 9, files: [] };
    let fails = true;
    const calls = serve({
      "GET /api/v1/plan/reporting": limits,
      "POST /api/v1/plan/indicators/users/reports": draft,
      "PUT /api/v1/plan/reports/9": draft,
      "POST /api/v1/plan/reports/9/files": () => {
        if (!fails) return { ...file, id: 10 };
        fails = false;
        return Response.json({ code: "evidence-type", detail: "no proof" }, { status: 400 });
      },
      "POST /api/v1/plan/reports/9/submit": draft,
    });
    const close = vi.fn();
    show(<ReportDialog of={of} period="2025" onClose={close} />, { user });
    fireEvent.change(await screen.findByLabelText("Value"), { target: { value: "61.5" } });
    await choose([pdf("a.pdf")]);
    expect(screen.getAllByTestId("evidence-pending")).toHaveLength(1);
    // Files alone are evidence: no words are asked for.
    const send = screen.getByTestId("report-submit");
    fireEvent.click(send);
    const sent = () => calls.filter(({ method }) => method !== "GET").map((c) => `${c.method} ${c.path}`);
    await waitFor(() => expect(sent()).toHaveLength(2));
    expect(calls.find(({ method }) => method === "POST")?.body).toMatchObject({ draft: true, evidence: "" });
    await waitFor(() => expect(send.className).not.toContain("loading"));
    expect(close).not.toHaveBeenCalled();
    // It goes on with the draft that is there.
    fireEvent.click(send);
    await waitFor(() => expect(close).toHaveBeenCalled());
    expect(sent()).toEqual([
      "POST /api/v1/plan/indicators/users/reports",
      "POST /api/v1/plan/reports/9/files",
      "PUT /api/v1/plan/reports/9",
      "POST /api/v1/plan/reports/9/files",
      "POST /api/v1/plan/reports/9/submit",
    ]);
  }, 20_000);

  it("are held to their size and number, and can be taken away", async () => {
    const calls = serve({
      "GET /api/v1/plan/reporting": limits,
      "DELETE /api/v1/plan/reports/7/files/4": () => new Response(null, { status: 204 }),
    });
    const filing = {
      id: 7,
      value: 50,
      period: "2025",
      evidence: "",
      files: [file],
    } as unknown as IndicatorFiling;
    const { queryClient } = show(<ReportDialog of={of} filing={filing} onClose={() => {}} />, { user });
    await waitFor(() => expect(queryClient.getQueryData(["plan", "reporting"])).toEqual(limits));
    await choose([pdf("large.pdf", 1_001), pdf("a.pdf"), pdf("b.pdf"), pdf("c.pdf")]);
    expect(screen.getAllByTestId("evidence-pending").map((li) => li.textContent?.includes("large"))).toEqual([
      false,
      false,
    ]);
    fireEvent.click(screen.getByLabelText("Remove 年报 2025.pdf"));
    await waitFor(() => expect(screen.queryByLabelText("Remove 年报 2025.pdf")).toBeNull());
    expect(calls.some(({ method }) => method === "DELETE")).toBe(true);
    fireEvent.click(screen.getByLabelText("Remove a.pdf"));
    expect(screen.getAllByTestId("evidence-pending")).toHaveLength(1);
  }, 20_000);
});
