/** The wall shows the city's figures as links, and says loudly when they are not of now. The map needs WebGL, which is not here. */
import { act, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { serve, show, userWith } from "../../test-tools.tsx";

vi.mock("../map/use-map-view.ts", () => ({
  useMapView: () => ({ container: { current: null }, view: null, broken: true }),
  useBaseLayers: () => {},
  useEntities: () => {},
}));

const sources: Stream[] = [];
class Stream extends EventTarget {
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  constructor() {
    super();
    sources.push(this);
  }
  close() {}
}

const NOW = new Date("2026-11-26T00:00:10Z");
const overview = {
  at: "2026-11-26T00:00:00Z",
  heard_within_seconds: 900,
  flow: { total: 1_200, heard: 1_150, others: 0, silent: 7, newest_at: "2026-11-26T00:00:00Z" },
  alerts: { critical: 1, major: 0, minor: 2, info: 0, unacknowledged: 3 },
  alerts_truncated: false,
  cases: { open: 9, overdue: 4, states: [{ state: "handling", open: 9, overdue: 4 }] },
  targets: { met: 3, on_path: 1, behind: 2, unknown: 4 },
  notices: 0,
  systems: [],
};
const answers = (expires_at: string) => ({
  "GET /api/v1/city": { name_zh: "天门市", name_en: "Tianmen", bbox: [0, 0, 1, 1], demo: true },
  "GET /api/v1/overview": overview,
  "GET /api/v1/alerts": { items: [], next: null },
  "GET /api/v1/types": { items: [] },
  "GET /api/v1/map/entities": { types: [], ids: [], type: [], lon: [], lat: [], name: [], severity: [] },
  "GET /api/v1/account": { sessions: [{ is_this: true, expires_at }] },
});
const user = userWith(["entity.read", "alert.read", "case.read", "indicator.read"]);

async function open(expires_at: string) {
  serve(answers(expires_at));
  const { Page } = await import("./page.tsx");
  show(<Page />, { user });
  await screen.findByText("1,150");
}

describe("the wall screen", () => {
  beforeEach(() => {
    vi.stubGlobal("EventSource", Stream);
    vi.useFakeTimers({ now: NOW, shouldAdvanceTime: true });
  });
  afterEach(() => {
    sources.length = 0;
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("shows figures whose rows can be opened", async () => {
    await open("2026-11-26T08:00:00Z");
    const cases = screen.getByRole("region", { name: "Cases" });
    expect(within(cases).getByText("overdue").previousSibling?.textContent).toBe("4");
    expect(within(cases).getByRole("link", { name: "Cases" }).getAttribute("href")).toBe("/cases");
    expect(screen.getByRole("link", { name: "The plan's targets" }).getAttribute("href")).toBe("/plan");
    expect(await screen.findByText("Signed in until 2026-11-26 16:00:00 UTC+8")).toBeTruthy();
  });

  it("says for how long the connection is lost, greys what is shown, and takes both back", async () => {
    await open("2026-11-26T08:00:00Z");
    act(() => sources.at(-1)?.onopen?.());
    await act(() => vi.advanceTimersByTimeAsync(1_000));
    const wall = screen.getByRole("main");
    expect(wall.dataset.stale).toBe("false");
    act(() => sources.at(-1)?.onerror?.());
    await act(() => vi.advanceTimersByTimeAsync(12_000));
    expect(screen.getByText(/Connection lost for 1[1-3] s/)).toBeTruthy();
    expect(wall.dataset.stale).toBe("true");
    act(() => sources.at(-1)?.onopen?.());
    await act(() => vi.advanceTimersByTimeAsync(1_000));
    expect(wall.dataset.stale).toBe("false");
    expect(screen.queryByText(/Connection lost/)).toBeNull();
  });

  it("is loud before its sign-in ends", async () => {
    await open("2026-11-26T00:20:30Z");
    expect(await screen.findByText("The sign-in ends in 20 min")).toBeTruthy();
  });
});
