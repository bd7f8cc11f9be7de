/** What can be done with personal data. */
import { DownloadOutlined, EyeOutlined, SearchOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { SubjectData } from "../../lib/types.ts";

export interface PersonalContext {
  data: SubjectData | null;
  find: () => unknown;
  viewers: () => unknown;
  save: (data: SubjectData) => void;
}

export const personalActions: Action<PersonalContext>[] = [
  {
    name: "personal.find",
    title: "personal.find",
    permission: "personal.export",
    icon: <SearchOutlined />,
    primary: true,
    shortcut: "mod+enter",
    predicate: () => true,
    perform: ({ find }) => find(),
  },
  {
    name: "personal.viewers",
    title: "personal.viewers",
    permission: "personal.export",
    icon: <EyeOutlined />,
    predicate: () => true,
    perform: ({ viewers }) => viewers(),
  },
  {
    name: "personal.export",
    title: "personal.export",
    permission: "personal.export",
    icon: <DownloadOutlined />,
    predicate: ({ data }) => data !== null && data.entities.length > 0,
    perform: ({ data, save }) => data && save(data),
  },
];
