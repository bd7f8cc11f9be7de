/** Tasks as a table for a file. Pure. */
import type { Translate } from "../../i18n/index.tsx";
import type { ProjectTasks, SqlResult } from "../../lib/types.ts";

type Table = Pick<SqlResult, "columns" | "rows">;

/** A row a task, in the order in which they are shown, with the words of the reader's language. */
export function taskTable(
  { items }: ProjectTasks,
  t: Translate,
  p: (zh: string, en: string) => string,
): Table {
  const names = [
    t("project.name"),
    t("project-task.department"),
    t("project-task.task"),
    t("project.due"),
    t("project-task.done-on"),
    t("word.state"),
    t("project-task.csv-days"),
    t("project.progress"),
    t("project.unit"),
  ];
  const rows = items.map((item) => {
    const { project, organisation, responsible } = item;
    const cells = [
      p(project.name_zh, project.name_en),
      p(organisation.name_zh, organisation.name_en),
      item.task,
      item.due,
      item.done,
      t(`project-task.${item.state}`),
      item.days_late,
      item.progress,
      responsible && p(responsible.name_zh, responsible.name_en),
    ];
    return Object.fromEntries(names.map((name, n) => [name, cells[n] ?? null]));
  });
  return { columns: names.map((name) => ({ name, type: "text" })) as Table["columns"], rows };
}
