/** What the made-up city has for registers and bulletins: packs, tables of types, areas that a river puts in danger. Never shipped. */
import type {
  AffectedOfType,
  Alert,
  AttributeKind,
  Bulletin,
  BulletinListed,
  Entity,
  EntityType,
  Pack,
  PackView,
  Quality,
} from "../src/lib/types.ts";
import { entities, KINDS, nextPosition } from "./state.ts";

const attribute = (
  value: AttributeKind["value"],
  title_zh: string,
  title_en: string,
  more: Partial<AttributeKind> = {},
): AttributeKind => ({
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

const AREA = "FloodRiskArea";
const STATION = "urn:ngsi-ld:WaterObserved:tianmen-hanbei";
const AREA_COLUMNS = {
  name: attribute("text", "名称", "Name"),
  areaKind: attribute("text", "风险区类型", "Kind", {
    words: [
      { value: "lowland", title_zh: "低洼地", title_en: "Lowland" },
      { value: "polder", title_zh: "民垸", title_en: "Polder" },
    ],
  }),
  refStation: attribute("relationship", "代表测站（或水库）", "Station or reservoir whose stage counts"),
  fromStage: attribute("number", "起始水位", "In danger from the stage", { unit: "MTR", min: 0, max: 500 }),
  villageCode: attribute("text", "所在村代码", "Code of the village"),
  population: attribute("number", "受威胁人口", "People in danger", { unit: "C62" }),
  households: attribute("number", "受威胁户数", "Households in danger", { unit: "C62" }),
  evacuationPlace: attribute("text", "转移安置点", "Where people go"),
  evacuationRoute: attribute("text", "转移路线", "Which way they go"),
  officerName: attribute("text", "转移责任人", "Officer of the evacuation", { personal: "personal" }),
  officerPhone: attribute("text", "责任人电话", "Officer's telephone", { personal: "personal" }),
  location: attribute("geometry", "位置", "Location"),
  dataNote: attribute("text", "数据说明", "Note on the data"),
};

function area(n: number, name: string, fromStage: number, village: string, people: number) {
  const observed_at = new Date(Date.now() - n * 3_600_000).toISOString();
  const state = (
    value: unknown,
    unit: string | null = null,
    masked = false,
    quality: Quality = "reported",
  ) => ({
    value,
    unit,
    observed_at,
    quality,
    position: nextPosition(),
    masked,
  });
  const id = `urn:ngsi-ld:${AREA}:${n}`;
  const entity: Entity = {
    id,
    type: AREA,
    name,
    location: null,
    modified_at: observed_at,
    attributes: {
      name: state(name),
      areaKind: state(n % 2 ? "lowland" : "polder"),
      refStation: state(STATION),
      fromStage: state(fromStage, "MTR"),
      villageCode: state(village),
      population: state(people, "C62", false, people > 1_500 ? "out_of_range" : "reported"),
      households: state(Math.round(people / 3.4), "C62"),
      evacuationPlace: state(`${name.slice(0, 2)}小学`),
      evacuationRoute: state("沿堤顶路向北"),
      officerName: state("张*", null, true),
      officerPhone: state("138****0001", null, true),
    },
  };
  entities.set(id, entity);
}
area(1, "雁叫低洼区", 29, "429006001002", 640);
area(2, "庆云低洼区", 29.3, "429006001003", 600);
area(3, "鸿渐民垸", 29.8, "429006001001", 1_830);
area(4, "候口民垸", 30.4, "429006002001", 410);

/** The types with a register each, as `GET /types` gives them. */
export function types(): EntityType[] {
  const counts = new Map<string, number>();
  for (const { type } of entities.values()) counts.set(type, (counts.get(type) ?? 0) + 1);
  const areas = {
    name: AREA,
    title_zh: "洪水风险区",
    title_en: "Flood risk area",
    source: null,
    view: null,
    open: true,
    data_subject: null,
    commands: [],
    heard_within_seconds: null,
    attributes: AREA_COLUMNS,
  };
  return [...KINDS, areas].map((kind, order): EntityType => {
    const columns =
      kind.name === AREA
        ? Object.keys(AREA_COLUMNS).filter((name) => name !== "location")
        : ["name", ...Object.keys(kind.attributes), "dataNote"];
    const register: PackView = {
      id: `${kind.name.toLowerCase()}-register`,
      title_zh: `${kind.title_zh}台账`,
      title_en: `Register: ${kind.title_en}`,
      entity_type: kind.name,
      order,
      layer: null,
      table: { columns },
      chart: null,
      form: null,
      board: null,
    };
    return { ...kind, view: kind.view ?? null, views: [register], count: counts.get(kind.name) ?? 0 };
  });
}

const pack = (name: string, title_zh: string, title_en: string, owner_zh: string, of: RegExp): Pack => ({
  name,
  version: 1,
  title_zh,
  title_en,
  owner_zh,
  owner_en: "The department",
  entity_types: [...KINDS.map((kind) => kind.name), AREA].filter((type) => of.test(type)),
  rules: 1,
  scenarios: 1,
});
export const PACKS: Pack[] = [
  pack("pack-water", "智慧水利", "Smart water", "市水利和湖泊局", /^(Water|Flood)/),
  pack("pack-environment", "智慧环境", "Environment", "市生态环境局", /^Air/),
  pack("pack-charging", "智慧充电", "Charging", "市发展和改革委员会", /^(EV|Charge)/),
  pack("pack-lighting", "智慧照明", "Lighting", "市城市管理执法局", /^Street/),
];

export const BULLETINS: BulletinListed[] = [
  { id: "water-bulletin", pack: "pack-water", title_zh: "水情简报", title_en: "Bulletin of the rivers" },
];

export function bulletin(id: string, language: string | null): Bulletin | null {
  const found = BULLETINS.find((one) => one.id === id);
  if (!found) return null;
  const english = language === "en";
  const stations = [...entities.values()].filter(({ type }) => type === "WaterObserved");
  const figure = (entity: Entity, name: string) => Number(entity.attributes[name]?.value).toFixed(2);
  const text = (kind: "heading" | "text", words: string) => ({ kind, text: words, head: [], rows: [] });
  return {
    id,
    title: english ? found.title_en : found.title_zh,
    at: new Date().toISOString(),
    parts: [
      text("heading", english ? "In short" : "概况"),
      text(
        "text",
        english
          ? `There are ${stations.length} river stations; one is above warning.`
          : `全市 ${stations.length} 个水情站，超警戒 1 站。`,
      ),
      text("heading", english ? "Stages" : "各站水位"),
      {
        kind: "table",
        text: null,
        head: english ? ["Station", "Stage, m", "Warning, m"] : ["站名", "水位（米）", "警戒（米）"],
        rows: stations.map((one) => [
          one.name ?? one.id,
          figure(one, "waterLevel"),
          figure(one, "warningLevel"),
        ]),
      },
    ],
  };
}

/** Whom an alert of the river's station affects. */
export function affected(alert: Alert): AffectedOfType[] {
  if (alert.entity_id !== STATION) return [];
  const value = Number(entities.get(STATION)?.attributes.waterLevel?.value);
  const items = [...entities.values()]
    .filter(({ type }) => type === AREA)
    .map((entity) => {
      const from = Number(entity.attributes.fromStage?.value);
      return { from, is_reached: value >= from, entity };
    });
  const sum = (name: string) =>
    items
      .filter((item) => item.is_reached)
      .reduce((total, { entity }) => total + Number(entity.attributes[name]?.value), 0);
  return [
    {
      entity_type: AREA,
      title_zh: "洪水风险区",
      title_en: "Flood risk area",
      value,
      unit: "MTR",
      sums: { population: sum("population"), households: sum("households") },
      at_most: [],
      items,
    },
  ];
}
