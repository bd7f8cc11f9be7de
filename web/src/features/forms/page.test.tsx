/** The pages of forms: what is known stands filled in with its source and is not asked, what is asked is checked and sent, and the burden is counted. */
import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { Route, Routes } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import type {
  FormBurden,
  FormBurdenOfDivision,
  FormDetail,
  FormDispute,
  FormField,
  FormItem,
  Forms,
} from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page as FormPage } from "./detail.tsx";
import { Page } from "./page.tsx";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const item: FormItem = {
  id: "town-charging",
  title_zh: "充电设施年报",
  title_en: "Return on charging",
  basis_zh: "规划",
  basis_en: "The plan",
  asked_by: { id: "fagai", name_zh: "市发改委", name_en: "Plan office" },
  of: "town",
  every: "year",
  due_days: 30,
  fields: 3,
  asked: 2,
  filled: 1,
  period: "2025",
  due_on: "2026-01-30",
  expected: 28,
  handed_in: 3,
  late: 25,
};
const town = { code: "429006001", name: "竟陵街道", town: null };
const forms: Forms = {
  today: "2026-06-01",
  items: [item],
  due: [
    {
      form: item.id,
      title_zh: item.title_zh,
      title_en: item.title_en,
      period: "2025",
      division: town,
      state: "returned",
      due_on: "2026-01-30",
      is_late: true,
      asked: 2,
      filled: 1,
      returned_why: "count again",
    },
  ],
  reaches_all: false,
  may_fill: true,
};
const field: FormField = {
  element: "town-scooter-charging",
  name_zh: "充电口",
  name_en: "Sockets",
  definition_zh: "口",
  definition_en: "sockets set up together",
  datatype: "integer",
  unit_zh: "个",
  unit_en: "sockets",
  ask: true,
  required: true,
  min: 0,
  max: 100,
  help_zh: "",
  help_en: "",
  value: null,
  source: null,
  last: null,
  dispute: null,
  may_dispute: false,
};
const known: FormField = {
  ...field,
  element: "town-charging-points",
  name_en: "Charge points",
  ask: false,
  required: false,
  min: null,
  max: null,
  value: 12,
  source: {
    kind: "indicator",
    title_zh: "充电桩",
    title_en: "Charge points of the city",
    indicator: "charging-points",
    form: null,
    period: null,
    sql: "SELECT 1",
    place: "pack-plan/indicators/t1-charging-points.sql:50",
    at: "2026-06-01T00:00:00Z",
    problem: null,
  },
};
const detail: FormDetail = {
  form: item,
  period: "2025",
  first: "2025-01-01",
  last: "2025-12-31",
  due_on: "2026-01-30",
  is_late: true,
  division: town,
  state: "none",
  version: null,
  fields: [
    known,
    field,
    { ...field, element: "town-covered", name_en: "Covered", datatype: "boolean", min: null, max: null },
  ],
  by: null,
  changed_at: null,
  submitted_at: null,
  returned_by: null,
  returned_why: null,
  may_fill: true,
  may_return: false,
  history: [],
};
const clerk = userWith(["indicator.read", "indicator.report"], "operator");
const PATH = "/forms/town-charging/429006001/2025";
const API = "/api/v1/forms/town-charging/429006001/2025";
const pages = (
  <Routes>
    <Route path="/forms/:id/:division/:period" element={<FormPage />} />
  </Routes>
);

describe("the forms that are due", () => {
  it("lists those of one's town, with why one came back, and leads to each", async () => {
    serve({ "GET /api/v1/forms": forms });
    show(<Page />, { user: clerk });
    const due = await screen.findByTestId("form-due");
    expect(due.getAttribute("href")).toBe(PATH);
    expect(due.textContent).toContain("count again");
    expect(due.textContent).toContain("2 to write, 1 filled in");
    expect(screen.getByTestId("form-item").textContent).toContain("3 of 28 handed in, 25 late");
  });

  it("says so when all is handed in, and when there is nothing at all", async () => {
    serve({ "GET /api/v1/forms": { ...forms, due: [] } });
    const { unmount } = show(<Page />, { user: clerk });
    expect(await screen.findByText("All is handed in")).toBeTruthy();
    unmount();
    serve({ "GET /api/v1/forms": { ...forms, items: [], due: [] } });
    show(<Page />, { user: clerk });
    expect(await screen.findByText("There are no forms")).toBeTruthy();
  });
});

