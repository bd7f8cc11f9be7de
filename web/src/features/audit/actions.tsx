/** What can be done with the audit trail. */
import { DownloadOutlined, SafetyCertificateOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import { type AuditFilter, exportPath } from "./queries.ts";

export interface AuditContext {
  filter: AuditFilter;
  verify: () => unknown;
  download: (path: string) => void;
}

export const auditActions: Action<AuditContext>[] = [
  {
    name: "audit.verify",
    title: "audit.verify",
    permission: "audit.read",
    icon: <SafetyCertificateOutlined />,
    shortcut: "v",
    predicate: () => true,
    perform: ({ verify }) => verify(),
  },
  {
    name: "audit.export",
    title: "audit.export",
    permission: "audit.read",
    icon: <DownloadOutlined />,
    predicate: () => true,
    perform: ({ filter, download }) => download(exportPath(filter)),
  },
];
