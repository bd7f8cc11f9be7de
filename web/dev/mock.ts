/**
 * Answers the server's paths from the made-up city while the pages are developed. Never shipped. `MOCK_ENTITIES`,
 * `MOCK_REPORTS` and `MOCK_ALERTS` say how large and how lively it is (the last two in a second).
 */
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plugin, PreviewServer, ViteDevServer } from "vite";
import type {
  Alert,
  Correction,
  CorrectionDraft,
  IndicatorReport,
  PolicyChange,
  User,
} from "../src/lib/types.ts";
import { ACCOUNTS, APPROVALS, GRANTABLE } from "./approvals.ts";
import { AUDIT_ACTS, AUDIT_EVENTS, auditChain } from "./audit.ts";
import { detail, plan, plans, proof, towns } from "./plan.ts";
import { changePolicies, policies, policyVersions, tryPolicies, whyOf } from "./policy.ts";
import { affected, BULLETINS, bulletin, PACKS, types } from "./registers.ts";
import { filed, filingDetail, filingsOf, reported, reporting, stepped } from "./reports.ts";
import { DEFINITIONS, forecasts, repeated, runDetail, runs } from "./runs.ts";
import {
  act,
  alerts,
  cases,
  deadLetters,
  devices,
  entities,
  KINDS,
  nextPosition,
  ORGANISATIONS,
  openCase,
  photos,
  raise,
  random,
  userOf,
  withActions,
} from "./state.ts";

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly mend = "",
    readonly place = "",
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}
const listeners = new Set<ServerResponse>();
function tell(event: string, data: unknown) {
  for (const response of listeners) response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
const page = <T>(items: T[], url: URL, size = 50) => {
  const from = Number(url.searchParams.get("after") ?? 0);
  return {
    items: items.slice(from, from + size),
    next: from + size < items.length ? String(from + size) : null,
  };
};
const need = <T>(it: T | null | undefined): T => {
  if (it === null || it === undefined)
    throw new Refusal(404, "not-found", "there is no such thing", "check the id", "path");
  return it;
};

/** The city profile's own layers. */
async function layer(name: string): Promise<unknown> {
  const file = new URL(`../../cities/tianmen/layers/${name}.geojson`, import.meta.url);
  return JSON.parse(await readFile(file, "utf8"));
}

const severityNumber = { info: 1, minor: 2, major: 3, critical: 4 };
function mapEntities() {
  const types = KINDS.map((k) => k.name);
  const all = [...entities.values()].filter((e) => e.location);
  const worst = new Map<string, number>();
  for (const a of alerts)
    if (!a.cleared_at)
      worst.set(a.entity_id, Math.max(worst.get(a.entity_id) ?? 0, severityNumber[a.severity]));
  return {
    types,
    ids: all.map((e) => e.id),
    type: all.map((e) => types.indexOf(e.type)),
    lon: all.map((e) => e.location?.[0]),
    lat: all.map((e) => e.location?.[1]),
    name: all.map((e) => e.name),
    severity: all.map((e) => worst.get(e.id) ?? 0),
    at_position: nextPosition(),
  };
}

function history(id: string, url: URL) {
  const entity = need(entities.get(id));
  const attribute = url.searchParams.get("attribute") ?? "";
  const state = need(entity.attributes[attribute]);
  const from = Date.parse(url.searchParams.get("from") ?? "");
  const to = Date.parse(url.searchParams.get("to") ?? "");
  const base = Number(state.value);
  const points = Array.from({ length: 240 }, (_, i) => {
    const at = from + ((to - from) * i) / 239;
    return {
      observed_at: new Date(at).toISOString(),
      received_at: new Date(at + 200).toISOString(),
      value:
        Math.round((base + base * 0.02 * Math.sin(at / 5e6) + base * 0.004 * Math.sin(i * 7.3)) * 100) / 100,
      quality: i === 100 ? "out_of_range" : "simulated",
      position: 40_000 + i,
    };
  });
  return { attribute, unit: state.unit, points, truncated: false };
}

const corrections: Correction[] = [];

let attempts = 0;
async function signIn(request: IncomingMessage, response: ServerResponse) {
  const { username, password } = JSON.parse(String(await bodyOf(request))) as Record<string, string>;
  const user = userOf(username ?? "");
  if (attempts >= 5) {
    attempts = 0;
    throw new Refusal(429, "rate-limited", "too many attempts", "wait", "", { "retry-after": "20" });
  }
  if (!user || password !== "demo") {
    attempts += 1;
    throw new Refusal(401, "sign-in-wrong", "the user name or the password is wrong", "check both");
  }
  attempts = 0;
  response.setHeader("set-cookie", `jingling_session=${user.username}; HttpOnly; SameSite=Strict; Path=/`);
  return { user };
}

async function answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<unknown> {
  const at = url.pathname.replace("/api/v1", "");
  const method = request.method ?? "GET";
  const route = `${method} ${at}`;
  if (route === "POST /session") return signIn(request, response);
  const cookie = /jingling_session=(\w+)/.exec(request.headers.cookie ?? "");
  const user: User | null = cookie ? userOf(cookie[1] ?? "") : null;
  if (!user) throw new Refusal(401, "signed-out", "nobody is signed in", "sign in");
  if (method !== "GET" && request.headers["x-jingling-csrf"] !== "1")
    throw new Refusal(403, "csrf", "header missing");
  if (route === "GET /session") return { user };
  if (route === "DELETE /session") {
    response.setHeader("set-cookie", "jingling_session=; Max-Age=0; Path=/");
    return undefined;
  }
  const parts = at.split("/").slice(1).map(decodeURIComponent);
  const [first, second, third] = parts;
  const state = url.searchParams.get("state");
  switch (`${method} ${first}`) {
    case "GET city":
      if (second === "layers") return layer(third ?? "");
      return {
        id: "tianmen",
        name_zh: "天门",
        name_en: "Tianmen",
        centre: [113.16, 30.65],
        bbox: [112.52, 30.36, 113.5, 30.94],
        zone: "Asia/Shanghai",
        demo: true,
        purposes: [
          { id: "case-handling", title_zh: "处置事件", title_en: "Handling a case" },
          { id: "emergency", title_zh: "应急处置", title_en: "Emergency" },
          { id: "own-request", title_zh: "本人申请", title_en: "The person's own request" },
        ],
        notes_zh: [
          "水位过程由外地实测换算，阈值为汉北河·天门真实特征水位。",
          "空气质量为北京监测站历史数据回放。",
          "地图为示意图；村、社区位置为示意。",
        ],
        notes_en: [
          "River stage is rescaled from elsewhere; the thresholds are those of Hanbei River at Tianmen.",
          "Air quality is a replay of Beijing stations.",
          "The map is schematic; village places are schematic.",
        ],
      };
    case "GET types":
      return { items: types() };
    case "GET packs":
      return { items: PACKS };
    case "GET bulletins":
      return second ? need(bulletin(second, url.searchParams.get("language"))) : BULLETINS;
    case "GET map":
      return mapEntities();
    case "GET entities": {
      if (third === "history") return history(second ?? "", url);
      if (third === "forecasts") {
        const issued = Number(url.searchParams.get("issued") ?? 1);
        return forecasts(second ?? "", url.searchParams.get("attribute") ?? "", issued);
      }
      if (second) {
        const entity = need(entities.get(second));
        return { ...entity, kind: types().find((k) => k.name === entity.type) };
      }
      const q = url.searchParams.get("q") ?? "";
      return page(
        [...entities.values()].filter(
          (e) =>
            (e.name?.includes(q) || e.id.includes(q)) &&
            [e.type, null].includes(url.searchParams.get("type")),
        ),
        url,
        Number(url.searchParams.get("limit") ?? 50),
      );
    }
    case "GET corrections":
      return {
        items: corrections.filter((c) => c.entity_id === url.searchParams.get("entity_id")),
        next: null,
      };
    case "POST corrections": {
      const draft = JSON.parse(String(await bodyOf(request))) as CorrectionDraft;
      const state = need(entities.get(draft.entity_id)).attributes[draft.attribute];
      const done: Correction = {
        position: nextPosition(),
        entity_id: draft.entity_id,
        entity_type: need(entities.get(draft.entity_id)).type,
        attribute: draft.attribute,
        observed_at: draft.observed_at,
        supersedes: draft.position ?? 0,
        old_value: need(state).value,
        old_unit: need(state).unit,
        old_quality: need(state).quality,
        new_value: draft.value ?? null,
        unit: need(state).unit,
        reason: draft.reason,
        corrected_by: user.name,
        corrected_at: new Date().toISOString(),
      };
      corrections.unshift(done);
      return done;
    }
    case "GET runs": {
      if (second === "definitions") return DEFINITIONS;
      if (second) return need(runDetail(Number(second)));
      const [outcome, target] = ["outcome", "target_id"].map((name) => url.searchParams.get(name));
      return page(
        runs().filter(
          (one) => (!outcome || one.outcome === outcome) && (!target || one.target_id === target),
        ),
        url,
        20,
      );
    }
    case "POST runs":
      if (third === "repeat") return need(repeated(Number(second)));
      return { runs: runs().slice(0, 2) };
    case "GET account":
      return {
        username: user.username,
        password_set_at: "2026-11-01T01:00:00Z",
        totp_since: null,
        recovery_codes_left: 10,
        passkeys: [
          {
            id: 1,
            name: "办公室电脑",
            is_synced: false,
            created_at: "2026-11-02T01:00:00Z",
            last_used_at: new Date().toISOString(),
          },
        ],
        sessions: [
          {
            id: "a1",
            is_this: true,
            peer: "10.1.2.3",
            began_by: "passkey",
            created_at: new Date().toISOString(),
            last_seen_at: new Date().toISOString(),
            expires_at: new Date(Date.now() + 43_200_000).toISOString(),
          },
        ],
        second_factor_required: false,
        passkey_origin: null,
        young_until: new Date(Date.now() + 600_000).toISOString(),
      };
    case "GET provenance": {
      const raw = JSON.stringify({
        id: "urn:ngsi-ld:WaterObserved:tianmen-hanbei",
        type: "WaterObserved",
        waterLevel: { type: "Property", value: 29.37, unitCode: "MTR", observedAt: new Date().toISOString() },
      });
      const dead = deadLetters.find((d) => d.position === Number(second));
      return {
        position: Number(second),
        door: "mqtt",
        device_id: "waterobserved-tianmen-hanbei",
        address: "devices/waterobserved-tianmen-hanbei/up",
        received_at: new Date().toISOString(),
        raw_text: dead ? dead.raw : raw,
        raw_base64: Buffer.from(raw).toString("base64"),
        raw_withheld: false,
        withheld: false,
        size_bytes: raw.length,
        updates: [
          {
            id: "urn:ngsi-ld:WaterObserved:tianmen-hanbei",
            type: "WaterObserved",
            attributes: {
              waterLevel: {
                value: 29.37,
                unit: "MTR",
                observed_at: new Date().toISOString(),
                quality: "simulated",
              },
            },
          },
        ],
        problem: dead?.problem ?? null,
      };
    }
    case "GET alerts": {
      if (third === "affected") return affected(need(alerts.find((a) => a.id === Number(second))));
      if (third === "told") return [];
      const severity = url.searchParams.get("severity");
      const entity = url.searchParams.get("entity_id");
      return page(
        alerts.filter(
          (a) =>
            (!state || (state === "active") === !a.cleared_at) &&
            (!severity || a.severity === severity) &&
            (!entity || a.entity_id === entity),
        ),
        url,
      );
    }
    case "POST alerts": {
      const alert = need(alerts.find((a) => a.id === Number(second)));
      alert.acknowledged_at = new Date().toISOString();
      alert.acknowledged_by = user.name;
      tell("alert", alert);
      return alert;
    }
    case "GET cases":
      if (second === "limits")
        return {
          now: new Date().toISOString(),
          clock_off_seconds_max: 3_600,
          attachment_bytes_max: 10_485_760,
          voice_bytes_max: 2_097_152,
          voice_seconds_max: 120,
          offline_hours_max: 72,
          signature_bytes_max: 262_144,
          signer_chars_max: 50,
          text_chars_max: 4_000,
          capacities: ["party", "reporter", "merchant", "witness", "worker", "other"],
        };
      if (second === "boards") return { items: [] };
      if (third === "similar" || third === "open311") return { items: [] };
      if (second) return withActions(need(cases.find((c) => c.id === Number(second))), user);
      return page(
        cases.filter(
          (c) =>
            (!state || c.state === state) &&
            (!url.searchParams.has("mine") || c.assignee?.id === user.id || user.role !== "field"),
        ),
        url,
      );
    case "POST cases": {
      if (!second) {
        const draft = JSON.parse(String(await bodyOf(request))) as {
          title: string;
          alert_id?: number;
          description?: string;
        };
        const made = openCase(draft.title, user.name, alerts.find((a) => a.id === draft.alert_id) ?? null);
        if (draft.description) made.description = draft.description;
        tell("case", made);
        return withActions(made, user);
      }
      const it = need(cases.find((c) => c.id === Number(second)));
      if (third === "attachments") {
        const body = await bodyOf(request);
        const text = body.toString("utf8");
        const field = (name: string) => new RegExp(`name="${name}"\r\n\r\n(.*)\r\n`).exec(text)?.[1] ?? null;
        const signer = field("signer");
        const start = body.indexOf("\r\n\r\n", body.indexOf('name="file"')) + 4;
        const head = body.subarray(body.indexOf('name="file"'), start).toString("latin1");
        const data = body.subarray(start, body.lastIndexOf("\r\n--"));
        const id = photos.size + 1;
        const media_type = /content-type: (.+)\r/i.exec(head)?.[1] ?? "application/octet-stream";
        photos.set(id, { type: media_type, data });
        const made = {
          id,
          case_id: it.id,
          event_id: null,
          uploaded_at: new Date().toISOString(),
          uploaded_by: user.name,
          name: Buffer.from(/filename="([^"]+)"/.exec(head)?.[1] ?? "file", "latin1").toString(),
          media_type,
          size_bytes: data.length,
          sha256: "0".repeat(64),
          taken_at: null,
          location: null,
          clock_off_s: null,
          accuracy_m: Number(url.searchParams.get("accuracy_m")) || null,
          duration_ms: Number(url.searchParams.get("duration_ms")) || null,
          kind: media_type.startsWith("audio/") ? "voice" : signer ? "signature" : "photo",
          signed: signer ? { signer, capacity: field("capacity") ?? "other", is_typed: false } : null,
        };
        it.attachments.push(made);
        return made;
      }
      act(it, user.name, JSON.parse(String(await bodyOf(request))));
      tell("case", it);
      return withActions(it, user);
    }
    case "GET attachments": {
      const photo = need(photos.get(Number(second)));
      response.setHeader("content-type", photo.type);
      response.end(photo.data);
      return null;
    }
    case "GET organisations":
      return { items: ORGANISATIONS };
    case "GET users":
      return {
        items: [{ id: 5, name: "陈巡查", username: "field", role: "field", organisation: "water" }],
      };
    case "GET devices": {
      const q = url.searchParams.get("q") ?? "";
      const online = url.searchParams.get("online");
      return page(
        devices.filter(
          (d) => `${d.id}${d.name}`.includes(q) && (online === null || String(d.online) === online),
        ),
        url,
      );
    }
    case "POST devices": {
      const { id, type, name } = JSON.parse(String(await bodyOf(request))) as {
        id: string;
        type: string;
        name?: string;
      };
      if (devices.some((d) => d.id === id))
        throw new Refusal(
          409,
          "device-exists",
          `the device ${id} exists already`,
          "choose another id, or remove the old device",
          "id",
        );
      const client_id = id.split(":").slice(-2).join("-").toLowerCase();
      const made = {
        id,
        client_id,
        type,
        name: name ?? null,
        username: client_id,
        online: false,
        connected_at: null,
        last_seen_at: null,
        messages: 0,
        rejected: 0,
        can_be_asked: false,
      };
      devices.unshift(made);
      return { ...made, password: "q7Rk-2mVx-9LpD-w4Ze", topic: `devices/${client_id}/up` };
    }
    case "DELETE devices":
      devices.splice(
        devices.findIndex((d) => d.client_id === second),
        1,
      );
      return undefined;
    case "GET dead-letters": {
      if (second) {
        const { raw, ...rest } = need(deadLetters.find((d) => d.position === Number(second)));
        return { ...rest, raw_text: raw, raw_base64: Buffer.from(raw).toString("base64") };
      }
      const device = url.searchParams.get("device") ?? "";
      return page(
        deadLetters.filter((d) => !device || d.device_id === device).map(({ raw: _, ...rest }) => rest),
        url,
        20,
      );
    }
    case "GET approvals":
      if (second) return need(APPROVALS.find((one) => one.id === Number(second)));
      return { ...page(APPROVALS, url), waiting: 1 };
    case "GET accounts":
      return page(ACCOUNTS, url);
    case "GET roles":
      return { items: GRANTABLE };
    case "GET audit":
      if (second === "events") return { items: AUDIT_EVENTS };
      if (second === "chain") return auditChain();
      return page(AUDIT_ACTS, url);
    case "GET policy":
      if (second === "versions") return page(policyVersions(), url);
      if (second === "why") {
        const asked = need(userOf(url.searchParams.get("username") ?? ""));
        return whyOf(url.searchParams, asked.name);
      }
      return policies();
    case "POST policy":
      return tryPolicies((JSON.parse(String(await bodyOf(request))) as PolicyChange).documents);
    case "PUT policy": {
      const { documents, reason, version } = JSON.parse(String(await bodyOf(request))) as PolicyChange;
      const made = changePolicies(documents, reason, version);
      if (made) return made;
      throw new Refusal(
        409,
        "policy-version",
        "the policies were changed meanwhile",
        "look at what holds now, and change that",
        "version",
      );
    }
    case "GET tables":
      return {
        items: [
          {
            name: "observations",
            description: "每条观测一行",
            columns: [
              "entity_id",
              "entity_type",
              "attribute",
              "observed_at",
              "received_at",
              "value_number",
              "value_text",
              "value_json",
              "unit",
              "quality",
              "device_id",
              "door",
              "journal_position",
            ].map((name) => ({
              name,
              type: name.endsWith("_at") ? "timestamp" : name === "value_number" ? "double" : "text",
            })),
          },
          ...KINDS.map((k) => ({
            name: k.name,
            description: k.title_zh,
            columns: [
              { name: "entity_id", type: "text" },
              ...Object.keys(k.attributes).map((name) => ({ name, type: "double" })),
            ],
          })),
        ],
      };
    case "POST sql": {
      const { query } = JSON.parse(String(await bodyOf(request))) as { query: string };
      if (/fail|eror/i.test(query))
        throw new Refusal(
          400,
          "sql-syntax",
          "Expected an SQL statement, found: fail",
          "check the spelling near the place",
          "line 1, column 1",
        );
      const rows = [...entities.values()].slice(0, 2_000).map((e, i) => ({
        entity_id: e.id,
        observed_at: e.modified_at,
        value_number: i % 9 ? i * 1.25 : null,
        name: e.name,
      }));
      return {
        columns: [
          { name: "entity_id", type: "text" },
          { name: "observed_at", type: "timestamp" },
          { name: "value_number", type: "double" },
          { name: "name", type: "text" },
        ],
        rows,
        row_count: rows.length,
        truncated: false,
        elapsed_ms: 12.4,
      };
    }
    case "GET plan":
      if (second === "reporting") return reporting();
      if (second === "cases") return { items: [] };
      if (second === "reports") return need(filingDetail(Number(third)));
      if (parts[3] === "reports") return filingsOf(third ?? "");
      if (parts[3] === "proof") return proof(url.searchParams.get("town"));
      if (parts[3] === "towns") return need(towns(third ?? "", url.searchParams.get("since") ?? ""));
      return second ? need(detail(third ?? "")) : plan;
    case "GET plans":
      return plans;
    case "POST plan": {
      if (second === "reports" && parts[3] === "files") return need(filed(Number(third)));
      if (second === "reports") return need(stepped(Number(third), parts[3] ?? ""));
      const report = JSON.parse(String(await bodyOf(request))) as IndicatorReport;
      return need(reported(third ?? "", report, user.name));
    }
    default:
      throw new Refusal(404, "no-such-path", `${route} is not known`, "", at);
  }
}

