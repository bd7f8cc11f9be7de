/** What a driver can do: start a charge, stop it, pay it, complain of it, give a reservation up. */
import {
  CloseOutlined,
  CreditCardOutlined,
  MessageOutlined,
  PlayCircleOutlined,
  PoweroffOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { Order, Point, Reservation } from "./types.ts";

/** What the server asks for of whoever charges. */
export const USE = "charging.use";

export interface StartContext {
  point: Point;
  /** Asks once, then begins. */
  ask: () => unknown;
}

export const startAction: Action<StartContext> = {
  name: "charge.start",
  title: "charge.start",
  permission: USE,
  icon: <PlayCircleOutlined />,
  primary: true,
  predicate: ({ point }) => point.may_start,
  perform: ({ ask }) => ask(),
};
export const startActions = [{ ...startAction, shortcut: "mod+enter" }];

export interface OrderContext {
  order: Order;
  stop: () => unknown;
  pay: () => unknown;
  complain: () => unknown;
}

export const orderActions: Action<OrderContext>[] = [
  {
    name: "charge.stop",
    title: "charge.stop",
    permission: USE,
    icon: <PoweroffOutlined />,
    danger: true,
    predicate: ({ order }) => order.may_stop,
    perform: (context) => context.stop(),
  },
  {
    name: "charge.pay",
    title: "charge.pay",
    permission: USE,
    icon: <CreditCardOutlined />,
    primary: true,
    predicate: ({ order }) => order.may_pay,
    perform: (context) => context.pay(),
  },
  {
    name: "charge.complain",
    title: "charge.complain",
    permission: USE,
    icon: <MessageOutlined />,
    predicate: () => true,
    perform: (context) => context.complain(),
  },
];

export interface ReservationContext {
  reservation: Reservation;
  ask: (reservation: Reservation) => unknown;
}

export const reservationActions: Action<ReservationContext>[] = [
  {
    name: "charge.give-up",
    title: "charge.give-up",
    permission: USE,
    icon: <CloseOutlined />,
    danger: true,
    predicate: ({ reservation }) => reservation.may_cancel,
    perform: ({ reservation, ask }) => ask(reservation),
  },
];
