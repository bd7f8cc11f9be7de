/** SQL over the city's history and records, for who knows what to ask. */
import "./sql.css";
import { useQuery } from "@tanstack/react-query";
import { Alert, Spin } from "antd";
import { useEffect, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { ApiError } from "../../lib/api.ts";
import { number, time } from "../../lib/format.ts";
import type { SqlResult, TableInfo } from "../../lib/types.ts";
import { errorText, Loaded, Nothing } from "../../ui/states.tsx";
import { organisationsQuery } from "../cases/queries.ts";
import { ProvenanceDrawer } from "../provenance/drawer.tsx";
import { type SqlContext, sqlActions } from "./actions.tsx";
import { Editor } from "./editor.tsx";
import { ImportDialog } from "./import-dialog.tsx";
import { runSql, tablesQuery } from "./queries.ts";
import { ResultTable } from "./result.tsx";
import { SAMPLES } from "./samples.ts";

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
  const [importing, setImporting] = useState(false);
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
    importFile: () => setImporting(true),
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
        <Loaded query={tables}>
          {({ items }) =>
            items.length === 0 ? (
              <Nothing title={t("sql.tables-none")} />
            ) : (
              items.map((table) => <Table key={table.name} table={table} onPick={setText} />)
            )
          }
        </Loaded>
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
        {importing && <ImportDialog onClose={() => setImporting(false)} />}
        <ProvenanceDrawer position={position} onClose={() => setPosition(null)} />
        <div className="sql-answer">
          <Answer outcome={outcome} onPosition={setPosition} />
        </div>
      </div>
    </div>
  );
}

function Table({ table, onPick }: { table: TableInfo; onPick: (sql: string) => void }) {
  const { p } = useT();
  const title = p(table.imported?.title_zh, table.imported?.title_en);
  return (
    <details>
      <summary title={table.description ?? undefined}>
        <code>{table.name}</code> {title && <span>{title}</span>}
      </summary>
      <ul className="plain-list">
        {table.description && table.description !== title && <li className="quiet">{table.description}</li>}
        {table.imported && <Origin imported={table.imported} />}
        <li>
          <button type="button" onClick={() => onPick(`SELECT *\nFROM ${quoteName(table.name)}\nLIMIT 100`)}>
            SELECT * …
          </button>
        </li>
        {table.columns.map((column) => (
          <li key={column.name}>
            <code>{column.name}</code>
            <span className="quiet">{column.unit ? `${column.type}, ${column.unit}` : column.type}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Where a department's table came from: which file, its fingerprint, who brought it in and when. */
function Origin({ imported }: { imported: NonNullable<TableInfo["imported"]> }) {
  const { t, p } = useT();
  const organisations = useQuery(organisationsQuery);
  const from = organisations.data?.items.find((one) => one.id === imported.department);
  return (
    <li className="sql-origin quiet" data-testid="origin">
      {from && <span>{p(from.name_zh, from.name_en)}</span>}
      <span>
        {t("sql.imported", {
          rows: imported.rows.toLocaleString("en-US"),
          at: time(imported.imported_at),
          by: imported.imported_by,
        })}
      </span>
      <span title={`SHA-256 ${imported.sha256}`}>
        {imported.sheet ? `${imported.file}, ${imported.sheet}` : imported.file}
      </span>
      <code>{imported.sha256.slice(0, 12)}</code>
      {imported.rows_left_out > 0 && <span>{t("sql.left-out", { n: imported.rows_left_out })}</span>}
    </li>
  );
}

/** Names with capitals need quotes in SQL. */
function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
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
