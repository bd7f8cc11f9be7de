/** What can be done with an entity. */
import { EnvironmentOutlined, EyeOutlined, FolderAddOutlined, SafetyOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { Entity } from "../../lib/types.ts";

export interface EntityContext {
  entity: Entity;
  navigate: (to: string) => unknown;
  openCase: () => void;
  reveal: () => void;
}

export const entityActions: Action<EntityContext>[] = [
  {
    name: "entity.show-on-map",
    title: "map.show-on-map",
    permission: "entity.read",
    icon: <EnvironmentOutlined />,
    shortcut: "m",
    predicate: ({ entity }) => entity.location !== null,
    perform: ({ entity, navigate }) => navigate(`/map?entity=${encodeURIComponent(entity.id)}`),
  },
  {
    name: "entity.open-case",
    title: "entity.open-case",
    permission: "case.open",
    icon: <FolderAddOutlined />,
    shortcut: "c",
    predicate: () => true,
    perform: ({ openCase }) => openCase(),
  },
  {
    name: "entity.why",
    title: "policy.entity-why",
    permission: "policy.read",
    icon: <SafetyOutlined />,
    predicate: () => true,
    perform: ({ entity, navigate }) => navigate(`/policy?tab=why&entity=${encodeURIComponent(entity.id)}`),
  },
  {
    name: "entity.reveal",
    title: "personal.reveal",
    permission: "personal.reveal",
    icon: <EyeOutlined />,
    predicate: ({ entity }) => Object.values(entity.attributes).some((state) => state.masked),
    perform: ({ reveal }) => reveal(),
  },
];
