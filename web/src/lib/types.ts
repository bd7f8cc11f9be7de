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

/** Where a person works is the organisation's id; null for who belongs to none, id null for a machine. */
export interface User {
  id: number | null;
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
  /** How the pack wants the type shown; only in the list of types. */
  view?: View | null;
}

/** A pack's wish for how a type is shown. */
export interface View {
  order?: number;
  layer?: { colour: string; attribute?: string | null; shown?: boolean } | null;
  /** Attributes drawn over time, and those whose value is drawn as a limit. */
  chart?: { attributes: string[]; limits?: string[] } | null;
}

export interface Entity {
  id: string;
  type: string;
  name: string | null;
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
  name: (string | null)[];
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
  id: number;
  rule_id: string;
  rule_version: number;
  entity_id: string;
  entity_name: string | null;
  entity_type: string;
  attribute: string;
  value: number | null;
  unit: string | null;
  threshold: number | null;
  severity: Severity;
  title_zh: string;
  title_en: string;
  raised_at: string;
  cleared_at: string | null;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  case_id: number | null;
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
  id: number;
  number: string;
  title: string;
  description: string | null;
  state: CaseState;
  severity: Severity | null;
  alert_id: number | null;
  entity_id: string | null;
  location: Place | null;
  organisation: Organisation | null;
  assignee: { id: number; name: string } | null;
  created_at: string;
  created_by: string;
  updated_at: string;
  due_at: string | null;
  closed_at: string | null;
  /** Counts its changes. */
  version: number;
}

export interface CaseStep {
  at: string;
  actor: string;
  action: string;
  from_state: CaseState | null;
  to_state: CaseState;
  note: string | null;
  attachments: number[];
  /** Given to whom with this step. */
  organisation?: Organisation | null;
  assignee?: { id: number; name: string } | null;
  /** Whether the state before was left late. */
  late?: boolean;
}

export interface Attachment {
  id: number;
  name: string;
  media_type: string;
  size_bytes: number;
  sha256: string;
}

export interface CaseDetail extends CaseSummary {
  history: CaseStep[];
  attachments: Attachment[];
  actions: CaseActionName[];
  /** The same with what each needs. */
  allowed: { action: CaseActionName; needs: CaseNeed[] }[];
}

/** What must come with an action. */
export type CaseNeed = "note" | "photo" | "organisation";

export interface CaseDraft {
  title: string;
  alert_id?: number;
  entity_id?: string;
  severity?: Severity;
  description?: string;
  location?: Place;
}

export interface CaseActionInput {
  action: CaseActionName;
  note?: string;
  organisation?: string;
  assignee?: number;
  attachment_ids?: number[];
  /** The version that the person saw; a case that has changed since refuses the action. */
  version?: number;
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
  /** Two places that cannot both hold, or what else is wrong there. */
  kind: string;
  zh: string;
  en: string;
  /** How the platform reads it. */
  reading_zh: string;
  reading_en: string;
  places: PlanPlace[];
}

export type IndicatorStatus = "met" | "on_path" | "behind" | "unknown";

export interface Indicator {
  id: string;
  number: string;
  origin: "table" | "text" | "platform";
  group_zh: string;
  group_en: string;
  subgroup_zh: string;
  subgroup_en: string;
  name_zh: string;
  name_en: string;
  unit_zh: string;
  unit_en: string;
  baseline: number | null;
  baseline_year: number;
  /** What must be reached; the ends differ where the plan gives a range. */
  target: number;
  target_low: number;
  target_high: number;
  target_year: number;
  direction: "more" | "less";
  method: "computed" | "reported";
  value: number | null;
  measured_at: string | null;
  /** Why it could not be measured, if it could not. */
  problem: Problem | null;
  expected_now: number | null;
  status: IndicatorStatus;
  source_zh: string | null;
  source_en: string | null;
  reported: {
    value: number;
    by: string;
    at: string;
    evidence: string;
    period: string;
    note: string | null;
  } | null;
  plan_places: PlanPlace[];
  contradictions: string[];
}

export interface Plan {
  title_zh: string;
  title_en: string;
  source_zh: string;
  source_en: string;
  period: [number, number];
  /** How the plan was read. */
  notes_zh: string[];
  notes_en: string[];
  indicators: Indicator[];
  contradictions: Contradiction[];
}

export interface IndicatorDetail extends Indicator {
  sql: string;
  /** The query of the rows behind the value. */
  rows_sql: string;
  path: { year: number; expected: number }[];
  history: { at: string; value: number | null }[];
  rows: SqlResult | null;
}

export interface IndicatorReport {
  value: number;
  period: string;
  evidence: string;
  note: string;
}

/** A person who can be given a case. */
export interface Person {
  id: number;
  name: string;
  organisation?: string | null;
}
