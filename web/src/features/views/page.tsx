/**
 * The pages that packs declare: registers of entities, forms in which a person enters what no device says, and boards of
 * entities and of cases.
 */
import "./views.css";
import { useQuery } from "@tanstack/react-query";
import { Tabs, Tag } from "antd";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { useAddress } from "../../lib/address.ts";
import { number } from "../../lib/format.ts";
import { can, useUser } from "../../lib/session.ts";
import type { EntityType, Pack, PackView } from "../../lib/types.ts";
import { Loaded, Loading, Nothing } from "../../ui/states.tsx";
import { PackBoard } from "../cases/board.tsx";
import { ImportDialog } from "../sql/import-dialog.tsx";
import { listActions } from "./actions.tsx";
import { Board } from "./board.tsx";
import { EntryForm } from "./form.tsx";
import { type PackPage, packsQuery, pagesQuery } from "./queries.ts";
import { Register } from "./register.tsx";

export function Page() {
  const { id } = useParams();
  const user = useUser();
  const pages = useQuery(pagesQuery(can(user, "case.read")));
  return (
    <Loaded query={pages} tall>
      {(found) => (id === undefined ? <List pages={found} /> : <One key={id} pages={found} id={id} />)}
    </Loaded>
  );
}

/** Pages of one pack; of none: boards of cases, and what no known pack declares. */
export interface Group {
  key: string;
  pack: Pack | null;
  pages: PackPage[];
}

const CASES = "cases";
const OTHER = "other";

/** The pages by pack, both in the order of the pages; those of no pack stand last. */
export function groupsOf(pages: PackPage[], packs: Pack[]): Group[] {
  const packOf = new Map(packs.flatMap((pack) => pack.entity_types.map((type) => [type, pack] as const)));
  const groups = new Map<string, Group>();
  for (const page of pages) {
    const pack = (page.kind && packOf.get(page.kind.name)) ?? null;
    const key = page.kind === null ? CASES : (pack?.name ?? OTHER);
    const group = groups.get(key) ?? { key, pack, pages: [] };
    group.pages.push(page);
    groups.set(key, group);
  }
  const all = [...groups.values()];
  return [...all.filter(({ pack }) => pack !== null), ...all.filter(({ pack }) => pack === null)];
}

function List({ pages }: { pages: PackPage[] }) {
  const { t, p } = useT();
  const packs = useQuery(packsQuery);
  const [takesIn, setTakesIn] = useState(false);
  if (packs.isPending) return <Loading tall />;
  // Without the packs' names the pages are all there, in one group.
  const groups = groupsOf(pages, packs.data?.items ?? []);
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("view.title")}</h1>
        <ActionBar actions={listActions} context={{ intakeFile: () => setTakesIn(true) }} />
      </header>
      {takesIn && <ImportDialog of="intake" onClose={() => setTakesIn(false)} />}
      {pages.length === 0 && <Nothing title={t("view.none")} mend={t("view.none-mend")} />}
      <div className="view-groups">
        {groups.map(({ key, pack, pages: own }) => (
          <section key={key} data-testid="view-group">
            {pack && (
              <h2>
                {p(pack.title_zh, pack.title_en)}{" "}
                <span className="quiet">{p(pack.owner_zh, pack.owner_en)}</span>
              </h2>
            )}
            {key === CASES && <h2>{t("view.case-boards")}</h2>}
            {key === OTHER && groups.length > 1 && <h2>{t("view.others")}</h2>}
            <ul className="view-cards">
              {own.map((page) => (
                <li key={page.view.id}>
                  <PageCard page={page} />
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </div>
  );
}

function PageCard({ page: { view, kind } }: { page: PackPage }) {
  const { t, p } = useT();
  return (
    <Link className="item-card" to={`/views/${view.id}`}>
      <span className="item-card-head">
        <strong>{p(view.title_zh, view.title_en)}</strong>
        {kind === null ? (
          <Tag>{t("view.case-board")}</Tag>
        ) : (
          <>
            {view.table && <Tag>{t("view.table")}</Tag>}
            {view.form && <Tag>{t("view.form")}</Tag>}
            {view.board && <Tag>{t("view.board")}</Tag>}
          </>
        )}
      </span>
      <span className="quiet">
        {kind === null ? (
          p(view.workflow_zh, view.workflow_en)
        ) : (
          <>
            {p(kind.title_zh, kind.title_en)}
            {(view.table || view.board) && ` · ${t("view.count", { count: number(kind.count) })}`}
          </>
        )}
      </span>
    </Link>
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
        <Near pages={pages} view={view} kind={kind} />
      </header>
      <Parts view={view} kind={kind} />
    </div>
  );
}

/** The other pages of the same entities: where they are registered, and what else is entered of them. */
function Near({ pages, view, kind }: { pages: PackPage[]; view: PackView; kind: EntityType }) {
  const { t, p } = useT();
  const others = pages.filter((page) => page.kind?.name === kind.name && page.view.id !== view.id);
  if (others.length === 0) return null;
  return (
    <nav className="view-near" aria-label={t("view.near")}>
      {others.map(({ view: other }) => (
        <Link key={other.id} to={`/views/${other.id}`}>
          {p(other.title_zh, other.title_en)}
        </Link>
      ))}
    </nav>
  );
}

/** What a view is made of; a register beside a form or a board has a tab for each. */
function Parts({ view, kind }: { view: PackView; kind: EntityType }) {
  const { t } = useT();
  const [parameters, to] = useAddress();
  const form = view.form && <EntryForm key={view.id} view={view.id} form={view.form} kind={kind} />;
  const board = view.board && <Board view={view.id} board={view.board} kind={kind} />;
  const table = view.table && <Register view={view} table={view.table} kind={kind} />;
  if (!table || (!form && !board)) {
    return (
      <>
        {table}
        {form}
        {board}
      </>
    );
  }
  const items = [
    { key: "table", label: t("view.table"), children: table },
    ...(form ? [{ key: "form", label: t("view.form"), children: form }] : []),
    ...(board ? [{ key: "board", label: t("view.board"), children: board }] : []),
  ];
  const asked = parameters.get("part");
  return (
    <Tabs
      // What is not seen must not hear keys.
      destroyOnHidden
      activeKey={items.some(({ key }) => key === asked) ? (asked ?? "table") : "table"}
      onChange={(part) => to({ part: part === "table" ? null : part })}
      items={items}
    />
  );
}
