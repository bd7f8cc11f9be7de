/** What can be done with a form: saving it, handing it in, correcting it, returning it. */
import {
  CheckOutlined,
  CloseOutlined,
  EditOutlined,
  RollbackOutlined,
  SaveOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { FormDetail } from "../../lib/types.ts";

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
