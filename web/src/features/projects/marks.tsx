/** Small marks of projects: how one stands, what is to be said of it, what a reminder is about. */
import { Tag } from "antd";
import { type Translate, useT } from "../../i18n/index.tsx";
import type {
  ProjectFinding,
  ProjectItem,
  ProjectMilestoneState,
  ProjectReportState,
  ProjectStatus,
  ProjectTaskState,
  ProjectUnit,
} from "../../lib/types.ts";

export const STATUSES: ProjectStatus[] = [
  "late",
  "at_risk",
  "on_course",
  "no_milestones",
  "paused",
  "finished",
  "ended",
];

const STATUS_COLOURS: Record<ProjectStatus, string> = {
  late: "red",
  at_risk: "orange",
  on_course: "green",
  no_milestones: "default",
  paused: "default",
  finished: "blue",
  ended: "default",
};

/** Of marks in the chart and of tags, where they are words on a pale ground (4.5 : 1 at least): each differs in its word or shape too. */
export const MILESTONE_COLOURS: Record<ProjectMilestoneState, string> = {
  on_time: "#1f6b42",
  done_late: "#735b12",
  overdue: "#c9252d",
  will_be_late: "#a84c08",
  soon: "#27639c",
  on_course: "#5d7078",
};

const REPORT_COLOURS: Record<ProjectReportState, string> = {
  in_time: "green",
  late: "orange",
  missing: "red",
  open: "default",
};

export function StatusTag({ status }: { status: ProjectStatus }) {
  const { t } = useT();
  return (
    <Tag color={STATUS_COLOURS[status]} style={{ marginInlineEnd: 0 }}>
      {t(`project-status.${status}`)}
    </Tag>
  );
}

export function MilestoneTag({ state, days }: { state: ProjectMilestoneState; days: number }) {
  const { t } = useT();
  return (
    <Tag variant="outlined" color={MILESTONE_COLOURS[state]} style={{ marginInlineEnd: 0 }}>
      {t(`project-milestone.${state}`)}
      {days > 0 && ` ${t("project.days", { n: days })}`}
    </Tag>
  );
}

const TASK_COLOURS: Record<ProjectTaskState, string> = {
  overdue: "red",
  soon: "orange",
  open: "default",
  no_day: "default",
  done_late: "blue",
  done: "green",
};

export function TaskTag({ state, days }: { state: ProjectTaskState; days: number }) {
  const { t } = useT();
  return (
    <Tag color={TASK_COLOURS[state]} style={{ marginInlineEnd: 0 }}>
      {t(`project-task.${state}`)}
      {days > 0 && ` ${t("project.days", { n: days })}`}
    </Tag>
  );
}

export function ReportTag({ state }: { state: ProjectReportState }) {
  const { t } = useT();
  return (
    <Tag color={REPORT_COLOURS[state]} style={{ marginInlineEnd: 0 }}>
      {t(`project-report.${state}`)}
    </Tag>
  );
}

/** What is to be said of a project, beside how it stands. */
export function Findings({ findings }: { findings: ProjectFinding[] }) {
  const { t } = useT();
  if (findings.length === 0) return null;
  return (
    <span className="quiet" data-testid="project-findings">
      {findings.map(({ kind, count }) => t(`project-finding.${kind}`, { n: count })).join(" · ")}
    </span>
  );
}

export function UnitName({ unit }: { unit: ProjectUnit | null }) {
  const { t, p } = useT();
  return unit ? p(unit.name_zh, unit.name_en) : <span className="quiet">{t("project.nobody")}</span>;
}

/** 专栏2, or that it was added. */
export function boxWord({ plan_box }: ProjectItem, t: Translate): string {
  return plan_box === null ? t("project.added") : t("project.box", { n: plan_box });
}

/** What a reminder is about, by its word. */
export function aboutWord(word: string, t: Translate): string {
  const [kind, ...rest] = word.split(":");
  const name = rest.join(":");
  if (kind === "milestone") return t("project.about-milestone", { name });
  // Whose task it is stands before it.
  if (kind === "task") return t("project.about-task", { name: rest.slice(1).join(":") });
  if (kind === "report") return t("project.about-report", { month: name });
  return t("project.about-other");
}
