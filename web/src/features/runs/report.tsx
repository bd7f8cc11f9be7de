/** What an engine said beside its table, readably: figures as lists, skill by lead as a table; and tables as they are kept. */
import type { ReactNode } from "react";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { type Language, number } from "../../lib/format.ts";
import type { RunDetail, RunTable } from "../../lib/types.ts";
import { Nothing } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";

/** Rows of a kept table that the page shows; the file has them all. */
export const ROWS_MAX = 200;
/** Entries of a list within a report that are shown as one line. */
const LISTED_MAX = 40;
/** Decimals of figures; pointing at one tells it whole. */
const DIGITS = 4;

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isPlain = (value: unknown) => value === null || typeof value !== "object";

/** What is in doubt, each as a text; in Chinese where the engine says it in Chinese too. */
export function doubtsOf({ doubts: told, doubts_zh }: RunDetail["report"], language: Language): string[] {
  const doubts = language === "zh" ? (doubts_zh ?? told) : told;
  if (doubts === undefined || doubts === null) return [];
  const all = Array.isArray(doubts) ? doubts : [doubts];
  return all.map((doubt) => (typeof doubt === "string" ? doubt : JSON.stringify(doubt)));
}

/** Told elsewhere on the page. */
const ELSEWHERE = ["engine", "version", "given", "doubts", "doubts_zh"];
const entriesOf = (report: RunDetail["report"]) =>
  Object.entries(report).filter(([name]) => !ELSEWHERE.includes(name));

/** Whether the engine said anything that is shown nowhere else. */
export const hasReport = (report: RunDetail["report"]) => entriesOf(report).length > 0;

/** A moment as engines write it. */
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;
/** Columns that say what a row is of. */
const FIRST = ["lead", "column"];

/** A plain value: a number with few decimals, its whole text on pointing at it; moments in the city's zone; known words. */
function Plain({ value }: { value: unknown }) {
  const { t } = useT();
  if (value === null || value === undefined) return <>—</>;
  if (typeof value === "number") return <span title={String(value)}>{number(value, DIGITS)}</span>;
  if (typeof value === "boolean") return <>{t(value ? "run.yes" : "run.no")}</>;
  const text = String(value);
  if (MOMENT.test(text)) return <Time at={text} />;
  const word = keyOf("run-report-value", text);
  return word ? <span title={text}>{t(word)}</span> : text;
}

/** Any value: what is plain in a line, objects as lists, lists of objects as tables, the rest as it is written. */
function Value({ value, label }: { value: unknown; label: string }) {
  if (isPlain(value)) return <Plain value={value} />;
  if (Array.isArray(value)) {
    if (value.length === 0) return <>—</>;
    if (value.every(isFields)) return <Objects rows={value} label={label} />;
    if (value.every(isPlain) && value.length <= LISTED_MAX) {
      return (
        <>
          {value.map((each, i) => (
            <span key={i}>
              {i > 0 && ", "}
              <Plain value={each} />
            </span>
          ))}
        </>
      );
    }
    return <pre className="raw">{JSON.stringify(value)}</pre>;
  }
  if (isFields(value) && Object.values(value).every(isPlain)) return <Facts fields={value} />;
  return <pre className="raw">{JSON.stringify(value, null, 2)}</pre>;
}

/** What an entry of a report or a column of its tables is called; its own name where there is no word for it. */
function useNameOf() {
  const { t } = useT();
  return (name: string): ReactNode => {
    const key = keyOf("run-report", name);
    return key ? <span title={name}>{t(key)}</span> : <code>{name}</code>;
  };
}

function Facts({ fields }: { fields: Fields }) {
  const nameOf = useNameOf();
  return (
    <dl className="problem run-facts">
      {Object.entries(fields).map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>{nameOf(name)}</dt>
          <dd>
            <Value value={value} label={name} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Objects of one kind as a table: skill by lead, for example. */
function Objects({ rows, label }: { rows: Fields[]; label: string }) {
  const nameOf = useNameOf();
  const all = [...new Set(rows.flatMap(Object.keys))];
  const names = [
    ...FIRST.filter((name) => all.includes(name)),
    ...all.filter((name) => !FIRST.includes(name)),
  ];
  return (
    <Sheet label={label}>
      <thead>
        <tr>
          {names.map((name) => (
            <th key={name} scope="col">
              {nameOf(name)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, i) => (
          <tr key={i}>
            {names.map((name) => (
              <td key={name}>
                {isPlain(row[name]) ? <Plain value={row[name]} /> : JSON.stringify(row[name])}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </Sheet>
  );
}

/** A table that scrolls in its frame, with the keyboard too. */
function Sheet({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section className="run-sheet" tabIndex={0} aria-label={label}>
      <table>{children}</table>
    </section>
  );
}

/** What the engine said: each figure, and each larger part under its own heading. */
export function Report({ report }: { report: RunDetail["report"] }) {
  const { t } = useT();
  const nameOf = useNameOf();
  const entries = entriesOf(report);
  if (entries.length === 0) return <Nothing title={t("run.report-none")} />;
  const plain = entries.filter(([, value]) => isPlain(value));
  const large = entries.filter(([, value]) => !isPlain(value));
  return (
    <div className="stack" data-testid="run-report">
      {plain.length > 0 && <Facts fields={Object.fromEntries(plain)} />}
      {large.map(([name, value]) => (
        <section key={name}>
          <h3>{nameOf(name)}</h3>
          <Value value={value} label={name} />
        </section>
      ))}
    </div>
  );
}

/** Every parameter that the engine reckoned with, and which of them are its defaults. */
export function Parameters({ run }: { run: RunDetail }) {
  const { t } = useT();
  const all = isFields(run.report.given) ? { ...run.parameters, ...run.report.given } : run.parameters;
  const entries = Object.entries(all);
  if (entries.length === 0) return <Nothing title={t("run.parameters-none")} />;
  return (
    <dl className="problem run-facts" data-testid="run-parameters">
      {entries.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>
            <code>{name}</code>
          </dt>
          <dd>
            <Value value={value} label={name} />
            {!(name in run.parameters) && <span className="quiet"> · {t("run.parameter-default")}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** The first rows of a kept table, as its cells are written. */
export function Kept({ table, label }: { table: RunTable; label: string }) {
  const { t } = useT();
  const shown = table.rows.slice(0, ROWS_MAX);
  const classes = table.columns.map((_, i) => {
    const cells = shown.map((row) => row[i]).filter(Boolean);
    return cells.length > 0 && cells.every((cell) => Number.isFinite(Number(cell)))
      ? "run-number"
      : undefined;
  });
  return (
    <>
      <p className="quiet hint">
        {shown.length < table.rows.length
          ? t("run.rows-first", {
              n: table.rows.length.toLocaleString("en-US"),
              shown: shown.length.toLocaleString("en-US"),
            })
          : t("run.rows-all", { n: table.rows.length.toLocaleString("en-US") })}
        {" · "}
        {t("run.rows-as-kept")}
      </p>
      <Sheet label={label}>
        <thead>
          <tr>
            {table.columns.map((name, i) => (
              <th key={i} scope="col" className={classes[i]}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, n) => (
            <tr key={n}>
              {table.columns.map((_, i) => (
                <td key={i} className={classes[i]}>
                  {row[i]}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </Sheet>
    </>
  );
}
