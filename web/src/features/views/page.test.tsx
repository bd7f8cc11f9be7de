/** Forms and boards of packs (registers: register.test.tsx): fields from the declaration, what is sent, columns and moves, and who may do neither. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { Route, Routes } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Entity, EntityType, PackView, ViewField } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { columnsOf } from "./board.tsx";
import { localMinute, momentOf } from "./form.tsx";
import { Page } from "./page.tsx";
import { ngsiLd } from "./queries.ts";

const attribute = (value: string, title_en: string, more = {}) => ({
  value,
  title_zh: title_en,
  title_en,
  unit: null,
  unit_missing: "assume",
  min: null,
  max: null,
  personal: null,
  words: [],
  ...more,
});
const field = (attribute: string, more: Partial<ViewField> = {}): ViewField => ({
  attribute,
  required: false,
  choices: [],
  from: [],
  list: false,
  ...more,
});
const view: PackView = {
  id: "pumps",
  title_zh: "泵",
  title_en: "Pumps",
  entity_type: "Pump",
  order: 1,
  layer: null,
  table: null,
  chart: null,
  form: {
    new: true,
    fields: [field("level", { required: true }), field("note"), field("power")],
  },
  board: null,
};
const choice = (value: string, title_en: string) => ({ value, title_zh: title_en, title_en });
const board = {
  attribute: "status",
  columns: [choice("ok", "In order"), choice("broken", "Broken")],
  card: ["level", "power", "remote"],
  moves: true,
};
const word = (value: string, title_zh: string, title_en: string) => ({ value, title_zh, title_en });
const caseBoard = {
  id: "pump-cases",
  title_zh: "泵案件",
  title_en: "Pump cases",
  order: 9,
  workflow: "pump-case",
  workflow_zh: "泵处置",
  workflow_en: "Pump case",
  category: "B0901",
  columns: [
    { name: "at-works", title_zh: "送修", title_en: "At the works" },
    { name: "handling", title_zh: "在修", title_en: "Being mended" },
  ],
};
const kind = {
  name: "Pump",
  title_zh: "泵",
  title_en: "Pump",
  source: null,
  open: true,
  data_subject: null,
  heard_within_seconds: null,
  count: 2,
  view: null,
  views: [view, { ...view, id: "pump-board", title_en: "Pump board", form: null, board }],
  attributes: {
    level: attribute("number", "Level", { unit: "MTR", min: 0, max: 10 }),
    note: attribute("text", "Note"),
    status: attribute("text", "Status"),
    power: attribute("text", "Power", { words: [word("off", "停", "Stopped"), word("on", "转", "Running")] }),
    remote: attribute("boolean", "Remote", { words: [word("true", "远控", "By remote")] }),
  },
} as unknown as EntityType;
const pump = (id: string, status: string) =>
  ({
    id: `urn:ngsi-ld:Pump:${id}`,
    type: "Pump",
    name: id,
    modified_at: "2026-01-01T00:00:00Z",
    attributes: {
      status: { value: status, unit: null },
      level: { value: 2, unit: "MTR" },
      power: { value: "off", unit: null },
      remote: { value: true, unit: null },
    },
  }) as unknown as Entity;
const ENTRIES = (view: string) => `POST /api/v1/views/${view}/entries`;
const answers = {
  "GET /api/v1/types": { items: [kind] },
  "GET /api/v1/packs": { items: [] },
  "GET /api/v1/cases/boards": { items: [caseBoard] },
  "GET /api/v1/entities": { items: [pump("a", "ok"), pump("b", "broken"), pump("c", "lent")], next: null },
  [ENTRIES("pumps")]: { entity_id: "urn:ngsi-ld:Pump:7", refused: [] },
  [ENTRIES("pump-board")]: { entity_id: "urn:ngsi-ld:Pump:a", refused: [] },
};
const writer = userWith(["entity.read", "data.enter"], "operator");
const pages = (
  <Routes>
    <Route path="/views" element={<Page />} />
    <Route path="/views/:id" element={<Page />} />
  </Routes>
);
const sent = (calls: ReturnType<typeof serve>) => calls.filter((call) => call.method === "POST");

describe("pages of packs", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("lists forms and boards, and says when there are none", async () => {
    serve(answers);
    const shown = show(pages, { user: writer, path: "/views" });
    expect(await screen.findByText("Pump board")).toBeTruthy();
    expect(screen.queryByText("Pump cases")).toBeNull();
    shown.unmount();
    serve({ "GET /api/v1/types": { items: [{ ...kind, views: [] }] }, "GET /api/v1/packs": { items: [] } });
    show(pages, { user: writer, path: "/views" });
    expect(await screen.findByText("No registers, forms or boards")).toBeTruthy();
  }, 20_000);

  it("takes a list of codes, and finds another entity by its name", async () => {
    const area = {
      ...kind,
      name: "Area",
      attributes: {
        villages: attribute("json", "Villages"),
        station: attribute("relationship", "Station"),
      },
      views: [
        {
          ...view,
          id: "areas",
          entity_type: "Area",
          form: {
            new: true,
            fields: [field("villages", { list: true }), field("station", { from: ["Pump"] })],
          },
        },
      ],
    };
    const calls = serve({
      ...answers,
      "GET /api/v1/types": { items: [area] },
      [ENTRIES("areas")]: { entity_id: "urn:ngsi-ld:Area:7", refused: [] },
    });
    show(pages, { user: writer, path: "/views/areas" });
    fireEvent.change(await screen.findByLabelText("Code"), { target: { value: "7" } });
    // Typed or pasted: parted by whatever people part codes with.
    const villages = screen.getByLabelText("Villages");
    fireEvent.change(villages, { target: { value: "429006107254，429006107255 " } });
    expect(await screen.findByText("429006107255")).toBeTruthy();
    const station = screen.getByLabelText("Station");
    fireEvent.mouseDown(station);
    fireEvent.change(station, { target: { value: "b" } });
    fireEvent.click(await screen.findByText("urn:ngsi-ld:Pump:b"));
    const asked = calls.map((call) => call.path).filter((path) => path.startsWith("/api/v1/entities?"));
    expect(asked.some((path) => path.includes("type=Pump") && path.includes("q=b"))).toBe(true);
    fireEvent.click(screen.getByRole("button", { name: /Send/ }));
    await waitFor(() => expect(sent(calls)).toHaveLength(1));
    expect(sent(calls)[0]?.body).toMatchObject({
      id: "urn:ngsi-ld:Area:7",
      villages: { type: "JsonProperty", json: ["429006107254", "429006107255"] },
      station: { type: "Relationship", object: "urn:ngsi-ld:Pump:b" },
    });
  }, 20_000);

  it("offers to take files in to who may enter values", async () => {
    serve({ ...answers, "GET /api/v1/intakes": { items: [] } });
    const shown = show(pages, { user: writer, path: "/views" });
    fireEvent.click(await screen.findByRole("button", { name: /Take readings in/ }));
    expect(await screen.findByText("Readings and registers by a standard table")).toBeTruthy();
    shown.unmount();
    show(pages, { user: userWith(["entity.read"], "field"), path: "/views" });
    expect(await screen.findByText("Pump board")).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Take readings in/ })).toBeNull();
  }, 20_000);

  it("sends what was entered in the declared unit, and nothing that is missing", async () => {
    const calls = serve(answers);
    show(pages, { user: writer, path: "/views/pumps" });
    const send = await screen.findByRole("button", { name: /Send/ });
    fireEvent.click(send);
    expect(await screen.findByText("Level is needed")).toBeTruthy();
    expect(sent(calls)).toEqual([]);
    fireEvent.change(screen.getByLabelText("Code"), { target: { value: "7" } });
    // Outside the credible range: said, and sent all the same.
    fireEvent.change(screen.getByLabelText("Level"), { target: { value: "12" } });
    fireEvent.change(screen.getByLabelText(/Time of the reading/), { target: { value: "2026-07-01T08:00" } });
    fireEvent.click(send);
    await waitFor(() => expect(sent(calls)).toHaveLength(1));
    expect(sent(calls)[0]?.body).toEqual({
      id: "urn:ngsi-ld:Pump:7",
      type: "Pump",
      level: { type: "Property", value: 12, unitCode: "MTR", observedAt: "2026-07-01T00:00:00.000Z" },
    });
  }, 20_000);

  it("says what the server refused of an entity", async () => {
    const refused = {
      entity_id: "urn:ngsi-ld:Pump:7",
      refused: [{ code: "wrong-type", detail: "the value is text" }],
    };
    serve({ ...answers, [ENTRIES("pumps")]: refused });
    show(pages, { user: writer, path: "/views/pumps" });
    fireEvent.change(await screen.findByLabelText("Code"), { target: { value: "7" } });
    fireEvent.change(screen.getByLabelText("Level"), { target: { value: "1" } });
    fireEvent.click(screen.getByRole("button", { name: /Send/ }));
    expect(await screen.findByText(/the value is text/)).toBeTruthy();
  }, 20_000);

  it("moves a card, and offers it to nobody who may not", async () => {
    const calls = serve(answers);
    const shown = show(pages, { user: writer, path: "/views/pump-board" });
    const first = await screen.findByRole("region", { name: "In order" });
    expect(within(screen.getByRole("region", { name: "Other" })).getByText("c")).toBeTruthy();
    fireEvent.click(within(first).getByRole("button", { name: "Move to the column on the right" }));
    await waitFor(() => expect(sent(calls)).toHaveLength(1));
    expect(sent(calls)[0]?.body).toMatchObject({
      id: "urn:ngsi-ld:Pump:a",
      status: { type: "Property", value: "broken" },
    });
    const second = screen.getByRole("region", { name: "Broken" });
    expect(await within(second).findByText("a")).toBeTruthy();
    shown.unmount();
    serve(answers);
    show(pages, { user: userWith(["entity.read"], "viewer"), path: "/views/pump-board" });
    await screen.findByRole("region", { name: "In order" });
    expect(screen.queryByRole("button", { name: /Move/ })).toBeNull();
  }, 20_000);

  it("says values in the words of the pack, on cards and in forms, in both languages", async () => {
    serve(answers);
    const shown = show(pages, { user: writer, path: "/views/pump-board", language: "zh" });
    const first = await screen.findByRole("region", { name: "In order" });
    expect(first.textContent).toContain("Power 停");
    expect(first.textContent).toContain("Remote 远控");
    expect(first.textContent).not.toContain("off");
    shown.unmount();
    serve(answers);
    show(pages, { user: writer, path: "/views/pumps" });
    fireEvent.mouseDown(await screen.findByLabelText("Power"));
    expect(await screen.findByTitle("Stopped")).toBeTruthy();
    expect(screen.getByTitle("Running")).toBeTruthy();
  }, 20_000);

  it("says how many entities are not loaded, and loads them", async () => {
    const page = (ids: string[], next: string | null) => ({ items: ids.map((id) => pump(id, "ok")), next });
    const calls = serve({
      ...answers,
      "GET /api/v1/types": { items: [{ ...kind, count: 3 }] },
      "GET /api/v1/entities": ({ path }: { path: string }) => {
        const after = new URL(path, "http://city").searchParams.get("after");
        if (after === "a") return page(["b"], "b");
        return after === "b" ? page(["c"], null) : page(["a"], "a");
      },
    });
    show(pages, { user: writer, path: "/views/pump-board" });
    expect(await screen.findByText(/1 of 3 are loaded/)).toBeTruthy();
    const column = screen.getByRole("region", { name: "In order" });
    expect(within(column).getByText("1 loaded")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: /Load all/ }));
    expect(await within(column).findByText("3 in all")).toBeTruthy();
    expect(screen.queryByText(/are loaded/)).toBeNull();
    expect(calls.filter((call) => call.path.startsWith("/api/v1/entities"))).toHaveLength(3);
  }, 20_000);

  it("shows more cards of a long column when they are asked for", async () => {
    const many = Array.from({ length: 60 }, (_, n) => pump(`p${n}`, "ok"));
    serve({ ...answers, "GET /api/v1/entities": { items: many, next: null } });
    show(pages, { user: writer, path: "/views/pump-board" });
    const column = await screen.findByRole("region", { name: "In order" });
    expect(within(column).getAllByRole("listitem")).toHaveLength(50);
    fireEvent.click(within(column).getByRole("button", { name: /Show 10 more/ }));
    expect(within(column).getAllByRole("listitem")).toHaveLength(60);
  }, 20_000);

  it("shows a pack's board of cases to who may see cases, in the workflow's words and the board's order", async () => {
    const column = (name: string, title_en: string) => ({
      step: "handle",
      state: { name, title_zh: name, title_en },
      count: 0,
      overdue: 0,
      cases: [],
      next: null,
    });
    const columns = [
      column("new", "New"),
      column("handling", "Being mended"),
      column("at-works", "At the works"),
    ];
    const board = { columns, count_max: 1_000, workflows: [] };
    const calls = serve({ ...answers, "GET /api/v1/cases/board": board });
    const officer = userWith(["entity.read", "case.read"], "duty_officer");
    const shown = show(pages, { user: officer, path: "/views" });
    fireEvent.click(await screen.findByText("Pump cases"));
    await screen.findByRole("region", { name: "At the works" });
    const regions = screen.getAllByRole("region").map((region) => region.getAttribute("aria-label"));
    expect(regions).toEqual(["At the works", "Being mended"]);
    const asked = calls.find((call) => call.path.startsWith("/api/v1/cases/board?"))?.path.split("?")[1];
    expect(Object.fromEntries(new URLSearchParams(asked))).toEqual({
      workflow: "pump-case",
      category: "B0901",
    });
    shown.unmount();
    serve(answers);
    show(pages, { user: writer, path: "/views/pump-cases" });
    expect(await screen.findByText("There is no such page")).toBeTruthy();
  }, 20_000);

  it("counts each entity once, the rest in a last column only when there is any", () => {
    const columns = columnsOf(board, [pump("a", "ok"), pump("b", "lent")]);
    expect(columns.map((c) => [c.value, c.entities.length])).toEqual([
      ["ok", 1],
      ["broken", 0],
      [null, 1],
    ]);
    expect(columnsOf(board, [])).toHaveLength(2);
  });

  it("knows the city's clock and the forms of values", () => {
    expect(momentOf("2026-07-01T08:00")).toBe("2026-07-01T00:00:00.000Z");
    expect(localMinute(Date.parse("2026-06-30T16:05:00Z"))).toBe("2026-07-01T00:05");
    expect(momentOf("")).toBeNull();
    const said = ngsiLd("urn:x:1", kind, { level: 0, note: "", status: undefined }, "2026-01-01T00:00:00Z");
    expect(Object.keys(said)).toEqual(["id", "type", "level"]);
  });
});
