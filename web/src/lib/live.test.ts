/** The stream comes back by itself, says so, and a burst of events is one refresh. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Live, throttle } from "./live.ts";

class Source extends EventTarget {
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  close = vi.fn();
  send(name: string, data: string) {
    this.dispatchEvent(new MessageEvent(name, { data }));
  }
}

describe("live", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("hears events, survives a broken line, and reconnects with growing waits", () => {
    const sources: Source[] = [];
    const live = new Live(() => {
      const made = new Source();
      sources.push(made);
      return made as unknown as EventSource;
    });
    const heard: string[][] = [];
    const back = vi.fn();
    live.on("entity", ({ ids }) => heard.push(ids));
    live.onBack(back);
    live.start();
    live.start();
    expect(sources).toHaveLength(1);
    expect(live.state).toBe("connecting");
    sources[0]?.onopen?.();
    expect(live.state).toBe("live");
    sources[0]?.send("entity", '{"ids":["a"],"position":1}');
    sources[0]?.send("entity", '{"ids":["b"');
    expect(heard).toEqual([["a"]]);
    expect(back).not.toHaveBeenCalled();

    sources[0]?.onerror?.();
    expect(live.state).toBe("broken");
    expect(sources[0]?.close).toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    sources[1]?.onerror?.();
    vi.advanceTimersByTime(1_999);
    expect(sources).toHaveLength(2);
    vi.advanceTimersByTime(1);
    sources[2]?.onopen?.();
    expect(live.state).toBe("live");
    expect(back).toHaveBeenCalledOnce();

    sources[2]?.send("lost", "{}");
    expect(back).toHaveBeenCalledTimes(2);
    live.stop();
    expect(live.state).toBe("off");
    vi.advanceTimersByTime(60_000);
    expect(sources).toHaveLength(3);
  });

  it("runs at once, then once for a burst, and never loses the last", () => {
    const work = vi.fn();
    const call = throttle(500, work);
    call();
    expect(work).toHaveBeenCalledTimes(1);
    for (let i = 0; i < 100; i += 1) call();
    expect(work).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(500);
    expect(work).toHaveBeenCalledTimes(2);
    call();
    call.cancel();
    vi.advanceTimersByTime(5_000);
    expect(work).toHaveBeenCalledTimes(2);
  });
});
