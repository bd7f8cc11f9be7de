/** What can be done with organisations, posts and people. */
import {
  DownloadOutlined,
  EditOutlined,
  KeyOutlined,
  PlusOutlined,
  SafetyCertificateOutlined,
  StopOutlined,
  SwapOutlined,
  UnlockOutlined,
  UploadOutlined,
  UserAddOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type {
  OrganisationUnit,
  OutsideIdentity,
  PersonDetail,
  Post,
  SecondFactors,
} from "../../lib/types.ts";

/** What is open above the page. */
export type Dialog =
  | { kind: "organisation"; unit?: OrganisationUnit }
  | { kind: "post"; organisation: string; post?: Post }
  | { kind: "give"; post: Post }
  | { kind: "person"; organisation?: string; person?: PersonDetail }
  | { kind: "hand-over"; person: PersonDetail }
  | { kind: "sign-in"; person: PersonDetail }
  | { kind: "import" };

export interface PageContext {
  /** The organisation that is looked at. */
  unit?: OrganisationUnit;
  open: (dialog: Dialog) => void;
  download: () => void;
}

const manage = "user.manage";
/** A post gives a role: the security administrator's to give. */
const grant = "role.grant";

export const pageActions: Action<PageContext>[] = [
  {
    name: "person.add",
    title: "organisation.person-add",
    permission: manage,
    icon: <UserAddOutlined />,
    primary: true,
    shortcut: "n",
    predicate: ({ unit }) => !unit?.disabled,
    perform: ({ open, unit }) => open({ kind: "person", organisation: unit?.id }),
  },
  {
    name: "organisation.add",
    title: "organisation.add",
    permission: manage,
    icon: <PlusOutlined />,
    predicate: () => true,
    perform: ({ open }) => open({ kind: "organisation" }),
  },
  {
    name: "organisation.import",
    title: "organisation.import",
    permission: manage,
    icon: <UploadOutlined />,
    predicate: () => true,
    perform: ({ open }) => open({ kind: "import" }),
  },
  {
    name: "organisation.export",
    title: "organisation.export",
    permission: manage,
    icon: <DownloadOutlined />,
    predicate: () => true,
    perform: ({ download }) => download(),
  },
];

export const unitActions: Action<PageContext & { unit: OrganisationUnit }>[] = [
  {
    name: "organisation.change",
    title: "organisation.change",
    permission: manage,
    icon: <EditOutlined />,
    predicate: () => true,
    perform: ({ open, unit }) => open({ kind: "organisation", unit }),
  },
  {
    name: "post.add",
    title: "organisation.post-add",
    permission: grant,
    icon: <PlusOutlined />,
    predicate: ({ unit }) => !unit.disabled,
    perform: ({ open, unit }) => open({ kind: "post", organisation: unit.id }),
  },
];

export interface PostContext {
  post: Post;
  open: (dialog: Dialog) => void;
}

export const postActions: Action<PostContext>[] = [
  {
    name: "post.give",
    title: "organisation.post-give",
    permission: grant,
    icon: <UserAddOutlined />,
    predicate: ({ post }) => !post.disabled,
    perform: ({ open, post }) => open({ kind: "give", post }),
  },
  {
    name: "post.change",
    title: "organisation.change",
    permission: grant,
    icon: <EditOutlined />,
    predicate: () => true,
    perform: ({ open, post }) => open({ kind: "post", organisation: post.organisation, post }),
  },
];

export interface PersonContext {
  person: PersonDetail;
  open: (dialog: Dialog) => void;
  /** Asks for confirmation, then shows the new password once. */
  renew: (person: PersonDetail) => void;
  /** Asks for confirmation, then closes or opens sign-in. */
  access: (person: PersonDetail, disabled: boolean) => void;
}

export const personActions: Action<PersonContext>[] = [
  {
    name: "person.change",
    title: "organisation.change",
    permission: manage,
    icon: <EditOutlined />,
    predicate: () => true,
    perform: ({ open, person }) => open({ kind: "person", person }),
  },
  {
    name: "person.sign-in",
    title: "organisation.sign-in",
    permission: manage,
    icon: <SafetyCertificateOutlined />,
    predicate: () => true,
    perform: ({ open, person }) => open({ kind: "sign-in", person }),
  },
  {
    name: "person.password",
    title: "organisation.password",
    permission: manage,
    icon: <KeyOutlined />,
    predicate: ({ person }) => !person.disabled,
    perform: ({ renew, person }) => renew(person),
  },
  {
    name: "person.handover",
    title: "organisation.handover",
    permission: manage,
    icon: <SwapOutlined />,
    danger: true,
    predicate: ({ person }) => !person.disabled,
    perform: ({ open, person }) => open({ kind: "hand-over", person }),
  },
  {
    name: "person.close",
    title: "organisation.disabled",
    permission: manage,
    icon: <StopOutlined />,
    danger: true,
    predicate: ({ person }) => !person.disabled,
    perform: ({ access, person }) => access(person, true),
  },
  {
    name: "person.open",
    title: "organisation.enabled",
    permission: manage,
    icon: <UnlockOutlined />,
    predicate: ({ person }) => person.disabled,
    perform: ({ access, person }) => access(person, false),
  },
];

export interface FactorsContext {
  factors: SecondFactors;
  /** Asks for confirmation, then takes them all away. */
  reset: () => unknown;
}

export const factorActions: Action<FactorsContext>[] = [
  {
    name: "person.factors-reset",
    title: "organisation.factors-reset",
    permission: manage,
    danger: true,
    predicate: ({ factors }) => factors.totp || factors.passkeys > 0,
    perform: ({ reset }) => reset(),
  },
];

export const outsideActions: Action<{
  identity: OutsideIdentity;
  /** Asks for confirmation, then unlinks. */
  unlink: (identity: OutsideIdentity) => unknown;
}>[] = [
  {
    name: "person.identity-unlink",
    title: "account.outside-unlink",
    permission: manage,
    danger: true,
    predicate: () => true,
    perform: ({ identity, unlink }) => unlink(identity),
  },
];
