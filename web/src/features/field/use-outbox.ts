/** The signed-in person's outbox, for the pages. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore } from "react";
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
      attach: (caseId, enclosure) => attach(caseId, enclosure.blob, enclosure.name, enclosure),
      perform: performOnCase,
      read: readCase,
    },
    (item) => keepCase(queryClient, item),
  );
  window.addEventListener("online", () => outbox.retryNow());
  await outbox.load();
  return outbox;
}

/** Null until what an earlier visit left behind has been read. */
export function useOutbox(userId: number): Outbox | null {
  const queryClient = useQueryClient();
  const [outbox, setOutbox] = useState<Outbox | null>(null);
  useEffect(() => {
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
