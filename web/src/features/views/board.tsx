/** A board of a pack: entities in columns by one of their attributes; cards move where the caller may say a new value. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionButton, available } from "../../lib/actions.tsx";
import { quantity } from "../../lib/format.ts";
import { useUser } from "../../lib/session.ts";
import type { Entity, EntityType, Items, ViewBoard } from "../../lib/types.ts";
import { Loaded } from "../../ui/states.tsx";
import { nameOf } from "../entity/queries.ts";
import { type CardContext, cardActions } from "./actions.tsx";
import { boardKey, boardQuery } from "./queries.ts";

/** Most cards of a column; the rest is counted. */
const CARDS_MAX = 50;

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
  const found = useQuery(boardQuery(kind.name));
  return (
    <Loaded query={found} tall>
      {(page) => <Columns view={view} board={board} kind={kind} page={page} />}
    </Loaded>
  );
}

function Columns({
  view,
  board,
  kind,
  page,
}: {
  view: string;
  board: ViewBoard;
  kind: EntityType;
  page: Items<Entity>;
}) {
  const { t, p } = useT();
  const columns = columnsOf(board, page.items);
  return (
    <>
      {page.next !== null && <p className="quiet">{t("view.first", { count: page.items.length })}</p>}
      <div className="view-board">
        {columns.map(({ value, entities }, n) => {
          const choice = board.columns[n];
          const title = choice && value !== null ? p(choice.title_zh, choice.title_en) : t("view.other");
          return (
            <section key={value ?? ""} aria-label={title} className="view-column">
              <h2>{title}</h2>
              <p className="quiet">{t("view.count", { count: entities.length })}</p>
              <ul className="card-list">
                {entities.slice(0, CARDS_MAX).map((entity) => (
                  <li key={entity.id}>
                    <Card
                      view={view}
                      board={board}
                      kind={kind}
                      entity={entity}
                      left={board.columns[(value === null ? board.columns.length : n) - 1]?.value ?? null}
                      right={value === null ? null : (board.columns[n + 1]?.value ?? null)}
                    />
                  </li>
                ))}
              </ul>
              {entities.length > CARDS_MAX && (
                <p className="quiet">{t("view.more", { count: entities.length - CARDS_MAX })}</p>
              )}
            </section>
          );
        })}
      </div>
    </>
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
    queryClient.setQueryData<Items<Entity>>(boardKey(kind.name), (page) => {
      const items = page?.items.map((each) =>
        each.id === entity.id ? withValue(each, attribute, value) : each,
      );
      return page && items ? { ...page, items } : page;
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
            {declared ? p(declared.title_zh, declared.title_en) : name} {quantity(state?.value, state?.unit)}
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
