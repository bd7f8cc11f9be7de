/** Keeps drafts and steps in the browser's database, per person; in memory where there is none (private windows). */
import { workDatabase } from "../../lib/kept.ts";
import type { CaseActionName } from "../../lib/types.ts";
import { uuid } from "../../lib/uuid.ts";
import type { Draft, Enclosure, OutboxStore, Step } from "./outbox.ts";

const DRAFTS = "drafts";
const STEPS = "steps";
/** What version 1 kept: one parcel for each case. */
const PARCELS = "parcels";
const VERSION = 2;

export class MemoryStore implements OutboxStore {
  readonly #drafts = new Map<number, Draft>();
  readonly #steps = new Map<string, Step>();
  async drafts() {
    return [...this.#drafts.values()];
  }
  async steps() {
    return [...this.#steps.values()];
  }
  async step(requestId: string) {
    return this.#steps.get(requestId);
  }
  async putDraft(draft: Draft) {
    this.#drafts.set(draft.caseId, { ...draft, enclosures: draft.enclosures.map((e) => ({ ...e })) });
  }
  async removeDraft(caseId: number) {
    this.#drafts.delete(caseId);
  }
  async putStep(step: Step) {
    this.#steps.set(step.requestId, { ...step, enclosures: step.enclosures.map((e) => ({ ...e })) });
  }
  async removeStep(requestId: string) {
    this.#steps.delete(requestId);
  }
}

/** A parcel of version 1. */
export interface Parcel {
  caseId: number;
  note: string;
  photos: { name: string; blob: Blob; takenAt?: string; sentAs?: number }[];
  action: CaseActionName | null;
  requestId?: string;
  attempts: number;
  refusal: string | null;
}

/** What version 1 kept, as it is kept now: nothing that was entered is lost by an update. */
export function fromParcel(parcel: Parcel, order: number, now: string): Draft | Step {
  const enclosures = parcel.photos.map((photo): Enclosure => ({ ...photo, kind: "photo" }));
  const draft = { caseId: parcel.caseId, note: parcel.note, enclosures };
  // One that was refused goes back to be mended: why is not known in this form any more.
  if (!parcel.action || parcel.refusal) return draft;
  return {
    ...draft,
    number: "",
    title: "",
    requestId: parcel.requestId ?? uuid(),
    action: parcel.action,
    doneAt: now,
    order,
    attempts: parcel.attempts,
    waited: true,
    answer: null,
  };
}

function wait<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

class DatabaseStore implements OutboxStore {
  constructor(private readonly database: IDBDatabase) {
    // Whoever signs out in another page of this browser takes the database away.
    database.onversionchange = () => database.close();
  }
  async #read<T>(name: string, ask: (table: IDBObjectStore) => IDBRequest): Promise<T> {
    return wait(ask(this.database.transaction(name, "readonly").objectStore(name))) as Promise<T>;
  }
  /** Returns when it is on the disk: by default a browser says so earlier, and a dead battery would take it away. */
  #write(name: string, change: (table: IDBObjectStore) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction(name, "readwrite", { durability: "strict" });
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
      change(transaction.objectStore(name));
    });
  }
  drafts() {
    return this.#read<Draft[]>(DRAFTS, (table) => table.getAll());
  }
  steps() {
    return this.#read<Step[]>(STEPS, (table) => table.getAll());
  }
  step(requestId: string) {
    return this.#read<Step | undefined>(STEPS, (table) => table.get(requestId));
  }
  putDraft(draft: Draft) {
    return this.#write(DRAFTS, (table) => table.put(draft));
  }
  removeDraft(caseId: number) {
    return this.#write(DRAFTS, (table) => table.delete(caseId));
  }
  putStep(step: Step) {
    return this.#write(STEPS, (table) => table.put(step));
  }
  removeStep(requestId: string) {
    return this.#write(STEPS, (table) => table.delete(requestId));
  }
}

function upgrade(request: IDBOpenDBRequest, from: number) {
  const database = request.result;
  const drafts = database.createObjectStore(DRAFTS, { keyPath: "caseId" });
  const steps = database.createObjectStore(STEPS, { keyPath: "requestId" });
  if (from === 0) return;
  const parcels = request.transaction?.objectStore(PARCELS).getAll();
  if (!parcels) return;
  parcels.onsuccess = () => {
    (parcels.result as Parcel[]).forEach((parcel, i) => {
      const kept = fromParcel(parcel, i + 1, new Date().toISOString());
      if ("requestId" in kept) steps.put(kept);
      else drafts.put(kept);
    });
    database.deleteObjectStore(PARCELS);
  };
}

/** One database for each person, so that two who share a phone do not send each other's work. */
export async function openStore(userId: number): Promise<OutboxStore> {
  try {
    const request = indexedDB.open(workDatabase(userId), VERSION);
    request.onupgradeneeded = (event) => upgrade(request, event.oldVersion);
    return new DatabaseStore(await wait(request));
  } catch {
    return new MemoryStore();
  }
}

/** How much of a person's work lies on this phone and was not sent: cases with a draft, and steps without an answer. */
export async function unsentCount(userId: number): Promise<number> {
  const store = await openStore(userId);
  const [drafts, steps] = await Promise.all([store.drafts(), store.steps()]);
  return drafts.length + steps.filter((step) => step.answer?.kind !== "done").length;
}
