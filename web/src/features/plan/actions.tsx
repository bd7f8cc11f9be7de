/** What can be done with an indicator. */
import { CodeOutlined, FormOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { IndicatorDetail } from "../../lib/types.ts";

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
