/** What can be done on duty. */
import {
  CheckOutlined,
  DeleteOutlined,
  DownloadOutlined,
  EditOutlined,
  EyeOutlined,
  FilePdfOutlined,
  FileWordOutlined,
  PlusOutlined,
  StopOutlined,
  SwapOutlined,
  ThunderboltOutlined,
  UploadOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { Language } from "../../lib/format.ts";
import type { Activation, DutyHandOver, DutyTurn, Entity, OutsideContact } from "../../lib/types.ts";
import { removeContact, reportPath, rosterPath, tickStep } from "./queries.ts";

export type Dialog =
  | { kind: "pattern" }
  | { kind: "turns" }
  | { kind: "hand-over" }
  | { kind: "start"; plan?: string }
  | { kind: "import" }
  | { kind: "contact" }
  | { kind: "swap"; turn: DutyTurn }
  | { kind: "remove"; turn: DutyTurn }
  | { kind: "sign"; handOver: DutyHandOver }
  | { kind: "skip"; activation: Activation; step: string }
  | { kind: "end"; activation: Activation };

export interface PageContext {
  organisation: string | undefined;
  /** The reader's: the report is in it. */
  language: Language;
  open: (dialog: Dialog) => void;
  /** The period of the report, as RFC 3339. */
  period: { from: string; until: string };
  download: (path: string) => void;
}

const has = ({ organisation }: PageContext) => organisation !== undefined;

export interface RosterContext extends PageContext {
  /** The month that is shown, by its first and last day. */
  days: { from: string; until: string };
}

export const rosterActions: Action<RosterContext>[] = [
  {
    name: "duty.turns-add",
    title: "duty.turns-add",
    permission: "duty.manage",
    icon: <PlusOutlined />,
    primary: true,
    shortcut: "n",
    predicate: has,
    perform: ({ open }) => open({ kind: "turns" }),
  },
  {
    name: "duty.pattern-add",
    title: "duty.pattern-add",
    permission: "duty.manage",
    icon: <PlusOutlined />,
    predicate: has,
    perform: ({ open }) => open({ kind: "pattern" }),
  },
  {
    name: "duty.roster-import",
    title: "duty.roster-import",
    permission: "duty.manage",
    icon: <UploadOutlined />,
    shortcut: "i",
    predicate: has,
    perform: ({ open }) => open({ kind: "import" }),
  },
  {
    name: "duty.roster-export",
    title: "duty.roster-export",
    permission: "duty.read",
    icon: <DownloadOutlined />,
    predicate: has,
    perform: ({ organisation, days, download }) =>
      download(rosterPath(organisation ?? "", days.from, days.until)),
  },
];

export const pageActions: Action<PageContext>[] = [
  {
    name: "duty.hand-over",
    title: "duty.hand-over",
    permission: "duty.act",
    icon: <SwapOutlined />,
    shortcut: "h",
    predicate: has,
    perform: ({ open }) => open({ kind: "hand-over" }),
  },
  {
    name: "duty.plan-start",
    title: "duty.plan-start",
    permission: "duty.act",
    icon: <ThunderboltOutlined />,
    shortcut: "p",
    predicate: has,
    perform: ({ open }) => open({ kind: "start" }),
  },
  {
    name: "duty.report-pdf",
    title: "duty.report-pdf",
    permission: "duty.read",
    icon: <FilePdfOutlined />,
    predicate: has,
    perform: ({ organisation, period, language, download }) =>
      download(reportPath(organisation ?? "", period, "pdf", language)),
  },
  {
    name: "duty.report-docx",
    title: "duty.report-docx",
    permission: "duty.read",
    icon: <FileWordOutlined />,
    predicate: has,
    perform: ({ organisation, period, language, download }) =>
      download(reportPath(organisation ?? "", period, "docx", language)),
  },
];

export interface TurnContext {
  turn: DutyTurn;
  now: number;
  open: (dialog: Dialog) => void;
}

export const turnActions: Action<TurnContext>[] = [
  {
    name: "duty.turn-swap",
    title: "duty.turn-swap",
    permission: "duty.act",
    icon: <SwapOutlined />,
    predicate: ({ turn, now }) => Date.parse(turn.until) > now,
    perform: ({ turn, open }) => open({ kind: "swap", turn }),
  },
  {
    name: "duty.turn-remove",
    title: "duty.turn-remove",
    permission: "duty.manage",
    icon: <DeleteOutlined />,
    danger: true,
    predicate: ({ turn, now }) => Date.parse(turn.until) > now,
    perform: ({ turn, open }) => open({ kind: "remove", turn }),
  },
];

export interface HandOverContext {
  handOver: DutyHandOver;
  userId: number | undefined;
  open: (dialog: Dialog) => void;
}

export const handOverActions: Action<HandOverContext>[] = [
  {
    name: "duty.sign",
    title: "duty.sign",
    permission: "duty.act",
    icon: <CheckOutlined />,
    primary: true,
    predicate: ({ handOver, userId }) => handOver.signed_at === null && handOver.outgoing_id !== userId,
    perform: ({ handOver, open }) => open({ kind: "sign", handOver }),
  },
];

export interface StepContext {
  activation: Activation;
  step: string;
  open: (dialog: Dialog) => void;
  changed: () => unknown;
}

const isOpen = ({ activation, step }: StepContext) =>
  activation.ended_at === null && activation.steps.some((s) => s.id === step && s.done_at === null);

export const stepActions: Action<StepContext>[] = [
  {
    name: "duty.step-done",
    title: "duty.step-done",
    permission: "duty.act",
    icon: <CheckOutlined />,
    primary: true,
    predicate: isOpen,
    perform: async ({ activation, step, changed }) => {
      await tickStep(activation.id, step, false, "");
      await changed();
    },
  },
  {
    name: "duty.step-skip",
    title: "duty.step-skip",
    permission: "duty.act",
    predicate: isOpen,
    perform: ({ activation, step, open }) => open({ kind: "skip", activation, step }),
  },
];

/** Of the steps behind the next one: any may be done first, and none of them stands out. */
export const laterStepActions = stepActions.map((action) => ({ ...action, primary: false }));

export interface ActivationContext {
  activation: Activation;
  open: (dialog: Dialog) => void;
}

export const activationActions: Action<ActivationContext>[] = [
  {
    name: "duty.plan-end",
    title: "duty.plan-end",
    permission: "duty.act",
    icon: <StopOutlined />,
    predicate: ({ activation }) => activation.ended_at === null,
    perform: ({ activation, open }) => open({ kind: "end", activation }),
  },
];

export const contactPageActions: Action<PageContext>[] = [
  {
    name: "duty.contact-add",
    title: "duty.contact-add",
    permission: "duty.act",
    icon: <PlusOutlined />,
    predicate: has,
    perform: ({ open }) => open({ kind: "contact" }),
  },
];

export interface PlanContext {
  plan: string;
  open: (dialog: Dialog) => void;
}

export const planActions: Action<PlanContext>[] = [
  {
    name: "duty.plan-start-this",
    title: "duty.plan-start",
    permission: "duty.act",
    icon: <ThunderboltOutlined />,
    predicate: () => true,
    perform: ({ plan, open }) => open({ kind: "start", plan }),
  },
];

export interface ResourceContext {
  resource: Entity;
  edit: (resource: Entity) => void;
}

export const resourceActions: Action<ResourceContext>[] = [
  {
    name: "duty.resource-state",
    title: "duty.resource-state",
    permission: "data.enter",
    icon: <EditOutlined />,
    predicate: () => true,
    perform: ({ resource, edit }) => edit(resource),
  },
];

export interface ContactContext {
  contact: OutsideContact;
  reveal: (contact: OutsideContact) => void;
  changed: () => unknown;
}

export const contactActions: Action<ContactContext>[] = [
  {
    name: "duty.contact-reveal",
    title: "duty.contact-reveal",
    permission: "duty.read",
    icon: <EyeOutlined />,
    predicate: () => true,
    perform: ({ contact, reveal }) => reveal(contact),
  },
  {
    name: "duty.contact-remove",
    title: "duty.contact-remove",
    permission: "duty.act",
    icon: <DeleteOutlined />,
    danger: true,
    predicate: () => true,
    perform: async ({ contact, changed }) => {
      await removeContact(contact.id);
      await changed();
    },
  },
];
