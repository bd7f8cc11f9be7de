/** The page tells what stands in the way and keeps what became of each step on the screen. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Enclosures, LIMITS } from "./enclosures.tsx";
import type { Enclosure, Outbox, Step } from "./outbox.ts";
import { Report } from "./report.tsx";
import { SignaturePad } from "./signature.tsx";
import { Steps } from "./steps.tsx";

const step = (changes: Partial<Step>): Step => ({
  requestId: "r-1",
  caseId: 1,
  number: "TM-1",
  title: "Cover missing",
  action: "finish",
  note: "filled the hole",
  enclosures: [],
  doneAt: "2026-11-20T08:00:00Z",
  order: 1,
  attempts: 0,
  waited: true,
  answer: null,
  ...changes,
});
const outboxOf = (calls: unknown[]) =>
  ({
    state: (of: Step) => (of.answer ? { kind: "answered", answer: of.answer } : { kind: "queued" }),
    seen: (id: string) => calls.push(["seen", id]),
    remark: (id: string, note: string) => calls.push(["remark", id, note]),
  }) as unknown as Outbox;
const closed = {
  number: "TM-1",
  state: "closed",
  closedAt: "2026-11-24T01:00:00Z",
  organisation: { zh: "水利局", en: "Water Bureau" },
  assignee: "Wang",
  last: { actor: "Li", action: "close", at: "2026-11-24T01:00:00Z" },
  takesRemarks: true,
};

describe("field page", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("says how a case stands whose step came too late, and hands the work in as a remark", () => {
    const calls: unknown[] = [];
    const said = { detail: "TM-1 is closed: finish is not possible now", place: null, mend: null };
    const answer = {
      kind: "refused" as const,
      at: "2026-11-27T00:00:00Z",
      code: "case-state",
      said,
      chinese: null,
      now: closed,
    };
    show(<Steps steps={[step({ answer })]} outbox={outboxOf(calls)} named />);
    expect(screen.getByText("Cover missing")).toBeTruthy();
    expect(screen.getByText(/finish is not possible now/)).toBeTruthy();
    expect(screen.getByText(/Water Bureau · Wang/)).toBeTruthy();
    expect(screen.getByText(/Li: Close/)).toBeTruthy();
    fireEvent.click(screen.getByTestId("field-remark"));
    expect(calls).toEqual([
      ["remark", "r-1", expect.stringMatching(/^Handed in late \(Finish.*\nfilled the hole$/s)],
    ]);
  });

  it("offers no remark for a case that may not be seen, and keeps the words on the screen", () => {
    const answer = {
      kind: "refused" as const,
      at: "",
      code: "not-found",
      said: null,
      chinese: null,
      now: null,
    };
    show(<Steps steps={[step({ answer })]} outbox={outboxOf([])} />);
    expect(screen.getByText(/tell the duty officer/)).toBeTruthy();
    expect(screen.getByText("filled the hole")).toBeTruthy();
    expect(screen.queryByTestId("field-remark")).toBeNull();
  });

  it("keeps a good answer until it was seen", () => {
    const calls: unknown[] = [];
    const answer = {
      kind: "done" as const,
      at: "2026-11-27T00:00:00Z",
      code: null,
      said: null,
      chinese: null,
      now: closed,
    };
    show(<Steps steps={[step({ answer })]} outbox={outboxOf(calls)} />);
    fireEvent.click(screen.getByTestId("field-seen"));
    expect(calls).toEqual([["seen", "r-1"]]);
  });

  it("tells of a phone without a microphone, and takes a photo without a place", async () => {
    serve({});
    let kept: Enclosure[] = [];
    show(
      <Enclosures
        enclosures={[]}
        limits={LIMITS}
        wantsSignature={false}
        onChange={(next) => {
          kept = next(kept);
        }}
      />,
      { user: userWith(["case.handle"], "field") },
    );
    fireEvent.click(screen.getByTestId("field-voice"));
    expect(await screen.findByText(/no microphone that can be used/)).toBeTruthy();
    const file = new File(["x"], "a.jpg", { type: "image/jpeg", lastModified: Date.now() });
    fireEvent.change(screen.getByTestId("field-photo"), { target: { files: [file] } });
    await waitFor(() =>
      expect(kept.map((e) => [e.kind, e.name, e.spot])).toEqual([["photo", "a.jpg", undefined]]),
    );
    expect(await screen.findByText(/no place to give/)).toBeTruthy();
  });

  it("reports a problem with its class, words and photo, and says what is missing", async () => {
    const made = { id: 7, number: "TM-7", title: "Sewage from an outfall", alert_id: null };
    const classes = [
      {
        code: "S5005",
        major: "S50",
        major_zh: "河湖管护",
        major_en: "Rivers and lakes",
        title_zh: "污水直排",
        title_en: "Sewage from an outfall",
        files_zh: "排污口异常",
        files_en: "The outfall looks wrong",
      },
    ];
    const calls = serve({
      "GET /api/v1/cases/categories": { items: classes },
      "GET /api/v1/cases/limits": { ...LIMITS, now: new Date().toISOString() },
      "POST /api/v1/cases": made,
    });
    const drafts = new Map<number, { note: string; enclosures: Enclosure[] }>();
    const told: unknown[] = [];
    const outbox = {
      draftOf: (id: number) => drafts.get(id),
      draft: async (id: number, note: string, enclosures: Enclosure[]) => {
        if (note === "" && enclosures.length === 0) drafts.delete(id);
        else drafts.set(id, { note, enclosures });
      },
      send: async (of: { id: number }, action: string) => told.push([of.id, action, drafts.get(of.id)]),
    } as unknown as Outbox;
    drafts.set(0, {
      note: "black water",
      enclosures: [
        { kind: "photo", name: "a.jpg", blob: new Blob(["x"]), spot: { lon: 113.1, lat: 30.7, accuracy: 8 } },
      ],
    });
    show(<Report outbox={outbox} />, { user: userWith(["case.open", "case.handle"], "operator") });
    const send = () => fireEvent.click(document.querySelector("[data-action='report.send']") as HTMLElement);
    await screen.findByTestId("field-report-form");
    send();
    expect((await screen.findByRole("alert")).textContent).toBe("Choose a class");
    fireEvent.mouseDown(screen.getByRole("combobox", { name: "Class" }));
    fireEvent.click(await screen.findByText("S5005 Sewage from an outfall"));
    expect(await screen.findByText("The outfall looks wrong")).toBeTruthy();
    send();
    await waitFor(() => expect(told.length).toBe(1));
    const { body } = calls.find((call) => call.method === "POST") ?? {};
    expect(body).toMatchObject({
      title: "Sewage from an outfall",
      category: "S5005",
      description: "black water",
      location: [113.1, 30.7],
    });
    expect(told[0]).toMatchObject([7, "comment", { note: "black water" }]);
    expect(drafts.has(0)).toBe(false);
  });

  it("offers no report to who may open no case", () => {
    const outbox = { draftOf: () => undefined } as unknown as Outbox;
    show(<Report outbox={outbox} />, { user: userWith(["case.handle"], "field") });
    expect(screen.queryByTestId("field-report")).toBeNull();
  });

  it("asks who signs and as what before it takes a signature", () => {
    show(<SignaturePad limits={LIMITS} onDone={() => expect.unreachable()} />);
    fireEvent.click(screen.getByTestId("field-sign-done"));
    expect(screen.getByRole("alert").textContent).toMatch(/name of who signs/);
    fireEvent.change(screen.getByTestId("field-signer"), { target: { value: "Wang" } });
    fireEvent.click(screen.getByTestId("field-sign-done"));
    expect(screen.getByRole("alert").textContent).toMatch(/as what they sign/);
  });
});
