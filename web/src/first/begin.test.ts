/** What stands before the program: drawn from the server's answers, in the reader's language, and gone when the program is there. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { get } from "../lib/api.ts";
import { forgetEarly } from "../lib/early.ts";
import { oweSignOut, signOutSettled } from "../lib/kept.ts";
import { type Call, serve, userWith } from "../test-tools.tsx";
import { begin, FIGURES_WAIT_MS, wantedAt } from "./begin.ts";

const INDICATOR = {
  id: "5g-stations",
  plan: "tianmen-14-5",
  number: "1",
  origin: "table",
  group_zh: "信息基础设施",
  group_en: "Information infrastructure",
  subgroup_zh: "5G 网络",
  subgroup_en: "5G network",
  name_zh: "5G基站规模",
  name_en: "5G base stations",
  unit_zh: "个",
  unit_en: "stations",
  baseline: 400,
  baseline_year: 2020,
  target: 1_800,
  target_low: 1_800,
  target_high: 1_800,
  target_year: 2025,
  direction: "more",
  method: "computed",
  value: 1_634,
  expected_now: 1_500,
  status: "on_path",
  contradictions: [],
};
const OTHER = {
  ...INDICATOR,
  id: "villages/5g",
  group_zh: "融合基础设施",
  group_en: "Fused infrastructure",
  name_zh: "<b>行政村</b>",
  name_en: "<b>Villages</b>",
  unit_en: "%",
  value: null,
  expected_now: null,
  target_low: 90,
  target_high: 95,
  status: "unknown",
  contradictions: ["villages"],
};
const PLAN = {
  id: "tianmen-14-5",
  title_zh: "新型基础设施规划",
  title_en: "New infrastructure plan",
  source_zh: "市政府",
  source_en: "City government",
  period: [2021, 2025],
  notes_zh: [],
  notes_en: [],
  indicators: [INDICATOR, OTHER],
  contradictions: [{ id: "villages" }],
};
const ANSWERS = {
  "GET /api/v1/plan": PLAN,
  "GET /api/v1/session": { user: userWith(["indicator.read"]) },
  "GET /api/v1/city": { name_zh: "天门市", name_en: "Tianmen", notes_zh: [], notes_en: [], demo: false },
  "GET /api/v1/plans": { items: [{ id: "tianmen-14-5" }] },
};
const LIST = { pathname: "/plan", search: "" };
const refused = (status: number) => () => new Response("{}", { status });

const first = () => document.getElementById("first");
const texts = (selector: string) =>
  [...(first()?.querySelectorAll(selector) ?? [])].map((each) =>
    each.textContent?.replace(/\s+/g, " ").trim(),
  );

/** Opens an address; how it looked when the program was started. */
async function open(place = LIST, answers: Record<string, unknown> = ANSWERS) {
  const calls = serve(answers);
  const start = vi.fn(() => first()?.isConnected ?? false);
  await begin(place, start);
  expect(start).toHaveBeenCalledTimes(1);
  return { calls, wasDrawn: start.mock.results[0]?.value as boolean };
}

const asked = (calls: Call[]) => calls.map(({ path }) => path);

beforeEach(() => {
  localStorage.clear();
  document.body.innerHTML = '<div id="root"></div>';
  vi.spyOn(window, "matchMedia").mockReturnValue({ matches: true } as MediaQueryList);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  signOutSettled();
  forgetEarly();
  document.body.innerHTML = "";
  for (const style of document.head.querySelectorAll("style")) style.remove();
});

describe("an address", () => {
  it("is of the list, of one indicator, or of what is not drawn here", () => {
    expect(wantedAt("/plan", "")).toEqual({ plan: null, indicator: null });
    expect(wantedAt("/plan/", "?plan=15-5")).toEqual({ plan: "15-5", indicator: null });
    expect(wantedAt("/plan/a%2Fb", "")).toEqual({ plan: null, indicator: "a/b" });
    for (const other of ["/", "/planning", "/public", "/plan/a/b", "/plan/%E0%A4%A", "/field"])
      expect(wantedAt(other, ""), other).toBeNull();
  });
});

