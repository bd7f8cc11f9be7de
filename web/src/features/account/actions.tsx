/** What a person can do with their own account. */
import {
  DeleteOutlined,
  DisconnectOutlined,
  KeyOutlined,
  MobileOutlined,
  PlusOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type {
  OidcGrant,
  OutsideIdentity,
  OutsideProvider,
  OwnAccount,
  OwnSession,
  Passkey,
} from "../../lib/types.ts";

export interface AccountContext {
  account: OwnAccount;
  /** Whether this page can use passkeys. */
  canUsePasskeys: boolean;
  changePassword: () => void;
  addPasskey: () => void;
  addTotp: () => void;
  removeTotp: () => void;
  renewRecoveryCodes: () => void;
  endOtherSessions: () => void;
}

const isOwn = { permission: null } as const;

export const passwordActions: Action<AccountContext>[] = [
  {
    ...isOwn,
    name: "account.password",
    title: "account.password-change",
    predicate: () => true,
    perform: ({ changePassword }) => changePassword(),
  },
];

export const passkeyListActions: Action<AccountContext>[] = [
  {
    ...isOwn,
    name: "account.passkey-add",
    title: "account.passkey-add",
    icon: <PlusOutlined />,
    primary: true,
    predicate: ({ canUsePasskeys }) => canUsePasskeys,
    perform: ({ addPasskey }) => addPasskey(),
  },
];

export const totpActions: Action<AccountContext>[] = [
  {
    ...isOwn,
    name: "account.totp-add",
    title: "account.totp-add",
    icon: <MobileOutlined />,
    predicate: ({ account }) => account.totp_since === null,
    perform: ({ addTotp }) => addTotp(),
  },
  {
    ...isOwn,
    name: "account.totp-remove",
    title: "account.totp-remove",
    danger: true,
    predicate: ({ account }) => account.totp_since !== null,
    perform: ({ removeTotp }) => removeTotp(),
  },
];

export const recoveryActions: Action<AccountContext>[] = [
  {
    ...isOwn,
    name: "account.recovery-renew",
    title: "account.recovery-renew",
    icon: <KeyOutlined />,
    predicate: ({ account }) => account.totp_since !== null || account.passkeys.length > 0,
    perform: ({ renewRecoveryCodes }) => renewRecoveryCodes(),
  },
];

export const sessionListActions: Action<AccountContext>[] = [
  {
    ...isOwn,
    name: "account.session-end-others",
    title: "account.session-end-others",
    danger: true,
    predicate: ({ account }) => account.sessions.length > 1,
    perform: ({ endOtherSessions }) => endOtherSessions(),
  },
];

export const passkeyActions: Action<{ passkey: Passkey; remove: (passkey: Passkey) => void }>[] = [
  {
    ...isOwn,
    name: "account.passkey-remove",
    title: "account.passkey-remove",
    icon: <DeleteOutlined />,
    danger: true,
    predicate: () => true,
    perform: ({ passkey, remove }) => remove(passkey),
  },
];

export const sessionActions: Action<{ session: OwnSession; end: (session: OwnSession) => unknown }>[] = [
  {
    ...isOwn,
    name: "account.session-end",
    title: "account.session-end",
    danger: true,
    predicate: ({ session }) => !session.is_this,
    perform: ({ session, end }) => end(session),
  },
];

export const providerActions: Action<{
  provider: OutsideProvider;
  link: (provider: OutsideProvider) => Promise<void>;
}>[] = [
  {
    ...isOwn,
    name: "account.outside-link",
    title: "account.outside-link",
    predicate: () => true,
    perform: ({ provider, link }) => link(provider),
  },
];

export const identityActions: Action<{
  identity: OutsideIdentity;
  unlink: (identity: OutsideIdentity) => void;
}>[] = [
  {
    ...isOwn,
    name: "account.outside-unlink",
    title: "account.outside-unlink",
    icon: <DisconnectOutlined />,
    danger: true,
    predicate: () => true,
    perform: ({ identity, unlink }) => unlink(identity),
  },
];

export const grantActions: Action<{ grant: OidcGrant; end: (grant: OidcGrant) => void }>[] = [
  {
    ...isOwn,
    name: "account.grant-end",
    title: "account.grant-end",
    danger: true,
    predicate: () => true,
    perform: ({ grant, end }) => end(grant),
  },
];
