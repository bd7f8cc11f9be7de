/** Key projects (重点项目库): the list with its filters, the Gantt chart, the tasks of member departments, the monthly dispatch and the assessment of units. */
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { Input, Segmented, Select, Table } from "antd";
import { useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { useLive } from "../../lib/live.ts";
import type { ProjectItem, Projects } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { listActions } from "./actions.tsx";
import { Assessment } from "./assessment.tsx";
import { AddDialog } from "./dialogs.tsx";
import { Gantt } from "./gantt.tsx";
import { boxWord, Findings, STATUSES, StatusTag, UnitName } from "./marks.tsx";
import { wan } from "./money.ts";
import { Months } from "./months.tsx";
import { Packages } from "./packages.tsx";
import { projectPath, projectsQuery, type Wanted } from "./queries.ts";
import { Tasks } from "./tasks.tsx";
import "./projects.css";

const VIEWS = ["list", "gantt", "tasks", "months", "assessment", "packages"] as const;
type View = (typeof VIEWS)[number];
/** The boxes of the plan (专栏). */
const BOXES = ["1", "2", "3"];

export function Page() {
  const { t } = useT();
  const [parameters, setParameters] = useSearchParams();
  const [adding, setAdding] = useState(false);
  const navigate = useNavigate();
  const view = VIEWS.find((one) => one === parameters.get("view")) ?? "list";
  const wanted: Wanted = {
    plan_box: parameters.get("plan_box") ?? "",
    organisation: parameters.get("organisation") ?? "",
    status: STATUSES.find((one) => one === parameters.get("status")) ?? "",
    indicator: parameters.get("indicator") ?? "",
    q: parameters.get("q") ?? "",
  };
  const go = (next: Partial<Wanted> & { view?: View }) => {
    const all = Object.entries({ ...wanted, view, ...next });
    setParameters(
      Object.fromEntries(all.filter(([key, value]) => value && (key !== "view" || value !== "list"))),
      {
        replace: true,
      },
    );
  };
  const queryClient = useQueryClient();
  useLive("project", () => void queryClient.invalidateQueries({ queryKey: ["projects"] }));
  const found = useQuery({ ...projectsQuery(wanted), placeholderData: keepPreviousData });
  const isListed = view === "list" || view === "gantt";
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("project.title")}</h1>
        <span className="quiet">
          {found.data && t("project.count", { n: found.data.total, plan: found.data.of_plan })}
        </span>
        <span className="grow" />
        <ActionBar actions={listActions} context={{ add: () => setAdding(true) }} />
      </header>
      <Segmented<View>
        aria-label={t("project.views")}
        value={view}
        onChange={(next) => go({ view: next })}
        options={VIEWS.map((value) => ({ value, label: t(`project-view.${value}`) }))}
        style={{ alignSelf: "flex-start" }}
      />
      {isListed && <Filters wanted={wanted} found={found.data} go={go} />}
      {view === "tasks" && <Tasks />}
      {view === "months" && <Months />}
      {view === "assessment" && <Assessment />}
      {view === "packages" && <Packages />}
      {isListed && (
        <Loaded query={found} tall>
          {({ items, day }) =>
            items.length === 0 ? (
              <Nothing title={t("project.none")} mend={t("project.none-mend")} />
            ) : view === "gantt" ? (
              <Gantt items={items} today={day} />
            ) : (
              <List items={items} />
            )
          }
        </Loaded>
      )}
      {adding && <AddDialog onClose={() => setAdding(false)} onAdded={(id) => navigate(projectPath(id))} />}
    </div>
  );
}

function Filters({
  wanted,
  found,
  go,
}: {
  wanted: Wanted;
  found: Projects | undefined;
  go: (next: Partial<Wanted>) => void;
}) {
  const { t, p } = useT();
  const all = { value: "", label: t("project.all") };
  return (
    <div className="projects-filters">
      <Select
        aria-label={t("project.filter-box")}
        value={wanted.plan_box}
        onChange={(plan_box) => go({ plan_box })}
        options={[
          { ...all, label: t("project.all-boxes") },
          ...BOXES.map((n) => ({ value: n, label: t("project.box", { n }) })),
          { value: "added", label: t("project.added") },
        ]}
      />
      <Select
        aria-label={t("project.filter-unit")}
        value={wanted.organisation}
        onChange={(organisation) => go({ organisation })}
        options={[
          { ...all, label: t("project.all-units") },
          ...(found?.organisations ?? []).map(({ id, name_zh, name_en }) => ({
            value: id,
            label: p(name_zh, name_en),
          })),
          { value: "none", label: t("project.nobody") },
        ]}
      />
      <Select
        aria-label={t("project.filter-status")}
        value={wanted.status}
        onChange={(status) => go({ status })}
        options={[
          { ...all, label: t("project.all-statuses") },
          ...STATUSES.map((value) => ({ value, label: t(`project-status.${value}`) })),
        ]}
      />
      <Input.Search
        allowClear
        aria-label={t("project.search")}
        placeholder={t("project.search")}
        defaultValue={wanted.q}
        onSearch={(q) => go({ q })}
      />
    </div>
  );
}

function Money({ item }: { item: ProjectItem }) {
  const { t } = useT();
  const { planned_fen, paid_fen } = item.money;
  if (planned_fen === 0 && paid_fen === 0) return <span className="quiet">{t("project.no-money")}</span>;
  return (
    <span className="number">{t("project.paid-of", { paid: wan(paid_fen), planned: wan(planned_fen) })}</span>
  );
}

function List({ items }: { items: ProjectItem[] }) {
  const { t, p } = useT();
  const phone = usePhone();
  const navigate = useNavigate();
  if (phone) {
    return (
      <ul className="card-list">
        {items.map((item) => (
          <li key={item.id} className="item-card" data-testid="project-row">
            <span className="item-card-head">
              <Link to={projectPath(item.id)}>
                <strong>{p(item.name_zh, item.name_en)}</strong>
              </Link>
              <StatusTag status={item.status} />
            </span>
            <span>
              {boxWord(item, t)} · <UnitName unit={item.organisation} /> · {t(`project-stage.${item.stage}`)}
            </span>
            <Money item={item} />
            <Findings findings={item.findings} />
          </li>
        ))}
      </ul>
    );
  }
  return (
    <Table<ProjectItem>
      size="small"
      rowKey="id"
      dataSource={items}
      pagination={false}
      scroll={{ x: 900 }}
      rowClassName="row-link"
      onRow={({ id }) => ({ onClick: () => navigate(projectPath(id)) })}
      columns={[
        {
          title: t("project.name"),
          render: (_, item) => (
            <>
              <Link to={projectPath(item.id)} data-testid="project-row">
                {p(item.name_zh, item.name_en)}
              </Link>
              <div>
                <Findings findings={item.findings} />
              </div>
            </>
          ),
        },
        { title: t("project.from"), width: 90, render: (_, item) => boxWord(item, t) },
        { title: t("project.unit"), width: 170, render: (_, item) => <UnitName unit={item.organisation} /> },
        { title: t("project.stage"), width: 80, render: (_, item) => t(`project-stage.${item.stage}`) },
        {
          title: t("project.days-planned"),
          width: 190,
          className: "number",
          render: (_, { start, end }) => (start || end ? `${start ?? "?"} – ${end ?? "?"}` : "—"),
        },
        { title: t("project.money"), width: 190, render: (_, item) => <Money item={item} /> },
        { title: t("word.state"), width: 100, render: (_, item) => <StatusTag status={item.status} /> },
      ]}
    />
  );
}
