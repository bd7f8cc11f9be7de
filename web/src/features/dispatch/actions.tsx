/** What can be done with a thing that takes commands, and with a command; the server says which of it this person may. */
import { CheckOutlined, CloseOutlined, RollbackOutlined, SendOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { Command, CommandDetail, Entity } from "../../lib/types.ts";
import { approve, refuse, withdraw } from "./queries.ts";

export interface ThingContext {
  thing: Entity;
  /** Opens the dialog. */
  ask: (thing: Entity) => void;
}

export const thingActions: Action<ThingContext>[] = [
  {
    name: "dispatch.ask",
    title: "dispatch.ask",
    permission: "command.ask",
    icon: <SendOutlined />,
    predicate: () => true,
    perform: ({ thing, ask }) => ask(thing),
  },
];

export interface CommandContext {
  command: Command;
  /** What the person says. */
  note: string;
  /** What came of it. */
  done: (command: CommandDetail) => void;
}

export const commandActions: Action<CommandContext>[] = [
  {
    name: "dispatch.refuse",
    title: "dispatch.refuse",
    permission: "command.approve",
    icon: <CloseOutlined />,
    danger: true,
    predicate: ({ command }) => command.may_decide,
    perform: async ({ command, note, done }) => done(await refuse(command, note)),
  },
  {
    name: "dispatch.approve",
    title: "dispatch.approve",
    permission: "command.approve",
    icon: <CheckOutlined />,
    primary: true,
    predicate: ({ command }) => command.may_decide,
    perform: async ({ command, note, done }) => done(await approve(command, note)),
  },
  {
    name: "dispatch.withdraw",
    title: "dispatch.withdraw",
    permission: "command.ask",
    icon: <RollbackOutlined />,
    predicate: ({ command }) => command.may_withdraw,
    perform: async ({ command, done }) => done(await withdraw(command)),
  },
];
