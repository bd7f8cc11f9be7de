/** What can be done with a case. The server says which of them this person may do now. */
import {
  CheckCircleOutlined,
  CommentOutlined,
  CopyOutlined,
  EyeOutlined,
  FieldTimeOutlined,
  FileAddOutlined,
  FileDoneOutlined,
  ForkOutlined,
  MergeOutlined,
  PauseCircleOutlined,
  PlayCircleOutlined,
  RedoOutlined,
  RollbackOutlined,
  SendOutlined,
  StopOutlined,
  ToolOutlined,
} from "@ant-design/icons";
import type { ReactNode } from "react";
import type { Action } from "../../lib/actions.tsx";
import type { CaseActionName, CaseDetail } from "../../lib/types.ts";
import { performOnCase } from "./queries.ts";

export interface CaseContext {
  item: CaseDetail;
  /** The case after a change. */
  changed: (item: CaseDetail, action: CaseActionName) => void;
  /** Asks for what the action needs: a note, an organisation, photographs. */
  ask: (action: CaseActionName) => void;
}

function step(
  name: CaseActionName,
  icon: ReactNode,
  shortcut: string | undefined,
  how: "at-once" | "ask",
  look: { primary?: boolean; danger?: boolean } = {},
): Action<CaseContext> {
  return {
    name: `case.${name}`,
    title: `case-action.${name}`,
    permission: null,
    icon,
    shortcut,
    ...look,
    predicate: ({ item }) => item.actions.includes(name),
    perform: async ({ item, changed, ask }) => {
      if (how === "ask") ask(name);
      else changed(await performOnCase(item.id, { action: name, version: item.version }), name);
    },
  };
}

export const caseActions: Action<CaseContext>[] = [
  step("file", <FileAddOutlined />, "f", "at-once", { primary: true }),
  step("take", <ToolOutlined />, "t", "at-once", { primary: true }),
  step("dispatch", <SendOutlined />, "d", "ask", { primary: true }),
  step("finish", <CheckCircleOutlined />, "e", "ask", { primary: true }),
  step("verify", <CheckCircleOutlined />, "v", "ask", { primary: true }),
  step("close", <FileDoneOutlined />, "x", "ask", { primary: true }),
  step("reject", <RollbackOutlined />, "r", "ask", { danger: true }),
  step("comment", <CommentOutlined />, "n", "ask"),
  step("return", <RollbackOutlined />, undefined, "ask"),
  step("ask-extension", <FieldTimeOutlined />, undefined, "ask"),
  step("grant-extension", <FieldTimeOutlined />, undefined, "at-once", { primary: true }),
  step("refuse-extension", <FieldTimeOutlined />, undefined, "ask", { danger: true }),
  step("supervise", <EyeOutlined />, "s", "ask"),
  step("answer", <CommentOutlined />, "a", "ask", { primary: true }),
  step("suspend", <PauseCircleOutlined />, undefined, "ask"),
  step("resume", <PlayCircleOutlined />, undefined, "at-once", { primary: true }),
  step("split", <ForkOutlined />, undefined, "ask"),
  step("gather", <MergeOutlined />, "g", "at-once", { primary: true }),
  step("duplicate", <CopyOutlined />, undefined, "ask"),
  step("reopen", <RedoOutlined />, undefined, "ask"),
  step("cancel", <StopOutlined />, undefined, "ask", { danger: true }),
];
