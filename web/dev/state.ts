/** A made-up city in memory, for developing the pages without the server. Never shipped. */
import type {
  Alert,
  CaseDetail,
  CaseNeed,
  DeadLetter,
  Device,
  Entity,
  EntityKind,
  Place,
  Quality,
  User,
} from "../src/lib/types.ts";
import { TOWNS } from "./towns.ts";

/** Numbers that look random and are the same each time. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
export const random = seeded(429_006);
const iso = (agoSeconds: number) => new Date(Date.now() - agoSeconds * 1_000).toISOString();

type View = NonNullable<EntityKind["view"]>;
const LOOKS: Record<
  string,
  {
    order: number;
    colour: string;
    shown: boolean;
    zoom_min?: number;
    chart?: Partial<NonNullable<View["chart"]>>;
  }
> = {
  WaterObserved: {
    order: 10,
    colour: "#1677ff",
    shown: true,
    chart: { attributes: ["waterLevel"], limits: ["defenceLevel", "warningLevel", "guaranteeLevel"] },
  },
  AirQualityObserved: {
    order: 20,
    colour: "#52c41a",
    shown: true,
    chart: { attributes: ["pm25"] },
  },
  EVChargingStation: { order: 30, colour: "#fa8c16", shown: true },
  ChargePoint: { order: 31, colour: "#faad14", shown: true, zoom_min: 13 },
  TelecomBaseStation: { order: 40, colour: "#722ed1", shown: true, zoom_min: 10 },
  Streetlight: { order: 70, colour: "#d4b106", shown: false, zoom_min: 14 },
};

function viewOf(name: string, title_zh: string, title_en: string): View | null {
  const look = LOOKS[name];
  if (!look) return null;
  const { order, colour, shown, zoom_min = 0, chart } = look;
  return {
    id: name,
    title_zh,
    title_en,
    entity_type: name,
    order,
    layer: { icon: "dot", colour, attribute: null, zoom_min, shown, isolines: null },
    table: null,
    form: null,
    board: null,
    chart: chart ? { attributes: [], limits: [], ...chart } : null,
  };
}

const kind = (
  name: string,
  title_zh: string,
  title_en: string,
  attributes: Record<string, [zh: string, en: string, unit?: string]>,
): EntityKind => ({
  name,
  title_zh,
  title_en,
  source: "Smart Data Models",
  view: viewOf(name, title_zh, title_en),
  views: [],
  open: true,
  data_subject: null,
  commands: [],
  heard_within_seconds: null,
  attributes: Object.fromEntries(
    Object.entries(attributes).map(([key, [zh, en, unit]]) => [
      key,
      {
        value: unit === undefined ? ("text" as const) : ("number" as const),
        title_zh: zh,
        title_en: en,
        unit: unit || null,
        unit_missing: "assume" as const,
        min: null,
        max: null,
        personal: null,
        words: [],
      },
    ]),
  ),
});

export const KINDS: EntityKind[] = [
  kind("WaterObserved", "水位站", "Water level station", {
    waterLevel: ["水位", "Water level", "MTR"],
    warningLevel: ["警戒水位", "Warning level", "MTR"],
    guaranteeLevel: ["保证水位", "Guarantee level", "MTR"],
    defenceLevel: ["设防水位", "Fortification level", "MTR"],
    flow: ["流量", "Flow", "MQS"],
    stationCode: ["站码", "Station code"],
  }),
  kind("AirQualityObserved", "空气质量站", "Air quality station", {
    pm25: ["PM2.5", "PM2.5", "GQ"],
    pm10: ["PM10", "PM10", "GQ"],
    o3: ["臭氧", "Ozone", "GQ"],
    temperature: ["气温", "Temperature", "CEL"],
  }),
  kind("EVChargingStation", "充电站", "Charging station", {
    capacity: ["充电桩数", "Charge points", ""],
    power: ["总功率", "Power", "KWT"],
  }),
  kind("ChargePoint", "充电桩", "Charge point", {
    power: ["功率", "Power", "KWT"],
    status: ["状态", "Status"],
  }),
  kind("TelecomBaseStation", "5G基站", "5G base station", {
    load: ["负荷", "Load", "P1"],
    status: ["状态", "Status"],
  }),
  kind("DataCentre", "数据中心", "Data centre", {
    pue: ["能效 PUE", "PUE", ""],
    racks: ["标准机架", "Racks", ""],
  }),
  kind("Streetlight", "路灯", "Street light", {
    power: ["功率", "Power", "WTT"],
    status: ["状态", "Status"],
  }),
];

const COUNT_MAX = Number(process.env.MOCK_ENTITIES ?? 900);
export const entities = new Map<string, Entity>();
let position = 48_213;
export const nextPosition = () => ++position;

function add(
  id: string,
  type: string,
  name: string,
  location: Place,
  values: Record<string, [unknown, string?, Quality?]>,
) {
  const observed_at = iso(random() * 600);
  entities.set(`urn:ngsi-ld:${type}:${id}`, {
    id: `urn:ngsi-ld:${type}:${id}`,
    type,
    name,
    location,
    modified_at: observed_at,
    attributes: Object.fromEntries(
      Object.entries({
        ...values,
        location: [{ type: "Point", coordinates: location }] as [unknown, string?, Quality?],
      }).map(([key, [value, unit, quality]]) => [
        key,
        {
          value,
          unit: unit || null,
          observed_at,
          quality: quality ?? "good",
          position: nextPosition(),
          masked: false,
        },
      ]),
    ),
  });
}

add("tianmen-hanbei", "WaterObserved", "汉北河·天门", [113.18, 30.67], {
  waterLevel: [29.37, "MTR", "simulated"],
  warningLevel: [29.3, "MTR"],
  guaranteeLevel: [30.0, "MTR"],
  defenceLevel: [28.3, "MTR"],
  flow: [212.4, "MQS", "simulated"],
  stationCode: ["62206900"],
  dataNote: ["水位过程由美国圣安东尼奥河实测换算到汉北河·天门的设防、警戒、保证水位；不是天门实测"],
});
add("tianmen-yuekou", "WaterObserved", "汉江·岳口", [113.1, 30.51], {
  waterLevel: [34.12, "MTR", "simulated"],
  warningLevel: [37.9, "MTR"],
  guaranteeLevel: [40.62, "MTR"],
  stationCode: ["61804400"],
});
for (const [i, [, town, lon, lat]] of TOWNS.slice(0, 6).entries()) {
  add(`air-${i + 1}`, "AirQualityObserved", `${town}空气站`, [lon + 0.01, lat - 0.01], {
    pm25: [38 + i * 9, "GQ", "simulated"],
    pm10: [71 + i * 8, "GQ", "simulated"],
    o3: [92, "GQ", "simulated"],
    temperature: [i === 3 ? 91.5 : 14.2, "CEL", i === 3 ? "out_of_range" : "simulated"],
    dataNote: ["北京市监测站 2013–2017 年数据回放"],
  });
}
add("dc-1", "DataCentre", "天门市云数据中心", [113.17, 30.655], {
  pue: [1.38, "", "simulated"],
  racks: [186, ""],
});
for (let n = entities.size; n < COUNT_MAX; n += 1) {
  const town = TOWNS[Math.floor(random() ** 1.6 * TOWNS.length)] ?? TOWNS[0];
  if (!town) break;
  const at: Place = [town[2] + (random() - 0.5) * 0.09, town[3] + (random() - 0.5) * 0.07];
  const which = random();
  const no = String(n).padStart(5, "0");
  if (which < 0.35)
    add(`bs-${no}`, "TelecomBaseStation", `${town[1]}5G-${no}`, at, {
      load: [Math.round(random() * 90), "P1", "simulated"],
      status: ["working"],
    });
  else if (which < 0.6)
    add(`cp-${no}`, "ChargePoint", `${town[1]}充电桩${no}`, at, {
      power: [Math.round(random() * 60), "KWT", "simulated"],
      status: ["charging"],
    });
  else if (which < 0.65)
    add(`cs-${no}`, "EVChargingStation", `${town[1]}充电站${no}`, at, {
      capacity: [8, ""],
      power: [480, "KWT"],
    });
  else
    add(`sl-${no}`, "Streetlight", `${town[1]}路灯${no}`, at, {
      power: [Math.round(60 + random() * 90), "WTT"],
      status: ["on"],
    });
}

const ALL = [
  "entity.read",
  "sql.query",
  "alert.read",
  "alert.acknowledge",
  "case.read",
  "case.open",
  "case.file",
  "case.dispatch",
  "case.handle",
  "case.verify",
  "case.close",
  "case.comment",
  "device.read",
  "device.manage",
  "deadletter.read",
  "indicator.read",
  "indicator.report",
  "indicator.approve",
  "indicator.lock",
  "data.correct",
  "ingest.write",
  "data.enter",
  "personal.reveal",
  "personal.export",
  "audit.read",
  "user.manage",
  "token.manage",
  "pack.manage",
  "role.grant",
  "policy.read",
  "policy.manage",
  "security.read",
  "key.manage",
  "approval.decide",
  "run.read",
  "run.start",
];
/** What belongs to the administrators alone. */
const ADMINISTRATORS = /manage|audit|ingest|grant|policy|security|approval|personal.export/;
const ROLES: Record<string, [name: string, organisation: string | null, permissions: string[]]> = {
  admin: [
    "李工",
    "市数据局",
    [
      "entity.read",
      "alert.read",
      "device.read",
      "device.manage",
      "deadletter.read",
      "indicator.read",
      "user.manage",
      "token.manage",
      "pack.manage",
      "approval.decide",
    ],
  ],
  security: [
    "赵安全",
    "市数据局",
    ["role.grant", "policy.read", "policy.manage", "security.read", "key.manage", "approval.decide"],
  ],
  auditor: ["孙审计", "市审计局", ["audit.read", "approval.decide"]],
  duty: ["王值班", "城市运营指挥中心", ALL.filter((p) => !ADMINISTRATORS.test(p))],
  field: [
    "陈巡查",
    "市水利和湖泊局",
    ["entity.read", "alert.read", "case.read", "case.handle", "case.comment"],
  ],
  planner: [
    "周规划",
    "新基建指挥部办公室",
    [
      "entity.read",
      "indicator.read",
      "indicator.report",
      "indicator.approve",
      "indicator.lock",
      "data.correct",
      "sql.query",
    ],
  ],
  viewer: ["访客", null, ["entity.read", "alert.read"]],
};
export function userOf(role: string): User | null {
  const found = ROLES[role];
  if (!found) return null;
  return {
    id: Object.keys(ROLES).indexOf(role) + 1,
    username: role,
    name: found[0],
    role,
    organisation: found[1],
    permissions: found[2],
  };
}

