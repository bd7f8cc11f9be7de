/** Whom an alert affects: those reached with their sums, the next ones with how far off they are, and nothing where there is nobody. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { AffectedOfType, Entity, EntityType } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Affected, toldOf, villagesOf } from "./affected.tsx";

const declared = (value: string, title_zh: string, title_en: string, more = {}) => ({
  value,
  title_zh,
  title_en,
  unit: null,
  words: [],
  ...more,
});
const kind = {
  name: "FloodRiskArea",
  title_zh: "洪水风险区",
  title_en: "Flood risk area",
  count: 4,
  views: [
    { id: "form", table: null },
    {
      id: "flood-risk-areas",
      table: {
        columns: [
          "name",
          "areaKind",
          "fromStage",
          "villageCode",
          "population",
          "evacuationPlace",
          "officerName",
          "dataNote",
        ],
      },
    },
  ],
  attributes: {
    name: declared("text", "名称", "Name"),
    areaKind: declared("text", "风险区类型", "Kind", {
      words: [{ value: "polder", title_zh: "民垸", title_en: "Polder" }],
    }),
    fromStage: declared("number", "起始水位", "From the stage", { unit: "MTR" }),
    villageCode: declared("text", "所在村代码", "Code of the village"),
    population: declared("number", "受威胁人口", "People in danger", { unit: "C62" }),
    evacuationPlace: declared("text", "转移安置点", "Where people go"),
    officerName: declared("text", "转移责任人", "Officer"),
    dataNote: declared("text", "数据说明", "Note"),
  },
} as unknown as EntityType;
const at = (value: unknown, more = {}) => ({
  value,
  unit: null,
  observed_at: "2026-07-01T00:00:00Z",
  quality: "good",
  position: 1,
  masked: false,
  ...more,
});
const area = (n: number, more = {}) =>
  ({
    id: `urn:ngsi-ld:FloodRiskArea:${n}`,
    type: "FloodRiskArea",
    name: `风险区 ${n}`,
    location: null,
    modified_at: "2026-07-01T00:00:00Z",
    attributes: {
      name: at(`风险区 ${n}`),
      areaKind: at("polder"),
      villageCode: at("429006001001"),
      population: at(620, { unit: "C62" }),
      evacuationPlace: at("鸿渐小学"),
      officerName: at("张*", { masked: true }),
      ...more,
    },
  }) as unknown as Entity;
const reached = [
  {
    from: 29,
    is_reached: true,
    entity: area(1, { villages: at(["429006001001", "429006001002", "429006999999"]) }),
  },
  { from: 29.3, is_reached: true, entity: area(2) },
];
const next = [29.8, 30.2, 30.4, 31].map((from, n) => ({ from, is_reached: false, entity: area(10 + n) }));
const affected: AffectedOfType = {
  entity_type: "FloodRiskArea",
  title_zh: "洪水风险区",
  title_en: "Flood risk area",
  value: 29.45,
  unit: "MTR",
  sums: { population: 1_240 },
  at_most: [],
  items: [...reached, ...next],
};
const village = (code: string, name: string) => ({
  type: "Feature",
  geometry: null,
  properties: { code, name },
});
const AFFECTED = "GET /api/v1/alerts/4/affected";
const answers = {
  [AFFECTED]: [affected],
  "GET /api/v1/types": { items: [kind] },
  "GET /api/v1/city/layers/villages": {
    type: "FeatureCollection",
    features: [village("429006001001", "鸿渐社区居民委员会"), village("429006001002", "雁叫社区居民委员会")],
  },
};
const reader = userWith(["alert.read", "entity.read"]);
const element = <Affected alertId={4} entityId="urn:ngsi-ld:WaterObserved:1" />;

describe("affected places", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("are told with what is added up, where people go, and who answers for them", async () => {
    serve(answers);
    show(element, { user: reader, language: "zh" });
    const found = within(await screen.findByTestId("affected"));
    expect(found.getByText(/按 29.45 m 判断/)).toBeTruthy();
    const sums = await found.findByTestId("affected-sums");
    await waitFor(() => expect(sums.textContent).toContain("受威胁人口 1,240"));
    expect(sums.textContent).toContain("已受影响 2 处");
    expect(sums.textContent).toContain("涉及 3 个村");
    const [first, second] = found.getAllByTestId("affected-place");
    const one = within(first as HTMLElement);
    expect(one.getByRole("link", { name: "风险区 1" }).getAttribute("href")).toBe(
      `/entities/${encodeURIComponent("urn:ngsi-ld:FloodRiskArea:1")}`,
    );
    expect(one.getByText("29 m 起")).toBeTruthy();
    // A village that the city's profile does not have is told by its code.
    expect(await one.findByText("鸿渐社区、雁叫社区、429006999999")).toBeTruthy();
    expect(one.getByText("鸿渐小学")).toBeTruthy();
    expect(one.getByText("民垸")).toBeTruthy();
    expect(one.getByText("张*").querySelector('[aria-label="个人信息，已脱敏"]')).toBeTruthy();
    expect(first?.textContent).not.toContain("还差");
    expect(second?.textContent).toContain("29.3 m 起");
  });

  it("tell the next ones with how far the value is from them, the first of many at once", async () => {
    serve(answers);
    show(element, { user: reader });
    const found = within(await screen.findByTestId("affected"));
    expect(found.getByText("Next: 4")).toBeTruthy();
    expect(found.getByText("0.35 m away")).toBeTruthy();
    expect(found.getAllByTestId("affected-place")).toHaveLength(5);
    fireEvent.click(found.getByRole("button", { name: "Show the other 1" }));
    expect(found.getAllByTestId("affected-place")).toHaveLength(6);
    expect(await found.findAllByText("Polder")).toHaveLength(6);
  });

  it("say that people may be counted twice where places have a village in common", async () => {
    serve({ ...answers, [AFFECTED]: [{ ...affected, at_most: ["population"] }] });
    show(element, { user: reader, language: "zh" });
    const sums = within(await screen.findByTestId("affected")).getByTestId("affected-sums");
    await waitFor(() => expect(sums.textContent).toContain("受威胁人口 至多 1,240"));
  });

  it("mark a figure that is out of range", async () => {
    const odd = area(3, { population: at(9_999_999, { unit: "C62", quality: "out_of_range" }) });
    serve({
      ...answers,
      [AFFECTED]: [{ ...affected, items: [{ from: 29, is_reached: true, entity: odd }] }],
    });
    show(element, { user: reader });
    expect((await screen.findByTestId("affected-place")).textContent).toContain("Out of range");
  });

  it("are told as unknown while the value is, and as none while nobody is reached", async () => {
    serve({ ...answers, [AFFECTED]: [{ ...affected, value: null, sums: {}, items: next }] });
    const unknown = show(element, { user: reader });
    expect(await screen.findByText(/The value is not known/)).toBeTruthy();
    expect(screen.queryByText(/away/)).toBeNull();
    unknown.unmount();
    serve({ ...answers, [AFFECTED]: [{ ...affected, items: next }] });
    show(element, { user: reader });
    expect(await screen.findByText("None is affected yet")).toBeTruthy();
    expect(screen.queryByTestId("affected-sums")).toBeNull();
  });

  it("are not there for most alerts, nor where the alert is gone or hidden", async () => {
    for (const answer of [
      [],
      () => new Response("{}", { status: 404 }),
      () => new Response("{}", { status: 403 }),
    ]) {
      const calls = serve({ ...answers, [AFFECTED]: answer });
      const shown = show(element, { user: reader });
      await waitFor(() => expect(calls).toHaveLength(1));
      await waitFor(() => expect(shown.queryClient.isFetching()).toBe(0));
      expect(screen.queryByTestId("affected")).toBeNull();
      expect(screen.queryByRole("alert")).toBeNull();
      shown.unmount();
    }
  });

  it("are not asked for by who may not see alerts", async () => {
    const calls = serve(answers);
    show(element, { user: userWith(["case.read"]) });
    await Promise.resolve();
    expect(calls).toEqual([]);
  });

  it("say that they could not be loaded, and are asked for again", async () => {
    serve({ ...answers, [AFFECTED]: () => new Response("{}", { status: 503 }) });
    show(element, { user: reader });
    expect((await screen.findByRole("alert")).textContent).toContain("could not be loaded");
    serve(answers);
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByTestId("affected")).toBeTruthy();
  });

  it("show codes while the villages have no names, and what the pack's register lists", () => {
    expect(villagesOf(area(1, { villages: at(["2", "429006001001", 7, ""]) }))).toEqual([
      "429006001001",
      "2",
    ]);
    expect(villagesOf(area(1, { villageCode: at(null), villages: at("x") }))).toEqual([]);
    expect(toldOf(kind)).toEqual(["areaKind", "evacuationPlace", "officerName"]);
    expect(toldOf(undefined)).toEqual([]);
  });
});
