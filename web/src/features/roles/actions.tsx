/** What can be done with somebody's rights. */
import { SolutionOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { Account } from "../../lib/types.ts";

export interface AccountContext {
  account: Account;
  /** Opens the form. */
  grant: (account: Account) => void;
}

export const accountActions: Action<AccountContext>[] = [
  {
    name: "roles.grant",
    title: "roles.grant",
    permission: "role.grant",
    icon: <SolutionOutlined />,
    predicate: () => true,
    perform: ({ account, grant }) => grant(account),
  },
];
