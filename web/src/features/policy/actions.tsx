/** What can be done with policies: the city's own are tried and changed; why somebody may is asked. */
import {
  CheckCircleOutlined,
  DeleteOutlined,
  PlusOutlined,
  QuestionCircleOutlined,
  RollbackOutlined,
  SafetyOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";

export interface CityContext {
  /** Whether the texts are others than those that hold. */
  changed: boolean;
  /** Whether one is open. */
  opened: boolean;
  check: () => unknown;
  apply: () => unknown;
  add: () => unknown;
  remove: () => unknown;
  discard: () => unknown;
}

/** A draft harms nothing: who may read policies may try one. Only letting it hold needs more. */
export const cityActions: Action<CityContext>[] = [
  {
    name: "policy.apply",
    title: "policy.apply",
    permission: "policy.manage",
    icon: <SafetyOutlined />,
    primary: true,
    predicate: ({ changed }) => changed,
    perform: ({ apply }) => apply(),
  },
  {
    name: "policy.check",
    title: "policy.check",
    permission: "policy.read",
    icon: <CheckCircleOutlined />,
    shortcut: "mod+enter",
    predicate: () => true,
    perform: ({ check }) => check(),
  },
  {
    name: "policy.add",
    title: "policy.add",
    permission: "policy.read",
    icon: <PlusOutlined />,
    shortcut: "n",
    predicate: () => true,
    perform: ({ add }) => add(),
  },
  {
    name: "policy.remove",
    title: "policy.remove",
    permission: "policy.read",
    icon: <DeleteOutlined />,
    predicate: ({ opened }) => opened,
    perform: ({ remove }) => remove(),
  },
  {
    name: "policy.discard",
    title: "policy.discard",
    permission: "policy.read",
    icon: <RollbackOutlined />,
    predicate: ({ changed }) => changed,
    perform: ({ discard }) => discard(),
  },
];

export interface WhyContext {
  ask: () => unknown;
}

export const whyActions: Action<WhyContext>[] = [
  {
    name: "policy.ask",
    title: "policy.ask",
    permission: "policy.read",
    icon: <QuestionCircleOutlined />,
    primary: true,
    predicate: () => true,
    perform: ({ ask }) => ask(),
  },
];