export const ORGANISATIONS = [
  { id: "water", name_zh: "市水利和湖泊局", name_en: "Water and Lakes Bureau" },
  { id: "city", name_zh: "市城市管理执法局", name_en: "City Management Bureau" },
  { id: "energy", name_zh: "市发展和改革委员会", name_en: "Development and Reform Commission" },
];

const runbook_zh =
  "1. 核对相邻测站与上游来水，排除传感器故障。\n2. 通知市水利和湖泊局值班室，电话记录时间与接听人。\n3. 派巡查人员到断面现场拍照，核对水尺读数。\n4. 水位达到保证水位 30.00 m 时，启动防汛Ⅲ级应急响应。";
const runbook_en =
  "1. Compare with the neighbouring stations and the inflow; rule out a faulty sensor.\n2. Call the Water Bureau's duty room; note the time and who answered.\n3. Send a patrol to photograph the staff gauge.\n4. At 30.00 m (guarantee level) start flood response level III.";

export const alerts: Alert[] = [];
export function raise(
  entityId: string,
  severity: Alert["severity"],
  zh: string,
  en: string,
  attribute: string,
  threshold: number | null,
  agoSeconds = 0,
): Alert {
  const entity = entities.get(entityId) as Entity;
  const state = entity.attributes[attribute];
  const alert: Alert = {
    id: alerts.length + 1,
    rule_id: `rule.${attribute}`,
    rule_version: 1,
    entity_id: entityId,
    entity_name: entity.name,
    entity_name_en: null,
    entity_type: entity.type,
    attribute,
    value: typeof state?.value === "number" ? state.value : null,
    unit: state?.unit ?? null,
    threshold,
    severity,
    title_zh: zh,
    title_en: en,
    raised_at: iso(agoSeconds),
    cleared_at: null,
    acknowledged_at: null,
    acknowledged_by: null,
    case_id: null,
    decided: [],
    doubt: null,
    position: state?.position ?? 1,
    runbook_zh,
    runbook_en,
    location: entity.location,
  };
  alerts.unshift(alert);
  return alert;
}
const old = raise(
  "urn:ngsi-ld:DataCentre:dc-1",
  "minor",
  "数据中心 PUE 偏高",
  "PUE is high",
  "pue",
  1.35,
  86_000,
);
old.cleared_at = iso(80_000);
raise(
  "urn:ngsi-ld:AirQualityObserved:air-4",
  "minor",
  "气温读数超出量程",
  "Temperature out of range",
  "temperature",
  60,
  5_400,
);
const light = [...entities.keys()].find((id) => id.includes("Streetlight")) as string;
raise(light, "info", "路灯离线", "Street light is silent", "status", null, 3_100);
raise(
  "urn:ngsi-ld:AirQualityObserved:air-5",
  "major",
  "PM2.5 超标",
  "PM2.5 above the limit",
  "pm25",
  75,
  900,
);
const flood = raise(
  "urn:ngsi-ld:WaterObserved:tianmen-hanbei",
  "critical",
  "汉北河水位超警戒",
  "Hanbei River above the warning level",
  "waterLevel",
  29.3,
  140,
);

