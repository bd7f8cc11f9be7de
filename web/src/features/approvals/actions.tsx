/** What can be done with an approval; the server says which of it this person may. */
import { CheckOutlined, CloseOutlined, KeyOutlined, RollbackOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { Approval } from "../../lib/types.ts";
import { approve, collect, refuse, withdraw } from "./queries.ts";

export interface ApprovalContext {
  approval: Approval;
  /** What the person says. */
  note: string;
  /** What came of it, with what only this person is told. */
  done: (approval: Approval | null, told: unknown) => void;
}

export const approvalActions: Action<ApprovalContext>[] = [
  {
    name: "approval.refuse",
    title: "approval.refuse",
    permission: "approval.decide",
    icon: <CloseOutlined />,
    danger: true,
    predicate: ({ approval }) => approval.can_decide,
    perform: async ({ approval, note, done }) => done(await refuse(approval, note), null),
  },
  {
    name: "approval.approve",
    title: "approval.approve",
    permission: "approval.decide",
    icon: <CheckOutlined />,
    primary: true,
    predicate: ({ approval }) => approval.can_decide,
    perform: async ({ approval, note, done }) => {
      const decided = await approve(approval, note);
      done(decided.approval, decided.answer);
    },
  },
  {
    name: "approval.withdraw",
    title: "approval.withdraw",
    permission: null,
    icon: <RollbackOutlined />,
    predicate: ({ approval }) => approval.can_withdraw,
    perform: async ({ approval, done }) => done(await withdraw(approval), null),
  },
  {
    name: "approval.collect",
    title: "approval.collect",
    permission: null,
    icon: <KeyOutlined />,
    primary: true,
    predicate: ({ approval }) => approval.can_collect,
    perform: async ({ approval, done }) => done(null, await collect(approval)),
  },
];
