/**
 * On an indicator's page: the key projects that serve it, how each stands, what of it is late, its money, and what its things contribute to
 * the figure; nothing for whom they are not, or when there are none.
 */
import { useQuery } from "@tanstack/react-query";
import { Card } from "antd";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { number } from "../../lib/format.ts";
import { can, useUser } from "../../lib/session.ts";
import type { ProjectItem, ProjectPart } from "../../lib/types.ts";
import { Findings, MilestoneTag, StatusTag, UnitName } from "./marks.tsx";
import { wan } from "./money.ts";
import { partsQuery, projectPath, projectsQuery } from "./queries.ts";
import "./projects.css";

/** What is late: overdue, or going to be by its forecast. */
const isLate = ({ state }: ProjectItem["milestones"][number]) =>
  state === "overdue" || state === "will_be_late";

export function ProjectsOfGoal({ id, unit }: { id: string; unit: string }) {
  const { t } = useT();
  const user = useUser();
  const wanted = { plan_box: "", organisation: "", status: "", indicator: id, q: "" };
  const found = useQuery({ ...projectsQuery(wanted), enabled: can(user, "project.read") });
  const items = found.data?.items ?? [];
  const parts = useQuery({ ...partsQuery(id), enabled: items.length > 0 }).data;
  if (items.length === 0) return null;
  const sum = (of: (item: ProjectItem) => number) => items.reduce((all, item) => all + of(item), 0);
  const overdue = sum((item) => item.milestones.filter((m) => m.state === "overdue").length);
  return (
    <Card size="small" title={t("project.of-goal")} data-testid="projects-of-goal">
      <p className="project-line">
        {t("project.of-goal-sum", {
          n: items.length,
          late: items.filter((item) => item.status === "late").length,
          overdue,
          planned: wan(sum((item) => item.money.planned_fen)),
          arranged: wan(sum((item) => item.money.arranged_fen)),
          paid: wan(sum((item) => item.money.paid_fen)),
        })}
      </p>
      <ul className="project-rows">
        {items.map((item) => (
          <Served
            key={item.id}
            item={item}
            part={parts?.told === "known" ? parts.projects.find((one) => one.project === item.id) : undefined}
            unit={unit}
          />
        ))}
      </ul>
      <p className="quiet project-line">
        {t(parts?.told === "not_of_things" ? "project.of-goal-unknown" : "project.of-goal-method")}
      </p>
    </Card>
  );
}

function Served({ item, part, unit }: { item: ProjectItem; part: ProjectPart | undefined; unit: string }) {
  const { t, p } = useT();
  const { planned_fen, arranged_fen, paid_fen } = item.money;
  const hasMoney = planned_fen > 0 || arranged_fen > 0 || paid_fen > 0;
  return (
    <li>
      <Link to={projectPath(item.id)}>{p(item.name_zh, item.name_en)}</Link>
      <StatusTag status={item.status} />
      {item.organisation && (
        <span className="quiet">
          <UnitName unit={item.organisation} />
        </span>
      )}
      {hasMoney && (
        <span className="number">
          {t("project.of-goal-money", {
            planned: wan(planned_fen),
            arranged: wan(arranged_fen),
            paid: wan(paid_fen),
          })}
        </span>
      )}
      {part && <Part part={part} unit={unit} />}
      <Findings findings={item.findings} />
      {item.milestones.filter(isLate).map((milestone) => (
        <span key={milestone.name + milestone.planned} className="project-long">
          {milestone.name} <span className="quiet">{milestone.planned}</span>{" "}
          <MilestoneTag state={milestone.state} days={milestone.days_late} />
        </span>
      ))}
    </li>
  );
}

function Part({ part, unit }: { part: ProjectPart; unit: string }) {
  const { t } = useT();
  if (part.things === 0) return <span className="quiet">{t("project.of-goal-no-things")}</span>;
  const said = (value: number | null) => (value === null ? "—" : `${number(value)} ${unit}`.trim());
  return (
    <span className="number">
      {t("project.of-goal-part", { part: said(part.part), things: part.things, without: said(part.without) })}
    </span>
  );
}
