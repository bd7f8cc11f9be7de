/** What can be done with a thing that takes commands, and with a command; the server says which of it this person may. */
import {
  CheckOutlined,
  CloseOutlined,
  RollbackOutlined,
  SendOutlined,
  SyncOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { Command, CommandDetail, Entity } from "../../lib/types.ts";
import { startRuns } from "../runs/queries.ts";
import type { Filled } from "./dialogs.tsx";
import { approve, refuse, withdraw } from "./queries.ts";
import type { Suggested } from "./suggestion.ts";

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

export interface SuggestionContext {
  /** The declaration of the run that suggests. */
  definition: string;
  /** What came of it is to be read anew. */
  done: () => void;
}

export const suggestionActions: Action<SuggestionContext>[] = [
  {
    name: "dispatch.suggest",
    title: "suggest.again",
    permission: "run.start",
    icon: <SyncOutlined />,
    predicate: () => true,
    perform: async ({ definition, done }) => {
      await startRuns(definition, null);
      done();
    },
  },
];

export interface SuggestedContext {
  action: Suggested;
  /** The thing, once it is known. */
  thing: Entity | undefined;
  /** What the command's reason says: by which run. */
  reason: string;
  /** Opens the dialog, filled in. */
  ask: (filled: Filled) => void;
}

export const suggestedActions: Action<SuggestedContext>[] = [
  {
    name: "dispatch.ask-suggested",
    title: "dispatch.ask",
    permission: "command.ask",
    icon: <SendOutlined />,
    predicate: ({ action, thing }) => action.command !== null && action.is_change && thing !== undefined,
    perform: ({ action, thing, reason, ask }) => {
      if (thing && action.command) ask({ thing, command: action.command, value: action.value, reason });
    },
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
