/** What can be done with the systems that people sign in to. */
import {
  DeleteOutlined,
  EditOutlined,
  KeyOutlined,
  PlusOutlined,
  StopOutlined,
  UnlockOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { OidcClient } from "../../lib/types.ts";

const manage = "user.manage";

export const pageActions: Action<{ add: () => void }>[] = [
  {
    name: "client.add",
    title: "client.add",
    permission: manage,
    icon: <PlusOutlined />,
    primary: true,
    shortcut: "n",
    predicate: () => true,
    perform: ({ add }) => add(),
  },
];

export interface ClientContext {
  client: OidcClient;
  /** Opens the form. */
  edit: (client: OidcClient) => void;
  /** Each asks for confirmation first. */
  rotate: (client: OidcClient) => unknown;
  access: (client: OidcClient, disabled: boolean) => unknown;
  remove: (client: OidcClient) => unknown;
}

export const clientActions: Action<ClientContext>[] = [
  {
    name: "client.change",
    title: "client.change",
    permission: manage,
    icon: <EditOutlined />,
    predicate: () => true,
    perform: ({ edit, client }) => edit(client),
  },
  {
    name: "client.secret",
    title: "client.secret",
    permission: manage,
    icon: <KeyOutlined />,
    predicate: ({ client }) => !client.is_public,
    perform: ({ rotate, client }) => rotate(client),
  },
  {
    name: "client.close",
    title: "client.close",
    permission: manage,
    icon: <StopOutlined />,
    danger: true,
    predicate: ({ client }) => !client.disabled,
    perform: ({ access, client }) => access(client, true),
  },
  {
    name: "client.open",
    title: "client.open",
    permission: manage,
    icon: <UnlockOutlined />,
    predicate: ({ client }) => client.disabled,
    perform: ({ access, client }) => access(client, false),
  },
  {
    name: "client.remove",
    title: "client.remove",
    permission: manage,
    icon: <DeleteOutlined />,
    danger: true,
    predicate: () => true,
    perform: ({ remove, client }) => remove(client),
  },
];
