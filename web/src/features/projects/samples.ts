/** Made-up projects for tests. */
import type {
  ProjectDetail,
  ProjectItem,
  ProjectMilestoneStanding,
  ProjectPhoto,
  ProjectPhotos,
  ProjectTaskItem,
} from "../../lib/types.ts";

export const unit = { id: "shuili", name_zh: "市水利和湖泊局", name_en: "Water and Lakes Bureau" };

export const milestone = (name: string, planned: string): ProjectMilestoneStanding => ({
  name,
  planned,
  forecast: null,
  done: null,
  state: "on_course",
  days_late: 0,
});

/** A project of the plan of which nobody said anything yet. */
export const item: ProjectItem = {
  id: "smart-water",
  plan_box: 2,
  name_zh: "天门市“智慧水利”建设项目",
  name_en: "Smart water conservancy",
  system: "S28",
  organisation: null,
  stage: "reserve",
  status: "no_milestones",
  findings: [
    { kind: "no_organisation", count: 1 },
    { kind: "no_milestones", count: 1 },
    { kind: "no_money", count: 1 },
  ],
  start: null,
  end: null,
  milestones: [],
  money: { planned_fen: 0, arranged_fen: 0, paid_fen: 0 },
  total_fen: null,
  ended_at: null,
  changed_at: "2026-06-01T00:00:00Z",
};

export const detail: ProjectDetail = {
  item,
  quote: "天门市“智慧水利”建设项目:水利物联感知体系建设",
  reason: "",
  ended_why: null,
  version: 3,
  created_at: "2026-01-01T00:00:00Z",
  changed_by: "plan",
  kept: {
    indicators: [],
    profile: { organisation: null, start: null, end: null, total_fen: null, note: "" },
    stage: "reserve",
    tasks: [],
    milestones: [],
    money: [],
    procedures: [],
    factors: [],
    risks: [],
    assets: [],
  },
  goals: [
    { id: "water-station-reporting", name_zh: "水情测站到报率", name_en: "Reporting rate", status: "met" },
  ],
  years: [],
  sources: [],
  things: [],
  members: [],
  reports: [],
  month: "2026-06",
  owes_month: false,
  reminders: [],
  reminders_due: [],
  may_edit: true,
  may_manage: true,
};

export const photo: ProjectPhoto = {
  id: 2,
  milestone: null,
  taken_on: "2026-03-02",
  own_day: null,
  caption: "打桩",
  location: [113.16, 30.65],
  media_type: "image/jpeg",
  size_bytes: 300_000,
  sha256: "ab",
  added_at: "2026-03-02T03:00:00Z",
  added_by: "赵工",
};

export const photos = (items: ProjectPhoto[]): ProjectPhotos => ({
  items,
  removed: [],
  day: "2026-06-01",
  bytes_max: 10 * 1024 * 1024,
  photos_max: 500,
  may_edit: true,
});

export const task: ProjectTaskItem = {
  project: { id: item.id, name_zh: item.name_zh, name_en: item.name_en },
  responsible: unit,
  row: 0,
  organisation: { id: "jingxin", name_zh: "市经信局", name_en: "Economy Bureau" },
  task: "编制接口标准",
  due: "2026-05-31",
  done: null,
  progress: "",
  state: "overdue",
  days_late: 1,
  about: "task:jingxin:编制接口标准",
  reminder: null,
  may_edit: false,
};
