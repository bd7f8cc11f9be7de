/** What can be done with an indicator, and with its towns. */
import {
  CodeOutlined,
  DownloadOutlined,
  FileTextOutlined,
  FormOutlined,
  OrderedListOutlined,
  StopOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { IndicatorDetail, PlanNumber, TownComparison } from "../../lib/types.ts";
import { download, toCsv } from "../sql/csv.ts";
import { townTable } from "./towns.ts";

export interface IndicatorContext {
  indicator: IndicatorDetail;
  navigate: (to: string) => unknown;
  /** Whether it is theirs to report. */
  mayReport: boolean;
  report: () => void;
}

export const indicatorActions: Action<IndicatorContext>[] = [
  {
    name: "indicator.report",
    title: "plan.report",
    permission: "indicator.report",
    icon: <FormOutlined />,
    primary: true,
    shortcut: "r",
    predicate: ({ mayReport }) => mayReport,
    perform: ({ report }) => report(),
  },
  {
    name: "indicator.open-sql",
    title: "plan.sql-open",
    permission: "sql.query",
    icon: <CodeOutlined />,
    predicate: ({ indicator }) => Boolean(indicator.sql),
    perform: ({ indicator, navigate }) => navigate(`/sql?query=${encodeURIComponent(indicator.sql ?? "")}`),
  },
];

export interface PlanContext {
  /** Opens the dialog of documents. */
  makeDocument: () => void;
  /** Opens the register of their numbers. */
  openNumbers: () => void;
}

export const planActions: Action<PlanContext>[] = [
  {
    name: "plan.document",
    title: "document.title",
    permission: "project.read",
    icon: <FileTextOutlined />,
    shortcut: "d",
    predicate: () => true,
    perform: ({ makeDocument }) => makeDocument(),
  },
  {
    name: "plan.numbers",
    title: "document.numbers",
    permission: "project.read",
    icon: <OrderedListOutlined />,
    predicate: () => true,
    perform: ({ openNumbers }) => openNumbers(),
  },
];

export interface NumberContext {
  mayGive: boolean;
  /** The number; null for those that are missing. */
  number: Pick<PlanNumber, "voided_at"> | null;
  isMissing: boolean;
  /** Opens the dialog in which it is made void. */
  makeVoid: () => void;
}

export const numberActions: Action<NumberContext>[] = [
  {
    name: "plan.number-void",
    title: "document.make-void",
    permission: "indicator.lock",
    icon: <StopOutlined />,
    danger: true,
    predicate: ({ mayGive, number, isMissing }) =>
      mayGive && (number ? number.voided_at === null : isMissing),
    perform: ({ makeVoid }) => makeVoid(),
  },
];

export interface TownsContext {
  found: TownComparison;
  notes: Parameters<typeof townTable>[1];
}

export const townActions: Action<TownsContext>[] = [
  {
    name: "indicator.towns-csv",
    title: "plan.towns-csv",
    permission: "indicator.read",
    icon: <DownloadOutlined />,
    predicate: () => true,
    perform: ({ found, notes }) =>
      download(`${found.indicator}-towns.csv`, "text/csv;charset=utf-8", toCsv(townTable(found, notes))),
  },
];
