/** What everybody sees: a closed portal says how it is opened; an open one shows figures with proof, and reasons where there are none. */
import { fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { serve } from "../../test-tools.tsx";
import { Page } from "./page.tsx";

const PATH = "GET /api/v1/public/plan";
const sums = { indicators: 2, published: 1, met: 0, on_path: 0, behind: 1, unknown: 0 };
const both = { name_zh: "基站", name_en: "Base stations", group_zh: "信息", group_en: "Information" };
const one = {
  ...both,
  id: "stations",
  number: "1",
  unit_zh: "个",
  unit_en: "",
  subgroup_zh: "",
  subgroup_en: "",
  source_zh: "平台计数",
  source_en: "counted",
  baseline: 400,
  baseline_year: 2020,
  target: 1800,
  target_low: 1800,
  target_high: 1800,
  target_year: 2025,
  direction: "more",
  method: "computed",
  responsible: null,
  places: [{ section: "二", quote: "全市建成1800个5G基站" }],
  path: [
    { year: 2020, expected: 400 },
    { year: 2025, expected: 1800 },
  ],
  expected_now: 1800,
  value: 1390,
  as_of: "2026-11-28T09:00:00Z",
  status: "behind",
  proof: {
    query: "SELECT count(*) AS value FROM entities_now",
    period: null,
    evidence: null,
    file_sha256: [],
  },
  withheld: null,
};
const other = {
  ...one,
  id: "users",
  number: "2",
  name_zh: "用户",
  name_en: "Users",
  value: null,
  as_of: null,
  status: null,
  proof: null,
  withheld: { code: "no-report", zh: "没有填报", en: "nothing was reported" },
};
const plan = {
  city_zh: "天门市",
  city_en: "Tianmen",
  demo: false,
  title_zh: "规划",
  title_en: "The plan",
  source_zh: "",
  source_en: "",
  period: [2020, 2025],
  publisher_zh: "天门市",
  publisher_en: "Tianmen",
  licence: "https://example.org/licence",
  day: "2026-11-28",
  sums,
  groups: [{ ...sums, group_zh: "信息", group_en: "Information" }],
  indicators: [one, other],
};

/** In a language, as the page remembers it. */
function open(language: "zh" | "en") {
  localStorage.setItem("jingling.language", language);
  render(<Page />);
}
afterEach(() => localStorage.removeItem("jingling.language"));

describe("the public page", () => {
  it("says that the portal is closed and how it is opened, in both languages", async () => {
    const closed = {
      code: "portal-closed",
      detail: "closed",
      mend: "set portal.open",
      place: "portal.open",
      detail_zh: "没有开放",
      place_zh: "portal.open",
      mend_zh: "设置 portal.open",
    };
    serve({ [PATH]: () => Response.json(closed, { status: 404 }) });
    open("zh");
    await screen.findByTestId("portal-closed");
    expect(screen.getByText("设置 portal.open")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "English" }));
    expect(screen.getByText("set portal.open")).toBeTruthy();
    expect(document.documentElement.lang).toBe("en");
  });

  it("shows what is offered to investors, as text and nothing else", async () => {
    const entry = {
      project: "smart-water",
      name_zh: "智慧水利",
      name_en: "Smart water",
      quote: "水利物联感知体系建设",
      stage: "building",
      start: "2024-01-01",
      end: null,
      sought: ["capital", "operator"],
      words_zh: "寻求伙伴",
      words_en: "<img src=x onerror=alert(1)>",
      money: [{ source: "central", planned_fen: 540_000_000, arranged_fen: 0 }],
      indicators: [
        {
          ...both,
          id: "stations",
          unit_zh: "个",
          unit_en: "",
          value: 1390,
          target: 1800,
          as_of: "2026-11-28",
        },
      ],
    };
    const offered = {
      id: 3,
      edition: 2,
      published_on: "2026-11-01",
      kind: "projects",
      title_zh: "水利项目包",
      title_en: "Water projects",
      summary_zh: "简介",
      summary_en: "Along the Han",
      contact_zh: "市发改委",
      contact_en: "The commission",
      valid_until: "2026-12-31",
      entries: [entry],
    };
    serve({ [PATH]: plan, "GET /api/v1/public/packages.json": { packages: [offered] } });
    open("en");
    const section = within(await screen.findByTestId("opportunities"));
    expect(section.getByText("Water projects")).toBeTruthy();
    expect(section.getByText("<img src=x onerror=alert(1)>")).toBeTruthy();
    expect(section.getByText("capital, operator")).toBeTruthy();
    expect(section.getByText("540 planned, 0 arranged (10,000 yuan)")).toBeTruthy();
    expect(section.getByText("2024-01-01 – ?")).toBeTruthy();
    expect(section.getByText("Base stations").getAttribute("href")).toBe("/public#stations");
    expect(document.querySelector("img")).toBeNull();
  });

  it("says when what is offered cannot be read, and shows the figures all the same", async () => {
    serve({ [PATH]: plan });
    open("en");
    expect(await screen.findByText("Projects and opportunities cannot be shown now")).toBeTruthy();
    expect(screen.getByTestId("portal-figure")).toBeTruthy();
  });

  it("shows a figure with its proof, and why another is not published", async () => {
    serve({ [PATH]: plan });
    open("en");
    expect((await screen.findByTestId("portal-figure")).textContent).toBe(
      "1 of 2 goals have a published figure",
    );
    // The list is drawn after the sum.
    await waitFor(() => expect(document.querySelectorAll("details")).toHaveLength(2));
    const [first, second] = document.querySelectorAll("details");
    const opened = (of: Element | undefined) => {
      const details = of as HTMLDetailsElement;
      details.open = true;
      fireEvent(details, new Event("toggle"));
      return within(details);
    };
    expect(opened(first).getByTestId("proof").textContent).toContain("SELECT count(*)");
    expect(opened(first).getByRole("img").getAttribute("aria-label")).toContain("2025 1,800");
    expect(opened(second).getByTestId("withheld").textContent).toContain("nothing was reported");
    expect(opened(second).queryByTestId("proof")).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: /Not published/ }));
    expect(document.querySelectorAll("details")).toHaveLength(1);
    fireEvent.change(screen.getByRole("searchbox"), { target: { value: "nothing of the kind" } });
    expect(screen.getByTestId("portal-shown").textContent).toBe("No indicator fits");
  });
});
