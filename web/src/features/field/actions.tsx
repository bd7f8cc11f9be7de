/** What a field worker does with a task, and with a problem that is none yet. */
import {
  CheckCircleOutlined,
  CloseOutlined,
  EnvironmentOutlined,
  FolderOpenOutlined,
  MessageOutlined,
  SendOutlined,
  ToolOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { CaseActionName, CaseDetail, CaseDraft } from "../../lib/types.ts";
import { openCase } from "../cases/queries.ts";
import type { Allowed } from "./allowed.ts";
import { type Enclosure, NEW_CASE, type Outbox } from "./outbox.ts";

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

/** What was entered of a problem, ready to be told. */
export interface Reported {
  draft: CaseDraft;
  /** What is said with the photos and voice notes. */
  remark: string;
  enclosures: Enclosure[];
}

export interface ReportContext {
  outbox: Outbox;
  /** Null while something is missing, which the page then shows. */
  entered: () => Reported | null;
  done: (made: CaseDetail) => void;
  leave: () => unknown;
}

export const reportActions: Action<ReportContext>[] = [
  {
    name: "report.send",
    title: "field.report-send",
    permission: "case.open",
    icon: <SendOutlined />,
    primary: true,
    predicate: () => true,
    perform: async ({ outbox, entered, done }) => {
      const reported = entered();
      if (!reported) return;
      const made = await openCase(reported.draft);
      // What goes with it is the case's now, and is sent as often as it takes.
      if (reported.enclosures.length > 0) await outbox.draft(made.id, reported.remark, reported.enclosures);
      await outbox.draft(NEW_CASE, "", []);
      done(made);
      if (reported.enclosures.length > 0) await outbox.send(made, "comment");
    },
  },
  {
    name: "report.leave",
    title: "field.report-leave",
    permission: null,
    icon: <CloseOutlined />,
    predicate: () => true,
    perform: ({ leave }) => leave(),
  },
];
