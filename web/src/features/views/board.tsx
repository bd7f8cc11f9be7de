/** A board of a pack: entities in columns by one of their attributes; cards move where the caller may say a new value. */
import { type InfiniteData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Button } from "antd";
import { type ReactNode, useMemo, useState } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionButton, available } from "../../lib/actions.tsx";
import { attributeText } from "../../lib/format.ts";
import { useUser } from "../../lib/session.ts";
import type { Entity, EntityType, Items, ViewBoard } from "../../lib/types.ts";
import { Loaded } from "../../ui/states.tsx";
import { nameOf } from "../entity/queries.ts";
import { type CardContext, cardActions } from "./actions.tsx";
import { BOARD_ENTITIES, boardKey, boardQuery } from "./queries.ts";

/** Cards that a column shows at once; more are shown when they are asked for. */
const CARDS = 50;

export interface Column {
  /** The attribute's value; null: every other. */
  value: string | null;
  entities: Entity[];
}

/** Entities by column, in the board's order; what has another value, or none, stands in a last column if there is any. */
export function columnsOf(board: ViewBoard, entities: Entity[]): Column[] {
  const columns: Column[] = board.columns.map(({ value }) => ({ value, entities: [] }));
  const other: Column = { value: null, entities: [] };
  for (const entity of entities) {
    const value = entity.attributes[board.attribute]?.value;
    (columns.find((column) => column.value === value) ?? other).entities.push(entity);
  }
  return other.entities.length > 0 ? [...columns, other] : columns;
}

export function Board({ view, board, kind }: { view: string; board: ViewBoard; kind: EntityType }) {
  const { t } = useT();
  const found = useInfiniteQuery(boardQuery(kind.name));
  const entities = useMemo(() => found.data?.pages.flatMap((page) => page.items) ?? [], [found.data]);
  const loadAll = async () => {
    let last = await found.fetchNextPage();
    while (last.hasNextPage && !last.isError) last = await last.fetchNextPage();
  };
  return (
    <Loaded query={found} tall>
      {() => (
        <>
          {found.hasNextPage && (
            <p className="view-rest" role="status">
              <span className="quiet">
                {t("view.first", { count: entities.length, total: Math.max(kind.count, entities.length) })}
              </span>
              <Button loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
                {t("view.load", { count: BOARD_ENTITIES })}
              </Button>
              <Button disabled={found.isFetchingNextPage} onClick={() => void loadAll()}>
                {t("view.load-all")}
              </Button>
            </p>
          )}
          <Columns view={view} board={board} kind={kind} entities={entities} whole={!found.hasNextPage} />
        </>
      )}
    </Loaded>
  );
}

function Columns({
  view,
  board,
  kind,
  entities,
  whole,
}: {
  view: string;
  board: ViewBoard;
  kind: EntityType;
  entities: Entity[];
  /** Whether these are all. */
  whole: boolean;
}) {
  const { t, p } = useT();
  return (
    <div className="view-board">
      {columnsOf(board, entities).map((column, n) => {
        const choice = column.value === null ? undefined : board.columns[n];
        return (
          <OneColumn
            key={column.value ?? ""}
            title={choice ? p(choice.title_zh, choice.title_en) : t("view.other")}
            column={column}
            whole={whole}
            card={(entity) => (
              <Card
                view={view}
                board={board}
                kind={kind}
                entity={entity}
                left={board.columns[(column.value === null ? board.columns.length : n) - 1]?.value ?? null}
                right={column.value === null ? null : (board.columns[n + 1]?.value ?? null)}
              />
            )}
          />
        );
      })}
    </div>
  );
}

function OneColumn({
  title,
  column: { entities },
  whole,
  card,
}: {
  title: string;
  column: Column;
  whole: boolean;
  card: (entity: Entity) => ReactNode;
}) {
  const { t } = useT();
  const [shown, show] = useState(CARDS);
  const rest = entities.length - shown;
  return (
    <section aria-label={title} className="view-column">
      <h2>{title}</h2>
      <p className="quiet">{t(whole ? "view.count" : "view.loaded", { count: entities.length })}</p>
      <ul className="card-list">
        {entities.slice(0, shown).map((entity) => (
          <li key={entity.id}>{card(entity)}</li>
        ))}
      </ul>
      {rest > 0 && (
        <Button size="small" onClick={() => show(shown + CARDS)}>
          {t("view.more", { count: Math.min(rest, CARDS) })}
        </Button>
      )}
    </section>
  );
}

function Card({
  view,
  board,
  kind,
  entity,
  left,
  right,
}: {
  view: string;
  board: ViewBoard;
  kind: EntityType;
  entity: Entity;
  left: string | null;
  right: string | null;
}) {
  const { p, language } = useT();
  const user = useUser();
  const queryClient = useQueryClient();
  const { attribute } = board;
  const moved = (value: string) => {
    // Shown at once; what the server makes of it comes with the next look.
    queryClient.setQueryData<InfiniteData<Items<Entity>>>(boardKey(kind.name), (before) => {
      if (!before) return before;
      const pages = before.pages.map((page) => ({
        ...page,
        items: page.items.map((each) => (each.id === entity.id ? withValue(each, attribute, value) : each)),
      }));
      return { ...before, pages };
    });
  };
  const context: CardContext = { entity, kind, attribute, view, left, right, moved };
  const actions = board.moves ? available(cardActions, context, user) : [];
  return (
    <div className="item-card">
      <Link to={`/entities/${entity.id}`}>
        <strong>{nameOf(entity, language)}</strong>
      </Link>
      {board.card.map((name) => {
        const declared = kind.attributes[name];
        const state = entity.attributes[name];
        return (
          <span key={name}>
            {declared ? p(declared.title_zh, declared.title_en) : name}{" "}
            {attributeText(language, state?.value, state?.unit, declared?.words)}
          </span>
        );
      })}
      {actions.length > 0 && (
        <span className="view-moves">
          {actions.map((action) => (
            <ActionButton key={action.name} action={action} context={context} size="small" iconOnly />
          ))}
        </span>
      )}
    </div>
  );
}

function withValue(entity: Entity, attribute: string, value: string): Entity {
  const state = entity.attributes[attribute];
  if (!state) return entity;
  return { ...entity, attributes: { ...entity.attributes, [attribute]: { ...state, value } } };
}
