/** What a field worker does with a task. */
import {
  CheckCircleOutlined,
  EnvironmentOutlined,
  FolderOpenOutlined,
  ToolOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { CaseDetail } from "../../lib/types.ts";
import type { Outbox } from "./outbox.ts";

export interface TaskContext {
  item: CaseDetail;
  outbox: Outbox;
  navigate: (to: string) => unknown;
  /** What is entered now; null when something is missing, which the page then shows. */
  entered: () => boolean;
}

export const taskActions: Action<TaskContext>[] = [
  {
    name: "task.take",
    title: "field.take",
    permission: "case.handle",
    icon: <ToolOutlined />,
    primary: true,
    predicate: ({ item, outbox }) => item.actions.includes("take") && !outbox.parcel(item.id)?.action,
    perform: ({ item, outbox }) => outbox.send(item.id, "take"),
  },
  {
    name: "task.finish",
    title: "field.finish",
    permission: "case.handle",
    icon: <CheckCircleOutlined />,
    primary: true,
    predicate: ({ item, outbox }) => item.actions.includes("finish") && !outbox.parcel(item.id)?.action,
    perform: ({ item, outbox, entered }) => (entered() ? outbox.send(item.id, "finish") : undefined),
  },
  {
    name: "task.navigate",
    title: "field.navigate",
    permission: "entity.read",
    icon: <EnvironmentOutlined />,
    predicate: ({ item }) => item.entity_id !== null && item.location !== null,
    perform: ({ item, navigate }) => navigate(`/map?entity=${encodeURIComponent(item.entity_id ?? "")}`),
  },
  {
    name: "task.open",
    title: "field.open",
    permission: "case.read",
    icon: <FolderOpenOutlined />,
    predicate: () => true,
    perform: ({ item, navigate }) => navigate(`/cases/${item.id}`),
  },
];