export const cases: CaseDetail[] = [];
export function openCase(title: string, by: string, alert: Alert | null, agoSeconds = 0): CaseDetail {
  const made: CaseDetail = {
    id: cases.length + 1,
    number: `TM-2026-${String(cases.length + 1).padStart(4, "0")}`,
    title,
    description: alert
      ? `${alert.entity_name} ${alert.title_zh}:${alert.value}(阈值 ${alert.threshold})`
      : "",
    workflow: "city-case",
    way: ["collected", "filed", "dispatched", "handling", "handled", "verified", "closed"],
    assessment: null,
    state: "collected",
    severity: alert?.severity ?? "minor",
    alert_id: alert?.id ?? null,
    entity_id: alert?.entity_id ?? null,
    location: alert?.location ?? null,
    organisation: null,
    assignee: null,
    created_at: iso(agoSeconds),
    created_by: by,
    updated_at: iso(agoSeconds),
    due_at: new Date(Date.now() + (7_200 - agoSeconds) * 1_000).toISOString(),
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
    history: [
      {
        id: 1,
        organisation: null,
        assignee: null,
        late: false,
        at: iso(agoSeconds),
        actor: by,
        action: "open",
        from_state: null,
        to_state: "collected",
        note: null,
        attachments: [],
        detail: null,
      },
    ],
    attachments: [],
    actions: [],
    allowed: [],
    version: 1,
  };
  if (alert) alert.case_id = made.id;
  cases.unshift(made);
  return made;
}
const NEXT: Record<string, CaseDetail["state"]> = {
  file: "filed",
  dispatch: "dispatched",
  take: "handling",
  finish: "handled",
  verify: "verified",
  reject: "handling",
  close: "closed",
  cancel: "cancelled",
};
export function act(
  it: CaseDetail,
  who: string,
  input: {
    action: string;
    note?: string;
    organisation?: string;
    assignee?: number;
    attachment_ids?: number[];
  },
) {
  const from = it.state;
  it.state = NEXT[input.action] ?? it.state;
  if (input.organisation) it.organisation = ORGANISATIONS.find((o) => o.id === input.organisation) ?? null;
  if (input.assignee || input.action === "take") it.assignee = { id: 5, name: "陈巡查" };
  it.updated_at = new Date().toISOString();
  if (it.state === "closed") it.closed_at = it.updated_at;
  it.history.push({
    id: it.history.length + 1,
    organisation: input.action === "dispatch" ? it.organisation : null,
    assignee: input.action === "dispatch" ? it.assignee : null,
    late: false,
    at: it.updated_at,
    actor: who,
    action: input.action,
    from_state: from,
    to_state: it.state,
    note: input.note ?? null,
    attachments: input.attachment_ids ?? [],
    detail: null,
  });
}
const STEPS: Record<string, [actions: string[], permission: string[]]> = {
  collected: [
    ["file", "cancel"],
    ["case.file", "case.file"],
  ],
  filed: [
    ["dispatch", "cancel"],
    ["case.dispatch", "case.dispatch"],
  ],
  dispatched: [
    ["take", "dispatch"],
    ["case.handle", "case.dispatch"],
  ],
  handling: [["finish"], ["case.handle"]],
  handled: [
    ["verify", "reject"],
    ["case.verify", "case.verify"],
  ],
  verified: [["close"], ["case.close"]],
  closed: [[], []],
  cancelled: [[], []],
};
export function withActions(it: CaseDetail, user: User): CaseDetail {
  const [steps, permissions] = STEPS[it.state] ?? [[], []];
  const allowed = steps.filter((_, i) => user.permissions.includes(permissions[i] ?? ""));
  const actions = [...allowed, "comment"] as CaseDetail["actions"];
  const needs = (action: string): CaseNeed[] =>
    action === "finish"
      ? ["note", "photo"]
      : action === "dispatch"
        ? ["organisation"]
        : /reject|comment|cancel/.test(action)
          ? ["note"]
          : [];
  const next = (action: string) => (action === "take" ? [{ action: "finish", needs: needs("finish") }] : []);
  const told = actions.map((action) => ({ action, needs: needs(action), next: next(action) }));
  return { ...it, actions, allowed: told };
}
{
  const first = openCase("路灯成片不亮（竟陵街道）", "王值班", null, 90_000);
  first.description = "居民来电反映陆羽大道东段路灯不亮约二十盏。";
  for (const action of ["file", "dispatch", "take", "finish", "verify", "close"])
    act(first, "王值班", { action, organisation: "city" });
  const second = openCase("PM2.5 超标核查", "王值班", alerts[1] ?? null, 8_000);
  act(second, "王值班", { action: "file" });
  second.due_at = iso(600);
  const third = openCase("汉北河水位超警戒 现场核查", "王值班", flood, 120);
  act(third, "王值班", { action: "file" });
  act(third, "王值班", {
    action: "dispatch",
    organisation: "water",
    assignee: 5,
    note: "请到天门断面核对水尺并拍照",
  });
  // More of the field worker's day, so that there is a way to order.
  for (const [title, location] of [
    ["井盖缺失（陆羽大道）", [113.182, 30.668]],
    ["雨水篦子堵塞（竟陵西湖）", [113.151, 30.652]],
    ["乱堆物料（小板镇）", [113.222, 30.641]],
  ] as [string, [number, number]][]) {
    const more = openCase(title, "王值班", null, 300);
    more.location = location;
    for (const action of ["file", "dispatch"])
      act(more, "王值班", { action, organisation: "water", assignee: 5 });
  }
}
export const photos = new Map<number, { type: string; data: Buffer }>();

