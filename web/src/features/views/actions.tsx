/** What can be done with a pack's form and board: send what was entered, put an entity into the next column. */
import { ArrowLeftOutlined, ArrowRightOutlined, SendOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { Entity, EntityType } from "../../lib/types.ts";
import { enter, ngsiLd } from "./queries.ts";

export interface FormContext {
  /** Sends the form when it is complete. */
  send: () => unknown;
}

export const formActions: Action<FormContext>[] = [
  {
    name: "view.enter",
    title: "view.enter",
    permission: "data.enter",
    icon: <SendOutlined />,
    primary: true,
    shortcut: "mod+enter",
    predicate: () => true,
    perform: ({ send }) => send(),
  },
];

export interface CardContext {
  entity: Entity;
  kind: EntityType;
  attribute: string;
  /** The board's id. */
  view: string;
  /** The values of the columns beside the card's; null where there is none. */
  left: string | null;
  right: string | null;
  moved: (value: string) => unknown;
}

async function move({ entity, kind, attribute, view, moved }: CardContext, value: string | null) {
  if (value === null) return;
  await enter(view, ngsiLd(entity.id, kind, { [attribute]: value }, new Date().toISOString()));
  await moved(value);
}

export const cardActions: Action<CardContext>[] = [
  {
    name: "view.move-left",
    title: "view.move-left",
    permission: "data.enter",
    icon: <ArrowLeftOutlined />,
    predicate: ({ left }) => left !== null,
    perform: (context) => move(context, context.left),
  },
  {
    name: "view.move-right",
    title: "view.move-right",
    permission: "data.enter",
    icon: <ArrowRightOutlined />,
    predicate: ({ right }) => right !== null,
    perform: (context) => move(context, context.right),
  },
];