describe("the plan", () => {
  it("is drawn with every figure before the program starts", async () => {
    const { wasDrawn } = await open();
    expect(wasDrawn).toBe(true);
    expect(document.title).toBe("规划 · 天门市 · 竟陵");
    expect(document.documentElement.lang).toBe("zh-CN");
    expect(texts("h1")).toEqual(["新型基础设施规划"]);
    expect(texts(".plan-source")).toEqual(["来源：市政府 · 2021–2025"]);
    expect(texts(".plan-summary button")).toEqual(["0 项已达标", "1 项进度正常", "0 项滞后", "1 项暂无数据"]);
    expect(texts(".first-card-head")).toEqual(["信息基础设施共 1 条", "融合基础设施共 1 条"]);
    expect(texts(".plan-figures > span")).toEqual([
      "2020 年现状 400 个",
      "现值 1,634 个",
      "2025 年目标 1,800 个",
      "2020 年现状 400 个",
      "现值 —",
      "2025 年目标 90–95 个",
    ]);
    expect(texts(".plan-status")).toEqual(["进度正常", "暂无数据"]);
    expect(texts(".first-alert")).toEqual(["规划文本有 1 处自相矛盾或存疑"]);
  });

  it("has links that lead somewhere, and bars that say what they show", async () => {
    await open({ pathname: "/plan", search: "?plan=15-5" });
    const links = [...(first()?.querySelectorAll(".plan-card a") ?? [])].map((a) => a.getAttribute("href"));
    expect(links).toEqual(["/plan/5g-stations?plan=15-5", "/plan/villages%2F5g?plan=15-5"]);
    const [bar, none] = first()?.querySelectorAll('[role="progressbar"]') ?? [];
    expect(bar?.getAttribute("aria-valuenow")).toBe("88");
    expect(bar?.getAttribute("aria-valuetext")).toBe("按路径现应达到 1,500 个");
    expect(none?.hasAttribute("aria-valuenow")).toBe(false);
    expect(bar?.querySelector<HTMLElement>(".path-bar-done")?.style.width).toMatch(/^88\.1/);
    expect(first()?.querySelector(".plan-warning")?.getAttribute("aria-label")).toBe("规划文本前后不一致");
  });

  it("speaks the reader's language, and takes no name for markup", async () => {
    localStorage.setItem("jingling.language", "en");
    await open();
    expect(document.documentElement.lang).toBe("en");
    expect(texts("h1")).toEqual(["New infrastructure plan"]);
    expect(texts(".plan-card a")).toEqual(["5G base stations", "<b>Villages</b>"]);
    expect(texts(".plan-figures > span").slice(0, 2)).toEqual([
      "2020 baseline 400 stations",
      "Now 1,634 stations",
    ]);
    expect(first()?.querySelector("b")).toBeNull();
  });

  it("shows what is still out of use to those alone who will have it, and to nobody's ears", async () => {
    await open();
    expect(texts(".first-button")).toEqual([]);
    document.body.innerHTML = '<div id="root"></div>';
    const two = [{ ...PLAN, phase: "over" }, { id: "15-5" }];
    await open(LIST, {
      ...ANSWERS,
      "GET /api/v1/session": { user: userWith(["indicator.read", "project.read"]) },
      "GET /api/v1/plans": { items: two },
    });
    expect(texts(".first-button")).toEqual(["公文", "发文登记"]);
    expect(texts(".first-select")).toEqual(["新型基础设施规划 · 已到期"]);
    for (const each of first()?.querySelectorAll(".first-button, .first-select, .first-choice") ?? [])
      expect(each.getAttribute("aria-hidden")).toBe("true");
  });

  it("gives its answers to the program, which asks for none of them again", async () => {
    const { calls } = await open();
    expect(asked(calls)).toEqual(["/api/v1/plan", "/api/v1/session", "/api/v1/city", "/api/v1/plans"]);
    expect(await get("/api/v1/plan")).toEqual(PLAN);
    expect(await get("/api/v1/session")).toEqual(ANSWERS["GET /api/v1/session"]);
    expect(calls.length).toBe(4);
  });

  it("gives way when the program shows something of its own, with the place and the keyboard where they were", async () => {
    await open();
    const root = document.getElementById("root") as HTMLElement;
    expect(root.inert).toBe(true);
    root.innerHTML = '<div class="state state-tall" role="status">…</div>';
    await vi.waitFor(() => expect(root.firstElementChild).toBeTruthy());
    await Promise.resolve();
    expect(first()?.isConnected).toBe(true);
    first()?.querySelector<HTMLElement>(".plan-card a")?.focus();
    const scrolled = first()?.querySelector("main");
    if (scrolled) scrolled.scrollTop = 120;
    root.innerHTML = '<main id="content"><a href="/plan/5g-stations">5G</a></main>';
    await vi.waitFor(() => expect(first()).toBeNull());
    expect(root.inert).toBe(false);
    expect(document.head.querySelector("style")).toBeNull();
    expect(document.getElementById("content")?.scrollTop).toBe(120);
    expect(document.activeElement?.getAttribute("href")).toBe("/plan/5g-stations");
    expect(document.activeElement?.closest("#root")).toBe(root);
  });
});

