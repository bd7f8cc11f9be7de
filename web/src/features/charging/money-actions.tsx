/** What can be done with money: settle a month, take its table along, issue invoices, decline them and take them back, say who sells. */
import {
  AccountBookOutlined,
  CheckOutlined,
  DownloadOutlined,
  EditOutlined,
  RollbackOutlined,
  StopOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { ChargingInvoice, ChargingSettlement, ExchangeStatement } from "../../lib/types.ts";
import { MANAGE } from "./actions.tsx";

export interface SettlementContext {
  settlement: ChargingSettlement;
  /** Asks once more, then settles. */
  settle: (settlement: ChargingSettlement) => unknown;
  download: () => unknown;
}

/** Whether anything of a month is there to be settled. */
export const isUnsettled = ({ statements }: ChargingSettlement) =>
  statements.some(({ settled_at, total_fen }) => settled_at === null && total_fen !== 0);

export const settlementActions: Action<SettlementContext>[] = [
  {
    name: "settlement.csv",
    title: "settlement.csv",
    permission: "charging.read",
    icon: <DownloadOutlined />,
    shortcut: "c",
    predicate: ({ settlement }) => settlement.statements.length > 0,
    perform: ({ download }) => download(),
  },
  {
    name: "settlement.settle",
    title: "settlement.settle",
    permission: MANAGE,
    icon: <AccountBookOutlined />,
    primary: true,
    predicate: ({ settlement }) => settlement.is_over && isUnsettled(settlement),
    perform: ({ settlement, settle }) => settle(settlement),
  },
];

export interface InvoicesContext {
  /** Takes the data along: of those to be issued, or of the red ones. */
  download: (what: "asked" | "red", format: "json" | "csv") => unknown;
  /** Opens the form of a seller. */
  seller: () => unknown;
}

export const invoicesActions: Action<InvoicesContext>[] = [
  {
    name: "invoice.csv",
    title: "invoice.csv",
    permission: MANAGE,
    icon: <DownloadOutlined />,
    shortcut: "c",
    predicate: () => true,
    perform: ({ download }) => download("asked", "csv"),
  },
  {
    name: "invoice.json",
    title: "invoice.json",
    permission: MANAGE,
    icon: <DownloadOutlined />,
    predicate: () => true,
    perform: ({ download }) => download("asked", "json"),
  },
  {
    name: "invoice.red-csv",
    title: "invoice.red-csv",
    permission: MANAGE,
    icon: <DownloadOutlined />,
    predicate: () => true,
    perform: ({ download }) => download("red", "csv"),
  },
  {
    name: "invoice.seller",
    title: "invoice.seller",
    permission: MANAGE,
    icon: <EditOutlined />,
    shortcut: "s",
    predicate: () => true,
    perform: ({ seller }) => seller(),
  },
];

export type InvoiceStep = "issue" | "decline" | "reverse";

export interface InvoiceContext {
  invoice: ChargingInvoice;
  /** Opens the form of the step. */
  step: (invoice: ChargingInvoice, step: InvoiceStep) => unknown;
}

export const invoiceActions: Action<InvoiceContext>[] = [
  {
    name: "invoice.issue",
    title: "invoice.issue",
    permission: MANAGE,
    icon: <CheckOutlined />,
    predicate: ({ invoice }) => invoice.state === "asked",
    perform: ({ invoice, step }) => step(invoice, "issue"),
  },
  {
    name: "invoice.decline",
    title: "invoice.decline",
    permission: MANAGE,
    icon: <StopOutlined />,
    danger: true,
    predicate: ({ invoice }) => invoice.state === "asked",
    perform: ({ invoice, step }) => step(invoice, "decline"),
  },
  {
    name: "invoice.reverse",
    title: "invoice.reverse",
    permission: MANAGE,
    icon: <RollbackOutlined />,
    danger: true,
    predicate: ({ invoice }) => invoice.state === "issued",
    perform: ({ invoice, step }) => step(invoice, "reverse"),
  },
];

export interface StatementContext {
  statement: ExchangeStatement;
  isOver: boolean;
  /** Asks once more, then enters what is due. */
  enter: (statement: ExchangeStatement) => unknown;
}

export const statementActions: Action<StatementContext>[] = [
  {
    name: "statement.enter",
    title: "statement.enter",
    permission: MANAGE,
    icon: <AccountBookOutlined />,
    predicate: ({ statement, isOver }) => isOver && statement.due_fen > 0,
    perform: ({ statement, enter }) => enter(statement),
  },
];
