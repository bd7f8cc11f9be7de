/** Registers on the page: their states, marks, filter, order, paging, keyboard, tabs, and what is taken along. */
import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { Route, Routes, useLocation } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import { live } from "../../lib/live.ts";
import type { Alert, Entity, EntityType, Pack, PackView } from "../../lib/types.ts";
import { type Call, serve, show, userWith } from "../../test-tools.tsx";
import { groupsOf, Page } from "./page.tsx";
import type { PackPage } from "./queries.ts";
import { withRows } from "./register.tsx";

const declared = (value: string, title_zh: string, title_en: string, more = {}) => ({
  value,
  title_zh,
  title_en,
  unit: null,
  unit_missing: "assume",
  min: null,
  max: null,
  personal: null,
  words: [],
  ...more,
});
const view = (id: string, title_zh: string, title_en: string, more: Partial<PackView>): PackView => ({
  id,
  title_zh,
  title_en,
  entity_type: "Sluice",
  order: 1,
  layer: null,
  table: null,
  chart: null,
  form: null,
  board: null,
  ...more,
});
const form = {
  new: true,
  fields: [{ attribute: "level", required: true, choices: [], from: [], list: false }],
};
const kind = {
  name: "Sluice",
  title_zh: "水闸",
  title_en: "Sluice",
  source: null,
  open: true,
  data_subject: null,
  heard_within_seconds: null,
  count: 3,
  view: null,
  views: [
    view("sluices", "水闸台账", "Sluices", {
      table: { columns: ["name", "level", "state", "onReach", "officer"] },
    }),
    view("sluice-register", "水闸登记", "Register a sluice", { order: 2, form }),
    view("sluice-all", "水闸工情", "Sluices and readings", { order: 3, table: { columns: ["level"] }, form }),
  ],
  attributes: {
    name: declared("text", "名称", "Name"),
    level: declared("number", "水位", "Stage", { unit: "MTR" }),
    state: declared("text", "闸门状态", "Gate", {
      words: [{ value: "open", title_zh: "开启", title_en: "Open" }],
    }),
    onReach: declared("relationship", "所在河段", "On the reach"),
    officer: declared("text", "责任人", "Officer", { personal: "personal" }),
  },
} as unknown as EntityType;
const reachKind = { ...kind, name: "RiverReach", title_en: "Reach", count: 1, views: [] } as EntityType;
const REACH = "urn:ngsi-ld:RiverReach:hanbei";
const at = (value: unknown, more = {}) => ({
  value,
  unit: null,
  observed_at: "2026-07-01T00:00:00Z",
  quality: "good",
  position: 1,
  masked: false,
  ...more,
});
const idOf = (n: number | string) => `urn:ngsi-ld:Sluice:${n}`;
const sluice = (n: number | string, level: number, more = {}) =>
  ({
    id: idOf(n),
    type: "Sluice",
    name: `闸 ${n}`,
    location: null,
    modified_at: "2026-07-01T00:00:00Z",
    attributes: { name: at(`闸 ${n}`), level: at(level, { unit: "MTR" }), ...more },
  }) as unknown as Entity;
const three = [
  sluice(1, 29.3, { state: at("open"), onReach: at(REACH) }),
  sluice(2, 99, {
    level: at(99, { unit: "MTR", quality: "out_of_range" }),
    officer: at("张*", { masked: true }),
  }),
  sluice(3, 9.5),
];
const reach = {
  ...sluice("x", 1),
  id: REACH,
  type: "RiverReach",
  name: "汉北河",
  attributes: { name: at("汉北河") },
};
const pack = {
  name: "pack-water",
  version: 1,
  title_zh: "智慧水利",
  title_en: "Smart water",
  owner_zh: "市水利和湖泊局",
  owner_en: "Water Bureau",
  entity_types: ["Sluice"],
  rules: 0,
  scenarios: 0,
} satisfies Pack;
const alert = {
  id: 9,
  entity_id: idOf(3),
  entity_type: "Sluice",
  severity: "critical",
  cleared_at: null,
} as Alert;

const parametersOf = ({ path }: Call) => new URL(path, "http://city").searchParams;
const entitiesAnswer = (items: Entity[]) => (call: Call) => {
  const asked = parametersOf(call);
  if (asked.get("type") === "RiverReach") return { items: [reach], next: null };
  const q = asked.get("q") ?? "";
  return { items: items.filter(({ name }) => name?.includes(q)), next: null };
};
const answers = {
  "GET /api/v1/types": { items: [kind, reachKind] },
  "GET /api/v1/packs": { items: [pack] },
  "GET /api/v1/entities": entitiesAnswer(three),
  "GET /api/v1/alerts": { items: [alert], next: null },
};
const reader = userWith(["entity.read", "alert.read", "sql.query"]);

