/** The bars and marks of the Gantt chart: places along the time, in a hundred parts of the width. */
import type { ProjectItem, ProjectMilestoneState } from "../../lib/types.ts";

const DAY_MS = 86_400_000;
/** Years are shown whole; a chart of one day would have no width. */
const YEARS_MAX_LABELS = 8;

const dayNumber = (day: string) => Date.parse(`${day}T00:00:00Z`) / DAY_MS;

/** The years from the first to the last day of anything, today among them. */
export interface Span {
  first: number;
  last: number;
}

/** Every day that a project names. */
export function daysOf(item: ProjectItem): string[] {
  const marks = item.milestones.flatMap(({ planned, forecast, done }) => [planned, forecast, done]);
  return [item.start, item.end, ...marks].filter((day): day is string => typeof day === "string");
}

export function spanOf(items: ProjectItem[], today: string): Span {
  const years = [...items.flatMap(daysOf), today].map((day) => Number(day.slice(0, 4)));
  return { first: Math.min(...years), last: Math.max(...years) };
}

/** Where a day stands, from 0 to 100. */
export function placeOf({ first, last }: Span, day: string): number {
  const from = dayNumber(`${first}-01-01`);
  const to = dayNumber(`${last + 1}-01-01`);
  return ((dayNumber(day) - from) / (to - from)) * 100;
}

/** The years that are written on the axis, each with where it begins. */
export function ticksOf(span: Span): { year: number; place: number }[] {
  const count = span.last - span.first + 1;
  const step = Math.ceil(count / YEARS_MAX_LABELS);
  const years = Array.from({ length: Math.ceil(count / step) }, (_, n) => span.first + n * step);
  return years.map((year) => ({ year, place: placeOf(span, `${year}-01-01`) }));
}

export interface Bar {
  from: number;
  to: number;
  /** Whether its ends are those of milestones, as the project itself names none. */
  guessed: boolean;
}

export interface Mark {
  name: string;
  state: ProjectMilestoneState;
  place: number;
  day: string;
}

/** The bar of a project; null when it has no day at all. */
export function barOf(item: ProjectItem, span: Span): Bar | null {
  const days = daysOf(item).sort();
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) return null;
  return {
    from: placeOf(span, item.start ?? first),
    to: placeOf(span, item.end ?? last),
    guessed: item.start === null || item.end === null,
  };
}

/** Milestones where they were reached, else where they are expected or planned. */
export function marksOf(item: ProjectItem, span: Span): Mark[] {
  return item.milestones.map(({ name, state, planned, forecast, done }) => {
    const day = done ?? forecast ?? planned;
    return { name, state, day, place: placeOf(span, day) };
  });
}
