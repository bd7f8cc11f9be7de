/** Keeps parcels in the browser's database, per person; in memory where there is none (private windows). */
import type { Parcel, ParcelStore } from "./outbox.ts";

const TABLE = "parcels";

export class MemoryStore implements ParcelStore {
  readonly #parcels = new Map<number, Parcel>();
  async all() {
    return [...this.#parcels.values()];
  }
  async put(parcel: Parcel) {
    this.#parcels.set(parcel.caseId, { ...parcel, photos: parcel.photos.map((p) => ({ ...p })) });
  }
  async remove(caseId: number) {
    this.#parcels.delete(caseId);
  }
}

function wait<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

class DatabaseStore implements ParcelStore {
  constructor(private readonly database: IDBDatabase) {}
  #table(mode: IDBTransactionMode) {
    return this.database.transaction(TABLE, mode).objectStore(TABLE);
  }
  async all() {
    return (await wait(this.#table("readonly").getAll())) as Parcel[];
  }
  async put(parcel: Parcel) {
    await wait(this.#table("readwrite").put(parcel));
  }
  async remove(caseId: number) {
    await wait(this.#table("readwrite").delete(caseId));
  }
}

/** One database for each person, so that two who share a phone do not send each other's work. */
export async function openStore(userId: number): Promise<ParcelStore> {
  try {
    const request = indexedDB.open(`jingling-field-${userId}`, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: "caseId" });
    return new DatabaseStore(await wait(request));
  } catch {
    return new MemoryStore();
  }
}
