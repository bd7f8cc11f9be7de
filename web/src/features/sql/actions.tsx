/** What can be done on the SQL page. */
import {
  CaretRightOutlined,
  DeleteOutlined,
  DownloadOutlined,
  ImportOutlined,
  StopOutlined,
  UploadOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { SqlResult, TableInfo } from "../../lib/types.ts";
import { download, toCsv } from "./csv.ts";

export interface SqlContext {
  text: string;
  running: boolean;
  result: SqlResult | null;
  run: () => void;
  stop: () => void;
  importFile: () => void;
  intakeFile: () => void;
}

export const sqlActions: Action<SqlContext>[] = [
  {
    name: "sql.run",
    title: "sql.run",
    permission: "sql.query",
    icon: <CaretRightOutlined />,
    primary: true,
    shortcut: "mod+enter",
    predicate: ({ text, running }) => !running && text.trim() !== "",
    perform: ({ run }) => run(),
  },
  {
    name: "sql.stop",
    title: "sql.stop",
    permission: "sql.query",
    icon: <StopOutlined />,
    danger: true,
    predicate: ({ running }) => running,
    perform: ({ stop }) => stop(),
  },
  {
    name: "sql.csv",
    title: "sql.csv",
    permission: "sql.query",
    icon: <DownloadOutlined />,
    predicate: ({ result, running }) => !running && result !== null && result.rows.length > 0,
    perform: ({ result }) => {
      if (result) download("jingling.csv", "text/csv;charset=utf-8", toCsv(result));
    },
  },
  {
    name: "sql.import",
    title: "sql.import",
    permission: "table.import",
    icon: <UploadOutlined />,
    predicate: ({ running }) => !running,
    perform: ({ importFile }) => importFile(),
  },
  {
    name: "sql.intake",
    title: "intake.open",
    permission: "data.enter",
    icon: <ImportOutlined />,
    predicate: ({ running }) => !running,
    perform: ({ intakeFile }) => intakeFile(),
  },
];

export interface TableContext {
  table: TableInfo;
  /** Asks for confirmation, then removes. */
  remove: (table: TableInfo) => void;
}

/** What can be done with one table. */
export const tableActions: Action<TableContext>[] = [
  {
    name: "table.remove",
    title: "table.remove",
    permission: "table.remove",
    icon: <DeleteOutlined />,
    danger: true,
    // The platform's own are not anybody's to remove.
    predicate: ({ table }) => table.imported !== null,
    perform: ({ table, remove }) => remove(table),
  },
];
