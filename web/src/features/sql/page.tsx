/** SQL over the city's history and records, for who knows what to ask. */
import "./sql.css";
import { useQuery } from "@tanstack/react-query";
import { Alert, Spin } from "antd";
import { useEffect, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { ApiError } from "../../lib/api.ts";
import { number } from "../../lib/format.ts";
import type { SqlResult, TableInfo } from "../../lib/types.ts";
import { errorText, Nothing } from "../../ui/states.tsx";
import { ProvenanceDrawer } from "../provenance/drawer.tsx";
import { type SqlContext, sqlActions } from "./actions.tsx";
import { Editor } from "./editor.tsx";
import { ImportDialog } from "./import-dialog.tsx";
import { runSql, tablesQuery } from "./queries.ts";
import { ResultTable } from "./result.tsx";
import { SAMPLES } from "./samples.ts";
import { TableList } from "./tables.tsx";

/** What was typed stays while the tab is open. */
const REMEMBERED = "jingling.sql";
const NO_TABLES: TableInfo[] = [];

type Outcome =
  | { kind: "nothing" }
  | { kind: "running" }
  | { kind: "done"; result: SqlResult }
  | { kind: "failed"; error: unknown };

export function Page() {
  const { t } = useT();
  const [parameters] = useSearchParams();
  const [text, setText] = useState(() => parameters.get("query") ?? sessionStorage.getItem(REMEMBERED) ?? "");
  const [outcome, setOutcome] = useState<Outcome>({ kind: "nothing" });
  const [importing, setImporting] = useState<"table" | "intake" | null>(null);
  const [position, setPosition] = useState<number | null>(null);
  const tables = useQuery(tablesQuery);
  const stopper = useRef<AbortController | null>(null);
  useEffect(() => sessionStorage.setItem(REMEMBERED, text), [text]);
  useEffect(() => () => stopper.current?.abort(), []);

  const run = async () => {
    stopper.current?.abort();
    const mine = new AbortController();
    stopper.current = mine;
    setOutcome({ kind: "running" });
    try {
      const result = await runSql(text, mine.signal);
      if (stopper.current === mine) setOutcome({ kind: "done", result });
    } catch (error) {
      if (stopper.current !== mine) return;
      setOutcome(mine.signal.aborted ? { kind: "nothing" } : { kind: "failed", error });
    }
  };
  const context: SqlContext = {
    text,
    running: outcome.kind === "running",
    result: outcome.kind === "done" ? outcome.result : null,
    run: () => void run(),
    stop: () => stopper.current?.abort(),
    importFile: () => setImporting("table"),
    intakeFile: () => setImporting("intake"),
  };
  useActionKeys(sqlActions, context);

  return (
    <div className="sql-page">
      <h1 className="only-heard">{t("nav.sql")}</h1>
      <aside className="sql-side">
        <h2>{t("sql.samples")}</h2>
        {SAMPLES.map((sample) => (
          <button
            key={sample.title}
            type="button"
            className="sql-sample"
            data-testid="sample"
            onClick={() => setText(sample.sql)}
          >
            {t(sample.title)}
          </button>
        ))}
        <h2>{t("sql.tables")}</h2>
        <TableList onPick={setText} />
      </aside>
      <div className="sql-main">
        <Editor
          text={text}
          label={t("sql.editor")}
          tables={tables.data?.items ?? NO_TABLES}
          onText={setText}
        />
        <div className="toolbar">
          <ActionBar actions={sqlActions} context={context} />
          {outcome.kind === "done" && (
            <span className="quiet number" data-testid="sql-summary">
              {t("sql.rows", { n: outcome.result.row_count.toLocaleString("en-US") })} ·{" "}
              {t("sql.elapsed", { ms: number(outcome.result.elapsed_ms, 1) })}
            </span>
          )}
        </div>
        {importing && <ImportDialog of={importing} onClose={() => setImporting(null)} />}
        <ProvenanceDrawer position={position} onClose={() => setPosition(null)} />
        <div className="sql-answer">
          <Answer outcome={outcome} onPosition={setPosition} />
        </div>
      </div>
    </div>
  );
}

function Answer({ outcome, onPosition }: { outcome: Outcome; onPosition: (position: number) => void }) {
  const { t } = useT();
  switch (outcome.kind) {
    case "nothing":
      return <Nothing title={t("sql.start")} />;
    case "running":
      return (
        <div className="state" role="status">
          <Spin description={t("sql.running")}>
            <div style={{ minWidth: 120, minHeight: 72 }} />
          </Spin>
        </div>
      );
    case "failed": {
      const known = outcome.error instanceof ApiError && outcome.error.status !== 0 ? outcome.error : null;
      return (
        <Alert
          type="error"
          showIcon
          title={t("sql.failed")}
          description={
            known ? (
              <>
                <pre className="raw">{known.detail}</pre>
                <dl className="problem" style={{ marginTop: 8 }}>
                  {known.place && (
                    <>
                      <dt>{t("state.place")}</dt>
                      <dd>
                        <code>{known.place}</code>
                      </dd>
                    </>
                  )}
                  {known.mend && (
                    <>
                      <dt>{t("state.mend")}</dt>
                      <dd>{known.mend}</dd>
                    </>
                  )}
                </dl>
              </>
            ) : (
              errorText(outcome.error, t)
            )
          }
        />
      );
    }
    case "done":
      return (
        <>
          {outcome.result.truncated && (
            <Alert
              type="info"
              showIcon
              style={{ marginBottom: 8 }}
              title={t("sql.truncated", { n: outcome.result.rows.length })}
            />
          )}
          {outcome.result.rows.length === 0 ? (
            <Nothing title={t("sql.no-rows")} />
          ) : (
            <ResultTable result={outcome.result} onPosition={onPosition} />
          )}
        </>
      );
  }
}
