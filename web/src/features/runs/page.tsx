/** Runs of the packs' engines by the clock: what is declared, and each run that was made, by how it went and for what. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Button, Input, Select, Table } from "antd";
import { useMemo, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ZONE_LABEL } from "../../lib/format.ts";
import type { Run } from "../../lib/types.ts";
import { openableRow } from "../../ui/keyboard.ts";
import { More } from "../../ui/more.tsx";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { ProblemTitle } from "../provenance/drawer.tsx";
import { Definitions } from "./definitions.tsx";
import { type Start, StartDialog } from "./dialogs.tsx";
import { AskedBy, OutcomeTag } from "./marks.tsx";
import { definitionsQuery, FILTERS, OUTCOMES, type RunFilter, runsQuery } from "./queries.ts";
import "./runs.css";
import { took } from "./say.ts";

export const runPath = (id: number) => `/runs/${id}`;

export function Page() {
  const { t, p } = useT();
  const navigate = useNavigate();
  const [parameters, setParameters] = useSearchParams();
  const [starting, setStarting] = useState<Start | null>(null);
  const filter: RunFilter = {};
  for (const name of FILTERS) {
    const value = parameters.get(name);
    if (value) filter[name] = value;
  }
  const go = (next: RunFilter) => {
    const search: Record<string, string> = {};
    for (const name of FILTERS) if (next[name]) search[name] = next[name];
    setParameters(search, { replace: true });
  };
  const made = (definition: string, runs: Run[]) => {
    const [only] = runs;
    if (only && runs.length === 1) navigate(runPath(only.id));
    else go({ definition_id: definition });
  };
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("run.title")}</h1>
        <span className="quiet">{t("run.about")}</span>
      </header>
      <section aria-label={t("run.definitions")}>
        <h2 className="run-heading">{t("run.definitions")}</h2>
        <Definitions
          start={(definition) =>
            setStarting({
              definition: definition.id,
              title: p(definition.title_zh, definition.title_en) || definition.id,
              hasTargets: definition.target_sql !== null,
              target: null,
            })
          }
        />
      </section>
      <section aria-label={t("run.runs")}>
        <h2 className="run-heading">{t("run.runs")}</h2>
        <Filters filter={filter} go={go} />
        <RunList filter={filter} go={go} />
      </section>
      {starting && (
        <StartDialog
          start={starting}
          onClose={() => setStarting(null)}
          onMade={(runs) => made(starting.definition, runs)}
        />
      )}
    </div>
  );
}

interface Filtered {
  filter: RunFilter;
  go: (next: RunFilter) => void;
}

function Filters({ filter, go }: Filtered) {
  const { t, p } = useT();
  const definitions = useQuery(definitionsQuery).data ?? [];
  const choices = definitions.map((definition) => ({
    value: definition.id,
    label: p(definition.title_zh, definition.title_en) || definition.id,
  }));
  // A declaration that is gone still has its runs.
  const gone = filter.definition_id && !choices.some(({ value }) => value === filter.definition_id);
  if (gone) choices.push({ value: filter.definition_id ?? "", label: filter.definition_id ?? "" });
  return (
    <fieldset className="toolbar run-filters" aria-label={t("run.filters")}>
      <Select
        allowClear
        showSearch={{ optionFilterProp: "label" }}
        value={filter.definition_id}
        onChange={(definition_id?: string) => go({ ...filter, definition_id })}
        placeholder={t("run.definition")}
        aria-label={t("run.definition")}
        style={{ minWidth: 220 }}
        options={choices}
      />
      <Select
        allowClear
        value={filter.outcome}
        onChange={(outcome?: string) => go({ ...filter, outcome })}
        placeholder={t("run.outcome")}
        aria-label={t("run.outcome")}
        style={{ width: 130 }}
        options={OUTCOMES.map((outcome) => ({ value: outcome, label: t(`run-outcome.${outcome}`) }))}
      />
      <Input.Search
        key={filter.target_id ?? ""}
        allowClear
        defaultValue={filter.target_id}
        placeholder={t("run.filter-target")}
        aria-label={t("run.filter-target")}
        style={{ width: 320, maxWidth: "100%" }}
        onSearch={(text) => go({ ...filter, target_id: text.trim() || undefined })}
      />
    </fieldset>
  );
}

function RunList({ filter, go }: Filtered) {
  const { t, p } = useT();
  const phone = usePhone();
  const navigate = useNavigate();
  const runs = useInfiniteQuery({ ...runsQuery(filter), placeholderData: keepPreviousData });
  const items = useMemo(() => runs.data?.pages.flatMap((page) => page.items) ?? [], [runs.data]);
  const failure = useFailure(runs);
  if (failure) return failure;
  if (!runs.data) return <Loading tall />;
  // A page may hold only runs that this person may not see, and lead on to others.
  if (items.length === 0 && !runs.hasNextPage) {
    if (FILTERS.every((name) => !filter[name])) {
      return <Nothing title={t("run.none")} mend={t("run.none-mend")} />;
    }
    return (
      <Nothing
        title={t("run.none-match")}
        action={<Button onClick={() => go({})}>{t("run.filter-clear")}</Button>}
      />
    );
  }
  const title = (run: Run) => p(run.title_zh, run.title_en) || run.definition_id;
  const target = (run: Run) => run.target_name ?? run.target_id ?? t("run.whole-city");
  if (phone) {
    return (
      <>
        <ul className="card-list">
          {items.map((run) => (
            <li key={run.id}>
              <button
                type="button"
                className="item-card"
                data-testid="run"
                onClick={() => navigate(runPath(run.id))}
              >
                <span className="item-card-head">
                  <OutcomeTag outcome={run.outcome} />
                  <strong>{target(run)}</strong>
                </span>
                <span>
                  {title(run)} · {t("run.number", { id: run.id })}
                </span>
                <span>
                  {t("run.due")} <Time at={run.due_at} />
                </span>
                {run.problems[0] && <ProblemTitle problem={run.problems[0]} />}
                <span className="quiet">
                  {t("run.rows-both", { read: run.rows_in, wrote: run.rows_out })} ·{" "}
                  <AskedBy who={run.asked_by} />
                </span>
              </button>
            </li>
          ))}
        </ul>
        <More list={runs} />
      </>
    );
  }
  return (
    <>
      <Table<Run>
        size="small"
        rowKey="id"
        dataSource={items}
        loading={runs.isPlaceholderData}
        pagination={false}
        className="tabular"
        scroll={{ x: 1_100 }}
        rowClassName="row-link"
        onRow={(run) =>
          ({
            ...openableRow(() => navigate(runPath(run.id))),
            "data-testid": "run",
          }) as React.HTMLAttributes<HTMLElement>
        }
        columns={[
          { title: t("run.id"), dataIndex: "id", width: 80, align: "right" },
          { title: t("run.outcome"), width: 96, render: (_, run) => <OutcomeTag outcome={run.outcome} /> },
          {
            title: t("run.definition"),
            render: (_, run) => (
              <>
                {title(run)}
                {run.problems[0] && <ProblemTitle problem={run.problems[0]} />}
              </>
            ),
          },
          {
            title: t("run.target"),
            width: 250,
            render: (_, run) => (
              <>
                {target(run)}
                {run.target_name && (
                  <div className="quiet ellipsis run-id" title={run.target_id ?? undefined}>
                    <code>{run.target_id}</code>
                  </div>
                )}
              </>
            ),
          },
          {
            title: `${t("run.due")} (${ZONE_LABEL})`,
            width: 170,
            render: (_, run) => <Time at={run.due_at} bare />,
          },
          {
            title: t("run.took"),
            width: 90,
            align: "right",
            render: (_, run) => took(run.begun_at, run.ended_at),
          },
          { title: t("run.rows-in"), dataIndex: "rows_in", width: 90, align: "right" },
          { title: t("run.rows-out"), dataIndex: "rows_out", width: 90, align: "right" },
          { title: t("run.asked-by"), width: 120, render: (_, run) => <AskedBy who={run.asked_by} /> },
        ]}
      />
      <More list={runs} />
    </>
  );
}
