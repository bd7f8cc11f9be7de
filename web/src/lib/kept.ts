/**
 * What this browser keeps of the signed-in person so that the field page opens without a network: who they are, and
 * their tasks as last read. One person at a time. It goes when they sign out, when another person signs in, and when it
 * is too old; the work that waits to be sent lies elsewhere (`features/field/store.ts`) and stays until it was sent.
 */
import type { QueryClient, QueryKey } from "@tanstack/react-query";
import type { User } from "./types.ts";

const DATABASE = "jingling-kept";
const TABLE = "kept";
const KEY = "one";
/** How long tasks may be shown that were not read again, where the server's own limit was never heard, hours. */
export const KEPT_HOURS_MAX = 72;
const HOUR_MS = 3_600_000;

export interface Kept {
  user: User;
  /** When the tasks were read last, milliseconds since 1970 by this device's clock. */
  at: number;
  /** How long they may be shown after that, hours. */
  hoursMax: number;
  /** Answers of the server: under which key, what, and when it was read. */
  entries: { key: QueryKey; data: unknown; at: number }[];
}

/** Whether it may still be shown. A clock that went back does not make it younger than new. */
export function isFresh(kept: Kept, now: number): boolean {
  return now - kept.at < kept.hoursMax * HOUR_MS && kept.at - now < HOUR_MS;
}

async function table<T>(
  mode: IDBTransactionMode,
  work: (table: IDBObjectStore) => IDBRequest<T>,
): Promise<T | null> {
  // No database: a private window, or none in this browser. Nothing is kept, and nothing else fails.
  if (!globalThis.indexedDB) return null;
  return new Promise((resolve) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
    opening.onerror = () => resolve(null);
    opening.onsuccess = () => {
      const database = opening.result;
      const end = (answer: T | null) => {
        database.close();
        resolve(answer);
      };
      try {
        const transaction = database.transaction(TABLE, mode);
        const request = work(transaction.objectStore(TABLE));
        transaction.oncomplete = () => end(request.result);
        transaction.onabort = () => end(null);
      } catch {
        end(null);
      }
    };
  });
}

/** What is kept and may still be shown; what is too old is let go of. */
export async function readKept(now = Date.now()): Promise<Kept | null> {
  const kept = ((await table("readonly", (t) => t.get(KEY))) ?? null) as Kept | null;
  if (!kept || isFresh(kept, now)) return kept;
  await forgetKept();
  return null;
}

export async function writeKept(kept: Kept): Promise<void> {
  await table("readwrite", (t) => t.put(kept, KEY));
}

export async function forgetKept(): Promise<void> {
  await table("readwrite", (t) => t.delete(KEY));
}

/**
 * Puts what is kept where the pages look for it, with its own age: each is read again as soon as there is a network. Should
 * the server say that somebody else is signed in, it is taken away again.
 */
export function giveBack(queryClient: QueryClient, kept: Kept, sessionKey: QueryKey) {
  for (const { key, data, at } of kept.entries) queryClient.setQueryData(key, data, { updatedAt: at });
  queryClient.setQueryData(sessionKey, kept.user, { updatedAt: kept.at });
  const stop = queryClient.getQueryCache().subscribe(({ query, type }) => {
    if (type !== "updated" || query.queryKey[0] !== sessionKey[0]) return;
    const user = query.state.data as User | null | undefined;
    if (!user || user.id === kept.user.id) return;
    stop();
    void forgetKept();
    void queryClient.resetQueries({ predicate: (other) => other.queryKey[0] !== sessionKey[0] });
  });
}

/** What else of a person lies in this browser; each is told when they leave for good. */
const leavers = new Set<(userId: number) => Promise<void>>();
export function whenLeaving(work: (userId: number) => Promise<void>): () => void {
  leavers.add(work);
  return () => leavers.delete(work);
}

/** The name of a person's database of work that waits to be sent. */
export const workDatabase = (userId: number) => `jingling-field-${userId}`;

function removeDatabase(name: string): Promise<void> {
  if (!globalThis.indexedDB) return Promise.resolve();
  return new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => resolve();
  });
}

/** Leaves nothing of a person in this browser: neither what was read nor what was entered. */
export async function forgetPerson(userId: number): Promise<void> {
  await Promise.all([...leavers].map((work) => work(userId)));
  await forgetKept();
  await removeDatabase(workDatabase(userId));
}

const OWED = "jingling.sign-out-owed";

/** Somebody signed out without a network: the session is to be ended as soon as the server can be reached. */
export function oweSignOut() {
  localStorage.setItem(OWED, "1");
}
export function isSignOutOwed(): boolean {
  try {
    return localStorage.getItem(OWED) !== null;
  } catch {
    return false;
  }
}
export function signOutSettled() {
  localStorage.removeItem(OWED);
}
