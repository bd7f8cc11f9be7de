/** One run whole: what it stands for, how it went, what it was reckoned from and with, what came of it; reckoned again on request. */
import { ArrowLeftOutlined, FileSearchOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Alert, Button, Card } from "antd";
import { type ReactNode, useMemo, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { download } from "../../lib/download.ts";
import { can, useUser } from "../../lib/session.ts";
import type { Provenance, RunDetail, RunRepeated } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { CopyButton, Time } from "../../ui/tags.tsx";
import { ProblemBox, ProvenanceDrawer } from "../provenance/drawer.tsx";
import { provenanceQuery } from "../provenance/queries.ts";
import { fileActions, runActions } from "./actions.tsx";
import { AdoptDialog } from "./adopt.tsx";
import { Statement } from "./definitions.tsx";
import { type Start, StartDialog } from "./dialogs.tsx";
import { AskedBy, OutcomeTag } from "./marks.tsx";
import { OutputChart } from "./output-chart.tsx";
import { fileName, type RunFile, repeatRun, runQuery } from "./queries.ts";
import { doubtsOf, hasReport, Kept, Parameters, Report } from "./report.tsx";
import "./runs.css";
import { fanOf, repeated, took } from "./say.ts";

export function Page() {
  const id = useParams().id ?? "";
  const run = useQuery(runQuery(id));
  return (
    <div className="page">
      <BackLink />
      <Loaded query={run} tall>
        {(found) => <RunView key={found.id} run={found} />}
      </Loaded>
    </div>
  );
}

function BackLink() {
  const { t } = useT();
  return (
    <Link to="/runs" className="back">
      <ArrowLeftOutlined /> {t("run.back")}
    </Link>
  );
}

function RunView({ run }: { run: RunDetail }) {
  const { t, p, language } = useT();
  const navigate = useNavigate();
  const [position, setPosition] = useState<number | null>(null);
  const [starting, setStarting] = useState<Start | null>(null);
  const [adopting, setAdopting] = useState(false);
  const [again, setAgain] = useState<RunRepeated | null>(null);
  const title = p(run.title_zh, run.title_en) || run.definition_id;
  const target = run.target_name ?? run.target_id;
  const context = {
    run,
    adopt: () => setAdopting(true),
    repeat: async () => setAgain(await repeatRun(run.id)),
    start: () =>
      setStarting({
        definition: run.definition_id,
        title,
        hasTargets: run.target_id !== null,
        target: run.target_id === null ? null : { id: run.target_id, name: target ?? run.target_id },
      }),
  };
  useActionKeys(runActions, starting || adopting ? null : context);
  const doubts = doubtsOf(run.report, language);
  return (
    <>
      <header className="page-head">
        <h1>{[title, target].filter(Boolean).join(" · ")}</h1>
        <OutcomeTag outcome={run.outcome} />
        <span className="quiet">{t("run.number", { id: run.id })}</span>
        <span className="grow" />
        <ActionBar actions={runActions} context={context} />
      </header>
      {again && <Again answer={again} />}
      {run.outcome === "running" && <Alert type="info" showIcon title={t("run.goes-on")} />}
      {run.outcome === "interrupted" && <Alert type="warning" showIcon title={t("run.was-interrupted")} />}
      {run.problems.map((problem) => (
        <ProblemBox key={`${problem.code} ${problem.place} ${problem.what}`} problem={problem} />
      ))}
      {doubts.length > 0 && (
        <Alert
          type="warning"
          showIcon
          title={t("run.doubts", { n: doubts.length })}
          description={
            <ul className="run-doubts">
              {doubts.map((doubt) => (
                <li key={doubt}>{doubt}</li>
              ))}
            </ul>
          }
          data-testid="run-doubts"
        />
      )}
      <div className="run-split">
        <Card size="small" title={t("run.facts")}>
          <Facts run={run} onPosition={setPosition} />
        </Card>
        <Card size="small" title={t("run.parameters")}>
          <Parameters run={run} />
        </Card>
      </div>
      <Outcome run={run} />
      {(run.outcome === "done" || hasReport(run.report)) && (
        <Card size="small" title={t("run.report")}>
          <Report report={run.report} />
        </Card>
      )}
      <Input run={run} />
      {run.input !== null && <Command run={run} />}
      {run.input_sql !== null && (
        <Card size="small">
          <Statement title={t("run.input-sql")} sql={run.input_sql} />
        </Card>
      )}
      <ProvenanceDrawer position={position} onClose={() => setPosition(null)} />
      {adopting && <AdoptDialog run={run} onClose={() => setAdopting(false)} />}
      {starting && (
        <StartDialog
          start={starting}
          onClose={() => setStarting(null)}
          onMade={([made]) => made && navigate(`/runs/${made.id}`)}
        />
      )}
    </>
  );
}

/** What came of reckoning it again, in words. */
function Again({ answer }: { answer: RunRepeated }) {
  const { t } = useT();
  const { type, text } = repeated(answer, t);
  return (
    <div role="status" data-testid="run-again">
      <Alert
        type={type}
        showIcon
        title={text}
        description={
          <>
            <dl className="problem">
              <dt>{t("run.digest-then")}</dt>
              <dd>
                <code>{answer.output_digest_then ?? t("run.digest-none")}</code>
              </dd>
              <dt>{t("run.digest-now")}</dt>
              <dd>
                <code>{answer.output_digest_now ?? t("run.digest-none")}</code>
              </dd>
              <dt>{t("run.engine-versions")}</dt>
              <dd>
                v{answer.engine_version_then}
                {answer.engine_version_now !== answer.engine_version_then &&
                  ` → v${answer.engine_version_now}`}
              </dd>
            </dl>
            {answer.problems.map((problem) => (
              <ProblemBox key={`${problem.code} ${problem.place} ${problem.what}`} problem={problem} />
            ))}
          </>
        }
      />
    </div>
  );
}

function Facts({ run, onPosition }: { run: RunDetail; onPosition: (position: number) => void }) {
  const { t } = useT();
  const user = useUser();
  const { position } = run;
  const others = new URLSearchParams({ definition_id: run.definition_id });
  if (run.target_id !== null) others.set("target_id", run.target_id);
  const entity = (id: string, name: string) =>
    can(user, "entity.read") ? <Link to={`/entities/${encodeURIComponent(id)}`}>{name}</Link> : name;
  const rows: [string, ReactNode][] = [
    [t("run.due"), <Time key="due" at={run.due_at} age />],
    [
      t("run.begun"),
      <>
        <Time at={run.begun_at} /> · {t("run.took")} {took(run.begun_at, run.ended_at)}
      </>,
    ],
    [t("run.asked-by"), <AskedBy key="who" who={run.asked_by} />],
    [
      t("run.target"),
      run.target_id === null ? t("run.whole-city") : entity(run.target_id, run.target_name ?? run.target_id),
    ],
    [
      t("run.definition"),
      <>
        <code>{run.definition_id}</code> v{run.definition_version} ·{" "}
        <Link to={`/runs?${others}`}>{t("run.others")}</Link>
      </>,
    ],
    [
      t("run.engine"),
      <>
        <code>{run.engine}</code> v{run.engine_version}
      </>,
    ],
    [t("run.program"), run.program_version ?? "—"],
    [t("run.rows"), t("run.rows-both", { read: run.rows_in, wrote: run.rows_out })],
    [t("run.wrote"), run.entity_id === null ? t("run.wrote-nothing") : entity(run.entity_id, run.entity_id)],
  ];
  if (position !== null) {
    rows.push([
      t("provenance.position"),
      can(user, "entity.read") ? (
        <Button
          key="position"
          size="small"
          type="link"
          icon={<FileSearchOutlined />}
          data-testid="provenance"
          onClick={() => onPosition(position)}
        >
          {position}
        </Button>
      ) : (
        position
      ),
    ]);
  }
  if (run.output_digest !== null) {
    rows.push([
      t("run.digest"),
      <>
        <code>{run.output_digest}</code> <CopyButton text={run.output_digest} />
      </>,
    ]);
  }
  return (
    <dl className="problem run-facts">
      {rows.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The unit of the forecast that a message said. */
export function unitOf(message: Provenance | undefined): string | null {
  for (const update of message?.updates ?? []) {
    for (const { value } of Object.values(update.attributes)) {
      if (typeof value !== "object" || value === null) continue;
      const { unit, points } = value as { unit?: unknown; points?: unknown };
      if (Array.isArray(points) && typeof unit === "string") return unit;
    }
  }
  return null;
}

/** What the engine wrote: the fan where it is a forecast, and the table. */
function Outcome({ run }: { run: RunDetail }) {
  const { t } = useT();
  const user = useUser();
  const { output } = run;
  const points = useMemo(() => output && fanOf(output), [output]);
  // The table has no unit of its own: it is the declared one, or, where that has changed since, that of what the city was told.
  const told = useQuery({
    ...provenanceQuery(run.position ?? 0),
    enabled:
      points !== null && run.forecast_unit === null && run.position !== null && can(user, "entity.read"),
  });
  const isEmpty = output === null || output.columns.length === 0;
  return (
    <Card
      size="small"
      title={t("run.output")}
      extra={<Files run={run} names={["run.output"]} />}
      data-testid="run-output"
    >
      {points && (
        <OutputChart points={points} unit={run.forecast_unit ?? unitOf(told.data)} asOf={run.due_at} />
      )}
      {isEmpty ? <Nothing title={t("run.output-none")} /> : <Kept table={output} label={t("run.output")} />}
    </Card>
  );
}

function Input({ run }: { run: RunDetail }) {
  const { t } = useT();
  const content = () => {
    if (run.is_withheld) return <Alert type="info" showIcon title={t("run.input-withheld")} />;
    if (run.input === null) return <Nothing title={t("run.input-none")} />;
    if (run.input.rows.length === 0) return <Nothing title={t("run.input-empty")} />;
    return <Kept table={run.input} label={t("run.input")} />;
  };
  return (
    <Card
      size="small"
      title={t("run.input")}
      extra={<Files run={run} names={["run.input", "run.parameters"]} />}
      data-testid="run-input"
    >
      {content()}
    </Card>
  );
}

/** Some of the files of a run. */
function Files({ run, names }: { run: RunDetail; names: string[] }) {
  const shown = fileActions.filter(({ name }) => names.includes(name));
  return (
    <span className="run-files">
      <ActionBar actions={shown} context={{ run, download }} size="small" />
    </span>
  );
}

/** The command by which any machine comes to the same. */
function Command({ run }: { run: RunDetail }) {
  const { t } = useT();
  const file = (name: RunFile) => fileName(run.id, name);
  const lines = [
    `jingling engine run ${run.engine} --input ${file("input.csv")} --parameters ${file("parameters.json")} --output again.csv`,
  ];
  if (run.output !== null && run.output.columns.length > 0) lines.push(`cmp again.csv ${file("output.csv")}`);
  const command = lines.join("\n");
  return (
    <Card size="small" title={t("run.command")}>
      <p className="quiet hint">{t("run.command-about", { version: run.program_version ?? "—" })}</p>
      <div className="run-command">
        <pre className="raw" data-testid="run-command">
          {command}
        </pre>
        <CopyButton text={command} label={t("run.command-copy")} />
      </div>
    </Card>
  );
}
