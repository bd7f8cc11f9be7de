/** The plan's indicators with made-up present values, for developing the pages. Never shipped. */
import type {
  Indicator,
  IndicatorDetail,
  IndicatorProof,
  Plan,
  Plans,
  RowLead,
  SqlResult,
  TownComparison,
} from "../src/lib/types.ts";

type Row = [
  id: string,
  group: number,
  zh: string,
  en: string,
  unit: string,
  base: number | null,
  target: number,
  value: number | null,
  computed: boolean,
];
const ROWS: Row[] = [
  ["5g-base-stations", 0, "5G基站规模", "5G base stations", "个", 398, 1_800, 1_634, true],
  ["5g-user-share", 0, "5G用户普及率", "5G users", "%", 10, 70, 66.2, false],
  ["5g-village-share", 0, "行政村5G网络通达比例", "Villages with 5G", "%", null, 95, 96.3, false],
  ["gigabit-port-share", 0, "千兆宽带接入端口占比", "Gigabit ports", "%", 10, 85, 61, false],
  ["province-bandwidth", 0, "互联网省际出口带宽", "Outbound bandwidth", "Tbps", 28.2, 70, null, false],
  ["data-centre-racks", 0, "数据中心标准机架数", "Standard racks", "个", 100, 300, 186, true],
  ["industrial-platforms", 1, "工业互联网平台", "Industrial internet platforms", "个", null, 1, 1, false],
  ["smart-hospital-share", 1, "二级及以上智慧医院比例", "Smart hospitals", "%", null, 100, 80, false],
  ["internet-hospitals", 1, "互联网医院数量", "Internet hospitals", "家", 1, 2, 2, false],
  ["school-bandwidth", 1, "中小学网络接入带宽", "School bandwidth", "Mbps", 100, 1_000, 1_000, false],
  ["charging-piles", 1, "新能源汽车充电桩", "Charging piles", "个", null, 4_913, 3_120, true],
  ["command-centres", 1, "智慧城市运营管理中心", "Command centres", "个", null, 1, 1, true],
  ["industry-institutes", 2, "省级产业技术研究院", "Provincial institutes", "家", null, 2, 1, false],
  ["innovation-platforms", 2, "省级创新平台", "Provincial platforms", "个", 30, 60, 41, false],
];
const GROUPS = [
  { zh: "信息基础设施", en: "Information infrastructure" },
  { zh: "融合基础设施", en: "Fused infrastructure" },
  { zh: "创新基础设施", en: "Innovation infrastructure" },
];
const PLAN_ID = "tianmen-14-5";
const indicators: Indicator[] = ROWS.map(([id, group, zh, en, unit, base, target, value, computed], i) => ({
  id,
  plan: PLAN_ID,
  number: String(i + 1),
  origin: i < 11 ? "table" : "text",
  group_zh: GROUPS[group]?.zh ?? "",
  group_en: GROUPS[group]?.en ?? "",
  subgroup_zh: "5G 网络",
  subgroup_en: "5G network",
  name_zh: zh,
  name_en: en,
  unit_zh: unit,
  unit_en: unit === "个" || unit === "家" ? "" : unit,
  baseline: base,
  baseline_year: 2020,
  target,
  target_low: target,
  target_high: i === 6 ? 2 : target,
  problem: null,
  target_year: 2025,
  direction: "more",
  method: computed ? "computed" : "reported",
  value,
  measured_at: value === null ? null : new Date(Date.now() - 40_000).toISOString(),
  expected_now: (base ?? 0) + (target - (base ?? 0)) * 0.97,
  status: value === null ? "unknown" : value >= target ? "met" : value >= target * 0.9 ? "on_path" : "behind",
  source_zh: computed ? "平台实体 TelecomBaseStation 计数" : "市经信局季报",
  source_en: computed ? "Count of TelecomBaseStation entities" : "Quarterly report",
  reported:
    computed || value === null
      ? null
      : {
          value: value ?? 0,
          note: null,
          by: "周规划",
          at: new Date(Date.now() - 9e8).toISOString(),
          evidence: "天经信〔2025〕17号",
          period: "2025Q3",
          filing_id: null,
          files: [],
        },
  plan_places: [
    { section: "三、发展目标", quote: `“十四五”新型基础设施发展目标表:${zh} ${base ?? "-"} → ${target}` },
  ],
  contradictions: id === "5g-base-stations" ? ["5g-count"] : [],
  responsible: "jingxin",
}));
export const plan: Plan = {
  id: PLAN_ID,
  title_en: "Tianmen's 14th five-year plan for new infrastructure",
  title_zh: "天门市新型基础设施建设“十四五”规划",
  source_zh: "天门市人民政府",
  source_en: "Tianmen government",
  notes_zh: ["规划表中“-”表示没有给出2020年现状。"],
  notes_en: ["A dash in the table means that no value of 2020 is given."],
  period: [2020, 2025],
  indicators,
  contradictions: [
    {
      id: "5g-count",
      indicators: ["5g-base-stations"],
      kind: "ambiguous",
      reading_zh: "按 1800 判断。",
      reading_en: "Judged by 1,800.",
      zh: "5G 基站目标前后表述不同：正文一处为“建成1800个”，另一处为“突破1800个”。",
      en: "The 5G target is “1,800 built” in one place and “more than 1,800” in another.",
      places: [
        { section: "三、发展目标", quote: "全市建成1800个5G基站，实现主城区5G网络全覆盖" },
        { section: "四、主要任务", quote: "到2025年，全市5G基站突破1800个" },
      ],
    },
  ],
};
export const plans: Plans = {
  day: new Date().toISOString().slice(0, 10),
  items: [
    {
      id: PLAN_ID,
      title_zh: plan.title_zh,
      title_en: plan.title_en,
      period: plan.period,
      phase: "over",
      chosen: true,
      pack: "pack-plan",
      indicators: indicators.length,
    },
  ],
};

