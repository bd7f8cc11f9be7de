/** What can be done with a form: saving it, handing it in, correcting it, returning it; and with a value that is held wrong. */
import {
  CheckOutlined,
  CloseOutlined,
  EditOutlined,
  QuestionCircleOutlined,
  RollbackOutlined,
  SaveOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { FormDetail, FormDispute, FormField } from "../../lib/types.ts";
import type { DisputeStep } from "./queries.ts";

export interface FormContext {
  form: FormDetail;
  /** Whether what was handed in is being corrected. */
  correcting: boolean;
  save: () => Promise<void>;
  submit: () => Promise<void>;
  correct: () => void;
  cancel: () => void;
  giveBack: () => void;
}

/** Whether it can be written in now. */
export const isOpen = ({ form, correcting }: Pick<FormContext, "form" | "correcting">) =>
  form.may_fill && (form.state !== "submitted" || correcting);

export const formActions: Action<FormContext>[] = [
  {
    name: "form.submit",
    title: "fill.submit",
    permission: "indicator.report",
    icon: <CheckOutlined />,
    primary: true,
    shortcut: "mod+enter",
    predicate: isOpen,
    perform: ({ submit }) => submit(),
  },
  {
    name: "form.save",
    title: "fill.save",
    permission: "indicator.report",
    icon: <SaveOutlined />,
    predicate: (context) => isOpen(context) && !context.correcting,
    perform: ({ save }) => save(),
  },
  {
    name: "form.correct",
    title: "fill.correct",
    permission: "indicator.report",
    icon: <EditOutlined />,
    predicate: ({ form, correcting }) => form.may_fill && form.state === "submitted" && !correcting,
    perform: ({ correct }) => correct(),
  },
  {
    name: "form.cancel",
    title: "fill.cancel",
    permission: "indicator.report",
    icon: <CloseOutlined />,
    predicate: ({ correcting }) => correcting,
    perform: ({ cancel }) => cancel(),
  },
  {
    name: "form.return",
    title: "fill.return",
    permission: "indicator.approve",
    icon: <RollbackOutlined />,
    danger: true,
    predicate: ({ form, correcting }) => form.may_return && !correcting,
    perform: ({ giveBack }) => giveBack(),
  },
];

export interface DisputeContext {
  field: Pick<FormField, "may_dispute">;
  dispute: Pick<FormDispute, "may_settle" | "state"> | null;
  /** Opens the dialog in which a value is disputed. */
  open: () => void;
  /** Accepts the answer. */
  accept: () => Promise<void>;
  /** Opens the dialog of a step that needs its reason. */
  ask: (step: DisputeStep) => void;
}

/** Whether who answers for the source has not answered yet. */
const isWaiting = (state: string) => ["collected", "dispatched", "handling"].includes(state);

export const disputeActions: Action<DisputeContext>[] = [
  {
    name: "form.dispute",
    title: "fill.dispute",
    permission: "indicator.report",
    icon: <QuestionCircleOutlined />,
    predicate: ({ field }) => field.may_dispute,
    perform: ({ open }) => open(),
  },
  {
    name: "form.dispute-accept",
    title: "fill.dispute-accept",
    permission: "indicator.report",
    icon: <CheckOutlined />,
    primary: true,
    predicate: ({ dispute }) => Boolean(dispute?.may_settle && dispute.state === "handled"),
    perform: ({ accept }) => accept(),
  },
  {
    name: "form.dispute-reject",
    title: "fill.dispute-reject",
    permission: "indicator.report",
    icon: <RollbackOutlined />,
    predicate: ({ dispute }) => Boolean(dispute?.may_settle && dispute.state === "handled"),
    perform: ({ ask }) => ask("reject"),
  },
  {
    name: "form.dispute-withdraw",
    title: "fill.dispute-withdraw",
    permission: "indicator.report",
    icon: <CloseOutlined />,
    predicate: ({ dispute }) => Boolean(dispute?.may_settle && isWaiting(dispute.state)),
    perform: ({ ask }) => ask("withdraw"),
  },
];