function Where() {
  const { pathname, search } = useLocation();
  return <div data-testid="where">{decodeURIComponent(pathname + search)}</div>;
}
const pages = (
  <>
    <Where />
    <Routes>
      <Route path="/views" element={<Page />} />
      <Route path="/views/:id" element={<Page />} />
      <Route path="*" element={null} />
    </Routes>
  </>
);
const where = () => screen.getByTestId("where").textContent;
const entityCalls = (calls: Call[]) =>
  calls.filter((call) => call.path.startsWith("/api/v1/entities?type=Sluice"));
const names = () =>
  within(screen.getByTestId("register"))
    .getAllByRole("rowheader")
    .map((cell) => cell.textContent);
const open = (path: string, more = {}) => show(pages, { user: reader, path, ...more });

describe("registers", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it("are listed with forms, by pack and department", async () => {
    serve(answers);
    open("/views");
    const group = await screen.findByTestId("view-group");
    expect(within(group).getByRole("heading", { level: 2 }).textContent).toBe("Smart water Water Bureau");
    const links = within(group).getAllByRole("link");
    expect(links.map((link) => link.getAttribute("href"))).toEqual([
      "/views/sluices",
      "/views/sluice-register",
      "/views/sluice-all",
    ]);
    expect(links[0]?.textContent).toBe("SluicesRegisterSluice · 3 in all");
    expect(links[1]?.textContent).toBe("Register a sluiceFormSluice");
  });

  it("are listed too when the packs' names cannot be read", async () => {
    serve({ ...answers, "GET /api/v1/packs": () => new Response("{}", { status: 503 }) });
    open("/views");
    expect(await screen.findByText("Sluices")).toBeTruthy();
    expect(screen.queryByRole("heading", { level: 2 })).toBeNull();
  });

  it("stand before boards of cases and what no pack declares", () => {
    const other = { ...kind, name: "Unknown" } as EntityType;
    const all = [
      { view: view("a", "", "", {}), kind: other },
      { view: { id: "c" }, kind: null },
      { view: view("b", "", "", {}), kind },
    ] as unknown as PackPage[];
    expect(groupsOf(all, [pack]).map(({ key, pages: own }) => [key, own.length])).toEqual([
      ["pack-water", 1],
      ["other", 1],
      ["cases", 1],
    ]);
  });

  it("show values with units in the head, words, names of others, and what is doubtful, masked or in alert", async () => {
    serve(answers);
    open("/views/sluices", { language: "zh" });
    const register = within(await screen.findByTestId("register"));
    expect(screen.getByText("共 3 个")).toBeTruthy();
    expect(register.getAllByRole("columnheader").map((head) => head.textContent)).toEqual([
      "名称",
      "水位 (m)",
      "闸门状态",
      "所在河段",
      "责任人",
      "最新数值时间 (UTC+8)",
    ]);
    const link = register.getByRole("link", { name: "闸 1" });
    expect(link.getAttribute("href")).toBe(`/entities/${encodeURIComponent(idOf(1))}`);
    expect(register.getByText("29.3").closest("td")?.className).toBe("register-number");
    expect(register.getByText("开启")).toBeTruthy();
    expect((await register.findByRole("link", { name: "汉北河" })).getAttribute("href")).toBe(
      `/entities/${encodeURIComponent(REACH)}`,
    );
    const out = register.getByText("99");
    expect(out.className).toBe("register-out");
    expect(out.closest("td")?.textContent).toContain("超出量程");
    expect(out.closest("td")?.title).toContain("观测时间 2026-07-01 08:00:00 UTC+8 · 超出量程");
    expect(screen.getByTestId("register-legend").textContent).toContain("超出量程");
    expect(
      register.getByText("张*").parentElement?.querySelector('[aria-label="个人信息，已脱敏"]'),
    ).toBeTruthy();
    const alerted = await register.findByRole("img", { name: "告警：紧急" });
    expect(alerted.closest("th")?.textContent).toBe("闸 3");
    const near = within(screen.getByRole("navigation", { name: "同类对象的其他页面" }));
    expect(near.getByRole("link", { name: "水闸登记" }).getAttribute("href")).toBe("/views/sluice-register");
  });

  it("mark no alerts for who may not see them, and offer no SQL to who may not ask", async () => {
    const calls = serve(answers);
    open("/views/sluices", { user: userWith(["entity.read"]) });
    await screen.findByTestId("register");
    expect(screen.queryByRole("img", { name: /Alert/ })).toBeNull();
    expect(calls.some(({ path }) => path.startsWith("/api/v1/alerts"))).toBe(false);
    expect(document.querySelector('[data-action="view.sql"]')).toBeNull();
    expect(document.querySelector('[data-action="view.csv"]')).toBeTruthy();
  });

  it("take the severity of old alerts from the map's count where the list of alerts is cut", async () => {
    serve({
      ...answers,
      "GET /api/v1/alerts": { items: [], next: "50" },
      "GET /api/v1/map/entities": { ids: [idOf(1), idOf(2)], severity: [0, 3] },
    });
    open("/views/sluices");
    const mark = await screen.findByRole("img", { name: "Alert: Major" });
    expect(mark.closest("th")?.textContent).toBe("闸 2");
  });

  it("say that they load, that there are none, that none matches, and what failed", async () => {
    serve({ ...answers, "GET /api/v1/entities": () => new Promise(() => {}) });
    const loading = open("/views/sluices");
    expect(await screen.findByText("Loading…")).toBeTruthy();
    loading.unmount();
    serve({ ...answers, "GET /api/v1/entities": { items: [], next: null } });
    const empty = open("/views/sluices");
    expect(await screen.findByText("There are none of this type yet")).toBeTruthy();
    empty.unmount();
    serve(answers);
    const unmatched = open("/views/sluices?q=nowhere");
    expect(await screen.findByText("Nothing matches “nowhere”")).toBeTruthy();
    unmatched.unmount();
    serve({ ...answers, "GET /api/v1/entities": () => new Response("{}", { status: 403 }) });
    const forbidden = open("/views/sluices");
    expect(await screen.findByText("Not permitted")).toBeTruthy();
    forbidden.unmount();
    serve({ ...answers, "GET /api/v1/entities": () => new Response("{}", { status: 503 }) });
    open("/views/sluices");
    expect(await screen.findByText("Could not load")).toBeTruthy();
    serve(answers);
    fireEvent.click(screen.getByRole("button", { name: /Try again/ }));
    expect(await screen.findByTestId("register")).toBeTruthy();
  });

  it("go on where the first page holds nothing that the caller may see, and say what failed on the way", async () => {
    let isDown = true;
    serve({
      ...answers,
      "GET /api/v1/entities": (call: Call) => {
        if (!parametersOf(call).has("after")) return { items: [], next: "a" };
        if (isDown) return Response.json({ code: "busy", detail: "too many questions" }, { status: 503 });
        return { items: [sluice(7, 1)], next: null };
      },
    });
    open("/views/sluices");
    expect(await screen.findByText("You may see none of the first ones: load more")).toBeTruthy();
    fireEvent.keyDown(document.body, { key: "m" });
    expect(await screen.findByText(/too many questions/)).toBeTruthy();
    isDown = false;
    fireEvent.keyDown(document.body, { key: "m" });
    expect(await screen.findByText("1 in all")).toBeTruthy();
  });

  it("are put in order by a click, which the address keeps", async () => {
    serve(answers);
    const first = open("/views/sluices");
    await screen.findByTestId("register");
    expect(names()).toEqual(["闸 1", "闸 2", "闸 3"]);
    const head = screen.getByRole("columnheader", { name: /Stage/ });
    fireEvent.click(within(head).getByRole("button"));
    expect(names()).toEqual(["闸 3", "闸 1", "闸 2"]);
    expect(head.getAttribute("aria-sort")).toBe("ascending");
    expect(where()).toBe("/views/sluices?sort=level");
    fireEvent.click(within(head).getByRole("button"));
    expect(names()).toEqual(["闸 2", "闸 1", "闸 3"]);
    expect(head.getAttribute("aria-sort")).toBe("descending");
    fireEvent.click(within(head).getByRole("button"));
    expect(head.getAttribute("aria-sort")).toBe("none");
    expect(where()).toBe("/views/sluices");
    first.unmount();
    serve(answers);
    open("/views/sluices?sort=-level");
    await screen.findByTestId("register");
    expect(names()).toEqual(["闸 2", "闸 1", "闸 3"]);
    // All are loaded: nothing is said of an order that is not that of all.
    expect(screen.queryByText(/loaded ones alone/)).toBeNull();
  });

  it("are filtered by the server, once what is typed stands still", async () => {
    const calls = serve(answers);
    open("/views/sluices");
    await screen.findByTestId("register");
    const filter = screen.getByRole("searchbox", { name: "Filter by name or id" });
    fireEvent.change(filter, { target: { value: "闸" } });
    fireEvent.change(filter, { target: { value: "闸 2" } });
    await waitFor(() => expect(names()).toEqual(["闸 2"]));
    expect(await screen.findByText("1 match")).toBeTruthy();
    expect(where()).toBe("/views/sluices?q=闸+2");
    expect(entityCalls(calls).map((call) => parametersOf(call).get("q"))).toEqual([null, "闸 2"]);
  });

  it("say how many of how many are loaded, and that the order is that of the loaded ones; and load the rest", async () => {
    const page = (n: number, next: string | null) => ({ items: [sluice(n, n)], next });
    const calls = serve({
      ...answers,
      "GET /api/v1/types": { items: [{ ...kind, count: 7_000 }] },
      "GET /api/v1/entities": (call: Call) => {
        const after = Number(parametersOf(call).get("after") ?? 0);
        return page(after + 1, after < 3 ? String(after + 1) : null);
      },
    });
    open("/views/sluices?sort=level");
    const count = await screen.findByText(/1 of 7,000 are loaded/);
    expect(count.textContent).toContain("The order is that of the loaded ones alone.");
    expect(count.textContent).toContain("A page loads 10,000 at most");
    fireEvent.click(document.querySelector('[data-action="view.load-more"]') as Element);
    expect(await screen.findByText(/2 of 7,000 are loaded/)).toBeTruthy();
    // The keyboard does the same as the toolbar.
    fireEvent.keyDown(document.body, { key: "l" });
    expect(await screen.findByText("4 in all")).toBeTruthy();
    expect(entityCalls(calls)).toHaveLength(4);
    expect(entityCalls(calls).every((call) => parametersOf(call).get("limit") === "500")).toBe(true);
    expect(document.querySelector('[data-action="view.load-more"]')).toBeNull();
  });

  it("stop loading at the most that a page holds", async () => {
    const many = Array.from({ length: 500 }, (_, n) => n);
    const calls = serve({
      ...answers,
      "GET /api/v1/types": { items: [{ ...kind, count: 70_000 }] },
      "GET /api/v1/entities": (call: Call) => {
        const after = Number(parametersOf(call).get("after") ?? 0);
        const items = many.map((n) => ({ ...sluice(after + n, n), attributes: {} }));
        return { items, next: String(after + 500) };
      },
    });
    open("/views/sluices");
    await screen.findByText(/500 of 70,000 are loaded/);
    fireEvent.keyDown(document.body, { key: "l" });
    expect(await screen.findByText(/10,000 of 70,000 are loaded/, {}, { timeout: 20_000 })).toBeTruthy();
    expect(entityCalls(calls)).toHaveLength(20);
    expect(document.querySelector('[data-action="view.load-all"]')).toBeNull();
  });

  it("draw of many only those in sight, and the one that has the keyboard", async () => {
    vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(360);
    vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(900);
    const many = Array.from({ length: 400 }, (_, n) => sluice(n, n));
    serve({ ...answers, "GET /api/v1/entities": entitiesAnswer(many) });
    open("/views/sluices");
    const register = await screen.findByTestId("register");
    await waitFor(() => expect(register.querySelectorAll("tr[data-row]").length).toBeGreaterThan(5));
    const drawn = register.querySelectorAll("tr[data-row]").length;
    expect(drawn).toBeLessThan(60);
    expect(register.querySelector("table")?.getAttribute("aria-rowcount")).toBe("401");
    const first = register.querySelector<HTMLElement>('[data-index="0"]');
    act(() => first?.focus());
    fireEvent.keyDown(first as Element, { key: "End" });
    await waitFor(() => expect((document.activeElement as HTMLElement).dataset.index).toBe("399"));
    expect(document.activeElement?.getAttribute("aria-rowindex")).toBe("401");
  });

  it("are gone through with arrows, and Enter opens", async () => {
    serve(answers);
    open("/views/sluices");
    await screen.findByTestId("register");
    const row = (n: number) => document.querySelector<HTMLElement>(`[data-index="${n}"]`) as HTMLElement;
    expect([0, 1, 2].map((n) => row(n).tabIndex)).toEqual([0, -1, -1]);
    act(() => row(0).focus());
    const press = (key: string) => fireEvent.keyDown(document.activeElement as Element, { key });
    press("ArrowDown");
    expect(document.activeElement).toBe(row(1));
    expect([0, 1, 2].map((n) => row(n).tabIndex)).toEqual([-1, 0, -1]);
    press("End");
    press("ArrowDown");
    expect(document.activeElement).toBe(row(2));
    press("Home");
    expect(document.activeElement).toBe(row(0));
    press("ArrowDown");
    press("Enter");
    expect(where()).toBe(`/entities/${idOf(2)}`);
  });

  it("open the entity by a click on its row", async () => {
    serve(answers);
    open("/views/sluices");
    const register = within(await screen.findByTestId("register"));
    fireEvent.click(register.getByText("29.3"));
    expect(where()).toBe(`/entities/${idOf(1)}`);
  });

  it("show what is heard of loaded entities", async () => {
    const heard: ((event: { ids: string[]; position: number }) => void)[] = [];
    vi.spyOn(live, "on").mockImplementation((name, listener) => {
      if (name === "entity") heard.push(listener as (typeof heard)[number]);
      return () => true;
    });
    let level = 29.3;
    const calls = serve({
      ...answers,
      "GET /api/v1/entities": () => ({ items: [sluice(1, level)], next: null }),
    });
    open("/views/sluices");
    const register = within(await screen.findByTestId("register"));
    expect(register.getByText("29.3")).toBeTruthy();
    level = 29.9;
    for (const listener of heard) listener({ ids: ["urn:ngsi-ld:Other:1"], position: 1 });
    for (const listener of heard) listener({ ids: [idOf(1)], position: 2 });
    expect(await register.findByText("29.9")).toBeTruthy();
    expect(entityCalls(calls)).toHaveLength(2);
  });

  it("of several pages read one by one what changed in sight, and all of them by the clock", async () => {
    const timers = vi.spyOn(globalThis, "setInterval");
    const heard: ((event: { ids: string[]; position: number }) => void)[] = [];
    vi.spyOn(live, "on").mockImplementation((name, listener) => {
      if (name === "entity") heard.push(listener as (typeof heard)[number]);
      return () => true;
    });
    const calls = serve({
      ...answers,
      "GET /api/v1/entities": (call: Call) =>
        parametersOf(call).has("after")
          ? { items: [sluice(2, 2)], next: null }
          : { items: [sluice(1, 1)], next: "a" },
      "GET /api/v1/entities/*": { ...sluice(2, 7.77), kind: null },
    });
    open("/views/sluices");
    await screen.findByText(/are loaded/);
    fireEvent.keyDown(document.body, { key: "m" });
    await screen.findByText("2 in all");
    for (const listener of heard) listener({ ids: [idOf(2)], position: 2 });
    expect(await screen.findByText("7.77")).toBeTruthy();
    expect(entityCalls(calls)).toHaveLength(2);
    // The whole is read anew by the clock, the longer the register the seldomer.
    const [again] = timers.mock.calls.find(([, ms]) => ms === 20_000) ?? [];
    (again as () => void)();
    await waitFor(() => expect(entityCalls(calls)).toHaveLength(4));
    expect(await screen.findByText("2")).toBeTruthy();
    expect(withRows(undefined, new Map())).toBeUndefined();
  });

  it("have tabs beside a form, and the address says which is open", async () => {
    serve(answers);
    open("/views/sluice-all", { user: userWith(["entity.read", "data.enter"]) });
    await screen.findByTestId("register");
    expect(screen.queryByRole("button", { name: /Send/ })).toBeNull();
    fireEvent.click(screen.getByRole("tab", { name: "Form" }));
    expect(await screen.findByRole("button", { name: /Send/ })).toBeTruthy();
    expect(screen.queryByTestId("register")).toBeNull();
    expect(where()).toBe("/views/sluice-all?part=form");
  });

  it("are taken along as CSV, and lead to all of them in SQL", async () => {
    serve(answers);
    open("/views/sluices?sort=-level");
    await screen.findByTestId("register");
    const files: Blob[] = [];
    vi.stubGlobal(
      "URL",
      Object.assign(URL, {
        createObjectURL: (file: Blob) => files.push(file) && "blob:1",
        revokeObjectURL: () => {},
      }),
    );
    const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
    fireEvent.click(document.querySelector('[data-action="view.csv"]') as Element);
    await waitFor(() => expect(files).toHaveLength(1));
    expect(click).toHaveBeenCalled();
    const lines = (await files[0]?.text())?.split("\r\n") ?? [];
    expect(lines[1]).toContain("urn:ngsi-ld:Sluice:2,闸 2,99,");
    expect(lines[1]).toContain("Stage: Out of range");
    fireEvent.keyDown(document.body, { key: "s" });
    await waitFor(() => expect(where()).toMatch(/^\/sql\?query=SELECT/));
    expect(where()).toContain('FROM "Sluice_now"');
    expect(where()).toContain('ORDER BY "level" DESC');
  });
});
