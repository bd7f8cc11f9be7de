/** The board: open cases in columns by step, the most urgent first; of every workflow, or one that a pack declares. */
import "./cases.css";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { type CaseBoard, type CaseBoardState, isCaseState } from "../../lib/types.ts";
import { Loaded } from "../../ui/states.tsx";
import { SeverityTag, stateWord } from "../../ui/tags.tsx";
import { Left } from "./due.tsx";
import { boardQuery, type CaseFilter } from "./queries.ts";

/** `columns`: the states that are shown, in order and in their workflow's words; every one of the board when left out. */
export function Board({ filter, columns }: { filter: CaseFilter; columns?: CaseBoardState[] }) {
  const found = useQuery(boardQuery(filter));
  return (
    <Loaded query={found} tall>
      {(board) => <Columns board={board} filter={filter} columns={columns} />}
    </Loaded>
  );
}

/** The list of what stands in a column; null where the list cannot ask for its state. */
export function listOf(filter: CaseFilter, state: string): string | null {
  if (!isCaseState(state)) return null;
  const asked = Object.entries({ ...filter, state }).filter(([, value]) => value !== undefined);
  return `/cases?${new URLSearchParams(asked.map(([name, value]) => [name, value === true ? "1" : String(value)]))}`;
}

function Columns({
  board,
  filter,
  columns,
}: {
  board: CaseBoard;
  filter: CaseFilter;
  columns: CaseBoardState[] | undefined;
}) {
  const { t, p } = useT();
  const shown = columns
    ? columns.flatMap(({ state, title_zh, title_en }) => {
        const column = board.columns.find((each) => each.state === state);
        return column ? [{ column, title: p(title_zh, title_en) }] : [];
      })
    : board.columns.map((column) => ({ column, title: stateWord(column.state, t) }));
  return (
    <div className="case-board">
      {shown.map(({ column, title }) => (
        <section key={column.state} aria-label={title} className="case-column">
          <h2>{title}</h2>
          <p className="quiet">
            {t(column.count >= board.count_max ? "case.column-more" : "case.column-count", {
              count: column.count,
            })}
            {column.overdue > 0 && ` · ${t("case.column-overdue", { count: column.overdue })}`}
          </p>
          <ul className="card-list">
            {column.cases.map((item) => (
              <li key={item.id}>
                <Link className="item-card" to={`/cases/${item.id}`}>
                  <span className="item-card-head">
                    <SeverityTag severity={item.severity} />
                    <strong>{item.title}</strong>
                  </span>
                  <span>
                    {item.organisation && p(item.organisation.name_zh, item.organisation.name_en)}
                    {item.assignee && ` · ${item.assignee.name}`}
                  </span>
                  <span className="quiet">
                    {item.number} · <Left item={item} />
                  </span>
                </Link>
              </li>
            ))}
          </ul>
          <Rest column={column} countMax={board.count_max} to={listOf(filter, column.state)} />
        </section>
      ))}
    </div>
  );
}

/** What a column does not show, and where it is. */
function Rest({
  column,
  countMax,
  to,
}: {
  column: CaseBoard["columns"][number];
  countMax: number;
  to: string | null;
}) {
  const { t } = useT();
  const count = column.count - column.cases.length;
  if (count <= 0) return null;
  const said = t(column.count >= countMax ? "case.column-rest-more" : "case.column-rest", { count });
  return to ? <Link to={to}>{said}</Link> : <p className="quiet">{said}</p>;
}
