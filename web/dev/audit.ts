/** The made-up city's audit trail. */
import type { AuditChain, AuditEntry, AuditEvent } from "../src/lib/types.ts";

const event = (action: string, title_zh: string, title_en: string, target: string): AuditEvent => ({
  action,
  title_zh,
  title_en,
  target,
  fields: [],
});

export const AUDIT_EVENTS: AuditEvent[] = [
  event("session.open", "登录", "Signed in", "user:<id>"),
  event("device.add", "登记设备", "Device registered", "device:<client id>"),
  event("case.*", "案件流转", "Step of a case", "case:<id>"),
  event("audit.search", "查阅审计日志", "Audit trail looked at", "audit"),
];

const COUNT = 120;
const HASH = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";

export const AUDIT_ACTS: AuditEntry[] = Array.from({ length: COUNT }, (_, i) => {
  const of = AUDIT_EVENTS[i % AUDIT_EVENTS.length] as AuditEvent;
  return {
    id: COUNT - i,
    at: new Date(Date.now() - i * 613_000).toISOString(),
    actor_kind: "user",
    actor_id: 1 + (i % 3),
    actor: ["李工", "王值班", "陈巡查"][i % 3] as string,
    action: of.action.replace("*", "dispatch"),
    title_zh: of.title_zh,
    title_en: of.title_en,
    target: of.target.replace(/<.*>/, String(i)),
    detail: {},
    peer: "10.0.0.5",
    hash: HASH,
  };
});

export const auditChain = (): AuditChain => ({
  whole: true,
  proved_at: new Date().toISOString(),
  rows: COUNT,
  last: COUNT,
  hash: HASH,
  chained_later: 0,
  seals: 3,
  sealed_to: COUNT - 4,
  sealed_by: 3,
  sealed_at: new Date(Date.now() - 1_800_000).toISOString(),
  breaks: [],
  more: false,
  not_sealed: null,
});
