/**
 * The shapes that the server answers with. The one file that knows where they come from: when they are
 * generated from `openapi.json`, only this file changes.
 */

export type Severity = "info" | "minor" | "major" | "critical";
export type Quality = "good" | "unit_assumed" | "reported" | "simulated" | "uncertain" | "out_of_range";
/** Longitude and latitude, degrees, WGS 84. */
export type Place = [number, number];

export interface Items<T> {
  items: T[];
  next: string | null;
}

export interface User {
  id: string;
  username: string;
  name: string;
  role: string;
  organisation: string | null;
  permissions: string[];
}

export interface City {
  id: string;
  name_zh: string;
  name_en: string;
  centre: Place;
  /** West, south, east, north, degrees. */
  bbox: [number, number, number, number];
  zone: string;
  notes_zh: string[];
  notes_en: string[];
  demo: boolean;
}

export interface AttributeState {
  value: unknown;
  unit: string | null;
  observed_at: string;
  quality: Quality;
  position: number;
}

export interface AttributeKind {
  value: "number" | "text" | "boolean" | "geometry" | "relationship" | "json";
  title_zh: string;
  title_en: string;
  unit?: string | null;
  min?: number | null;
  max?: number | null;
}

export interface EntityKind {
  name: string;
  title_zh: string;
  title_en: string;
  source?: string | null;
  attributes: Record<string, AttributeKind>;
}

export interface Entity {
  id: string;
  type: string;
  name: string;
  attributes: Record<string, AttributeState>;
  location: Place | null;
  modified_at: string;
  kind?: EntityKind | null;
}

/** All entities on the map, column by column. `severity`: 0 none, 1 info … 4 critical. */
export interface MapEntities {
  types: string[];
  ids: string[];
  type: number[];
  lon: number[];
  lat: number[];
  name: string[];
  severity: number[];
  at_position: number;
}

export interface HistoryPoint {
  observed_at: string;
  value: number | string | boolean | null;
  quality: Quality;
  position: number;
  received_at: string;
}

export interface History {
  attribute: string;
  unit: string | null;
  points: HistoryPoint[];
  truncated: boolean;
}

export interface Problem {
  code: string;
  what: string;
  place: string;
  mend: string;
}

export interface Provenance {
  position: number;
  door: string;
  device_id: string | null;
  address: string | null;
  received_at: string;
  raw_text: string | null;
  raw_base64: string;
  size_bytes: number;
  updates: unknown[];
  problem: Problem | null;
}

export interface Alert {
  id: string;
  rule_id: string;
  rule_version: string | number;
  entity_id: string;
  entity_name: string;
  entity_type: string;
  attribute: string;
  value: number | string | boolean | null;
  unit: string | null;
  threshold: number | string | null;
  severity: Severity;
  title_zh: string;
  title_en: string;
  raised_at: string;
  cleared_at: string | null;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  case_id: string | null;
  position: number;
  runbook_zh: string | null;
  runbook_en: string | null;
  location: Place | null;
}

export type CaseState =
  | "collected"
  | "filed"
  | "dispatched"
  | "handling"
  | "handled"
  | "verified"
  | "closed"
  | "cancelled";

export type CaseActionName =
  | "file"
  | "dispatch"
  | "take"
  | "finish"
  | "verify"
  | "reject"
  | "close"
  | "comment"
  | "cancel";

export interface Organisation {
  id: string;
  name_zh: string;
  name_en: string;
}

export interface CaseSummary {
  id: string;
  number: string;
  title: string;
  description: string | null;
  state: CaseState;
  severity: Severity | null;
  alert_id: string | null;
  entity_id: string | null;
  location: Place | null;
  organisation: Organisation | null;
  assignee: { id: string; name: string } | null;
  created_at: string;
  created_by: string;
  updated_at: string;
  due_at: string | null;
  closed_at: string | null;
}

export interface CaseStep {
  at: string;
  actor: string;
  action: string;
  from_state: CaseState | null;
  to_state: CaseState;
  note: string | null;
  attachments: string[];
}

export interface Attachment {
  id: string;
  name: string;
  media_type: string;
  size_bytes: number;
  sha256: string;
}

export interface CaseDetail extends CaseSummary {
  history: CaseStep[];
  attachments: Attachment[];
  actions: CaseActionName[];
}

export interface CaseDraft {
  title: string;
  alert_id?: string;
  entity_id?: string;
  severity?: Severity;
  description?: string;
  location?: Place;
}

export interface CaseActionInput {
  action: CaseActionName;
  note?: string;
  organisation?: string;
  assignee?: string;
  attachment_ids?: string[];
}

export interface Device {
  id: string;
  client_id: string;
  type: string;
  name: string | null;
  username: string;
  online: boolean;
  connected_at: string | null;
  last_seen_at: string | null;
  messages: number;
  rejected: number;
}

export interface NewDevice extends Device {
  password: string;
  topic: string;
}

export interface DeadLetter {
  position: number;
  door: string;
  device_id: string | null;
  address: string | null;
  received_at: string;
  size_bytes: number;
  preview: string;
  problem: Problem;
}

export type DeadLetterDetail = Omit<DeadLetter, "preview"> &
  Partial<Pick<DeadLetter, "preview">> & {
    raw_text?: string | null;
    raw_base64?: string;
  };

export interface SqlResult {
  columns: { name: string; type: string }[];
  rows: Record<string, unknown>[];
  row_count: number;
  truncated: boolean;
  elapsed_ms: number;
}

export interface TableInfo {
  name: string;
  description: string | null;
  columns: { name: string; type: string }[];
}

export interface PlanPlace {
  section: string;
  quote: string;
}

export interface Contradiction {
  id: string;
  zh: string;
  en: string;
  places: PlanPlace[];
}

export type IndicatorStatus = "met" | "on_path" | "behind" | "unknown";

export interface Indicator {
  id: string;
  number: number | string;
  group_zh: string;
  group_en: string;
  subgroup_zh: string | null;
  name_zh: string;
  name_en: string;
  unit_zh: string | null;
  unit_en: string | null;
  baseline: number | null;
  baseline_year: number;
  target: number;
  target_year: number;
  direction: "more" | "less";
  method: "computed" | "reported";
  value: number | null;
  measured_at: string | null;
  expected_now: number | null;
  status: IndicatorStatus;
  source_zh: string | null;
  source_en: string | null;
  reported: { by: string; at: string; evidence: string; period: string } | null;
  plan_places: PlanPlace[];
  contradictions: string[];
  row_count: number | null;
}

export interface Plan {
  title: string;
  source: string;
  period: [number, number];
  groups: { zh: string; en: string }[];
  indicators: Indicator[];
  contradictions: Contradiction[];
}

export interface IndicatorDetail extends Indicator {
  sql: string | null;
  path: { year: number; expected: number }[];
  history: { at: string; value: number }[];
  rows: {
    columns: ({ name: string; type?: string } | string)[];
    rows: (Record<string, unknown> | unknown[])[];
  };
}

export interface IndicatorReport {
  value: number;
  period: string;
  evidence: string;
  note: string;
}

/** A person who can be given a case. */
export interface Person {
  id: string;
  name: string;
  organisation?: string | null;
}
