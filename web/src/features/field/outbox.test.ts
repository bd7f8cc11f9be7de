/** Nothing that a field worker entered is lost or sent twice, whatever the network does, and every step is answered. */
import { describe, expect, it } from "vitest";
import { ApiError } from "../../lib/api.ts";
import type { Attachment, CaseActionInput, CaseDetail } from "../../lib/types.ts";
import { type Enclosure, Outbox, type OutboxClock, retryAfterMs, type Sender } from "./outbox.ts";
import { fromParcel, MemoryStore } from "./store.ts";

const photo = (name: string): Enclosure => ({ kind: "photo", name, blob: new Blob(["x"]) });
const named = { id: 1, number: "TM-1", title: "cover missing" };
const offline = () => new ApiError(0, "network", "offline");
const WEEK_MS = 7 * 86_400_000;

function caseWith(changes: Partial<CaseDetail> = {}): CaseDetail {
  return {
    ...named,
    state: "handling",
    closed_at: null,
    organisation: { id: "water", name_zh: "水利局", name_en: "Water" },
    assignee: { id: 2, name: "Zhang" },
    actions: ["finish", "comment"],
    history: [],
    ...changes,
  } as unknown as CaseDetail;
}

/** A clock that moves only when told to. */
class Clock implements OutboxClock {
  time = Date.parse("2026-11-20T08:00:00Z");
  timers: { at: number; work: () => void }[] = [];
  now = () => this.time;
  after = (ms: number, work: () => void) => {
    const timer = { at: this.time + ms, work };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((t) => t !== timer);
    };
  };
  async advance(ms: number) {
    this.time += ms;
    const due = this.timers.filter((t) => t.at <= this.time);
    this.timers = this.timers.filter((t) => t.at > this.time);
    for (const timer of due) timer.work();
    await settle();
  }
}
const settle = async () => {
  for (let i = 0; i < 60; i += 1) await Promise.resolve();
};

/** Does each request once, however often it comes, as the real one does. */
class Server implements Sender {
  alone = (_: number, work: () => Promise<boolean>) => work();
  attached: string[] = [];
  performed: CaseActionInput[] = [];
  asked: CaseActionInput[] = [];
  failAttach: (() => Error | null)[] = [];
  failPerform: (() => Error | null)[] = [];
  /** Whether the answer of the next request is lost after it was done. */
  loseAnswers = 0;
  current: CaseDetail | null = caseWith();
  async attach(_: number, e: Enclosure): Promise<Attachment> {
    const failure = this.failAttach.shift()?.();
    if (failure) throw failure;
    this.attached.push(e.name);
    return { id: e.name.charCodeAt(0) } as Attachment;
  }
  async perform(_: number, input: CaseActionInput): Promise<CaseDetail> {
    this.asked.push(input);
    const failure = this.failPerform.shift()?.();
    if (failure) throw failure;
    if (!this.performed.some((done) => done.request_id === input.request_id)) this.performed.push(input);
    if (this.loseAnswers > 0) {
      this.loseAnswers -= 1;
      throw offline();
    }
    if (!this.current) throw new ApiError(404, "not-found", "no case");
    return this.current;
  }
  async read(): Promise<CaseDetail> {
    if (!this.current) throw new ApiError(404, "not-found", "no case");
    return this.current;
  }
}

function setUp() {
  const server = new Server();
  const clock = new Clock();
  const store = new MemoryStore();
  const sent: CaseDetail[] = [];
  const made = () => new Outbox(store, server, (item) => sent.push(item), clock);
  const outbox = made();
  return { server, clock, store, sent, outbox, made };
}