describe("a form", () => {
  it("shows what is known with its source, asks the rest, and sends only that", async () => {
    const calls = serve({
      [`GET ${API}`]: detail,
      [`POST ${API}/submit`]: {
        ...detail,
        state: "submitted",
        version: 0,
        submitted_at: "2026-06-01T00:00:00Z",
        by: "Wu",
      },
    });
    show(pages, { user: clerk, path: PATH });
    const row = await screen.findByTestId("known-town-charging-points");
    expect(row.textContent).toContain("12 sockets");
    expect(screen.getByText("Indicator: Charge points of the city").getAttribute("href")).toBe(
      "/plan/charging-points",
    );
    expect(row.querySelector("input")).toBeNull();
    // What must be written is not left out, and numbers are in their range.
    const send = () => fireEvent.click(screen.getByText("Hand in"));
    send();
    await waitFor(() => expect(screen.getAllByText("Write it; 0 for none")).toHaveLength(2));
    const sockets = screen.getByLabelText("Sockets");
    fireEvent.change(sockets, { target: { value: "101" } });
    expect(await screen.findByText("Write a number from 0 to 100")).toBeTruthy();
    fireEvent.change(sockets, { target: { value: "30" } });
    fireEvent.click(screen.getByText("Yes"));
    send();
    await waitFor(() => expect(calls.some(({ method }) => method === "POST")).toBe(true));
    expect(calls.find(({ method }) => method === "POST")?.body).toEqual({
      values: { "town-scooter-charging": 30, "town-covered": true },
      version: null,
      reason: null,
    });
    expect(await screen.findByTestId("form-submitted")).toBeTruthy();
  });

  it("saves what is not whole yet", async () => {
    const calls = serve({
      [`GET ${API}`]: detail,
      [`PUT ${API}`]: { ...detail, state: "draft", version: 0 },
    });
    show(pages, { user: clerk, path: PATH });
    fireEvent.change(await screen.findByLabelText("Sockets"), { target: { value: "7" } });
    fireEvent.click(screen.getByText("Save"));
    await waitFor(() => expect(calls.some(({ method }) => method === "PUT")).toBe(true));
    expect(calls.find(({ method }) => method === "PUT")?.body).toEqual({
      values: { "town-scooter-charging": 7, "town-covered": null },
      version: null,
    });
  });

  it("is looked at by who may not write it", async () => {
    serve({ [`GET ${API}`]: { ...detail, may_fill: false } });
    show(pages, { user: clerk, path: PATH });
    expect(
      await screen.findByText("Your organisation does not answer for this place; you can look."),
    ).toBeTruthy();
    expect(screen.queryByLabelText("Sockets")).toBeNull();
    expect(screen.queryByText("Hand in")).toBeNull();
  });

  it("says what failed", async () => {
    serve({});
    show(pages, { user: clerk, path: PATH });
    expect(await screen.findByText("Not found")).toBeTruthy();
  });
});