/** Entities that report, and alerts that are raised or cleared, in a second. */
const REPORTS = Number(process.env.MOCK_REPORTS ?? 40);
const ALERTS = Number(process.env.MOCK_ALERTS ?? 0);
const BEATS_PER_SECOND = 4;
/** Alerts of the made-up life that are active at most; then the oldest is cleared for each new one. */
const ALERTS_ACTIVE_MAX = 40;

/** Something always happens: entities report, and now and then an alert is raised or cleared. */
function live() {
  const ids = [...entities.keys()];
  const raised: Alert[] = [];
  let at = 0;
  return setInterval(() => {
    const changed = Array.from({ length: REPORTS / BEATS_PER_SECOND }, () => {
      at += 1;
      return ids[at % ids.length] as string;
    });
    changed.push("urn:ngsi-ld:WaterObserved:tianmen-hanbei");
    for (const id of changed) {
      const entity = entities.get(id);
      if (!entity) continue;
      entity.modified_at = new Date().toISOString();
      for (const state of Object.values(entity.attributes))
        if (state.quality === "simulated" && typeof state.value === "number") {
          state.value = Math.round((state.value + (random() - 0.5) * 0.02) * 100) / 100;
          state.observed_at = entity.modified_at;
          state.position = nextPosition();
        }
    }
    tell("entity", { ids: changed, position: nextPosition() });
    for (let n = 0; n < ALERTS / BEATS_PER_SECOND; n += 1) {
      const oldest = raised.length >= ALERTS_ACTIVE_MAX ? raised.shift() : null;
      if (oldest) {
        oldest.cleared_at = new Date().toISOString();
        tell("alert", oldest);
        continue;
      }
      const id = ids[Math.floor(random() * ids.length)] as string;
      const made = raise(id, "minor", "设备长时间没有数据", "Device is silent", "status", null);
      raised.push(made);
      tell("alert", made);
    }
  }, 1_000 / BEATS_PER_SECOND);
}

