/** The pages that packs declare: forms in which a person enters what no device says, and boards. */
import "./views.css";
import { useQuery } from "@tanstack/react-query";
import { Tag } from "antd";
import { Link, useParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { Board } from "./board.tsx";
import { EntryForm } from "./form.tsx";
import { type PackPage, pagesQuery } from "./queries.ts";

export function Page() {
  const { id } = useParams();
  const pages = useQuery(pagesQuery);
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
                {view.form && <Tag>{t("view.form")}</Tag>}
                {view.board && <Tag>{t("view.board")}</Tag>}
              </span>
              <span className="quiet">{p(kind.title_zh, kind.title_en)}</span>
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
