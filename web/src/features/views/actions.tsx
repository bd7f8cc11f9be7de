/**
 * What can be done with a pack's register, form and board: load more and take along what is shown, send what was entered, put
 * an entity into the next column.
 */
import {
  ArrowLeftOutlined,
  ArrowRightOutlined,
  CodeOutlined,
  DownloadOutlined,
  ImportOutlined,
  PlusOutlined,
  ReloadOutlined,
  SendOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import { time } from "../../lib/format.ts";
import type { Entity, EntityType, PackView, Severity } from "../../lib/types.ts";
import { download, toCsv } from "../sql/csv.ts";
import { enter, ngsiLd } from "./queries.ts";
import { type Column, type Saying, type Sort, sheetOf, sqlOf } from "./rows.ts";

export interface RegisterContext {
  view: PackView;
  kind: EntityType;
  columns: Column[];
  /** As they are shown. */
  rows: Entity[];
  saying: Saying;
  severityOf: (id: string) => Severity | undefined;
  q: string;
  sort: Sort | null;
  /** Whether there are more to load, and there is room for them. */
  more: boolean;
  loadMore: () => unknown;
  loadAll: () => unknown;
  refresh: () => unknown;
  navigate: (to: string) => unknown;
}

export const registerActions: Action<RegisterContext>[] = [
  {
    name: "view.load-more",
    title: "view.load-more",
    permission: "entity.read",
    icon: <PlusOutlined />,
    shortcut: "m",
    predicate: ({ more }) => more,
    perform: ({ loadMore }) => loadMore(),
  },
  {
    name: "view.load-all",
    title: "view.load-all",
    permission: "entity.read",
    shortcut: "l",
    predicate: ({ more }) => more,
    perform: ({ loadAll }) => loadAll(),
  },
  {
    name: "view.refresh",
    title: "view.refresh",
    permission: "entity.read",
    icon: <ReloadOutlined />,
    shortcut: "r",
    predicate: () => true,
    perform: ({ refresh }) => refresh(),
  },
  {
    name: "view.csv",
    title: "view.csv",
    permission: "entity.read",
    icon: <DownloadOutlined />,
    shortcut: "e",
    predicate: ({ rows }) => rows.length > 0,
    perform: ({ view, rows, columns, saying, severityOf }) => {
      const day = time(Date.now()).slice(0, 10);
      const text = toCsv(sheetOf(rows, columns, saying, severityOf));
      download(`${view.id}-${day}.csv`, "text/csv;charset=utf-8", text);
    },
  },
  {
    name: "view.sql",
    title: "view.sql",
    permission: "sql.query",
    icon: <CodeOutlined />,
    shortcut: "s",
    predicate: () => true,
    perform: ({ kind, columns, q, sort, navigate }) =>
      navigate(`/sql?query=${encodeURIComponent(sqlOf(kind, columns, q, sort))}`),
  },
];

export interface ListContext {
  /** Opens the dialog that takes a file in by a standard table. */
  intakeFile: () => void;
}

export const listActions: Action<ListContext>[] = [
  {
    name: "view.intake",
    title: "intake.open",
    permission: "data.enter",
    icon: <ImportOutlined />,
    predicate: () => true,
    perform: ({ intakeFile }) => intakeFile(),
  },
];

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
