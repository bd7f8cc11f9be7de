/** The assessment of units (督导考核) for a year: each figure opens to the rows that it counts. */
import { useQuery } from "@tanstack/react-query";
import { Card, InputNumber } from "antd";
import dayjs from "dayjs";
import { type ReactNode, useState } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import type { ProjectAssessment, ProjectUnitAssessment } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { MilestoneTag, ReportTag, UnitName } from "./marks.tsx";
import { percent, yuan } from "./money.ts";
import { assessmentQuery, projectPath } from "./queries.ts";

const YEAR_MIN = 2000;
const YEAR_MAX = 2100;

export function Assessment() {
  const { t } = useT();
  const [year, setYear] = useState(() => dayjs().year());
  const found = useQuery(assessmentQuery(year));
  return (
    <>
      <InputNumber
        aria-label={t("project.year")}
        min={YEAR_MIN}
        max={YEAR_MAX}
        precision={0}
        value={year}
        onChange={(next) => next && setYear(next)}
        style={{ alignSelf: "flex-start" }}
      />
      <p className="quiet" style={{ margin: 0 }}>
        {t("project.assess-rule")}
      </p>
      <Loaded query={found}>
        {(body) =>
          body.units.length === 0 ? (
            <Nothing title={t("project.assess-none")} />
          ) : (
            body.units.map((unit) => <Unit key={unit.unit?.id ?? ""} body={body} unit={unit} />)
          )
        }
      </Loaded>
    </>
  );
}

function Opens({ title, children }: { title: string; children: ReactNode[] }) {
  const { t } = useT();
  return (
    <details data-testid="project-figure">
      <summary>{title}</summary>
      {children.length === 0 ? (
        <p className="quiet">{t("project.no-rows")}</p>
      ) : (
        <ul className="project-rows">{children}</ul>
      )}
    </details>
  );
}

function Unit({ body, unit: { unit, figures } }: { body: ProjectAssessment; unit: ProjectUnitAssessment }) {
  const { t, p } = useT();
  const name = (id: string) => {
    const project = body.projects.find((one) => one.id === id);
    return <Link to={projectPath(id)}>{project ? p(project.name_zh, project.name_en) : id}</Link>;
  };
  const { planned_fen, paid_fen } = figures.money;
  const part = percent(paid_fen, planned_fen);
  return (
    <Card
      size="small"
      title={<UnitName unit={unit} />}
      extra={<span className="quiet">{t("project.assess-count", { n: figures.projects })}</span>}
      data-testid="project-assessed"
    >
      <Opens
        title={t("project.assess-milestones", {
          kept: figures.kept,
          late: figures.late,
          overdue: figures.overdue,
        })}
      >
        {figures.milestone_rows.map((row) => (
          <li key={`${row.project} ${row.name}`}>
            {name(row.project)} <span>{row.name}</span>
            <span className="quiet number">
              {t("project.planned")} {row.planned}
              {row.done && ` · ${t("project.done")} ${row.done}`}
            </span>
            <MilestoneTag state={row.state} days={0} />
          </li>
        ))}
      </Opens>
      <Opens
        title={
          t("project.assess-money", { paid: yuan(paid_fen), planned: yuan(planned_fen) }) +
          (part === null ? "" : ` · ${part}%`)
        }
      >
        {figures.money_rows.map((row) => (
          <li key={`${row.project} ${row.source}`}>
            {name(row.project)} <span>{t(`project-source.${row.source}`)}</span>
            <span className="number">
              {t("project.paid")} {yuan(row.sums.paid_fen)} / {yuan(row.sums.planned_fen)}
            </span>
          </li>
        ))}
      </Opens>
      <Opens
        title={t("project.assess-reports", {
          n: figures.reports_in_time,
          late: figures.reports_late,
          missing: figures.reports_missing,
        })}
      >
        {figures.report_rows.map((row) => (
          <li key={`${row.project} ${row.month}`}>
            {name(row.project)} <span className="number">{row.month}</span>
            <ReportTag state={row.state} />
          </li>
        ))}
      </Opens>
    </Card>
  );
}
