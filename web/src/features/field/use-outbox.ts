/** The signed-in person's outbox, for the pages. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore } from "react";
import { whenLeaving, workDatabase } from "../../lib/kept.ts";
import { live } from "../../lib/live.ts";
import { sessionQuery } from "../../lib/session.ts";
import { attach, keepCase, performOnCase, readCase } from "../cases/queries.ts";
import { Outbox } from "./outbox.ts";
import { openStore } from "./store.ts";

const outboxes = new Map<number, Promise<Outbox>>();

function outboxOf(userId: number, queryClient: QueryClient): Promise<Outbox> {
  let outbox = outboxes.get(userId);
  if (!outbox) {
    outbox = makeOutbox(userId, queryClient);
    outboxes.set(userId, outbox);
  }
  return outbox;
}

async function makeOutbox(userId: number, queryClient: QueryClient): Promise<Outbox> {
  const outbox = new Outbox(
    await openStore(userId),
    {
      alone: async (caseId, work) =>
        navigator.locks ? navigator.locks.request(`${workDatabase(userId)}/${caseId}`, work) : work(),
      attach: (caseId, enclosure) => attach(caseId, enclosure.blob, enclosure.name, enclosure, userId),
      perform: (caseId, input) => performOnCase(caseId, input, userId),
      read: readCase,
    },
    (item) => keepCase(queryClient, item),
  );
  // Nothing is sent in another person's name, and nothing in vain once the session is over.
  const follow = () => {
    if (queryClient.getQueryData(sessionQuery.queryKey)?.id === userId) outbox.release();
    else outbox.hold();
  };
  follow();
  const unfollow = queryClient.getQueryCache().subscribe(({ query, type }) => {
    if (query.queryKey[0] === sessionQuery.queryKey[0] && type === "updated") follow();
  });
  const retry = () => outbox.retryNow();
  window.addEventListener("online", retry);
  const unlisten = live.onBack(retry);
  const stay = whenLeaving(async (leaver) => {
    if (leaver !== userId) return;
    unfollow();
    unlisten();
    stay();
    window.removeEventListener("online", retry);
    outboxes.delete(userId);
    outbox.forget();
  });
  await outbox.load();
  return outbox;
}

/** Null until what an earlier visit left behind has been read, and while nobody is signed in. */
export function useOutbox(userId: number | null): Outbox | null {
  const queryClient = useQueryClient();
  const [outbox, setOutbox] = useState<Outbox | null>(null);
  useEffect(() => {
    if (userId === null) return setOutbox(null);
    let gone = false;
    void outboxOf(userId, queryClient).then((made) => {
      if (!gone) setOutbox(made);
    });
    return () => {
      gone = true;
    };
  }, [userId, queryClient]);
  useSyncExternalStore(outbox?.watch ?? noWatch, () => outbox?.version ?? 0);
  return outbox;
}

const noWatch = () => () => {};

function subscribeOnline(listener: () => void): () => void {
  window.addEventListener("online", listener);
  window.addEventListener("offline", listener);
  return () => {
    window.removeEventListener("online", listener);
    window.removeEventListener("offline", listener);
  };
}

/** Whether the phone believes that it has a network. */
export function useOnline(): boolean {
  return useSyncExternalStore(subscribeOnline, () => navigator.onLine);
}