describe("an indicator", () => {
  const place = { pathname: "/plan/5g-stations", search: "" };
  it("is drawn with its state and its figures", async () => {
    const { wasDrawn, calls } = await open(place, {
      ...ANSWERS,
      "GET /api/v1/plan/indicators/5g-stations": { ...INDICATOR, direction: "less", baseline: 2_000 },
    });
    expect(wasDrawn).toBe(true);
    const path = "/api/v1/plan/indicators/5g-stations";
    expect(asked(calls)).toEqual([path, "/api/v1/session", "/api/v1/city", `${path}/reports`]);
    expect(texts(".first-button")).toEqual([]);
    expect(texts("h1")).toEqual(["5G基站规模"]);
    expect(texts(".plan-mark")).toEqual(["进度正常", "实时计算"]);
    expect(texts(".figure")).toEqual(["2020 年现状2,000 个", "现值1,634 个", "2025 年目标1,800 个"]);
    expect(texts(".figures-bar > .quiet")).toEqual(["按路径现应达到 1,500 个 · 越低越好"]);
    expect(first()?.querySelector(".back")?.getAttribute("href")).toBe("/plan");
  });

  it("has the actions of who may take them", async () => {
    const answers = {
      ...ANSWERS,
      "GET /api/v1/plan/indicators/5g-stations": { ...INDICATOR, sql: "SELECT 1" },
      "GET /api/v1/plan/indicators/5g-stations/reports": { items: [], may_report: true },
    };
    await open(place, answers);
    expect(texts(".first-button")).toEqual([]);
    document.body.innerHTML = '<div id="root"></div>';
    const user = userWith(["indicator.read", "indicator.report", "sql.query"]);
    await open(place, { ...answers, "GET /api/v1/session": { user } });
    expect(texts(".first-button")).toEqual(["填报数值", "在数据查询中打开"]);
  });

  it("that is none draws nothing", async () => {
    expect((await open(place)).wasDrawn).toBe(false);
  });
});

describe("nothing is drawn, and the program starts all the same", () => {
  it.each([
    [
      "nobody is signed in",
      { ...ANSWERS, "GET /api/v1/session": refused(401), "GET /api/v1/plan": refused(401) },
    ],
    ["a person may not see it", { ...ANSWERS, "GET /api/v1/plan": refused(403) }],
    ["the server fails", { ...ANSWERS, "GET /api/v1/plan": refused(500) }],
    ["who it is cannot be told", { ...ANSWERS, "GET /api/v1/session": refused(503) }],
    ["there is no network", { "GET /api/v1/plan": () => Promise.reject(new TypeError("no network")) }],
    ["there is no indicator", { ...ANSWERS, "GET /api/v1/plan": { ...PLAN, indicators: [] } }],
    ["an answer is of another shape", { ...ANSWERS, "GET /api/v1/plan": { indicators: [{}] } }],
  ])("when %s", async (_, answers) => {
    const { wasDrawn } = await open(LIST, answers);
    expect(wasDrawn).toBe(false);
    expect(document.getElementById("root")?.inert).not.toBe(true);
    expect(first()).toBeNull();
  });

  it("and nothing is asked on another page, or of who signed out without a network", async () => {
    expect((await open({ pathname: "/cases", search: "" })).calls).toEqual([]);
    oweSignOut();
    const { calls, wasDrawn } = await open();
    expect([calls, wasDrawn]).toEqual([[], false]);
  });

  it("on a wide screen, which has the answers early all the same", async () => {
    vi.spyOn(window, "matchMedia").mockReturnValue({ matches: false } as MediaQueryList);
    const { calls, wasDrawn } = await open();
    expect([calls.length, wasDrawn]).toEqual([4, false]);
  });

  it("when the answer takes too long, also once it has come", async () => {
    vi.useFakeTimers();
    let answer: (plan: unknown) => void = () => {};
    const slow = new Promise((resolve) => {
      answer = resolve;
    });
    serve({ ...ANSWERS, "GET /api/v1/plan": () => slow });
    const start = vi.fn();
    const begun = begin(LIST, start);
    await vi.advanceTimersByTimeAsync(FIGURES_WAIT_MS - 1);
    expect(start).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await begun;
    expect(start).toHaveBeenCalledTimes(1);
    answer(PLAN);
    await vi.advanceTimersByTimeAsync(10);
    expect(first()).toBeNull();
    expect(await get("/api/v1/plan")).toEqual(PLAN);
  });
});
