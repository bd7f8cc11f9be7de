/** Nothing that a field worker entered is lost or sent twice, whatever the network does. */
import { describe, expect, it } from "vitest";
import { ApiError } from "../../lib/api.ts";
import type { Attachment, CaseActionInput, CaseDetail } from "../../lib/types.ts";
import { Outbox, type OutboxClock, type Photo, retryAfterMs, type Sender } from "./outbox.ts";
import { MemoryStore } from "./store.ts";

const photo = (name: string): Photo => ({ name, blob: new Blob(["x"]) });
const offline = () => new ApiError(0, "network", "offline");
const caseWith = (history: { action: string; note: string | null }[] = []) =>
  ({ id: 1, history }) as unknown as CaseDetail;

/** A clock that moves only when told to. */
class Clock implements OutboxClock {
  time = 0;
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
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
};

class Server implements Sender {
  attached: string[] = [];
  performed: CaseActionInput[] = [];
  failAttach: (() => Error | null)[] = [];
  failPerform: (() => Error | null)[] = [];
  current = caseWith();
  async attach(_: number, p: Photo): Promise<Attachment> {
    const failure = this.failAttach.shift()?.();
    if (failure) throw failure;
    this.attached.push(p.name);
    return { id: p.name.charCodeAt(0) } as Attachment;
  }
  async perform(_: number, input: CaseActionInput): Promise<CaseDetail> {
    const failure = this.failPerform.shift()?.();
    if (failure) throw failure;
    this.performed.push(input);
    return this.current;
  }
  async read(): Promise<CaseDetail> {
    return this.current;
  }
}

function setUp() {
  const server = new Server();
  const clock = new Clock();
  const store = new MemoryStore();
  const sent: CaseDetail[] = [];
  const outbox = new Outbox(store, server, (item) => sent.push(item), clock);
  return { server, clock, store, sent, outbox };
}

describe("outbox", () => {
  it("sends photos first, then the action with their ids, and forgets the parcel", async () => {
    const { server, outbox, store, sent } = setUp();
    await outbox.draft(1, "gate closed", [photo("a"), photo("b")]);
    await outbox.send(1, "finish");
    expect(server.performed).toEqual([
      {
        action: "finish",
        note: "gate closed",
        request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        attachment_ids: [97, 98],
      },
    ]);
    expect(sent).toHaveLength(1);
    expect(await store.all()).toEqual([]);
    expect(outbox.state(1)).toBeUndefined();
  });

  it("keeps the parcel without a network, says when it tries again, and never sends a photo twice", async () => {
    const { server, outbox, store, clock } = setUp();
    server.failAttach = [() => null, offline];
    await outbox.draft(1, "done", [photo("a"), photo("b")]);
    await outbox.send(1, "finish");
    expect(outbox.state(1)).toEqual({ kind: "waiting", attempts: 1, nextAt: retryAfterMs(1) });
    expect(await store.all()).toHaveLength(1);
    await clock.advance(retryAfterMs(1));
    expect(server.attached).toEqual(["a", "b"]);
    expect(server.performed).toHaveLength(1);
    expect(await store.all()).toEqual([]);
  });

  it("goes on after the page was closed", async () => {
    const { server, outbox, store, clock } = setUp();
    server.failPerform = [offline];
    await outbox.draft(1, "done", [photo("a")]);
    await outbox.send(1, "finish");
    const again = new Outbox(store, server, () => {}, clock);
    await again.load();
    await settle();
    expect(server.performed).toHaveLength(1);
    expect(server.attached).toEqual(["a"]);
  });

  it("gives every attempt of a request the same name, and the next request another", async () => {
    const { server, outbox, clock } = setUp();
    const names: (string | null | undefined)[] = [];
    const perform = server.perform.bind(server);
    server.perform = (id, input) => {
      names.push(input.request_id);
      return perform(id, input);
    };
    server.failPerform = [offline];
    await outbox.draft(1, "done", []);
    await outbox.send(1, "finish");
    await clock.advance(retryAfterMs(1));
    await outbox.draft(1, "more", []);
    await outbox.send(1, "comment");
    expect(names).toHaveLength(3);
    expect(names[0]).toBe(names[1]);
    expect(names[2]).not.toBe(names[0]);
  });

  it("takes a lost answer for what it was: done", async () => {
    const { server, outbox, clock, sent } = setUp();
    server.failPerform = [
      () => {
        server.current = caseWith([{ action: "finish", note: "done" }]);
        return offline();
      },
      () => new ApiError(409, "case-state", "the case is handled already"),
    ];
    await outbox.draft(1, "done", []);
    await outbox.send(1, "finish");
    await clock.advance(retryAfterMs(1));
    expect(sent).toHaveLength(1);
    expect(outbox.state(1)).toBeUndefined();
  });

  it("shows a refusal, keeps what was entered, and lets it be mended", async () => {
    const { server, outbox, store } = setUp();
    server.failPerform = [() => new ApiError(422, "note-short", "say more", null, "write a sentence")];
    await outbox.draft(1, "ok", []);
    await outbox.send(1, "finish");
    expect(outbox.state(1)).toEqual({ kind: "refused", reason: "say more write a sentence" });
    expect((await store.all())[0]?.note).toBe("ok");
    await outbox.reopen(1);
    await outbox.draft(1, "gate closed, level falls", []);
    await outbox.send(1, "finish");
    expect(server.performed.map((p) => p.note)).toEqual(["gate closed, level falls"]);
  });

  it("waits longer each time, but never longer than a minute", () => {
    expect([1, 2, 3, 4, 5, 6, 20].map(retryAfterMs)).toEqual([2e3, 4e3, 8e3, 16e3, 32e3, 6e4, 6e4]);
  });
});
