/** What can be done with declared runs and with one run. */
import { CaretRightOutlined, CheckOutlined, DownloadOutlined, SyncOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { RunDefinition, RunDetail } from "../../lib/types.ts";
import { filePath } from "./queries.ts";

export interface DefinitionContext {
  definition: RunDefinition;
  /** Asks for confirmation, then runs. */
  start: (definition: RunDefinition) => void;
}

export const definitionActions: Action<DefinitionContext>[] = [
  {
    name: "run.start",
    title: "run.start",
    permission: "run.start",
    icon: <CaretRightOutlined />,
    predicate: () => true,
    perform: ({ definition, start }) => start(definition),
  },
];

export interface RunContext {
  run: RunDetail;
  /** Reckons it again and shows what came of it. */
  repeat: (run: RunDetail) => unknown;
  /** Asks for confirmation, then runs the declaration for the same target. */
  start: (run: RunDetail) => void;
  /** Shows what adopting it changes, then adopts it. */
  adopt: (run: RunDetail) => void;
}

/** Whether what the run was reckoned from is kept. */
const isKept = ({ program_version }: RunDetail) => program_version !== null;

export const runActions: Action<RunContext>[] = [
  {
    name: "run.repeat",
    title: "run.repeat",
    permission: "run.read",
    icon: <SyncOutlined />,
    primary: true,
    shortcut: "r",
    predicate: ({ run }) => isKept(run) && run.ended_at !== null,
    perform: ({ run, repeat }) => repeat(run),
  },
  {
    name: "run.start-again",
    title: "run.start",
    permission: "run.start",
    icon: <CaretRightOutlined />,
    shortcut: "n",
    predicate: ({ run }) => run.ended_at !== null,
    perform: ({ run, start }) => start(run),
  },
  {
    name: "run.adopt",
    title: "run.adopt",
    permission: "data.enter",
    icon: <CheckOutlined />,
    shortcut: "a",
    predicate: ({ run }) => run.is_adoptable,
    perform: ({ run, adopt }) => adopt(run),
  },
];

export interface FileContext {
  run: RunDetail;
  download: (path: string) => void;
}

/** The files by which the command line comes to the same. */
export const fileActions: Action<FileContext>[] = [
  {
    name: "run.input",
    title: "run.file-input",
    permission: "run.read",
    icon: <DownloadOutlined />,
    predicate: ({ run }) => run.input !== null,
    perform: ({ run, download }) => download(filePath(run.id, "input.csv")),
  },
  {
    name: "run.parameters",
    title: "run.file-parameters",
    permission: "run.read",
    icon: <DownloadOutlined />,
    predicate: ({ run }) => isKept(run),
    perform: ({ run, download }) => download(filePath(run.id, "parameters.json")),
  },
  {
    name: "run.output",
    title: "run.file-output",
    permission: "run.read",
    icon: <DownloadOutlined />,
    predicate: ({ run }) => run.output !== null && run.output.columns.length > 0,
    perform: ({ run, download }) => download(filePath(run.id, "output.csv")),
  },
];