export const devices: Device[] = [...entities.values()].slice(0, 60).map((entity, i) => ({
  id: entity.id,
  client_id: entity.id.split(":").slice(-2).join("-").toLowerCase(),
  type: entity.type,
  name: entity.name,
  username: entity.id.split(":").slice(-1)[0] ?? "",
  online: i % 7 !== 5,
  connected_at: iso(40_000 + i * 100),
  last_seen_at: i === 12 ? null : iso(i % 7 === 5 ? 7_000 : random() * 30),
  messages: i === 12 ? 0 : Math.floor(random() * 40_000),
  rejected: i === 3 ? 14 : 0,
  can_be_asked: false,
}));

const PROBLEMS: [raw: string, code: string, what: string, place: string, mend: string][] = [
  [
    '{"id":"urn:ngsi-ld:WaterObserved:tianmen-hanbei","type":"WaterObserved","waterLevel":{"value":29.4,',
    "json-syntax",
    "JSON ends in the middle of an object",
    "line 1, column 87",
    "send the whole JSON document in one message",
  ],
  [
    '{"id":"urn:ngsi-ld:AirQualityObserved:air-4","type":"AirQualityObserved","pm25":{"type":"Property","value":"高"}}',
    "number-expected",
    '"高" is not a number',
    "pm25.value",
    "send a number in µg/m³",
  ],
  [
    '[{"bn":"urn:dev:ow:10e2073a01080063","bt":12345,"n":"temp","u":"Cel","v":23.1}]',
    "time-out-of-range",
    "1970-01-01T03:25:45Z lies before 2000",
    "[0].bt",
    "set the device's clock, or leave the time out",
  ],
  [
    "\u0000\u0001\u0002~~binary~~",
    "payload-foreign",
    "neither NGSI-LD JSON nor SenML JSON",
    "byte 0",
    "send one of the payloads that this door takes",
  ],
];
export const deadLetters: (DeadLetter & { raw: string })[] = Array.from({ length: 34 }, (_, i) => {
  const [raw, code, what, place, mend] = PROBLEMS[i % PROBLEMS.length] ?? PROBLEMS[0] ?? ["", "", "", "", ""];
  const device = devices[i % 5];
  return {
    position: 48_000 - i * 37,
    door: "mqtt",
    device_id: device?.client_id ?? null,
    address: `devices/${device?.client_id}/up`,
    received_at: iso(i * 1_300 + 40),
    size_bytes: Buffer.byteLength(raw),
    preview: raw.slice(0, 120),
    withheld: false,
    problem: { code, what, place, mend },
    raw,
  };
});
