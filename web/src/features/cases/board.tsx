/**
 * The board: open cases in columns, the most urgent first; of all workflows by the seven steps, or of one by its states.
 * Each column shows the server's count, and more of its cases page by page.
 */
import "./cases.css";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Button, Select } from "antd";
import { type KeyboardEvent, type ReactNode, useState } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import type { CaseBoard, CaseBoardColumn, CaseBoardState, CaseSummary } from "../../lib/types.ts";
import { Loaded, useFailure } from "../../ui/states.tsx";
import { CaseStateTag, SeverityTag, stateWord } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { Left } from "./due.tsx";
import { boardQuery, type CaseFilter, type ColumnAsked, columnQuery } from "./queries.ts";

export function Board({
  filter,
  onWorkflow,
}: {
  filter: CaseFilter;
  onWorkflow: (workflow: string | undefined) => void;
}) {
  const { t, p } = useT();
  const phone = usePhone();
  const found = useQuery(boardQuery(filter));
  const workflows = found.data?.workflows ?? [];
  return (
    <>
      <div className="toolbar">
        <Select
          value={filter.workflow ?? ""}
          onChange={(next: string) => onWorkflow(next || undefined)}
          aria-label={t("case.board-of")}
          popupMatchSelectWidth={false}
          loading={found.isFetching}
          options={[
            { value: "", label: t("case.board-steps") },
            ...workflows.map(({ name, title_zh, title_en }) => ({
              value: name,
              label: p(title_zh, title_en),
            })),
          ]}
        />
        {!phone && <span className="quiet">{t("case.board-hint")}</span>}
      </div>
      <Loaded query={found} tall>
        {(board) => <Columns board={board} filter={filter} />}
      </Loaded>
    </>
  );
}

/** A board that a pack declares: `columns` are the states of its workflow that are shown, in order. */
export function PackBoard({ filter, columns }: { filter: CaseFilter; columns: CaseBoardState[] }) {
  const found = useQuery(boardQuery(filter));
  const shown = ({ columns: all, ...board }: CaseBoard) => ({
    ...board,
    columns: columns.flatMap(({ name }) => all.find(({ state }) => state?.name === name) ?? []),
  });
  return (
    <Loaded query={found} tall>
      {(board) => <Columns board={shown(board)} filter={filter} />}
    </Loaded>
  );
}

function Columns({ board, filter }: { board: CaseBoard; filter: CaseFilter }) {
  const first = board.columns.find((column) => column.count > 0);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys go to the cards in it, which have the focus.
    <div className="case-board" onKeyDown={moveFocus}>
      {board.columns.map((column) => (
        <Column
          key={column.state?.name ?? column.step}
          column={column}
          countMax={board.count_max}
          filter={filter}
          asked={column.state ? { state: column.state.name } : { step: column.step }}
          open={column === first}
        />
      ))}
    </div>
  );
}

function Column({
  column,
  countMax,
  filter,
  asked,
  open,
}: {
  column: CaseBoardColumn;
  countMax: number;
  filter: CaseFilter;
  asked: ColumnAsked;
  open: boolean;
}) {
  const { t, p } = useT();
  const phone = usePhone();
  const [whole, setWhole] = useState(false);
  // Read anew from its beginning, so that no card is missing or shown twice when the board has changed meanwhile.
  const all = useInfiniteQuery({ ...columnQuery(filter, asked), enabled: whole });
  const failure = useFailure(all);
  const items = (whole && all.data?.pages.flatMap((page) => page.items)) || column.cases;
  const more = whole && all.data ? all.hasNextPage : column.next !== null;
  const { state } = column;
  const title = state ? p(state.title_zh, state.title_en) : t(`case-step.${column.step}`);
  const mixed = new Set(items.map((item) => item.state)).size > 1;
  const counts = (
    <>
      {t(column.count >= countMax ? "case.column-more" : "case.column-count", { count: column.count })}
      {column.overdue > 0 && (
        <span className="late"> · {t("case.column-overdue", { count: column.overdue })}</span>
      )}
    </>
  );
  const cards = (
    <>
      <ul className="card-list">
        {items.map((item) => (
          <li key={item.id}>
            <Card item={item} state={mixed || (!state && stateWord(item.state, t) === item.state)} />
          </li>
        ))}
      </ul>
      {items.length === 0 && <p className="quiet">{t("case.column-none")}</p>}
      {whole && failure}
      {more && (
        <Button
          block
          loading={whole && (all.isPending || all.isFetchingNextPage)}
          onClick={() => (whole ? void all.fetchNextPage() : setWhole(true))}
        >
          {t("list.more")}
        </Button>
      )}
    </>
  );
  return phone ? (
    <Folded title={title} counts={counts} open={open}>
      {cards}
    </Folded>
  ) : (
    <section aria-label={title} className="case-column">
      <h2>{title}</h2>
      <p className="quiet">{counts}</p>
      {cards}
    </section>
  );
}

/** A column on a phone: its counts are seen at once, its cards when it is opened. */
function Folded({
  title,
  counts,
  open,
  children,
}: {
  title: string;
  counts: ReactNode;
  open: boolean;
  children: ReactNode;
}) {
  return (
    <details className="case-column" open={open}>
      <summary>
        <strong>{title}</strong> <span className="quiet">{counts}</span>
      </summary>
      {children}
    </details>
  );
}

function Card({ item, state }: { item: CaseSummary; state: boolean }) {
  const { p } = useT();
  return (
    <Link className="item-card" to={`/cases/${item.id}`}>
      <span className="item-card-head">
        <SeverityTag severity={item.severity} />
        <strong>{item.title}</strong>
      </span>
      <span>
        {state && (
          <>
            <CaseStateTag state={item.state} />{" "}
          </>
        )}
        {item.organisation && p(item.organisation.name_zh, item.organisation.name_en)}
        {item.assignee && ` · ${item.assignee.name}`}
      </span>
      <span className="quiet">
        {item.number} · <Left item={item} />
      </span>
    </Link>
  );
}

/** Arrows go from card to card: up and down in a column, left and right to the card beside it. */
function moveFocus(event: KeyboardEvent<HTMLElement>) {
  const step = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
  const card = (event.target as HTMLElement).closest<HTMLElement>(".item-card");
  if (!step || !card) return;
  const [across = 0, down = 0] = step;
  const columns = [...event.currentTarget.querySelectorAll(".case-column")]
    .map((column) => [...column.querySelectorAll<HTMLElement>(".item-card")])
    .filter((cards) => cards.length > 0);
  const column = columns.findIndex((cards) => cards.includes(card));
  const row = columns[column]?.indexOf(card) ?? 0;
  const beside = columns[column + across];
  const next = across === 0 ? beside?.[row + down] : beside?.[Math.min(row, beside.length - 1)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
