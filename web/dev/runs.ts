/** Made-up runs and the forecasts that came of them, for developing the pages. Never shipped. */
import type { EntityForecast, Run, RunDefinition, RunDetail, RunRepeated } from "../src/lib/types.ts";

const STEP_MS = 900_000;
const STATION = "urn:ngsi-ld:WaterObserved:tianmen-hanbei";
const ISSUES = 24;
const LEADS = 24;
/** The newest full quarter of an hour. */
const due = () => Math.floor(Date.now() / STEP_MS) * STEP_MS;
const iso = (at: number) => new Date(at).toISOString();

export const DEFINITIONS: RunDefinition[] = [
  {
    id: "water-stage-forecast",
    pack: "pack-water",
    version: 1,
    title_zh: "相应水位预报",
    title_en: "Stages foretold from the stages upstream",
    engine: "water.corresponding-stage",
    engine_version: 2,
    engine_title_zh: "相应水位",
    engine_title_en: "Corresponding stages",
    method: "本站和上游相应站的水位，按预见期逐步回归。",
    reference: "水文情报预报规范 GB/T 22482-2008",
    every_minutes: 15,
    delay_minutes: 1,
    window_hours: 120,
    input_sql:
      "SELECT own.at, own.stage AS stage_m, up.stage AS upstream_1_m\nFROM readings own\nLEFT JOIN readings up ON up.at = own.at\nORDER BY own.at",
    target_sql: "SELECT entity_id FROM entities_now\nWHERE entity_type = 'WaterObserved'",
    forecast_type: "WaterLevelForecast",
    adopt_type: null,
    forecast_unit: "MTR",
    next_at: iso(due() + STEP_MS + 60_000),
    last: { at: iso(due()), done: 2, failed: 1 },
  },
];

const run = (id: number, at: number, target: string, name: string, failed: boolean): Run => ({
  id,
  definition_id: "water-stage-forecast",
  definition_version: 1,
  title_zh: "相应水位预报",
  title_en: "Stages foretold from the stages upstream",
  engine: "water.corresponding-stage",
  engine_version: id < 30 ? 1 : 2,
  target_id: target,
  target_name: name,
  due_at: iso(at),
  begun_at: iso(at + 61_000),
  ended_at: iso(at + 61_340),
  outcome: failed ? "failed" : "done",
  problems: failed
    ? [
        {
          code: "run-no-input",
          what: "the statement found nothing to reckon from",
          place: "input",
          mend: "check that the target sends what the input asks for, within the window",
        },
      ]
    : [],
  rows_in: failed ? 0 : 480,
  rows_out: failed ? 0 : LEADS,
  position: failed ? null : 50_000 + id,
  output_digest: failed ? null : "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  entity_id: failed ? null : target.replace("WaterObserved", "WaterLevelForecast"),
  asked_by: id % 7 === 0 ? "王值班" : null,
});

/** Newest first: for each moment one station that is foretold and, now and then, one that is not. */
export const runs = (): Run[] =>
  Array.from({ length: ISSUES }, (_, n) => {
    const at = due() - n * STEP_MS;
    const id = 2 * (ISSUES - n);
    return [
      run(id, at, STATION, "汉北河·天门", false),
      ...(n % 4 === 0
        ? [run(id - 1, at, "urn:ngsi-ld:WaterObserved:tianmen-yuekou", "汉江·岳口", true)]
        : []),
    ];
  }).flat();

/** A rise that passes the guarantee level some hours on; issues miss it a little. */
function points(issued: number) {
  return Array.from({ length: LEADS }, (_, n) => {
    const at = issued + (n + 1) * STEP_MS;
    const value = 29.4 + 0.04 * n + 0.06 * Math.sin(issued / 7e6 + n / 3);
    const half = 0.05 + 0.02 * n;
    const round = (x: number) => Math.round(x * 1_000) / 1_000;
    return { at: iso(at), value: round(value), lower: round(value - half), upper: round(value + half) };
  });
}

export function forecasts(entity: string, attribute: string, issued: number): EntityForecast[] {
  if (entity !== STATION || attribute !== "waterLevel") return [];
  return Array.from({ length: Math.min(issued, ISSUES) }, (_, n) => ({
    forecast_id: STATION.replace("WaterObserved", "WaterLevelForecast"),
    forecast_type: "WaterLevelForecast",
    adopt_type: null,
    attribute,
    unit: "MTR",
    unit_symbol: "m",
    issued_at: iso(due() - n * STEP_MS),
    method: "water.corresponding-stage",
    version: "2",
    run: `run-${2 * (ISSUES - n)}`,
    certainty: 0.9,
    is_out_of_range: false,
    quality: "simulated",
    position: 50_000 + 2 * (ISSUES - n),
    points: points(due() - n * STEP_MS),
  }));
}

export function runDetail(id: number): RunDetail | null {
  const found = runs().find((one) => one.id === id);
  if (!found) return null;
  const at = Date.parse(found.due_at);
  const failed = found.outcome === "failed";
  const rows = points(at).map((point) => [point.at, point.value, point.lower, point.upper].map(String));
  return {
    ...found,
    forecast_unit: "MTR",
    parameters: { step_minutes: 15, leads: LEADS },
    report: failed
      ? {}
      : {
          engine: found.engine,
          version: found.engine_version,
          given: { step_minutes: 15, leads: LEADS, certainty: 0.9 },
          certainty: 0.9,
          method: "water.corresponding-stage",
          origin: iso(at),
          stage_m: 29.37,
          sources: [{ column: "upstream_1_m", delay_steps: 0, travel_steps: 6, correlation: 0.93 }],
          skill: Array.from({ length: LEADS }, (_, n) => ({
            covered: 0.91 - 0.002 * n,
            lead: n + 1,
            nse_of_change: 0.96 - 0.021 * n,
            nse_of_change_persistence: -0.01 * n,
            rmse_m: 0.011 + 0.006 * n,
            rmse_persistence_m: 0.013 + 0.019 * n,
            rows: 380 - n,
            terms: n < 20 ? "changes" : "persistence",
            within_allowed: 0.99 - 0.012 * n,
          })),
          doubts: ["the station upstream says nothing for 11 of 480 steps: they are left out"],
        },
    input: failed
      ? { columns: [], rows: [] }
      : {
          columns: ["at", "stage_m", "upstream_1_m", "quality"],
          rows: Array.from({ length: 480 }, (_, n) => [
            iso(at - (479 - n) * STEP_MS),
            (28 + 0.003 * n).toFixed(2),
            n % 44 === 0 ? "" : (29 + 0.002 * n).toFixed(2),
            "simulated",
          ]),
        },
    output: failed ? { columns: [], rows: [] } : { columns: ["at", "value", "lower", "upper"], rows },
    program_version: "0.1.0",
    input_sql: DEFINITIONS[0]?.input_sql ?? null,
    is_withheld: false,
    is_adoptable: false,
  };
}

/** The older engine's runs come out otherwise now. */
export function repeated(id: number): RunRepeated | null {
  const found = runs().find((one) => one.id === id);
  if (!found) return null;
  const isSame = found.engine_version === 2 && found.outcome === "done";
  return {
    is_same: isSame,
    engine_version_then: found.engine_version,
    engine_version_now: 2,
    output_digest_then: found.output_digest,
    output_digest_now: isSame
      ? found.output_digest
      : found.outcome === "failed"
        ? null
        : "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    problems: found.problems,
  };
}
