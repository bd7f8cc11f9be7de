/** The pages that packs declare: forms in which a person enters what no device says, and boards of entities and of cases. */
import "./views.css";
import { useQuery } from "@tanstack/react-query";
import { Tag } from "antd";
import { Link, useParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { can, useUser } from "../../lib/session.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { PackBoard } from "../cases/board.tsx";
import { Board } from "./board.tsx";
import { EntryForm } from "./form.tsx";
import { type PackPage, pagesQuery } from "./queries.ts";

export function Page() {
  const { id } = useParams();
  const user = useUser();
  const pages = useQuery(pagesQuery(can(user, "case.read")));
  return (
    <Loaded query={pages} tall>
      {(found) => (id === undefined ? <List pages={found} /> : <One pages={found} id={id} />)}
    </Loaded>
  );
}

function List({ pages }: { pages: PackPage[] }) {
  const { t, p } = useT();
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("nav.views")}</h1>
      </header>
      {pages.length === 0 && <Nothing title={t("view.none")} mend={t("view.none-mend")} />}
      <ul className="card-list">
        {pages.map(({ view, kind }) => (
          <li key={view.id}>
            <Link className="item-card" to={`/views/${view.id}`}>
              <span className="item-card-head">
                <strong>{p(view.title_zh, view.title_en)}</strong>
                {kind === null && <Tag>{t("view.case-board")}</Tag>}
                {kind !== null && view.form && <Tag>{t("view.form")}</Tag>}
                {kind !== null && view.board && <Tag>{t("view.board")}</Tag>}
              </span>
              <span className="quiet">
                {kind === null ? p(view.workflow_zh, view.workflow_en) : p(kind.title_zh, kind.title_en)}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}

function One({ pages, id }: { pages: PackPage[]; id: string }) {
  const { t, p } = useT();
  const found = pages.find(({ view }) => view.id === id);
  if (!found) return <Nothing title={t("view.missing")} mend={t("view.missing-mend")} />;
  const { view, kind } = found;
  if (kind === null) {
    return (
      <div className="page">
        <header className="page-head">
          <h1>{p(view.title_zh, view.title_en)}</h1>
          <Tag>{p(view.workflow_zh, view.workflow_en)}</Tag>
        </header>
        <PackBoard
          filter={{ workflow: view.workflow, category: view.category ?? undefined }}
          columns={view.columns}
        />
      </div>
    );
  }
  return (
    <div className="page">
      <header className="page-head">
        <h1>{p(view.title_zh, view.title_en)}</h1>
        <Tag>{p(kind.title_zh, kind.title_en)}</Tag>
      </header>
      {view.form && <EntryForm key={view.id} view={view.id} form={view.form} kind={kind} />}
      {view.board && <Board view={view.id} board={view.board} kind={kind} />}
    </div>
  );
}
