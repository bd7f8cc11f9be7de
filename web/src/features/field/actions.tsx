/** What a field worker does with a task. */
import {
  CheckCircleOutlined,
  EnvironmentOutlined,
  FolderOpenOutlined,
  MessageOutlined,
  ToolOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { CaseActionName, CaseDetail } from "../../lib/types.ts";
import type { Allowed } from "./allowed.ts";
import type { Outbox } from "./outbox.ts";

export interface TaskContext {
  item: CaseDetail;
  outbox: Outbox;
  /** What may be done after what waits to be sent. */
  allowed: Allowed[];
  navigate: (to: string) => unknown;
  /** Whether what an action needs is entered; what is missing the page then shows. */
  entered: (action: CaseActionName) => boolean;
}

const may = ({ allowed }: TaskContext, action: CaseActionName) =>
  allowed.some((one) => one.action === action);
const send = ({ item, outbox, entered }: TaskContext, action: CaseActionName) =>
  entered(action) ? outbox.send(item, action) : undefined;

export const taskActions: Action<TaskContext>[] = [
  {
    name: "task.take",
    title: "field.take",
    permission: "case.handle",
    icon: <ToolOutlined />,
    primary: true,
    predicate: (context) => may(context, "take"),
    perform: (context) => send(context, "take"),
  },
  {
    name: "task.finish",
    title: "field.finish",
    permission: "case.handle",
    icon: <CheckCircleOutlined />,
    primary: true,
    predicate: (context) => may(context, "finish"),
    perform: (context) => send(context, "finish"),
  },
  {
    name: "task.remark",
    title: "field.tell",
    permission: "case.handle",
    icon: <MessageOutlined />,
    predicate: (context) => may(context, "finish") && may(context, "comment"),
    perform: (context) => send(context, "comment"),
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