describe("outbox", () => {
  it("sends files first, then the action with their ids and its own time, and forgets it", async () => {
    const { server, outbox, store, sent, clock } = setUp();
    await outbox.draft(1, "gate closed", [photo("a"), photo("b")]);
    await outbox.send(named, "finish");
    const time = new Date(clock.time).toISOString();
    expect(server.performed).toEqual([
      {
        action: "finish",
        note: "gate closed",
        request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        attachment_ids: [97, 98],
        done_at: time,
        clock: time,
      },
    ]);
    expect(sent).toHaveLength(1);
    expect([await store.steps(), await store.drafts()]).toEqual([[], []]);
    expect(outbox.steps()).toEqual([]);
  });

  it("keeps a step without a network, says when it tries again, and never sends a file twice", async () => {
    const { server, outbox, store, clock } = setUp();
    server.failAttach = [() => null, offline];
    await outbox.draft(1, "done", [photo("a"), photo("b")]);
    await outbox.send(named, "finish");
    const [step] = outbox.steps(1);
    expect(step && outbox.state(step)).toEqual({
      kind: "waiting",
      attempts: 1,
      nextAt: clock.time + retryAfterMs(1),
    });
    expect(await store.steps()).toHaveLength(1);
    await clock.advance(retryAfterMs(1));
    expect(server.attached).toEqual(["a", "b"]);
    expect(server.performed).toHaveLength(1);
  });

  it("shows what became of a step that had to wait, until the worker has seen it", async () => {
    const { server, outbox, store, clock, made } = setUp();
    server.failPerform = [offline];
    await outbox.send(named, "take");
    await clock.advance(retryAfterMs(1));
    const [step] = outbox.steps();
    expect(step?.answer).toMatchObject({ kind: "done", now: { state: "handling", assignee: "Zhang" } });
    // Still there after the page was closed, and not sent again.
    const again = made();
    await again.load();
    await settle();
    expect(again.steps().map((s) => s.answer?.kind)).toEqual(["done"]);
    expect(server.asked).toHaveLength(2);
    await again.seen(step?.requestId ?? "");
    expect(await store.steps()).toEqual([]);
  });

  it("goes on after the page was closed", async () => {
    const { server, outbox, made } = setUp();
    server.failPerform = [offline];
    await outbox.draft(1, "done", [photo("a")]);
    await outbox.send(named, "finish");
    const again = made();
    await again.load();
    await settle();
    expect(server.performed).toHaveLength(1);
    expect(server.attached).toEqual(["a"]);
  });

  it("sends several steps of a case in their order, each once, whatever answers are lost", async () => {
    const { server, outbox, clock } = setUp();
    // Handing over the next one tries the first again at once.
    server.failPerform = [offline, offline];
    await outbox.send(named, "take");
    await outbox.draft(1, "done", [photo("a")]);
    await outbox.send(named, "finish");
    expect(outbox.steps().map((step) => outbox.state(step).kind)).toEqual(["waiting", "queued"]);
    expect(outbox.pending(1)?.action).toBe("finish");
    server.loseAnswers = 1;
    await clock.advance(retryAfterMs(1));
    await clock.advance(retryAfterMs(2));
    await clock.advance(retryAfterMs(3));
    expect(server.performed.map((done) => done.action)).toEqual(["take", "finish"]);
    expect(outbox.steps().map((step) => step.answer?.kind)).toEqual(["done", "done"]);
    const times = new Set(server.asked.map((asked) => asked.done_at));
    expect(times).toEqual(new Set(["2026-11-20T08:00:00.000Z"]));
  });

  it("gives every attempt of a request the same name, and the next request another", async () => {
    const { server, outbox, clock } = setUp();
    server.failPerform = [offline];
    await outbox.draft(1, "done", []);
    await outbox.send(named, "finish");
    await clock.advance(retryAfterMs(1));
    await outbox.draft(1, "more", []);
    await outbox.send(named, "comment");
    const names = server.asked.map((asked) => asked.request_id);
    expect(names).toHaveLength(3);
    expect(names[0]).toBe(names[1]);
    expect(names[2]).not.toBe(names[0]);
  });

  it("after a week tells what happened to a case that was closed, and hands the work in as a remark", async () => {
    const { server, outbox, store, clock, made } = setUp();
    server.failAttach = [offline];
    await outbox.draft(1, "filled the hole", [photo("a")]);
    await outbox.send(named, "finish");
    // The page is closed, and opened again a week later.
    clock.timers = [];
    clock.time += WEEK_MS;
    const closed = { actor: "Li", action: "close", at: "2026-11-24T01:00:00Z" };
    server.current = caseWith({
      state: "closed",
      closed_at: closed.at,
      actions: ["comment"],
      history: [closed] as unknown as CaseDetail["history"],
    });
    server.failPerform = [() => new ApiError(409, "case-state", "it is closed", null, "load it again")];
    const later = made();
    await later.load();
    await settle();
    const [step] = later.steps(1);
    expect(step?.answer).toEqual({
      kind: "refused",
      at: new Date(clock.time).toISOString(),
      code: "case-state",
      said: { detail: "it is closed", place: null, mend: "load it again" },
      chinese: null,
      now: {
        number: "TM-1",
        state: "closed",
        closedAt: closed.at,
        organisation: { zh: "水利局", en: "Water" },
        assignee: "Zhang",
        last: closed,
        takesRemarks: true,
      },
    });
    // It is kept, with its photo, and not tried again by itself.
    later.retryNow();
    await clock.advance(WEEK_MS);
    expect(server.asked).toHaveLength(1);
    expect((await store.steps())[0]?.enclosures.map((e) => e.name)).toEqual(["a"]);

    server.loseAnswers = 1;
    await later.remark(step?.requestId ?? "", "late: filled the hole");
    await clock.advance(retryAfterMs(1));
    expect(server.performed).toHaveLength(1);
    expect(server.performed[0]).toMatchObject({
      action: "comment",
      note: "late: filled the hole",
      attachment_ids: [97],
      done_at: "2026-11-20T08:00:00.000Z",
    });
    expect(server.attached, "the photo went once").toEqual(["a"]);
    expect(later.steps().map((s) => [s.action, s.answer?.kind])).toEqual([["comment", "done"]]);
  });

  it("keeps what was entered for a case that the worker may not see any more", async () => {
    const { server, outbox, store } = setUp();
    server.current = null;
    server.failAttach = [() => new ApiError(404, "not-found", "no case 1")];
    await outbox.draft(1, "done", [photo("a")]);
    await outbox.send(named, "finish");
    const [step] = await store.steps();
    expect(step).toMatchObject({ number: "TM-1", note: "done", answer: { kind: "refused", now: null } });
    expect(step?.enclosures).toHaveLength(1);
  });

  it("takes the word of the server that a step was done before the case went to others", async () => {
    const { server, outbox, clock } = setUp();
    server.failPerform = [offline, () => new ApiError(409, "request-done", "done before")];
    await outbox.send(named, "take");
    await clock.advance(retryAfterMs(1));
    expect(outbox.steps()[0]?.answer).toMatchObject({ kind: "done", now: null });
  });

  it("answers each step of a case that was given to somebody else", async () => {
    const { server, outbox, clock } = setUp();
    server.failPerform = [offline, offline];
    await outbox.send(named, "take");
    await outbox.draft(1, "done", []);
    await outbox.send(named, "finish");
    server.current = caseWith({ assignee: { id: 3, name: "Wang" }, actions: ["comment"] });
    server.failPerform = [
      () => new ApiError(403, "case-of-others", "given to somebody else"),
      () => new ApiError(409, "case-state", "not possible now"),
    ];
    await clock.advance(WEEK_MS);
    const answers = outbox.steps().map((step) => [step.answer?.code, step.answer?.now?.assignee]);
    expect(answers).toEqual([
      ["case-of-others", "Wang"],
      ["case-state", "Wang"],
    ]);
  });

  it("shows a refusal, keeps what was entered, and lets it be mended", async () => {
    const { server, outbox, store } = setUp();
    server.failPerform = [() => new ApiError(422, "note-short", "say more", null, "write a sentence")];
    await outbox.draft(1, "ok", [photo("a")]);
    await outbox.send(named, "finish");
    const [step] = outbox.steps(1);
    expect(step?.answer?.said).toEqual({ detail: "say more", place: null, mend: "write a sentence" });
    expect((await store.steps())[0]?.note).toBe("ok");
    // What is being entered meanwhile is not lost either.
    await outbox.draft(1, "and swept", []);
    await outbox.takeBack(step?.requestId ?? "");
    expect(outbox.draftOf(1)?.note).toBe("ok\nand swept");
    await outbox.draft(1, "gate closed, level falls", outbox.draftOf(1)?.enclosures ?? []);
    await outbox.send(named, "finish");
    expect(server.performed.map((p) => [p.note, p.attachment_ids])).toEqual([
      ["gate closed, level falls", [97]],
    ]);
    expect(server.attached).toEqual(["a"]);
  });

  it("waits for who signed out to sign in again", async () => {
    const { server, outbox, clock } = setUp();
    server.failPerform = [() => new ApiError(401, "signed-out", "sign in")];
    await outbox.send(named, "take");
    expect(outbox.steps()[0]?.answer).toBeNull();
    await clock.advance(retryAfterMs(1));
    expect(server.performed).toHaveLength(1);
  });

  it("sends nothing while its person is not the one who is signed in, and everything once they are back", async () => {
    const { server, outbox, store, clock } = setUp();
    outbox.hold();
    await outbox.draft(1, "done", [photo("a")]);
    await outbox.send(named, "finish");
    await clock.advance(WEEK_MS);
    expect([server.attached, server.asked]).toEqual([[], []]);
    const [step] = outbox.steps();
    expect(step && outbox.state(step).kind).toBe("held");
    expect(await store.steps()).toHaveLength(1);
    outbox.release();
    await settle();
    expect([server.attached, server.performed.length]).toEqual([["a"], 1]);
  });

  it("takes a step up again that the server refused because somebody else is signed in", async () => {
    const { server, outbox, clock } = setUp();
    server.failPerform = [() => new ApiError(409, "other-person", "somebody else is signed in")];
    await outbox.send(named, "take");
    expect(outbox.steps()[0]?.answer).toBeNull();
    await clock.advance(retryAfterMs(1));
    expect(server.performed).toHaveLength(1);
  });

  it("leaves to another page of the browser what that has sent", async () => {
    const { server, outbox, made } = setUp();
    server.failPerform = [offline, offline];
    await outbox.draft(1, "done", [photo("a")]);
    await outbox.send(named, "finish");
    // Both pages have the step; the second one sends it first.
    const other = made();
    await other.load();
    await settle();
    other.retryNow();
    await settle();
    expect(other.steps()[0]?.answer?.kind).toBe("done");
    outbox.retryNow();
    await settle();
    expect([server.attached, server.performed.length]).toEqual([["a"], 1]);
    expect(outbox.steps()[0]?.answer?.kind).toBe("done");
    await other.seen(other.steps()[0]?.requestId ?? "");
    expect(server.asked).toHaveLength(3);
  });

  it("lets go of everything when its person leaves", async () => {
    const { server, outbox, clock } = setUp();
    server.failPerform = [offline];
    await outbox.send(named, "take");
    outbox.forget();
    await clock.advance(WEEK_MS);
    expect(outbox.steps()).toEqual([]);
    expect(server.asked).toHaveLength(1);
  });

  it("waits longer each time, but never longer than a minute", () => {
    expect([1, 2, 3, 4, 5, 6, 20].map(retryAfterMs)).toEqual([2e3, 4e3, 8e3, 16e3, 32e3, 6e4, 6e4]);
  });

  it("takes over what an older version kept on the phone", () => {
    const parcel = {
      caseId: 4,
      note: "done",
      photos: [{ name: "a", blob: new Blob(["x"]), sentAs: 9 }],
      action: null,
      attempts: 0,
      refusal: null,
    };
    const now = "2026-11-27T00:00:00Z";
    const kept = [{ ...parcel.photos[0], kind: "photo" }];
    expect(fromParcel(parcel, 1, now)).toEqual({ caseId: 4, note: "done", enclosures: kept });
    const refused = { ...parcel, action: "finish" as const, refusal: "no" };
    expect(fromParcel(refused, 1, now)).not.toHaveProperty("requestId");
    const handed = { ...parcel, action: "finish" as const, requestId: "r-1", attempts: 3 };
    expect(fromParcel(handed, 2, now)).toMatchObject({
      requestId: "r-1",
      caseId: 4,
      action: "finish",
      enclosures: kept,
      order: 2,
      answer: null,
    });
  });
});
