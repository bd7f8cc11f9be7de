/** What can be done with a bulletin: have it as it stands now, print it, take it along. */
import { FilePdfOutlined, FileWordOutlined, PrinterOutlined, ReloadOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { Language } from "../../lib/format.ts";
import { bulletinPath } from "./queries.ts";

export interface BulletinContext {
  /** The bulletin that is shown. */
  id: string;
  /** The reader's: the bulletin is in it. */
  language: Language;
  /** Whether its text is there. */
  isRead: boolean;
  refresh: () => unknown;
  print: () => void;
  download: (path: string) => void;
}

export const bulletinActions: Action<BulletinContext>[] = [
  {
    name: "bulletin.refresh",
    title: "bulletin.refresh",
    permission: "entity.read",
    icon: <ReloadOutlined />,
    shortcut: "r",
    predicate: () => true,
    perform: ({ refresh }) => refresh(),
  },
  {
    name: "bulletin.print",
    title: "bulletin.print",
    permission: "entity.read",
    icon: <PrinterOutlined />,
    shortcut: "p",
    predicate: ({ isRead }) => isRead,
    perform: ({ print }) => print(),
  },
  {
    name: "bulletin.pdf",
    title: "bulletin.pdf",
    permission: "entity.read",
    icon: <FilePdfOutlined />,
    predicate: ({ isRead }) => isRead,
    perform: ({ id, language, download }) => download(bulletinPath(id, "pdf", language)),
  },
  {
    name: "bulletin.docx",
    title: "bulletin.docx",
    permission: "entity.read",
    icon: <FileWordOutlined />,
    predicate: ({ isRead }) => isRead,
    perform: ({ id, language, download }) => download(bulletinPath(id, "docx", language)),
  },
];
