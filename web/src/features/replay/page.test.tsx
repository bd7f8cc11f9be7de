/** Replay says that it is one, plays, steps and jumps, reads on page by page, and tells what went wrong. */
import { act, fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Replay } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";

vi.mock("../map/use-map-view.ts", () => ({
  useMapView: () => ({ container: { current: null }, view: null, broken: true }),
  useBaseLayers: () => {},
}));

const FROM = "2026-11-26T00:00:00Z";
const UNTIL = "2026-11-26T01:00:00Z";
const none: Replay["changes"] = {
  types: [],
  attributes: [],
  at_ms: [],
  ids: [],
  type: [],
  attribute: [],
  value: [],
};
const page = (next: string | null, isFirst: boolean): Replay =>
  ({
    from: FROM,
    until: UNTIL,
    look_back_minutes: 120,
    state: isFirst
      ? { types: [], ids: [], type: [], lon: [], lat: [], name: [], values: [], truncated: false }
      : null,
    alerts: isFirst
      ? [
          {
            id: 5,
            entity_id: "a",
            entity_name: "一号站",
            severity: "major",
            title_zh: "水位高",
            title_en: "Stage high",
            raised_at: "2026-11-26T00:00:30Z",
            cleared_at: "2026-11-26T00:01:30Z",
          },
        ]
      : [],
    alerts_truncated: false,
    changes: none,
    next,
  }) as unknown as Replay;
const city = { name_zh: "天门市", name_en: "Tianmen", bbox: [0, 0, 1, 1] };
const path = `/replay?from=${FROM}&until=${UNTIL}`;
const user = userWith(["entity.read"]);

async function open(answer: unknown, language: "zh" | "en" = "en") {
  const calls = serve({
    "GET /api/v1/city": city,
    "GET /api/v1/types": { items: [] },
    "GET /api/v1/replay": answer,
  });
  const { Page } = await import("./page.tsx");
  show(<Page />, { user, path, language });
  return calls;
}
const at = () => screen.getByTestId("replay-at").textContent;
const key = (pressed: string) => fireEvent.keyDown(window, { key: pressed });

describe("the replay page", () => {
  beforeEach(() => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("is labelled as what it is, in Chinese", async () => {
    await open(page(null, true), "zh");
    expect(await screen.findByText("回放 2026-11-26 08:00–09:00 UTC+8 ×60")).toBeTruthy();
  });

  it("steps and goes to the next change by keys, with the alerts as they were", async () => {
    await open(page(null, true));
    await screen.findByTestId("replay-at");
    expect(at()).toBe("2026-11-26 08:00:00");
    expect(screen.getByText("No alert then")).toBeTruthy();
    key(".");
    expect(at()).toBe("2026-11-26 08:00:10");
    key(",");
    expect(at()).toBe("2026-11-26 08:00:00");
    fireEvent.change(screen.getByRole("slider"), { target: { value: "30000" } });
    expect(at()).toBe("2026-11-26 08:00:30");
    expect(screen.getByText("Stage high")).toBeTruthy();
  });

  it("plays at its speed until it is told to rest", async () => {
    await open(page(null, true));
    await screen.findByTestId("replay-at");
    key("k");
    await act(() => vi.advanceTimersByTimeAsync(3_000));
    expect(at()).not.toBe("2026-11-26 08:00:00");
    key("k");
    const rested = at();
    await act(() => vi.advanceTimersByTimeAsync(3_000));
    expect(at()).toBe(rested);
  });

  it("reads on page by page", async () => {
    let count = 0;
    const calls = await open(() => {
      count += 1;
      return page(count < 3 ? `cursor-${count}` : null, count === 1);
    });
    await screen.findByTestId("replay-at");
    await act(() => vi.advanceTimersByTimeAsync(200));
    const asked = calls.filter((call) => call.path.startsWith("/api/v1/replay")).map((call) => call.path);
    expect(asked).toHaveLength(3);
    expect(asked[0]).not.toContain("after");
    expect(asked[2]).toContain("after=cursor-2");
  });

  it("tells why there is nothing to play", async () => {
    const problem = { code: "replay-span", detail: "a replay is 360 minutes at most", status: 400 };
    await open(() => new Response(JSON.stringify(problem), { status: 400 }));
    expect(await screen.findByText(/360 minutes/)).toBeTruthy();
  });
});
