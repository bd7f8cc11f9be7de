/** One key project: the plan's words, the goals that it serves, how it stands and why, all that is kept of it, its months and reminders. */
import { ArrowLeftOutlined, EditOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Card } from "antd";
import { type ReactNode, useState } from "react";
import { Link, useParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { useLive } from "../../lib/live.ts";
import type { ProjectDetail } from "../../lib/types.ts";
import { Loaded } from "../../ui/states.tsx";
import { CaseStateTag, Time } from "../../ui/tags.tsx";
import { indicatorPath } from "../plan/list.ts";
import { StatusTag as IndicatorTag } from "../plan/marks.tsx";
import { projectActions } from "./actions.tsx";
import {
  EndDialog,
  ProfileDialog,
  RemindDialog,
  ReportDialog,
  SectionDialog,
  StageDialog,
} from "./dialogs.tsx";
import { SECTIONS, type Section } from "./fields.ts";
import { History } from "./history.tsx";
import { aboutWord, boxWord, Findings, MilestoneTag, ReportTag, StatusTag, UnitName } from "./marks.tsx";
import { yuan } from "./money.ts";
import { PhotosDialog } from "./photo-upload.tsx";
import { Evidence, Photos } from "./photos.tsx";
import { photosQuery, projectQuery } from "./queries.ts";
import "./projects.css";

type Dialog = Section | "profile" | "stage" | "report" | "remind" | "end" | "photos";

export function Page() {
  const id = useParams().id ?? "";
  const queryClient = useQueryClient();
  useLive("project", (event) => {
    if (event.id !== id) return;
    void queryClient.invalidateQueries({ queryKey: projectQuery(id).queryKey });
    void queryClient.invalidateQueries({ queryKey: photosQuery(id).queryKey });
    void queryClient.invalidateQueries({ queryKey: ["projects", "history", id] });
  });
  const found = useQuery(projectQuery(id));
  return (
    <Loaded query={found} tall>
      {(project) => <One project={project} />}
    </Loaded>
  );
}

function One({ project }: { project: ProjectDetail }) {
  const { t, p } = useT();
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const { item } = project;
  const photos = useQuery(photosQuery(item.id)).data;
  const context = { project, open: setDialog };
  useActionKeys(projectActions, dialog ? null : context);
  const opened = { project, onClose: () => setDialog(null) };
  return (
    <div className="page">
      <Link to="/projects" className="back">
        <ArrowLeftOutlined /> {t("project.back")}
      </Link>
      <header className="page-head">
        <h1>{p(item.name_zh, item.name_en)}</h1>
        <StatusTag status={item.status} />
        <span className="grow" />
        <ActionBar actions={projectActions} context={context} />
      </header>
      <Findings findings={item.findings} />
      {project.ended_why !== null && (
        <Alert type="info" showIcon title={t("project.ended")} description={project.ended_why} />
      )}
      <Goals project={project} />
      <Profile project={project} open={setDialog} />
      <Part project={project} section="milestones" open={setDialog} count={item.milestones.length}>
        {item.milestones.map((row) => {
          const kept = project.kept.milestones.find(({ name }) => name === row.name);
          return (
            <li key={row.name}>
              <strong>{row.name}</strong>
              <MilestoneTag state={row.state} days={row.days_late} />
              <span className="quiet number">
                {t("project.planned")} {row.planned}
                {row.forecast && ` · ${t("project.forecast")} ${row.forecast}`}
                {row.done && ` · ${t("project.done")} ${row.done}`}
              </span>
              <span className="project-long quiet">{kept?.evidence}</span>
              {typeof kept?.photo === "number" && <Evidence project={item.id} id={kept.photo} />}
            </li>
          );
        })}
      </Part>
      <Photos project={project} />
      <MoneyPart project={project} open={setDialog} />
      <Lists project={project} open={setDialog} />
      <Months project={project} />
      <Reminders project={project} />
      <History project={item.id} />
      {dialog === "profile" && <ProfileDialog {...opened} />}
      {dialog === "stage" && <StageDialog {...opened} />}
      {dialog === "report" && <ReportDialog {...opened} />}
      {dialog === "remind" && <RemindDialog {...opened} />}
      {dialog === "end" && <EndDialog {...opened} />}
      {dialog === "photos" && photos && <PhotosDialog {...opened} photos={photos} />}
      {dialog && (SECTIONS as readonly string[]).includes(dialog) && (
        <SectionDialog {...opened} section={dialog as Section} />
      )}
    </div>
  );
}

/** Where it is from and what for. */
function Goals({ project }: { project: ProjectDetail }) {
  const { t, p } = useT();
  return (
    <Card
      size="small"
      title={
        <>
          {boxWord(project.item, t)} ·{" "}
          <Link to={`/systems/${encodeURIComponent(project.item.system)}`}>
            {t("project.system", { id: project.item.system })}
          </Link>
        </>
      }
    >
      {project.quote && <blockquote className="project-quote">{project.quote}</blockquote>}
      {project.reason && (
        <p>
          {t("project.add-reason")}: {project.reason}
        </p>
      )}
      <h3>{t("project.goals")}</h3>
      {project.goals.length === 0 ? (
        <p className="quiet">{t("project.goals-none")}</p>
      ) : (
        <ul className="project-rows">
          {project.goals.map((goal) => (
            <li key={goal.id}>
              <Link to={indicatorPath(goal.id)}>{p(goal.name_zh, goal.name_en)}</Link>
              <IndicatorTag status={goal.status} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Edit({ label, onClick }: { label: string; onClick: () => void }) {
  const { t } = useT();
  return (
    <Button
      size="small"
      icon={<EditOutlined />}
      aria-label={t("project.edit-of", { name: label })}
      onClick={onClick}
    >
      {t("project.edit")}
    </Button>
  );
}

function Profile({ project, open }: { project: ProjectDetail; open: (dialog: Dialog) => void }) {
  const { t } = useT();
  const { item, kept } = project;
  const title = t("project-section.profile");
  const row = (name: string, value: ReactNode) => (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
  return (
    <Card
      size="small"
      title={title}
      extra={project.may_manage && <Edit label={title} onClick={() => open("profile")} />}
    >
      <dl className="project-facts">
        {row(t("project.unit"), <UnitName unit={item.organisation} />)}
        {row(
          t("project.stage"),
          <>
            {t(`project-stage.${item.stage}`)}{" "}
            {project.may_edit && <Edit label={t("project.stage")} onClick={() => open("stage")} />}
          </>,
        )}
        {row(
          t("project.days-planned"),
          item.start || item.end ? `${item.start ?? "?"} – ${item.end ?? "?"}` : t("project.no-days"),
        )}
        {row(
          t("project.total"),
          typeof item.total_fen === "number" ? `${yuan(item.total_fen)} ${t("project.yuan")}` : "—",
        )}
        {kept.profile.note && row(t("project.note"), kept.profile.note)}
        {row(
          t("project.changed"),
          <>
            {project.changed_by} · <Time at={item.changed_at} />
          </>,
        )}
      </dl>
    </Card>
  );
}

function Part({
  project,
  section,
  open,
  count,
  children,
}: {
  project: ProjectDetail;
  section: Section;
  open: (dialog: Dialog) => void;
  count: number;
  children: ReactNode;
}) {
  const { t } = useT();
  const title = t(`project-section.${section}`);
  return (
    <Card
      size="small"
      title={title}
      data-testid={`project-${section}`}
      extra={project.may_edit && <Edit label={title} onClick={() => open(section)} />}
    >
      {count === 0 ? (
        <span className="quiet">{t(`project-empty.${section}`)}</span>
      ) : (
        <ul className="project-rows">{children}</ul>
      )}
    </Card>
  );
}

function MoneyPart({ project, open }: { project: ProjectDetail; open: (dialog: Dialog) => void }) {
  const { t } = useT();
  const { money } = project.kept;
  const title = t("project-section.money");
  const { planned_fen, arranged_fen, paid_fen } = project.item.money;
  return (
    <Card
      size="small"
      title={title}
      data-testid="project-money"
      extra={project.may_edit && <Edit label={title} onClick={() => open("money")} />}
    >
      {money.length === 0 ? (
        <span className="quiet">{t("project-empty.money")}</span>
      ) : (
        <>
          <p className="project-line">
            {project.years
              .map(({ year, state }) => `${year}${t("word.colon")}${t(`project-money.${state}`)}`)
              .join(" · ")}
          </p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls must be reached without a mouse. */}
          <section className="project-money" tabIndex={0} aria-label={title}>
            <table>
              <thead>
                <tr>
                  <th>{t("project.source")}</th>
                  <th>{t("project.year")}</th>
                  <th>{t("project.money-planned")}</th>
                  <th>{t("project.money-arranged")}</th>
                  <th>{t("project.money-paid")}</th>
                </tr>
              </thead>
              <tbody>
                {money.map((row) => (
                  <tr key={`${row.source} ${row.year}`}>
                    <td>{t(`project-source.${row.source}`)}</td>
                    <td>{row.year}</td>
                    <td data-label={t("project.money-planned")}>{yuan(row.planned_fen)}</td>
                    <td data-label={t("project.money-arranged")}>{yuan(row.arranged_fen)}</td>
                    <td data-label={t("project.money-paid")}>{yuan(row.paid_fen)}</td>
                  </tr>
                ))}
                <tr>
                  <td>{t("project.sum")}</td>
                  <td />
                  <td data-label={t("project.money-planned")}>{yuan(planned_fen)}</td>
                  <td data-label={t("project.money-arranged")}>{yuan(arranged_fen)}</td>
                  <td data-label={t("project.money-paid")}>{yuan(paid_fen)}</td>
                </tr>
              </tbody>
            </table>
          </section>
        </>
      )}
    </Card>
  );
}

function Lists({ project, open }: { project: ProjectDetail; open: (dialog: Dialog) => void }) {
  const { t } = useT();
  const { kept } = project;
  const unit = (id: string) => project.members.find((member) => member.id === id) ?? null;
  const shared = { project, open };
  return (
    <>
      <Part {...shared} section="tasks" count={kept.tasks.length}>
        {kept.tasks.map((row, n) => (
          <li key={`${row.organisation} ${n}`}>
            <strong>
              <UnitName unit={unit(row.organisation)} />
            </strong>
            <span className="quiet number">
              {row.due && `${t("project.due")} ${row.due}`}
              {row.done && ` · ${t("project.done")} ${row.done}`}
            </span>
            <span className="project-long">{row.task}</span>
            {row.progress && <span className="project-long quiet">{row.progress}</span>}
          </li>
        ))}
      </Part>
      <Part {...shared} section="procedures" count={kept.procedures.length}>
        {kept.procedures.map((row) => (
          <li key={row.name}>
            <strong>{row.name}</strong>
            {t(`project-procedure.${row.state}`)}
            <span className="quiet">{[row.number, row.decided].filter(Boolean).join(" · ")}</span>
          </li>
        ))}
      </Part>
      <Part {...shared} section="factors" count={kept.factors.length}>
        {kept.factors.map((row, n) => (
          <li key={`${row.kind} ${n}`}>
            <strong>{t(`project-factor.${row.kind}`)}</strong>
            <span>{row.need}</span>
            <span className={row.missing ? "project-long" : "quiet"}>
              {row.missing ? t("project.factor-missing", { what: row.missing }) : t("project.factor-met")}
            </span>
          </li>
        ))}
      </Part>
      <Part {...shared} section="risks" count={kept.risks.length}>
        {kept.risks.map((row, n) => (
          <li key={`${row.level} ${n}`}>
            <strong>{t(`project-level.${row.level}`)}</strong>
            {row.over && <span className="quiet">{t("project.risk-over")}</span>}
            <span className="project-long">{row.risk}</span>
            <span className="project-long quiet">{row.measure}</span>
          </li>
        ))}
      </Part>
      <Part {...shared} section="assets" count={project.things.length}>
        {project.things.map((thing) => (
          <li key={thing.entity_id}>
            <Link to={`/entities/${encodeURIComponent(thing.entity_id)}`}>
              {thing.name ?? thing.entity_id}
            </Link>
            <span className="quiet">{thing.entity_type ?? t("project.thing-gone")}</span>
            <span className="project-long">{thing.note}</span>
          </li>
        ))}
      </Part>
    </>
  );
}

function Months({ project }: { project: ProjectDetail }) {
  const { t } = useT();
  return (
    <Card size="small" title={t("project-view.months")}>
      {project.owes_month && (
        <Alert type="warning" showIcon title={t("project.owes", { month: project.month })} />
      )}
      {project.reports.length === 0 ? (
        <p className="quiet">{t("project.reports-none")}</p>
      ) : (
        <ul className="project-rows">
          {project.reports.map((row) => (
            <li key={row.month}>
              <strong className="number">{row.month}</strong>
              <ReportTag state={row.in_time ? "in_time" : "late"} />
              <span className="quiet">
                <UnitName unit={row.organisation} /> · {row.by} · <Time at={row.at} />
              </span>
              <span className="project-long">{row.progress}</span>
              {row.problems && (
                <span className="project-long">
                  {t("project.problems")}: {row.problems}
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Reminders({ project }: { project: ProjectDetail }) {
  const { t } = useT();
  return (
    <Card size="small" title={t("project.reminders")}>
      {project.may_manage && project.reminders_due.length > 0 && (
        <Alert
          type="warning"
          showIcon
          title={t("project.reminders-due")}
          description={project.reminders_due.map((word) => aboutWord(word, t)).join(" · ")}
        />
      )}
      {project.reminders.length === 0 ? (
        <p className="quiet">{t("project.reminders-none")}</p>
      ) : (
        <ul className="project-rows">
          {project.reminders.map((row) => (
            <li key={row.case_id}>
              <Link to={`/cases/${row.case_id}`}>{row.number}</Link>
              <CaseStateTag state={row.state} />
              <span>{aboutWord(row.about, t)}</span>
              <span className="quiet">
                <UnitName unit={row.organisation} /> · <Time at={row.at} />
                {row.closed_at === null && row.due_at && (
                  <>
                    {" · "}
                    {t("project.due")} <Time at={row.due_at} />
                  </>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
