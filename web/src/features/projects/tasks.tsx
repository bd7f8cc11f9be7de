/** The tasks of member departments over all projects (任务分解到成员单位): a member sees its own at once, overdue ones first. */
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Checkbox, Form, Input, Select, Table } from "antd";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import type { ProjectTaskItem, ProjectTasks } from "../../lib/types.ts";
import { uuid } from "../../lib/uuid.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { taskActions, tasksActions } from "./actions.tsx";
import { TaskTag, UnitName } from "./marks.tsx";
import { projectPath, projectQuery, remind, save, tasksQuery } from "./queries.ts";

const TEXT_CHARS_MAX = 1_000;
/** In the address: every department, also for a member. */
const ALL = "all";

type Open = (dialog: "set" | "remind", item: ProjectTaskItem) => void;

export function Tasks() {
  const [parameters, setParameters] = useSearchParams();
  const asked = parameters.get("of");
  const open = parameters.get("state") !== "all";
  // Whose tasks are shown first is known once it is known who asks.
  const first = useQuery(tasksQuery({ organisation: "", open }));
  const own = first.data?.may_remind ? undefined : first.data?.own.find((id) => hasTasks(first.data, id));
  const of = asked === ALL ? "" : (asked ?? own ?? "");
  const found = useQuery({
    ...tasksQuery({ organisation: of, open }),
    enabled: first.data !== undefined,
    placeholderData: keepPreviousData,
  });
  const go = (next: { of?: string; open?: boolean }) => {
    const all = { of: next.of ?? asked ?? "", state: (next.open ?? open) ? "" : "all" };
    const said = Object.entries(all).filter(([, value]) => value);
    setParameters({ view: "tasks", ...Object.fromEntries(said) }, { replace: true });
  };
  return (
    <Loaded query={found} tall>
      {(tasks) => <List tasks={tasks} of={of} open={open} go={go} />}
    </Loaded>
  );
}

function hasTasks(tasks: ProjectTasks | undefined, id: string): boolean {
  return tasks?.units.some(({ unit }) => unit.id === id) ?? false;
}

function List({
  tasks,
  of,
  open,
  go,
}: {
  tasks: ProjectTasks;
  of: string;
  open: boolean;
  go: (next: { of?: string; open?: boolean }) => void;
}) {
  const { t, p } = useT();
  const phone = usePhone();
  const [dialog, setDialog] = useState<{ kind: "set" | "remind"; item: ProjectTaskItem } | null>(null);
  const openDialog: Open = (kind, item) => setDialog({ kind, item });
  const { items, units } = tasks;
  const overdue = items.filter(({ state }) => state === "overdue").length;
  const onClose = () => setDialog(null);
  return (
    <>
      <div className="projects-filters">
        <Select
          aria-label={t("project-task.filter-unit")}
          value={of || ALL}
          onChange={(id) => go({ of: id })}
          popupMatchSelectWidth={false}
          options={[
            { value: ALL, label: t("project-task.all-units") },
            ...units.map(({ unit, open: left, overdue: late }) => ({
              value: unit.id,
              label: t("project-task.unit", {
                name: p(unit.name_zh, unit.name_en),
                open: left,
                overdue: late,
              }),
            })),
          ]}
        />
        <Checkbox checked={open} onChange={({ target }) => go({ open: target.checked })}>
          {t("project-task.only-open")}
        </Checkbox>
        <ActionBar actions={tasksActions} context={{ tasks, t, p }} />
      </div>
      <p className="quiet" style={{ margin: 0 }} data-testid="project-task-count">
        {tasks.own.includes(of) && `${t("project-task.own")} · `}
        {t("project-task.count", { n: items.length, overdue })}
      </p>
      {items.length === 0 ? (
        <Nothing title={t("project-task.none")} mend={t("project-task.none-mend")} />
      ) : phone ? (
        <ul className="card-list">
          {items.map((item) => (
            <li key={keyOfTask(item)} className="item-card" data-testid="project-task">
              <span className="item-card-head">
                <strong>{item.task}</strong>
                <TaskTag state={item.state} days={item.days_late} />
              </span>
              <span>
                <UnitName unit={item.organisation} /> ·{" "}
                <Link className="project-inline-link" to={projectPath(item.project.id)}>
                  {p(item.project.name_zh, item.project.name_en)}
                </Link>
              </span>
              <Days item={item} />
              {item.progress && <span className="quiet">{item.progress}</span>}
              <Acts item={item} open={openDialog} mayRemind={tasks.may_remind} />
            </li>
          ))}
        </ul>
      ) : (
        <Table<ProjectTaskItem>
          size="small"
          rowKey={keyOfTask}
          dataSource={items}
          pagination={false}
          scroll={{ x: 900 }}
          columns={[
            {
              title: t("project-task.task"),
              render: (_, item) => (
                <div data-testid="project-task">
                  <strong>{item.task}</strong>
                  {item.progress && <div className="quiet">{item.progress}</div>}
                </div>
              ),
            },
            {
              title: t("project.name"),
              width: 260,
              render: (_, { project }) => (
                <Link to={projectPath(project.id)}>{p(project.name_zh, project.name_en)}</Link>
              ),
            },
            {
              title: t("project-task.department"),
              width: 160,
              render: (_, item) => <UnitName unit={item.organisation} />,
            },
            { title: t("project.due"), width: 180, render: (_, item) => <Days item={item} /> },
            {
              title: t("word.state"),
              width: 130,
              render: (_, item) => <TaskTag state={item.state} days={item.days_late} />,
            },
            {
              title: "",
              width: 200,
              render: (_, item) => <Acts item={item} open={openDialog} mayRemind={tasks.may_remind} />,
            },
          ]}
        />
      )}
      {dialog?.kind === "set" && <SetDialog item={dialog.item} onClose={onClose} />}
      {dialog?.kind === "remind" && <RemindDialog item={dialog.item} onClose={onClose} />}
    </>
  );
}