describe("a value that is held wrong", () => {
  const dispute: FormDispute = {
    case_id: 7,
    number: "AJ-20260601-0007",
    state: "handled",
    is_open: true,
    due_at: "2026-06-03T00:00:00Z",
    closed_at: null,
    element: known.element,
    name_zh: known.name_zh,
    name_en: known.name_en,
    unit_zh: "个",
    unit_en: "sockets",
    form: item.id,
    title_zh: item.title_zh,
    title_en: item.title_en,
    period: "2025",
    division: town,
    organisation: item.asked_by,
    shown: 12,
    stated: 13,
    why: "one is missing",
    by: "Wu",
    at: "2026-06-01T00:00:00Z",
    answer: "added it",
    may_settle: true,
  };
  const withField = (more: Partial<FormField>): FormDetail => ({
    ...detail,
    fields: [{ ...known, ...more }, field],
  });

  it("is stated with why, and goes to who answers for the source", async () => {
    const calls = serve({
      [`GET ${API}`]: withField({ may_dispute: true }),
      [`POST ${API}/disputes`]: withField({ dispute }),
    });
    show(pages, { user: clerk, path: PATH });
    fireEvent.click(await screen.findByText("Dispute"));
    const right = await screen.findByLabelText("What is right");
    fireEvent.click(screen.getByTestId("dispute-send"));
    expect(await screen.findByText("Say why")).toBeTruthy();
    fireEvent.change(right, { target: { value: "13" } });
    fireEvent.change(screen.getByLabelText("Why"), { target: { value: "one is missing" } });
    fireEvent.click(screen.getByTestId("dispute-send"));
    await waitFor(() => expect(calls.some(({ method }) => method === "POST")).toBe(true));
    expect(calls.find(({ method }) => method === "POST")?.body).toEqual({
      element: known.element,
      value: 13,
      why: "one is missing",
    });
  });

  it("stands with both values and the answer, which is accepted", async () => {
    const calls = serve({
      [`GET ${API}`]: withField({ dispute }),
      "POST /api/v1/forms/disputes/7": { ...dispute, state: "closed", is_open: false },
    });
    show(pages, { user: clerk, path: PATH });
    const note = await screen.findByTestId(`dispute-${known.element}`);
    expect(note.textContent).toContain("Filled in 12 sockets; held right: 13 sockets");
    expect(note.textContent).toContain("Answer: added it");
    expect(screen.queryByText("Withdraw")).toBeNull();
    fireEvent.click(screen.getByText("Accept"));
    await waitFor(() => expect(calls.some(({ method }) => method === "POST")).toBe(true));
    expect(calls.find(({ method }) => method === "POST")?.body).toEqual({ step: "accept", note: "" });
  });

  it("is taken back with a reason while there is no answer", async () => {
    const calls = serve({
      [`GET ${API}`]: withField({ dispute: { ...dispute, state: "handling", answer: null } }),
      "POST /api/v1/forms/disputes/7": { ...dispute, state: "cancelled", is_open: false },
    });
    show(pages, { user: clerk, path: PATH });
    fireEvent.click(await screen.findByText("Withdraw"));
    fireEvent.change(await screen.findByLabelText("Why"), { target: { value: "we miscounted" } });
    fireEvent.click(screen.getByTestId("dispute-step"));
    await waitFor(() => expect(calls.some(({ method }) => method === "POST")).toBe(true));
    expect(calls.find(({ method }) => method === "POST")?.body).toEqual({
      step: "withdraw",
      note: "we miscounted",
    });
  });

  it("is listed for everybody, and a slow source says so", async () => {
    serve({ "GET /api/v1/forms": forms, "GET /api/v1/forms/disputes": { items: [dispute], open: 1 } });
    const { unmount } = show(<Page />, { user: clerk, path: "/forms?view=disputes" });
    expect((await screen.findByTestId(`dispute-${known.element}`)).textContent).toContain("one is missing");
    unmount();
    const problem = { code: "element-late", what: "10 s", place: "p:1", mend: "later" };
    const late = known.source && { ...known.source, problem };
    serve({ [`GET ${API}`]: withField({ value: null, source: late }) });
    show(pages, { user: clerk, path: PATH });
    expect(await screen.findByText("The source did not answer in time")).toBeTruthy();
  });
});

describe("what was written before", () => {
  it("is taken over where nothing changed", async () => {
    const last = { period: "2024", value: 30 };
    serve({ [`GET ${API}`]: { ...detail, fields: [known, { ...field, last }] } });
    show(pages, { user: clerk, path: PATH });
    expect(await screen.findByText(/Before \(2024\): 30 sockets/)).toBeTruthy();
    fireEvent.click(screen.getByText("Take over"));
    await waitFor(() => expect((screen.getByLabelText("Sockets") as HTMLInputElement).value).toBe("30"));
  });
});

describe("the burden", () => {
  it("puts the town that writes most first, and opens its villages", async () => {
    const of = (code: string, name: string, asked: number): FormBurdenOfDivision => ({
      code,
      name,
      villages: 2,
      forms: 1,
      fields: 3,
      asked: 2,
      filled: 1,
      unknown_now: 0,
      returns_a_year: 3,
      cells_a_year: 100,
      asked_a_year: asked,
      filled_a_year: 100 - asked,
      saved: (100 - asked) / 100,
      due: 3,
      handed_in: 1,
      late: 2,
    });
    const burden: FormBurden = {
      today: "2026-06-01",
      forms: [
        {
          id: item.id,
          title_zh: item.title_zh,
          title_en: item.title_en,
          of: "town",
          times_a_year: 1,
          divisions: 28,
          fields: 3,
          asked: 2,
          filled: 1,
          cells_a_year: 84,
          asked_a_year: 56,
        },
      ],
      towns: [of("429006001", "竟陵街道", 40), of("429006100", "多宝镇", 70)],
      villages: [],
      cells_a_year: 200,
      asked_a_year: 110,
      filled_a_year: 90,
      saved: 0.45,
    };
    const calls = serve({ "GET /api/v1/forms": forms, "GET /api/v1/forms/burden": burden });
    show(<Page />, { user: clerk, path: "/forms?view=burden" });
    expect((await screen.findByTestId("burden-figure")).textContent).toBe("110 cells to write in a year");
    expect(screen.getByText("90 of 200 cells are filled in: 45% less to write")).toBeTruthy();
    const towns = screen.getAllByTestId("burden-town");
    expect(towns.map((one) => one.textContent)).toEqual(["多宝镇", "竟陵街道"]);
    fireEvent.click(towns[0] as HTMLElement);
    await waitFor(() => expect(calls.some(({ path }) => path.endsWith("burden?town=429006100"))).toBe(true));
  });
});
