/** The Gantt chart (甘特图): a row a project, with its bar, its milestones and today. Rows are links; arrow keys go from one to the next. */
import type { KeyboardEvent } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import type { ProjectItem, ProjectMilestoneState } from "../../lib/types.ts";
import { barOf, marksOf, placeOf, type Span, spanOf, ticksOf } from "./gantt.ts";
import { MILESTONE_COLOURS, StatusTag } from "./marks.tsx";
import { projectPath } from "./queries.ts";

const STATES: ProjectMilestoneState[] = [
  "on_time",
  "done_late",
  "overdue",
  "will_be_late",
  "soon",
  "on_course",
];
/** Heights of a row's drawing, pixels. */
const HEIGHT = 22;
const BAR_HEIGHT = 8;
const MARK_RADIUS = 5;

export function Gantt({ items, today }: { items: ProjectItem[]; today: string }) {
  const { t } = useT();
  const span = spanOf(items, today);
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    const rows = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>("a")];
    const next = rows[rows.indexOf(document.activeElement as HTMLAnchorElement) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  };
  return (
    <div className="gantt">
      <ul className="gantt-legend" aria-label={t("project.legend")}>
        {STATES.map((state) => (
          <li key={state}>
            <svg width={12} height={12} aria-hidden="true">
              <circle cx={6} cy={6} r={MARK_RADIUS} fill={MILESTONE_COLOURS[state]} />
            </svg>{" "}
            {t(`project-milestone.${state}`)}
          </li>
        ))}
        <li>
          <span className="gantt-today" /> {t("project.today", { day: today })}
        </li>
      </ul>
      <svg className="gantt-axis" width="100%" height={20} aria-hidden="true">
        {ticksOf(span).map(({ year, place }) => (
          <text key={year} x={`${place}%`} y={14}>
            {year}
          </text>
        ))}
      </svg>
      <ul className="gantt-rows" onKeyDown={onKeyDown}>
        {items.map((item) => (
          <Row key={item.id} item={item} span={span} today={today} />
        ))}
      </ul>
    </div>
  );
}

function Row({ item, span, today }: { item: ProjectItem; span: Span; today: string }) {
  const { t, p } = useT();
  const bar = barOf(item, span);
  const marks = marksOf(item, span);
  const said = marks.map((mark) => `${mark.name} ${mark.day} ${t(`project-milestone.${mark.state}`)}`);
  const name = p(item.name_zh, item.name_en);
  const days = item.start || item.end ? `${item.start ?? "?"} – ${item.end ?? "?"}` : t("project.no-days");
  return (
    <li>
      <Link to={projectPath(item.id)} className="gantt-row" data-testid="gantt-row">
        <span className="gantt-name">
          <strong className="ellipsis">{name}</strong>
          <StatusTag status={item.status} />
          <span className="quiet gantt-days">{days}</span>
        </span>
        <svg
          className="gantt-line"
          width="100%"
          height={HEIGHT}
          role="img"
          aria-label={said.join(", ") || t(`project-status.${item.status}`)}
        >
          {ticksOf(span).map(({ year, place }) => (
            <line key={year} className="gantt-year" x1={`${place}%`} x2={`${place}%`} y1={0} y2={HEIGHT} />
          ))}
          {bar && (
            <rect
              className={bar.guessed ? "gantt-bar gantt-guessed" : "gantt-bar"}
              x={`${bar.from}%`}
              width={`${Math.max(bar.to - bar.from, 0.4)}%`}
              y={(HEIGHT - BAR_HEIGHT) / 2}
              height={BAR_HEIGHT}
              rx={3}
            />
          )}
          <line
            className="gantt-now"
            x1={`${placeOf(span, today)}%`}
            x2={`${placeOf(span, today)}%`}
            y1={0}
            y2={HEIGHT}
          />
          {marks.map((mark) => (
            <circle
              key={mark.name}
              cx={`${mark.place}%`}
              cy={HEIGHT / 2}
              r={MARK_RADIUS}
              fill={MILESTONE_COLOURS[mark.state]}
              stroke="#fff"
            >
              <title>{`${mark.name} ${mark.day} ${t(`project-milestone.${mark.state}`)}`}</title>
            </circle>
          ))}
        </svg>
      </Link>
    </li>
  );
}
