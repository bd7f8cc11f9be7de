/** The board: open cases in columns by step, the most urgent first. */
import "./cases.css";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import type { CaseBoard } from "../../lib/types.ts";
import { Loaded } from "../../ui/states.tsx";
import { SeverityTag, stateWord } from "../../ui/tags.tsx";
import { Left } from "./due.tsx";
import { boardQuery, type CaseFilter } from "./queries.ts";

export function Board({ filter }: { filter: CaseFilter }) {
  const found = useQuery(boardQuery(filter));
  return (
    <Loaded query={found} tall>
      {(board) => <Columns board={board} />}
    </Loaded>
  );
}

function Columns({ board }: { board: CaseBoard }) {
  const { t, p } = useT();
  return (
    <div className="case-board">
      {board.columns.map((column) => (
        <section key={column.state} aria-label={stateWord(column.state, t)} className="case-column">
          <h2>{stateWord(column.state, t)}</h2>
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
        </section>
      ))}
    </div>
  );
}
