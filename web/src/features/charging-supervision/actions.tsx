/** What can be done with supervision: have it as it stands now, and take every session of the subsidy along. */
import { DownloadOutlined, ReloadOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import { type Asked, subsidyPath } from "./queries.ts";

export interface SupervisionContext {
  /** Which days, and by what is reckoned. */
  asked: Asked;
  /** Whether the subsidy is looked at. */
  isSubsidy: boolean;
  refresh: () => unknown;
  download: (path: string) => void;
}

export const supervisionActions: Action<SupervisionContext>[] = [
  {
    name: "supervision.refresh",
    title: "supervision.refresh",
    permission: "charging.read",
    icon: <ReloadOutlined />,
    shortcut: "r",
    predicate: () => true,
    perform: ({ refresh }) => refresh(),
  },
  {
    name: "supervision.csv",
    title: "supervision.csv",
    permission: "charging.read",
    icon: <DownloadOutlined />,
    shortcut: "c",
    predicate: ({ isSubsidy }) => isSubsidy,
    perform: ({ asked, download }) => download(subsidyPath(asked)),
  },
];
