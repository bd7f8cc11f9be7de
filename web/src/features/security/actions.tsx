/** What can be done on the security view: look again. What is wrong is mended elsewhere; the view only shows it. */
import { ReloadOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";

export interface SecurityContext {
  refresh: () => unknown;
}

export const securityActions: Action<SecurityContext>[] = [
  {
    name: "security.refresh",
    title: "security.refresh",
    permission: "security.read",
    icon: <ReloadOutlined />,
    shortcut: "r",
    predicate: () => true,
    perform: ({ refresh }) => refresh(),
  },
];
