/** What a person can say to another system that wants to sign them in. */
import type { Action } from "../../lib/actions.tsx";

export interface AnswerContext {
  answer: (approve: boolean) => Promise<void>;
}

export const answerActions: Action<AnswerContext>[] = [
  {
    name: "oidc.deny",
    title: "oidc.deny",
    permission: null,
    predicate: () => true,
    perform: ({ answer }) => answer(false),
  },
  {
    name: "oidc.approve",
    title: "oidc.approve",
    permission: null,
    primary: true,
    predicate: () => true,
    perform: ({ answer }) => answer(true),
  },
];
