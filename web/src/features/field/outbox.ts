/**
 * The field worker's outbox: what was entered is kept on the phone until the server has answered and the worker has
 * seen the answer, through lost networks and closed pages. Pure but for what it is given: storage, sender, clock.
 */
import { ApiError, type Said } from "../../lib/api.ts";
import type { Attachment, CaseActionInput, CaseActionName, CaseDetail } from "../../lib/types.ts";
import { uuid } from "../../lib/uuid.ts";

/** First and longest wait between two attempts, milliseconds. */
const RETRY_FIRST_MS = 2_000;
const RETRY_MAX_MS = 60_000;
/** Under which number that is kept which is to become a case: none has it. */
export const NEW_CASE = 0;
/** The action that adds words and files to a case and moves nothing. */
const REMARK: CaseActionName = "comment";
/** The server's word for a step that it had done before its answer was lost, of a case that has gone to others since. */
const DONE_BEFORE = "request-done";
/** Its word when somebody else is signed in on this phone: the step waits for its own person. */
const OTHER_PERSON = "other-person";

/** Where the phone was. */
export interface Spot {
  lon: number;
  lat: number;
  /** Radius in which it is with 95 %, metres. */
  accuracy: number;
}

/** Whose signature it is. */
export interface Signed {
  signer: string;
  capacity: string;
  typed: boolean;
}

/** A photo, voice note or signature that goes with a step. */
export interface Enclosure {
  kind: "photo" | "voice" | "signature";
  name: string;
  blob: Blob;
  /** When it was made by this phone's clock, RFC 3339. */
  takenAt?: string;
  /** Where; missing when the phone would not say. */
  spot?: Spot;
  /** How long a voice note is, milliseconds. */
  durationMs?: number;
  signed?: Signed;
  /** The server's id, once it has the file, so that a retry does not send it again. */
  sentAs?: number;
}

/** What is being entered for a case and was not handed over yet. */
export interface Draft {
  caseId: number;
  note: string;
  enclosures: Enclosure[];
}

/** How a case stood when a step was answered. */
export interface CaseNow {
  number: string;
  state: string;
  closedAt: string | null;
  organisation: { zh: string; en: string } | null;
  assignee: string | null;
  /** The last step before the answer: who did what, when. */
  last: { actor: string; action: string; at: string } | null;
  /** Whether what was entered may still be added as a remark. */
  takesRemarks: boolean;
}

/** What became of a step. */
export interface Answer {
  kind: "done" | "refused";
  /** When the answer came, RFC 3339. */
  at: string;
  /** Why it was refused, in the server's words; null when it was done. */
  code: string | null;
  said: Said | null;
  chinese: Said | null;
  /** How the case stands now; null when this person may not see it any more. */
  now: CaseNow | null;
}

/** A case as far as its steps must name it, also when it is in no list any more. */
export interface Named {
  id: number;
  number: string;
  title: string;
}

/** A step that was handed over. */
export interface Step {
  /** The name of the request, the same in every attempt: however often it arrives, it is done once. */
  requestId: string;
  caseId: number;
  number: string;
  title: string;
  action: CaseActionName;
  note: string;
  enclosures: Enclosure[];
  /** When it was handed over by this phone's clock, RFC 3339; steps of a case go in this order. */
  doneAt: string;
  /** Counts up, for steps of one moment. */
  order: number;
  attempts: number;
  /** Whether it had to wait, so that its answer must be shown even when all is well. */
  waited: boolean;
  answer: Answer | null;
}

export interface OutboxStore {
  drafts(): Promise<Draft[]>;
  steps(): Promise<Step[]>;
  /** One step as it is kept now; another page of this browser may have gone on with it. */
  step(requestId: string): Promise<Step | undefined>;
  putDraft(draft: Draft): Promise<void>;
  removeDraft(caseId: number): Promise<void>;
  putStep(step: Step): Promise<void>;
  removeStep(requestId: string): Promise<void>;
}

export interface Sender {
  /** Runs the work while no other page of this browser sends anything of this case. */
  alone(caseId: number, work: () => Promise<boolean>): Promise<boolean>;
  attach(caseId: number, enclosure: Enclosure): Promise<Attachment>;
  perform(caseId: number, input: CaseActionInput): Promise<CaseDetail>;
  /** The case as the server has it. */
  read(caseId: number): Promise<CaseDetail>;
}

export type StepState =
  | { kind: "sending" }
  | { kind: "queued" }
  | { kind: "held" }
  | { kind: "waiting"; attempts: number; nextAt: number }
  | { kind: "answered"; answer: Answer };

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

function nowOf(item: CaseDetail): CaseNow {
  const last = item.history.at(-1);
  return {
    number: item.number,
    state: item.state,
    closedAt: item.closed_at,
    organisation: item.organisation && { zh: item.organisation.name_zh, en: item.organisation.name_en },
    assignee: item.assignee?.name ?? null,
    last: last ? { actor: last.actor, action: last.action, at: last.at } : null,
    takesRemarks: item.actions.includes(REMARK),
  };
}