/** Made-up towns: one has taken in another, one code is nobody's. */
const townRows = ["竟陵街道", "候口街道", "杨林街道", "多宝镇", "拖市镇", "张港镇"].map((name, n) => ({
  code: `42900600${n}`,
  name,
  value: n === 4 ? null : 320 - 41 * n,
  merged:
    n === 1 ? [{ code: "429006199", name: "旧河镇", into_name: name, on: "2024-05-01", value: 12 }] : [],
}));
const unknown = [
  {
    code: "429006998",
    value: 3,
    mend_zh: "区划里没有429006998：核对数据里的镇街代码",
    mend_en: "429006998 is in no division: check the town's code in the data",
  },
];

/** The towns side by side; since a day each had a tenth less. */
export function towns(id: string, since: string): TownComparison | null {
  const found = indicators.find((i) => i.id === id);
  if (id !== "5g-base-stations" || !found) return null;
  const total = 1_149;
  const missing = found.target - total * 0.9;
  return {
    indicator: id,
    plan: PLAN_ID,
    aggregation: "sum",
    day: plans.day,
    value: found.value,
    target: found.target,
    total,
    difference: 5,
    since: since || null,
    history: since ? "known" : "not_asked",
    total_before: since ? total * 0.9 : null,
    change: since ? total * 0.1 : null,
    way: since ? (total * 0.1) / missing : null,
    towns: townRows
      .map((town, n) => {
        const change = since && town.value !== null ? town.value / 10 : null;
        return {
          ...town,
          rank: town.value === null ? null : n > 4 ? n : n + 1,
          share: town.value === null || found.value === null ? null : town.value / found.value,
          pull: null,
          before: change === null || town.value === null ? null : town.value - change,
          change,
          way: change === null ? null : change / missing,
        };
      })
      .sort((a, b) => (a.rank ?? 99) - (b.rank ?? 99)),
    unknown,
    without_town: 2,
  };
}
const LEADS: RowLead[] = [
  { column: "entity_id", to: "entity", has_message: true },
  { column: "journal_position", to: "message", has_message: true },
];
const stations = (count: number): SqlResult => ({
  columns: ["entity_id", "name", "town", "status", "journal_position"].map((name) => ({
    name,
    type: "text",
  })),
  rows: Array.from({ length: count }, (_, n) => ({
    entity_id: `urn:ngsi-ld:TelecomBaseStation:bs-${n}`,
    name: `竟陵街道5G-${n}`,
    town: "竟陵街道",
    status: "working",
    journal_position: 40_000 + n,
  })),
  row_count: count,
  truncated: false,
  elapsed_ms: 3,
});

export function proof(town: string | null): IndicatorProof {
  return {
    inputs: [
      {
        kind: "things",
        name: "TelecomBaseStation",
        title_zh: "通信基站",
        title_en: "Base station",
        count: 40,
        devices: 3,
        newest: new Date(Date.now() - 40_000).toISOString(),
        imported: null,
      },
    ],
    clock: false,
    town: town === null ? null : { code: town, name: "竟陵街道", rows: stations(4), leads: LEADS },
  };
}

export function detail(id: string): IndicatorDetail | null {
  const found = indicators.find((i) => i.id === id);
  if (!found) return null;
  const base = found.baseline ?? 0;
  return {
    ...found,
    sql: "SELECT count(*) AS value\nFROM TelecomBaseStation\nWHERE status = 'working'",
    rows_sql: "SELECT entity_id, name, journal_position FROM TelecomBaseStation",
    path: [2020, 2021, 2022, 2023, 2024, 2025].map((year) => ({
      year,
      expected: base + ((found.target - base) * (year - 2020)) / 5,
    })),
    history:
      found.value === null
        ? []
        : [1, 2, 3, 4, 5].map((n) => ({
            at: `${2020 + n}-11-30T00:00:00Z`,
            value: base + (((found.value ?? 0) - base) * n) / 5,
          })),
    forecast: null,
    forecast_missing: null,
    assessment: {
      outcome: found.value === null ? "no_value" : found.value >= found.target ? "met" : "not_met",
      on: "2025-12-31",
      value: found.value,
      value_on: found.value === null ? null : "2025-11-30",
      share: found.value === null ? null : (found.value - base) / (found.target - base),
      met_since: found.value !== null && found.value >= found.target ? "2025-11-30" : null,
      met_later_on: null,
    },
    towns:
      id === "5g-base-stations"
        ? {
            aggregation: "sum",
            towns: townRows,
            total: 1_149,
            difference: 5,
            unknown,
            without_town: 2,
          }
        : null,
    also_in: [],
    rows: stations(40),
    leads: LEADS,
  };
}
