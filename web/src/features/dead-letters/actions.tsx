/** What can be done with a dead letter. */
import { FileSearchOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { DeadLetter } from "../../lib/types.ts";

export interface DeadLetterContext {
  letter: DeadLetter;
  open: (position: number) => void;
}

export const deadLetterActions: Action<DeadLetterContext>[] = [
  {
    name: "dead-letter.open",
    title: "dead.open",
    permission: "deadletter.read",
    icon: <FileSearchOutlined />,
    predicate: () => true,
    perform: ({ letter, open }) => open(letter.position),
  },
];
