/** What can be done with a reported figure, a claim and a locked period. */
import {
  CheckOutlined,
  EditOutlined,
  FolderAddOutlined,
  RollbackOutlined,
  SendOutlined,
  UndoOutlined,
  UnlockOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { IndicatorComparison, IndicatorFiling, IndicatorLock } from "../../lib/types.ts";
import type { Decision } from "./queries.ts";

export interface FilingContext {
  filing: IndicatorFiling;
  submit: (filing: IndicatorFiling) => Promise<unknown>;
  edit: (filing: IndicatorFiling) => void;
  correct: (filing: IndicatorFiling) => void;
  decide: (filing: IndicatorFiling, decision: Decision) => void;
}

export const filingActions: Action<FilingContext>[] = [
  {
    name: "filing.approve",
    title: "reports.approve",
    permission: "indicator.approve",
    icon: <CheckOutlined />,
    primary: true,
    predicate: ({ filing }) => filing.may_decide,
    perform: ({ filing, decide }) => decide(filing, "approve"),
  },
  {
    name: "filing.return",
    title: "reports.return",
    permission: "indicator.approve",
    icon: <RollbackOutlined />,
    predicate: ({ filing }) => filing.may_decide,
    perform: ({ filing, decide }) => decide(filing, "return"),
  },
  {
    name: "filing.submit",
    title: "reports.submit",
    permission: "indicator.report",
    icon: <SendOutlined />,
    primary: true,
    predicate: ({ filing }) => filing.may_edit,
    perform: ({ filing, submit }) => submit(filing),
  },
  {
    name: "filing.edit",
    title: "reports.edit",
    permission: "indicator.report",
    icon: <EditOutlined />,
    predicate: ({ filing }) => filing.may_edit,
    perform: ({ filing, edit }) => edit(filing),
  },
  {
    name: "filing.withdraw",
    title: "reports.withdraw",
    permission: "indicator.report",
    icon: <UndoOutlined />,
    predicate: ({ filing }) => filing.may_withdraw,
    perform: ({ filing, decide }) => decide(filing, "withdraw"),
  },
  {
    name: "filing.correct",
    title: "reports.correct",
    permission: "indicator.report",
    icon: <EditOutlined />,
    predicate: ({ filing }) => filing.may_correct,
    perform: ({ filing, correct }) => correct(filing),
  },
];

export interface ClaimContext {
  comparison: IndicatorComparison;
  makeCase: (comparison: IndicatorComparison) => Promise<unknown>;
}

export const claimActions: Action<ClaimContext>[] = [
  {
    name: "claim.case",
    title: "reports.make-case",
    permission: "case.open",
    icon: <FolderAddOutlined />,
    predicate: ({ comparison }) => comparison.may_open_case,
    perform: ({ comparison, makeCase }) => makeCase(comparison),
  },
];

export interface LockContext {
  lock: IndicatorLock;
  lift: (lock: IndicatorLock) => void;
}

export const lockActions: Action<LockContext>[] = [
  {
    name: "lock.lift",
    title: "reports.lift",
    permission: "indicator.lock",
    icon: <UnlockOutlined />,
    predicate: ({ lock }) => lock.lifted_at === null,
    perform: ({ lock, lift }) => lift(lock),
  },
];
