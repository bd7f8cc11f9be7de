/** What can be done with notices, contacts, rules and messages that could not be sent. */
import {
  CheckOutlined,
  DeleteOutlined,
  EditOutlined,
  MailOutlined,
  PlusOutlined,
  ReloadOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { NoticeMessage, NoticeRule, OwnContact } from "../../lib/types.ts";
import { readAll, retryMessage } from "./queries.ts";

export interface NotificationsContext {
  newest: number | null;
  unread: number;
  done: () => void;
}

export const notificationsActions: Action<NotificationsContext>[] = [
  {
    name: "notification.read-all",
    title: "notification.read-all",
    permission: null,
    icon: <CheckOutlined />,
    predicate: ({ unread, newest }) => unread > 0 && newest !== null,
    perform: async ({ newest, done }) => {
      if (newest !== null) await readAll(newest);
      done();
    },
  },
];

export interface ContactContext {
  kind: string;
  contact: OwnContact | undefined;
  set: (kind: string) => void;
  remove: (kind: string) => void;
}

export const contactActions: Action<ContactContext>[] = [
  {
    name: "contact.set",
    title: "contact.set",
    permission: null,
    icon: <EditOutlined />,
    predicate: () => true,
    perform: ({ kind, set }) => set(kind),
  },
  {
    name: "contact.remove",
    title: "contact.remove",
    permission: null,
    icon: <DeleteOutlined />,
    danger: true,
    predicate: ({ contact }) => contact !== undefined,
    perform: ({ kind, remove }) => remove(kind),
  },
];

export interface RulesContext {
  add: () => void;
}

export const rulesActions: Action<RulesContext>[] = [
  {
    name: "notice-rule.add",
    title: "notice-rule.add",
    permission: "notice.manage",
    icon: <PlusOutlined />,
    primary: true,
    predicate: () => true,
    perform: ({ add }) => add(),
  },
];

export interface RuleContext {
  rule: NoticeRule;
  edit: (rule: NoticeRule) => void;
  remove: (rule: NoticeRule) => void;
}

export const ruleActions: Action<RuleContext>[] = [
  {
    name: "notice-rule.edit",
    title: "notice-rule.edit",
    permission: "notice.manage",
    icon: <EditOutlined />,
    predicate: () => true,
    perform: ({ rule, edit }) => edit(rule),
  },
  {
    name: "notice-rule.remove",
    title: "notice-rule.remove",
    permission: "notice.manage",
    icon: <DeleteOutlined />,
    danger: true,
    predicate: () => true,
    perform: ({ rule, remove }) => remove(rule),
  },
];

export interface MessageContext {
  message: NoticeMessage;
  done: () => void;
}

export const messageActions: Action<MessageContext>[] = [
  {
    name: "notice-message.retry",
    title: "notice-message.retry",
    permission: "notice.manage",
    icon: <ReloadOutlined />,
    predicate: ({ message }) => ["failed", "expired"].includes(message.state),
    perform: async ({ message, done }) => {
      await retryMessage(message.id);
      done();
    },
  },
];

export interface LinkContext {
  acknowledge: () => Promise<void>;
}

export const linkActions: Action<LinkContext>[] = [
  {
    name: "notification.acknowledge",
    title: "notification.acknowledge",
    permission: null,
    icon: <MailOutlined />,
    primary: true,
    predicate: () => true,
    perform: ({ acknowledge }) => acknowledge(),
  },
];