const keyOfTask = ({ project, row }: ProjectTaskItem) => `${project.id} ${row}`;

function Days({ item }: { item: ProjectTaskItem }) {
  const { t } = useT();
  return (
    <span className="number">
      {item.due ?? "—"}
      {item.done && ` · ${t("project.done")} ${item.done}`}
    </span>
  );
}

function Acts({ item, open, mayRemind }: { item: ProjectTaskItem; open: Open; mayRemind: boolean }) {
  const { t } = useT();
  return (
    <span className="project-task-acts">
      <ActionBar
        actions={taskActions}
        context={{ item, mayRemind, open: (dialog) => open(dialog, item) }}
        size="small"
      />
      {item.reminder && (
        <Link to={`/cases/${item.reminder.case_id}`}>
          {t("project-task.reminded", { number: item.reminder.number })}
        </Link>
      )}
    </span>
  );
}

/** How a task stands: written on top of the project's tasks as they are now. */
function SetDialog({ item, onClose }: { item: ProjectTaskItem; onClose: () => void }) {
  const { t, p } = useT();
  const queryClient = useQueryClient();
  const { message } = App.useApp();
  const [form] = Form.useForm<{ done?: string; progress?: string }>();
  useFocusBack();
  const perform = async (said: { done?: string; progress?: string }) => {
    const { kept, version } = await queryClient.fetchQuery({
      ...projectQuery(item.project.id),
      staleTime: 0,
    });
    const old = kept.tasks[item.row];
    if (old?.task !== item.task || old.organisation !== item.organisation.id) {
      throw new Error(t("project-task.gone"));
    }
    const tasks = kept.tasks.map((task, n) =>
      n === item.row ? { ...task, done: said.done || null, progress: said.progress?.trim() ?? "" } : task,
    );
    await save(item.project.id, { version, section: "tasks", tasks });
    await queryClient.invalidateQueries({ queryKey: ["projects"] });
    message.success(t("project.saved"));
    onClose();
  };
  return (
    <FormDialog
      form={form}
      perform={perform}
      onClose={onClose}
      title={item.task}
      okText={t("project.save")}
      submitId="project-task-save"
      initialValues={{ done: item.done ?? undefined, progress: item.progress }}
      intro={
        <p className="quiet">
          {p(item.project.name_zh, item.project.name_en)} · {t("project-task.set-rule")}
        </p>
      }
    >
      <Form.Item name="progress" label={t("project.progress")}>
        <Input.TextArea rows={3} maxLength={TEXT_CHARS_MAX} />
      </Form.Item>
      <Form.Item name="done" label={t("project-task.done-on")}>
        <Input type="date" />
      </Form.Item>
    </FormDialog>
  );
}

/** A reminder of a task: a case of the department. */
function RemindDialog({ item, onClose }: { item: ProjectTaskItem; onClose: () => void }) {
  const { t, p } = useT();
  const queryClient = useQueryClient();
  const { message } = App.useApp();
  const [form] = Form.useForm<{ note: string }>();
  // Sent twice for want of an answer, one case is opened.
  const [request_id] = useState(uuid);
  useFocusBack();
  const perform = async ({ note }: { note: string }) => {
    await remind(item.project.id, { about: item.about, note, request_id });
    await queryClient.invalidateQueries({ queryKey: ["projects"] });
    message.success(t("project.saved"));
    onClose();
  };
  const { name_zh, name_en } = item.organisation;
  return (
    <FormDialog
      form={form}
      perform={perform}
      onClose={onClose}
      title={item.task}
      okText={t("project.remind-send")}
      submitId="project-task-remind"
      intro={<p className="quiet">{t("project-task.remind-rule", { unit: p(name_zh, name_en) })}</p>}
    >
      <Form.Item
        name="note"
        label={t("project.remind-note")}
        rules={[{ required: true, whitespace: true, message: t("project.missing") }]}
      >
        <Input.TextArea rows={3} maxLength={TEXT_CHARS_MAX} />
      </Form.Item>
    </FormDialog>
  );
}
