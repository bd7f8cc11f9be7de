/** A case offers what the server allows, and asks for what the action needs. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { Route, Routes } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { CaseDetail } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./detail.tsx";

const handled: CaseDetail = {
  id: 3,
  number: "TM-3",
  title: "Level above warning",
  description: "",
  state: "handled",
  severity: "major",
  alert_id: 5,
  entity_id: "urn:ngsi-ld:WaterObserved:1",
  location: [113.1, 30.6],
  organisation: { id: "water", name_zh: "水利局", name_en: "Water Bureau" },
  assignee: { id: 9, name: "Zhang" },
  created_at: "2026-11-23T22:00:00Z",
  created_by: "Li",
  updated_at: "2026-11-23T22:30:00Z",
  due_at: "2026-11-24T00:30:00Z",
  closed_at: null,
  category: null,
  town: null,
  grid: null,
  source: "staff",
  reporter: null,
  reporters: 1,
  parent_id: null,
  duplicate_of: null,
  case_due_at: null,
  extension_minutes: null,
  extensions: 0,
  supervised_until: null,
  suspended_at: null,
  suspended_until: null,
  escalation: 0,
  reopened: 0,
  left: null,
  parts: [],
  version: 6,
  assessment: null,
  workflow: "city-case",
  history: [
    {
      id: 5,
      organisation: null,
      assignee: null,
      late: false,
      at: "2026-11-23T22:30:00Z",
      actor: "Zhang",
      action: "finish",
      from_state: "handling",
      to_state: "handled",
      note: "gate closed",
      attachments: [4],
      detail: null,
    },
  ],
  attachments: [
    {
      id: 4,
      case_id: 12,
      event_id: 5,
      name: "gate.jpg",
      media_type: "image/jpeg",
      size_bytes: 2_048,
      sha256: "ab",
      uploaded_at: "2026-11-23T22:29:00Z",
      uploaded_by: "Zhang",
      taken_at: "2026-11-20T22:29:00Z",
      location: null,
      clock_off_s: -259_200,
      kind: "photo",
      accuracy_m: null,
      duration_ms: null,
      signed: null,
    },
  ],
  way: ["collected", "filed", "dispatched", "handling", "handled", "verified", "closed"],
  actions: ["verify", "reject", "comment"],
  allowed: [
    { action: "verify", needs: [], next: [] },
    { action: "reject", needs: ["note"], next: [] },
    { action: "comment", needs: ["note"], next: [] },
  ],
};
const page = (
  <Routes>
    <Route path="/cases/:id" element={<Page />} />
  </Routes>
);

describe("case", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("shows who did what, with the photo, and only the allowed actions", async () => {
    serve({ "GET /api/v1/cases/3": handled });
    show(page, { user: userWith(["case.read", "case.verify"]), path: "/cases/3" });
    expect(await screen.findByText("Level above warning")).toBeTruthy();
    expect(screen.getByText("gate closed")).toBeTruthy();
    expect(screen.getAllByText(/gate\.jpg/).length).toBeGreaterThan(0);
    expect(screen.getByText(/Water Bureau/)).toBeTruthy();
    const offered = [...document.querySelectorAll("[data-action]")].map((b) => b.getAttribute("data-action"));
    expect(offered).toEqual(["case.verify", "case.reject", "case.comment"]);
  });

  it("says what the catalogue says of its class, and its unit grid", async () => {
    serve({
      "GET /api/v1/cases/3": { ...handled, category: "B0102", grid: "429006001001001" },
      "GET /api/v1/cases/categories": {
        items: [
          {
            code: "B0102",
            kind: "part",
            major: "B01",
            major_zh: "公用设施",
            major_en: "Public utilities",
            title_zh: "污水井盖",
            title_en: "Sewer cover",
            organisation: "zhujian",
            workflow: "city-management",
            files_zh: "缺失",
            files_en: "Missing",
            closes_zh: "复位",
            closes_en: "In place",
            minutes: 240,
            calendar: "always",
            public: true,
          },
        ],
      },
      "GET /api/v1/cases/grids": { items: [{ code: "429006001001001", name: "Grid 1" }] },
      "GET /api/v1/organisations": {
        items: [{ id: "zhujian", name_zh: "住建局", name_en: "Housing Bureau" }],
      },
    });
    show(page, { user: userWith(["case.read"]), path: "/cases/3" });
    expect(await screen.findByText("B0102 Sewer cover")).toBeTruthy();
    expect(await screen.findByText("Grid 1 429006001001001")).toBeTruthy();
    expect(await screen.findByText("Housing Bureau")).toBeTruthy();
    expect(screen.getByText("In place")).toBeTruthy();
    expect(screen.getByText(/^4 h.*all hours$/)).toBeTruthy();
  });

  it("sends a case back only with a note, and with the version that was seen", async () => {
    const calls = serve({
      "GET /api/v1/cases/3": handled,
      "POST /api/v1/cases/3/actions": { ...handled, state: "handling", actions: [], allowed: [], version: 7 },
    });
    show(page, { user: userWith(["case.read", "case.verify"]), path: "/cases/3" });
    fireEvent.click(await screen.findByRole("button", { name: /Send back/ }));
    const submit = await screen.findByTestId("case-action-submit");
    fireEvent.click(submit);
    expect(await screen.findByText("Enter a note")).toBeTruthy();
    expect(calls.filter((call) => call.method === "POST")).toEqual([]);
    fireEvent.change(screen.getByLabelText("Note"), { target: { value: "the photo shows another gate" } });
    fireEvent.click(submit);
    await waitFor(() => expect(calls.some((call) => call.method === "POST")).toBe(true));
    expect(calls.find((call) => call.method === "POST")?.body).toEqual({
      action: "reject",
      note: "the photo shows another gate",
      version: 6,
    });
    expect((await screen.findAllByText("In handling")).length).toBeGreaterThan(0);
  });

  it("shows the way of the case's own workflow", async () => {
    const way = ["collected", "dispatched", "handling", "handled", "closed"];
    serve({ "GET /api/v1/cases/3": { ...handled, workflow: "flood-case", way } });
    show(page, { user: userWith(["case.read"]), path: "/cases/3" });
    await screen.findByText("Level above warning");
    expect(document.querySelectorAll(".way .ant-steps-item").length).toBe(5);
    expect(document.querySelectorAll(".way .ant-steps-item-finish").length).toBe(3);
  });

  it("shows the working time that is left, the whole case's and the marks of the case", async () => {
    const left = { calendar: "working-hours", running: true, seconds: 7_800, case_seconds: -3_600 };
    serve({
      "GET /api/v1/cases/3": {
        ...handled,
        left,
        case_due_at: "2026-11-24T00:30:00Z",
        supervised_until: "2026-11-24T08:00:00Z",
        extension_minutes: 60,
        reopened: 1,
        reporters: 3,
        parts: [{ ...handled, id: 4, number: "TM-3-1", left }],
      },
    });
    show(page, { user: userWith(["case.read"]), path: "/cases/3", language: "zh" });
    expect((await screen.findAllByText("剩余 2 小时 10 分 工作时间")).length).toBe(2);
    expect(screen.getByText("已超 1 小时 工作时间")).toBeTruthy();
    expect(screen.getByText(/督办，须在/)).toBeTruthy();
    expect(screen.getByText("申请延期 60 分，待决定")).toBeTruthy();
    expect(screen.getByText("已重开 1 次")).toBeTruthy();
    expect(screen.getByText("3 人反映")).toBeTruthy();
    expect(screen.getByText("TM-3-1")).toBeTruthy();
    expect(screen.getByText("照片时间与接收时间相差 3 天")).toBeTruthy();
  });

  it("asks for the minutes of an extension, and sends them", async () => {
    const calls = serve({
      "GET /api/v1/cases/3": {
        ...handled,
        actions: ["ask-extension"],
        allowed: [{ action: "ask-extension", needs: ["note", "minutes"] }],
      },
      "POST /api/v1/cases/3/actions": { ...handled, extension_minutes: 90 },
    });
    show(page, { user: userWith(["case.read", "case.handle"]), path: "/cases/3" });
    fireEvent.click(await screen.findByRole("button", { name: /Ask for an extension/ }));
    fireEvent.click(await screen.findByTestId("case-action-submit"));
    expect(await screen.findByText("Enter how many minutes")).toBeTruthy();
    fireEvent.change(screen.getByLabelText("Extension (minutes of working time)"), {
      target: { value: "90" },
    });
    fireEvent.change(screen.getByLabelText("Note"), { target: { value: "waiting for a part" } });
    fireEvent.click(screen.getByTestId("case-action-submit"));
    await waitFor(() => expect(calls.some((call) => call.method === "POST")).toBe(true));
    expect(calls.find((call) => call.method === "POST")?.body).toEqual({
      action: "ask-extension",
      minutes: 90,
      note: "waiting for a part",
      version: 6,
    });
  });

  it("tells whom the alert that it came from affects, to who may see alerts", async () => {
    const area = {
      id: "urn:ngsi-ld:FloodRiskArea:1",
      type: "FloodRiskArea",
      name: "雁叫低洼区",
      location: null,
      modified_at: "2026-11-23T22:00:00Z",
      attributes: {},
    };
    const affected = {
      entity_type: "FloodRiskArea",
      title_zh: "洪水风险区",
      title_en: "Flood risk area",
      value: 29.45,
      unit: "MTR",
      sums: { population: 1_240 },
      at_most: [],
      items: [{ from: 29, is_reached: true, entity: area }],
    };
    const answers = {
      "GET /api/v1/cases/3": handled,
      "GET /api/v1/alerts/5/affected": [affected],
      "GET /api/v1/types": { items: [] },
    };
    serve(answers);
    const shown = show(page, { user: userWith(["case.read", "alert.read"]), path: "/cases/3" });
    const found = await screen.findByTestId("affected");
    expect(found.textContent).toContain("population 1,240");
    expect(screen.getByRole("link", { name: "雁叫低洼区" })).toBeTruthy();
    shown.unmount();
    const calls = serve(answers);
    show(page, { user: userWith(["case.read"]), path: "/cases/3" });
    await screen.findByText("Level above warning");
    expect(calls.some(({ path }) => path.includes("affected"))).toBe(false);
  });

  it("says that a case is not there", async () => {
    serve({});
    show(page, { user: userWith(["case.read"]), path: "/cases/3" });
    expect(await screen.findByText("Not found")).toBeTruthy();
  });
});
