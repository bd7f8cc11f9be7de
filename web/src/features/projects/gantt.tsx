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
const DIAMOND = "M0-6.5L6.5 0L0 6.5L-6.5 0Z";

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
            <svg width={14} height={14} aria-hidden="true">
              <Mark state={state} x={7} y={7} />
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

/** Reached: full circles; late, or to be late: diamonds; to come: rings. Colours alone tell nothing to who does not see them. */
function Mark({
  state,
  x,
  y,
  title,
}: {
  state: ProjectMilestoneState;
  x: number | string;
  y: number;
  title?: string;
}) {
  const colour = MILESTONE_COLOURS[state];
  const said = title && <title>{title}</title>;
  if (state === "overdue" || state === "will_be_late")
    return (
      <svg x={x} y={y} overflow="visible" aria-hidden="true">
        <path d={DIAMOND} fill={colour} stroke="#fff">
          {said}
        </path>
      </svg>
    );
  const isToCome = state === "soon" || state === "on_course";
  return (
    <circle
      cx={x}
      cy={y}
      r={isToCome ? MARK_RADIUS - 1 : MARK_RADIUS}
      fill={isToCome ? "#fff" : colour}
      stroke={isToCome ? colour : "#fff"}
      strokeWidth={isToCome ? 2.5 : 1}
    >
      {said}
    </circle>
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
            <Mark
              key={mark.name}
              state={mark.state}
              x={`${mark.place}%`}
              y={HEIGHT / 2}
              title={`${mark.name} ${mark.day} ${t(`project-milestone.${mark.state}`)}`}
            />
          ))}
        </svg>
      </Link>
    </li>
  );
}