/** For the pages as they are written (`vite`) and as they are built (`vite preview`). */
export function mockCity(): Plugin {
  return { name: "jingling-mock-city", configureServer: attach, configurePreviewServer: attach };
}

function attach(server: Pick<ViteDevServer | PreviewServer, "httpServer" | "middlewares">) {
  const timer = live();
  server.httpServer?.once("close", () => clearInterval(timer));
  server.middlewares.use((request, response, next) => {
    const url = new URL(request.url ?? "/", "http://mock");
    if (!url.pathname.startsWith("/api/")) return next();
    if (url.pathname === "/api/v1/events") {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
      response.write(": hello\n\n");
      listeners.add(response);
      request.on("close", () => listeners.delete(response));
      return;
    }
    answer(request, response, url).then(
      (body) => {
        if (body === null) return;
        response.statusCode = body === undefined ? 204 : 200;
        if (body === undefined) return response.end();
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(body));
      },
      (error: unknown) => {
        const refusal = error instanceof Refusal ? error : new Refusal(500, "mock", String(error));
        response.writeHead(refusal.status, {
          "content-type": "application/problem+json",
          ...refusal.headers,
        });
        response.end(
          JSON.stringify({
            title: refusal.code,
            status: refusal.status,
            code: refusal.code,
            detail: refusal.message,
            place: refusal.place,
            mend: refusal.mend,
          }),
        );
      },
    );
  });
}
