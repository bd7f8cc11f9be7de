/**
 * Gives a demonstration city what its people would have done by noon: cases in several states, a dead letter, a reading
 * corrected, a department's file brought in.
 */
import { riverPhoto } from "./photo.mjs";

/** A signed-in caller of the API. */
export async function caller(base, { username, password }) {
  const headers = { "content-type": "application/json", "x-jingling-csrf": "1" };
  const signedIn = await fetch(`${base}/api/v1/session`, {
    method: "POST",
    headers,
    body: JSON.stringify({ username, password }),
  });
  if (!signedIn.ok) throw new Error(`${username} cannot sign in: ${signedIn.status}`);
  headers.cookie = signedIn.headers.get("set-cookie").split(";")[0];
  const { user } = await signedIn.json();
  const call = async (method, path, body) => {
    const answer = await fetch(`${base}${path}`, { method, headers, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const attach = async (id, name, bytes) => {
    const form = new FormData();
    form.append("file", new Blob([bytes], { type: "image/png" }), name);
    const { "content-type": _, ...rest } = headers;
    const answer = await fetch(`${base}/api/v1/cases/${id}/attachments`, {
      method: "POST",
      headers: rest,
      body: form,
    });
    return (await answer.json()).id;
  };
  return { base, user, call, attach, headers };
}

/** Sends a batch through the NGSI-LD door, as a machine would. */
function send({ base, headers }, body) {
  return fetch(`${base}/ngsi-ld/v1/entityOperations/upsert`, {
    method: "POST",
    headers,
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** Waits until the city has had alerts to work on. */
async function alertsOf(duty) {
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const { items } = await duty.call("GET", "/api/v1/alerts");
    const free = items.filter((alert) => alert.case_id === null);
    if (free.length >= 3) return free;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  throw new Error("no three alerts within a minute");
}

/** Does nothing when the city has cases already. `people`: username → sign-in; `token`: a machine's, of the role collector. */
export async function live(base, people, token) {
  const duty = await caller(base, people.duty);
  if ((await duty.call("GET", "/api/v1/cases")).items.length > 0) return;
  const field = await caller(base, people.field);
  const planner = await caller(base, people.planner);
  const machine = { base, headers: { "content-type": "application/json", authorization: `Bearer ${token}` } };
  // Batteries run low: such an alert comes at once, while the river takes its time.
  const { items: meters } = await duty.call("GET", "/api/v1/entities?type=Device&limit=4");
  await send(
    machine,
    meters.map(({ id, type }, n) => ({
      id,
      type,
      batteryLevel: { type: "Property", value: 12 + n, unitCode: "P1" },
    })),
  );
  const open = async (alert) => {
    const made = await duty.call("POST", "/api/v1/cases", {
      title: alert.title_zh,
      alert_id: alert.id,
      entity_id: alert.entity_id,
      severity: alert.severity,
      location: alert.location,
      description: `${alert.title_zh}。请到现场核实。`,
    });
    return async (who, action, more = {}) =>
      who.call("POST", `/api/v1/cases/${made.id}/actions`, { action, ...(await more) });
  };
  const id = async (alert) =>
    (await duty.call("GET", "/api/v1/cases")).items.find((made) => made.alert_id === alert.id).id;
  const given = { organisation: field.user.organisation, assignee: field.user.id };
  const [first, second, third] = await alertsOf(duty);

  const done = await open(first);
  await done(duty, "file");
  await done(duty, "dispatch", { ...given, note: "请到断面核对水尺并拍照" });
  await done(field, "take");
  const photo = await field.attach(await id(first), "现场.png", riverPhoto());
  await done(field, "finish", {
    note: "已到现场，水尺读数与遥测一致，堤段无险情。",
    attachment_ids: [photo],
  });
  await done(duty, "verify", { note: "照片与读数相符" });
  await done(duty, "close", { note: "结案" });

  const underWay = await open(second);
  await underWay(duty, "file");
  await underWay(duty, "dispatch", { ...given, note: "请今天内处理" });

  const filed = await open(third);
  await filed(duty, "file");

  // Broken on purpose: the pages show what became of it.
  for (const body of [
    '{"id": "urn:ngsi-ld:WaterObserved:hanbei-tianmen", "type": "WaterObserved", "waterLevel": ',
    [
      {
        id: "urn:ngsi-ld:AirQualityObserved:1",
        type: "AirQualityObserved",
        pm25: { type: "Property", value: 30, observedAt: "1970-01-01T00:00:00Z" },
      },
    ],
  ]) {
    await send(machine, body);
  }

  const { items: stations } = await duty.call("GET", "/api/v1/entities?type=WaterObserved");
  const station = stations.find(({ attributes }) => attributes.warningLevel) ?? stations[0];
  const { value, observed_at } = station.attributes.waterLevel;
  await duty.call("POST", "/api/v1/corrections", {
    entity_id: station.id,
    attribute: "waterLevel",
    observed_at,
    value: Math.round((value - 0.12) * 100) / 100,
    reason: "与水尺人工观测不符，按人工观测更正（演示）",
  });

  const asked = new URLSearchParams({
    file: "井盖台账.csv",
    title_zh: "井盖台账（演示）",
    title_en: "Manholes (made up)",
  });
  const brought = await fetch(`${base}/api/v1/tables/manholes/import?${asked}`, {
    method: "POST",
    headers: { ...planner.headers, "content-type": "application/octet-stream" },
    body: manholes(12),
  });
  if (!brought.ok) throw new Error(`import: ${brought.status} ${await brought.text()}`);
  // And wants it away again, which a second person is to decide on.
  await planner.call("DELETE", `/api/v1/tables/manholes?reason=${encodeURIComponent("演示数据，不再使用")}`);
}

/** Rain gauges over the city and what fell on them until now, made up: a storm in the east, a shower in the west. */
export async function rain(base, token) {
  const machine = { base, headers: { "content-type": "application/json", authorization: `Bearer ${token}` } };
  const fallen = (lon, lat) =>
    150 * Math.exp(-((lon - 113.2) ** 2 + 2 * (lat - 30.68) ** 2) / 0.02) +
    30 * Math.exp(-((lon - 112.78) ** 2 + (lat - 30.55) ** 2) / 0.02);
  const observedAt = new Date().toISOString();
  const property = (value) => ({ type: "Property", value, unitCode: "MMT", observedAt });
  const gauges = Array.from({ length: 32 }, (_, n) => {
    // Spread as seeds of a sunflower are: evenly, and in no rows.
    const [far, turn] = [Math.sqrt((n + 0.5) / 32), n * 2.399963];
    const lon = 113.05 + 0.42 * far * Math.cos(turn);
    const lat = 30.62 + 0.2 * far * Math.sin(turn);
    const day = Math.round(10 * fallen(lon, lat)) / 10;
    return {
      id: `urn:ngsi-ld:WaterObserved:made-up-rain-${n + 1}`,
      type: "WaterObserved",
      name: { type: "Property", value: `演示雨量站 ${n + 1}` },
      stationType: { type: "Property", value: "PP" },
      location: { type: "GeoProperty", value: { type: "Point", coordinates: [lon, lat] } },
      dataNote: { type: "Property", value: "虚构的雨量，只用于演示 / Made-up rain, for demonstration only" },
      precipitationDay: property(day),
      precipitation1h: property(Math.round(3 * day) / 10),
    };
  });
  const answer = await send(machine, gauges);
  if (!answer.ok) throw new Error(`rain: ${answer.status} ${await answer.text()}`);
}

/** A department's list as CSV, made up; `wrong`: a line that cannot be read as the others. */
export function manholes(lines, wrong) {
  const line = (n) =>
    `JG-${String(n).padStart(4, "0")},竟陵街道,${600 + (n % 3) * 100},2024-0${1 + (n % 9)}-15`;
  const all = Array.from({ length: lines }, (_, n) => line(n + 1));
  return ["编号,街道,口径(mm),检查日期", ...all, ...(wrong ? [wrong] : [])].join("\n");
}
