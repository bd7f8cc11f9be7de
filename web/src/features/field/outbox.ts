/**
 * The field worker's outbox: what was entered is kept on the phone until the server has it, through lost
 * networks and closed pages. Pure but for what it is given: storage, sender, clock.
 */
import { ApiError } from "../../lib/api.ts";
import type { Attachment, CaseActionInput, CaseActionName, CaseDetail } from "../../lib/types.ts";
import { uuid } from "../../lib/uuid.ts";

/** First and longest wait between two attempts, milliseconds. */
const RETRY_FIRST_MS = 2_000;
const RETRY_MAX_MS = 60_000;

export interface Photo {
  name: string;
  blob: Blob;
  /** When it was taken by this phone's clock, RFC 3339. */
  takenAt?: string;
  /** The server's id, once it has the photo, so that a retry does not send it again. */
  sentAs?: number;
}

/** What a worker has entered for a case; a draft until it is handed over. */
export interface Parcel {
  caseId: number;
  note: string;
  photos: Photo[];
  /** Null while it is only a draft. */
  action: CaseActionName | null;
  /** The name of the request, the same in every attempt: however often it arrives, it is done once. */
  requestId?: string;
  attempts: number;
  /** Why the server refused it for good; null while it may still be accepted. */
  refusal: string | null;
}

export interface ParcelStore {
  all(): Promise<Parcel[]>;
  put(parcel: Parcel): Promise<void>;
  remove(caseId: number): Promise<void>;
}

export interface Sender {
  attach(caseId: number, photo: Photo): Promise<Attachment>;
  perform(caseId: number, input: CaseActionInput): Promise<CaseDetail>;
  /** The case as the server has it. */
  read(caseId: number): Promise<CaseDetail>;
}

export type ParcelState =
  | { kind: "draft" }
  | { kind: "sending" }
  | { kind: "waiting"; attempts: number; nextAt: number }
  | { kind: "refused"; reason: string };

export interface OutboxClock {
  now(): number;
  after(ms: number, work: () => void): () => void;
}

