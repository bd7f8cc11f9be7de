/** What can be done in charging: decide on a bill that is held, put a tariff in force, register and block cards, tell stations. */
import {
  CheckOutlined,
  EditOutlined,
  EllipsisOutlined,
  LockOutlined,
  PlayCircleOutlined,
  PlusOutlined,
  PoweroffOutlined,
  ReloadOutlined,
  StopOutlined,
  UnlockOutlined,
} from "@ant-design/icons";
import type { ReactNode } from "react";
import type { Action } from "../../lib/actions.tsx";
import type { ChargingCard, ChargingOrder, ChargingSessionDetail } from "../../lib/types.ts";

/** What the server asks for of who changes anything here. */
export const MANAGE = "charging.manage";

export type DecisionKind = "accept" | "waive";

export interface DecisionContext {
  detail: ChargingSessionDetail;
  /** Asks for the reason and once more, then decides. */
  decide: (decision: DecisionKind) => unknown;
}

const isHeld = ({ detail }: DecisionContext) => detail.may_manage && detail.bill?.standing === "held";

export const decisionActions: Action<DecisionContext>[] = [
  {
    name: "charging.waive",
    title: "charging.waive",
    permission: MANAGE,
    predicate: isHeld,
    perform: ({ decide }) => decide("waive"),
  },
  {
    name: "charging.accept",
    title: "charging.accept",
    permission: MANAGE,
    icon: <CheckOutlined />,
    primary: true,
    // Without a card nobody is known who could be charged.
    predicate: (context) => isHeld(context) && context.detail.session.card !== null,
    perform: ({ decide }) => decide("accept"),
  },
];

export interface SessionContext {
  detail: ChargingSessionDetail;
  /** Opens the order to end it. */
  stop: (detail: ChargingSessionDetail) => void;
}

export const sessionActions: Action<SessionContext>[] = [
  {
    name: "charging.stop-session",
    title: "charging-order.stop",
    permission: MANAGE,
    icon: <StopOutlined />,
    danger: true,
    predicate: ({ detail }) => detail.session.state === "charging",
    perform: ({ detail, stop }) => stop(detail),
  },
];

export const tariffActions: Action<{ add: () => void }>[] = [
  {
    name: "charging.tariff-add",
    title: "charging.tariff-add",
    permission: MANAGE,
    icon: <PlusOutlined />,
    primary: true,
    shortcut: "n",
    predicate: () => true,
    perform: ({ add }) => add(),
  },
];

export const cardListActions: Action<{ add: () => void }>[] = [
  {
    name: "charging.card-add",
    title: "charging.card-add",
    permission: MANAGE,
    icon: <PlusOutlined />,
    primary: true,
    shortcut: "n",
    predicate: () => true,
    perform: ({ add }) => add(),
  },
];

export interface CardContext {
  card: ChargingCard;
  /** Opens the form with what is kept of it. */
  change: (card: ChargingCard) => void;
  /** Asks once more, then blocks it or lets it charge again. */
  block: (card: ChargingCard, blocked: boolean) => void;
}

export const cardActions: Action<CardContext>[] = [
  {
    name: "charging.card-change",
    title: "charging.card-change",
    permission: MANAGE,
    icon: <EditOutlined />,
    predicate: () => true,
    perform: ({ card, change }) => change(card),
  },
  {
    name: "charging.card-block",
    title: "charging.card-block",
    permission: MANAGE,
    icon: <LockOutlined />,
    danger: true,
    predicate: ({ card }) => !card.blocked,
    perform: ({ card, block }) => block(card, true),
  },
  {
    name: "charging.card-unblock",
    title: "charging.card-unblock",
    permission: MANAGE,
    icon: <UnlockOutlined />,
    predicate: ({ card }) => card.blocked,
    perform: ({ card, block }) => block(card, false),
  },
];

export type OrderKind = ChargingOrder["order"];

export interface StationContext {
  station: string;
  /** Opens the order. */
  tell: (station: string, order: OrderKind) => void;
}

const ORDERS = ["start", "stop", "unlock", "availability", "reset"] as const;
/** What is told a station seldom: chosen in the dialog. */
export const MORE_ORDERS = [
  "limit",
  "clear_limit",
  "trigger",
  "read_settings",
  "write_settings",
  "log",
  "firmware",
  "forget_cards",
  "data",
] as const satisfies OrderKind[];

const ORDER_ICONS: Record<(typeof ORDERS)[number], ReactNode> = {
  start: <PlayCircleOutlined />,
  stop: <StopOutlined />,
  unlock: <UnlockOutlined />,
  reset: <ReloadOutlined />,
  availability: <PoweroffOutlined />,
};

export const stationActions: Action<StationContext>[] = [
  ...ORDERS.map(
    (order): Action<StationContext> => ({
      name: `charging.order-${order}`,
      title: `charging-order.${order}`,
      permission: MANAGE,
      icon: ORDER_ICONS[order],
      danger: order === "reset",
      predicate: () => true,
      perform: ({ station, tell }) => tell(station, order),
    }),
  ),
  {
    name: "charging.order-more",
    title: "charging.order-more",
    permission: MANAGE,
    icon: <EllipsisOutlined />,
    predicate: () => true,
    perform: ({ station, tell }) => tell(station, MORE_ORDERS[0]),
  },
];