export class Outbox {
  #drafts = new Map<number, Draft>();
  #steps = new Map<string, Step>();
  #order = 0;
  /** Cases of which a step is under way. */
  readonly #busy = new Set<number>();
  readonly #waits = new Map<number, { attempts: number; nextAt: number; stop: () => void }>();
  readonly #listeners = new Set<() => void>();
  /** Whether nothing is sent for now: its person is not the one who is signed in. */
  #isHeld = false;
  /** Changes whenever something changed, for who watches. */
  version = 0;

  constructor(
    private readonly store: OutboxStore,
    private readonly sender: Sender,
    private readonly onSent: (item: CaseDetail) => void,
    private readonly clock: OutboxClock = realClock,
  ) {}

  /** Takes up what an earlier visit left behind. */
  async load() {
    for (const draft of await this.store.drafts())
      if (!this.#drafts.has(draft.caseId)) this.#drafts.set(draft.caseId, draft);
    for (const step of await this.store.steps()) {
      if (this.#steps.has(step.requestId)) continue;
      // Nobody saw it go: its answer will be shown.
      if (!step.answer) step.waited = true;
      this.#steps.set(step.requestId, step);
      this.#order = Math.max(this.#order, step.order);
    }
    for (const caseId of this.waitingCases()) void this.#deliver(caseId);
    this.#tell();
  }

  watch = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  draftOf(caseId: number): Draft | undefined {
    return this.#drafts.get(caseId);
  }

  /** The steps of a case, or of all, in the order in which they were handed over. */
  steps(caseId?: number): Step[] {
    return [...this.#steps.values()]
      .filter((step) => caseId === undefined || step.caseId === caseId)
      .sort((a, b) => a.order - b.order);
  }

  /** The last step of a case that has no answer yet: what the phone takes the case to be after. */
  pending(caseId: number): Step | undefined {
    return this.steps(caseId).findLast((step) => !step.answer);
  }

  /** The cases that have steps to be sent. */
  waitingCases(): number[] {
    return [
      ...new Set(
        this.steps()
          .filter((step) => !step.answer)
          .map((step) => step.caseId),
      ),
    ];
  }

  state(step: Step): StepState {
    if (step.answer) return { kind: "answered", answer: step.answer };
    const first = this.steps(step.caseId).find((other) => !other.answer);
    if (first !== step) return { kind: "queued" };
    if (this.#isHeld) return { kind: "held" };
    const wait = this.#waits.get(step.caseId);
    return wait ? { kind: "waiting", attempts: wait.attempts, nextAt: wait.nextAt } : { kind: "sending" };
  }

  /** Keeps what is being entered. */
  async draft(caseId: number, note: string, enclosures: Enclosure[]) {
    if (note === "" && enclosures.length === 0) {
      this.#drafts.delete(caseId);
      this.#tell();
      return this.store.removeDraft(caseId);
    }
    const draft: Draft = { caseId, note, enclosures };
    this.#drafts.set(caseId, draft);
    this.#tell();
    await this.store.putDraft(draft);
  }

  /** Hands over what was entered: stored first, then sent until the server has answered. */
  async send(of: Named, action: CaseActionName) {
    const draft = this.#drafts.get(of.id);
    const doneAt = new Date(this.clock.now()).toISOString();
    await this.#hand(of, action, { note: draft?.note ?? "", enclosures: draft?.enclosures ?? [], doneAt });
    this.#drafts.delete(of.id);
    await this.store.removeDraft(of.id);
    this.#tell();
    await this.#deliver(of.id);
  }

  async #hand(of: Named, action: CaseActionName, entered: Pick<Step, "note" | "enclosures" | "doneAt">) {
    const step: Step = {
      requestId: uuid(),
      caseId: of.id,
      number: of.number,
      title: of.title,
      action,
      ...entered,
      order: ++this.#order,
      attempts: 0,
      // One that stands behind another waits for it.
      waited: this.pending(of.id) !== undefined,
      answer: null,
    };
    // On the phone's disk before anything is let go of.
    await this.store.putStep(step);
    this.#steps.set(step.requestId, step);
  }

  /** Takes a refused step back into the draft, to be mended and sent again. */
  async takeBack(requestId: string) {
    const step = this.#steps.get(requestId);
    if (step?.answer?.kind !== "refused") return;
    const draft = this.#drafts.get(step.caseId);
    const note = [step.note, draft?.note].filter(Boolean).join("\n");
    await this.draft(step.caseId, note, [...step.enclosures, ...(draft?.enclosures ?? [])]);
    await this.seen(requestId);
  }

  /** Hands a refused step in as a remark, with all that was entered: the case has gone on without it. */
  async remark(requestId: string, note: string) {
    const step = this.#steps.get(requestId);
    if (step?.answer?.kind !== "refused") return;
    const { caseId: id, number, title, enclosures, doneAt } = step;
    await this.#hand({ id, number, title }, REMARK, { note, enclosures, doneAt });
    await this.seen(requestId);
    await this.#deliver(step.caseId);
  }

  /** The worker has seen the answer; the step need not be kept any more. */
  async seen(requestId: string) {
    if (!this.#steps.get(requestId)?.answer) return;
    this.#steps.delete(requestId);
    this.#tell();
    await this.store.removeStep(requestId);
  }

  /** Sends nothing until `release`: the session is over, or another person's. What waits goes on waiting. */
  hold() {
    if (this.#isHeld) return;
    this.#isHeld = true;
    for (const caseId of [...this.#waits.keys()]) this.#stopWait(caseId);
    this.#tell();
  }

  /** Its person is signed in again: everything that waits is tried. */
  release() {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    for (const caseId of this.waitingCases()) void this.#deliver(caseId);
    this.#tell();
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Lets go of everything: its person leaves this phone, and what is kept goes too. */
  forget() {
    this.hold();
    this.#drafts.clear();
    this.#steps.clear();
    this.#tell();
  }

  /** Tries everything that waits, now: the network is back, or the worker asks for it. */
  retryNow() {
    for (const caseId of [...this.#waits.keys()]) void this.#deliver(caseId);
  }

  /** Sends the steps of a case one after the other. A refused one has its answer, and the next is sent all the same. */
  async #deliver(caseId: number) {
    if (this.#busy.has(caseId) || this.#isHeld) return;
    this.#busy.add(caseId);
    try {
      for (;;) {
        const step = this.steps(caseId).find((other) => !other.answer);
        if (!step) return;
        this.#stopWait(caseId);
        this.#tell();
        const isAnswered = await this.sender.alone(caseId, async () => {
          if (this.#isHeld) return false;
          return (await this.#sentElsewhere(step)) || (await this.#try(step));
        });
        if (!isAnswered) return;
      }
    } finally {
      this.#busy.delete(caseId);
      this.#tell();
    }
  }

  /** Whether another page of this browser has sent the step to its end meanwhile; its files that went are noted. */
  async #sentElsewhere(step: Step): Promise<boolean> {
    const kept = await this.store.step(step.requestId);
    if (kept && !kept.answer) {
      step.enclosures.forEach((enclosure, i) => {
        enclosure.sentAs ??= kept.enclosures[i]?.sentAs;
      });
      return false;
    }
    if (kept) step.answer = kept.answer;
    else this.#steps.delete(step.requestId);
    return true;
  }

  /** One attempt; whether the step has its answer now. */
  async #try(step: Step): Promise<boolean> {
    try {
      const item = await this.#transmit(step);
      this.onSent(item);
      if (step.waited) await this.#answer(step, this.#answered("done", null, item));
      else {
        this.#steps.delete(step.requestId);
        await this.store.removeStep(step.requestId);
      }
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.code === DONE_BEFORE) {
        await this.#answer(step, this.#answered("done", null, null));
        return true;
      }
      const waits = error instanceof ApiError && (error.status === 401 || error.code === OTHER_PERSON);
      if (error instanceof ApiError && !error.passing && !waits) {
        const item = await this.#read(step.caseId);
        if (item) this.onSent(item);
        await this.#answer(step, this.#answered("refused", error, item));
        return true;
      }
      step.attempts += 1;
      step.waited = true;
      // Who is signed out tries again when they are back.
      if (this.#isHeld) {
        if (this.#steps.has(step.requestId)) await this.store.putStep(step);
        return false;
      }
      const wait = retryAfterMs(step.attempts);
      this.#waits.set(step.caseId, {
        attempts: step.attempts,
        nextAt: this.clock.now() + wait,
        stop: this.clock.after(wait, () => void this.#deliver(step.caseId)),
      });
      await this.store.putStep(step);
      return false;
    }
  }

  #answered(kind: Answer["kind"], error: ApiError | null, item: CaseDetail | null): Answer {
    return {
      kind,
      at: new Date(this.clock.now()).toISOString(),
      code: error?.code ?? null,
      said: error && { detail: error.detail, place: error.place, mend: error.mend },
      chinese: error?.chinese ?? null,
      now: item && nowOf(item),
    };
  }

  async #answer(step: Step, answer: Answer) {
    step.answer = answer;
    await this.store.putStep(step);
  }

  async #read(caseId: number): Promise<CaseDetail | null> {
    try {
      return await this.sender.read(caseId);
    } catch {
      return null;
    }
  }

  async #transmit(step: Step): Promise<CaseDetail> {
    for (const enclosure of step.enclosures) {
      if (enclosure.sentAs) continue;
      enclosure.sentAs = (await this.sender.attach(step.caseId, enclosure)).id;
      await this.store.putStep(step);
    }
    const attachment_ids = step.enclosures.flatMap((enclosure) => enclosure.sentAs ?? []);
    return this.sender.perform(step.caseId, {
      action: step.action,
      note: step.note.trim() || undefined,
      attachment_ids: attachment_ids.length > 0 ? attachment_ids : undefined,
      request_id: step.requestId,
      done_at: step.doneAt,
      clock: new Date(this.clock.now()).toISOString(),
    });
  }

  #stopWait(caseId: number) {
    this.#waits.get(caseId)?.stop();
    this.#waits.delete(caseId);
  }

  #tell() {
    this.version += 1;
    for (const listener of this.#listeners) listener();
  }
}