const realClock: OutboxClock = {
  now: () => Date.now(),
  after: (ms, work) => {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};

/** How long to wait after so many attempts, milliseconds. */
export function retryAfterMs(attempts: number): number {
  return Math.min(RETRY_FIRST_MS * 2 ** Math.max(0, attempts - 1), RETRY_MAX_MS);
}

export class Outbox {
  #parcels = new Map<number, Parcel>();
  #states = new Map<number, ParcelState>();
  readonly #timers = new Map<number, () => void>();
  readonly #listeners = new Set<() => void>();
  /** Changes whenever something changed, for who watches. */
  version = 0;

  constructor(
    private readonly store: ParcelStore,
    private readonly sender: Sender,
    private readonly onSent: (item: CaseDetail) => void,
    private readonly clock: OutboxClock = realClock,
  ) {}

  /** Takes up what an earlier visit left behind. */
  async load() {
    for (const parcel of await this.store.all()) {
      if (this.#parcels.has(parcel.caseId)) continue;
      this.#parcels.set(parcel.caseId, parcel);
      if (parcel.refusal) this.#states.set(parcel.caseId, { kind: "refused", reason: parcel.refusal });
      else if (parcel.action) void this.#deliver(parcel.caseId);
      else this.#states.set(parcel.caseId, { kind: "draft" });
    }
    this.#tell();
  }

  watch = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  parcel(caseId: number): Parcel | undefined {
    return this.#parcels.get(caseId);
  }

  state(caseId: number): ParcelState | undefined {
    return this.#states.get(caseId);
  }

  /** Keeps what is being entered. Ignored once it was handed over. */
  async draft(caseId: number, note: string, photos: Photo[]) {
    if (this.#parcels.get(caseId)?.action) return;
    if (note === "" && photos.length === 0) return this.discard(caseId);
    const parcel: Parcel = { caseId, note, photos, action: null, attempts: 0, refusal: null };
    this.#parcels.set(caseId, parcel);
    this.#states.set(caseId, { kind: "draft" });
    this.#tell();
    await this.store.put(parcel);
  }

  /** Hands over: stored first, then sent until the server has it. */
  async send(caseId: number, action: CaseActionName) {
    const before = this.#parcels.get(caseId);
    const parcel: Parcel = {
      caseId,
      note: before?.note ?? "",
      photos: before?.photos ?? [],
      action,
      requestId: uuid(),
      attempts: 0,
      refusal: null,
    };
    this.#parcels.set(caseId, parcel);
    await this.store.put(parcel);
    await this.#deliver(caseId);
  }

  /** Back to a draft that can be mended and sent again. */
  async reopen(caseId: number) {
    const parcel = this.#parcels.get(caseId);
    if (!parcel) return;
    this.#stopTimer(caseId);
    Object.assign(parcel, { action: null, refusal: null, attempts: 0 });
    this.#states.set(caseId, { kind: "draft" });
    this.#tell();
    await this.store.put(parcel);
  }

  async discard(caseId: number) {
    this.#stopTimer(caseId);
    this.#parcels.delete(caseId);
    this.#states.delete(caseId);
    this.#tell();
    await this.store.remove(caseId);
  }

  /** Tries everything that waits, now: the network is back, or the worker asks for it. */
  retryNow() {
    for (const [caseId, state] of this.#states) if (state.kind === "waiting") void this.#deliver(caseId);
  }

  async #deliver(caseId: number) {
    const parcel = this.#parcels.get(caseId);
    if (!parcel?.action || this.#states.get(caseId)?.kind === "sending") return;
    this.#stopTimer(caseId);
    this.#states.set(caseId, { kind: "sending" });
    this.#tell();
    try {
      this.onSent(await this.#transmit(parcel, parcel.action));
      await this.discard(caseId);
    } catch (error) {
      await this.#failed(parcel, error);
    }
  }

  async #transmit(parcel: Parcel, action: CaseActionName): Promise<CaseDetail> {
    for (const photo of parcel.photos) {
      if (photo.sentAs) continue;
      photo.sentAs = (await this.sender.attach(parcel.caseId, photo)).id;
      await this.store.put(parcel);
    }
    const attachment_ids = parcel.photos.flatMap((photo) => photo.sentAs ?? []);
    try {
      return await this.sender.perform(parcel.caseId, {
        action,
        note: parcel.note.trim() || undefined,
        attachment_ids: attachment_ids.length > 0 ? attachment_ids : undefined,
        request_id: parcel.requestId,
      });
    } catch (error) {
      // An answer may have been lost: when the case shows that this very action was done, it was.
      if (error instanceof ApiError && !error.passing && parcel.attempts > 0) {
        const item = await this.sender.read(parcel.caseId);
        const note = parcel.note.trim();
        if (item.history.some((step) => step.action === action && (step.note ?? "") === note)) return item;
      }
      throw error;
    }
  }

  async #failed(parcel: Parcel, error: unknown) {
    parcel.attempts += 1;
    if (error instanceof ApiError && !error.passing && error.status !== 401) {
      parcel.refusal = [error.detail, error.mend].filter(Boolean).join(" ");
      this.#states.set(parcel.caseId, { kind: "refused", reason: parcel.refusal });
    } else {
      const wait = retryAfterMs(parcel.attempts);
      this.#states.set(parcel.caseId, {
        kind: "waiting",
        attempts: parcel.attempts,
        nextAt: this.clock.now() + wait,
      });
      this.#timers.set(
        parcel.caseId,
        this.clock.after(wait, () => void this.#deliver(parcel.caseId)),
      );
    }
    this.#tell();
    await this.store.put(parcel);
  }

  #stopTimer(caseId: number) {
    this.#timers.get(caseId)?.();
    this.#timers.delete(caseId);
  }

  #tell() {
    this.version += 1;
    for (const listener of this.#listeners) listener();
  }
}
