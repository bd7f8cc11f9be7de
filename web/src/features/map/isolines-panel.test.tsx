/** The map's page: lines of equal value are read only while they are shown, told with what they are of, and hidden again. The map needs WebGL, which is not here. */
import { act, fireEvent, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PackView, Quality } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import type { Isolines } from "./isolines.ts";

const view = {
  moving: false,
  setIsolines: vi.fn<(isolines: Isolines | null) => void>(),
  setHiddenTypes: () => {},
  select: () => {},
};
vi.mock("./use-map-view.ts", () => ({
  useMapView: () => ({ container: { current: null }, view, broken: false }),
  useBaseLayers: () => {},
  useEntities: () => {},
}));

const NOW = Date.parse("2026-07-01T04:00:00Z");
const level = (value: number, title_zh: string, title_en: string) => ({
  value,
  title_zh,
  title_en,
  colour: "#3dba3d",
});
const rain: PackView = {
  id: "rain-map",
  title_zh: "日雨量图",
  title_en: "Rain of the day",
  entity_type: "WaterObserved",
  order: 50,
  layer: {
    icon: "rain",
    colour: "#1677ff",
    attribute: null,
    zoom_min: 0,
    shown: false,
    isolines: {
      attribute: "precipitationDay",
      method: "inverse_distance",
      power: 2,
      levels: [level(10, "中雨", "Moderate rain"), level(25, "大雨", "Heavy rain")],
      minutes_max: 120,
      radius_km_max: 25,
      stations_min: 3,
      source: "GB/T 28592-2012",
    },
  },
  table: null,
  chart: null,
  form: null,
  board: null,
};
const kind = {
  name: "WaterObserved",
  title_zh: "水情站",
  title_en: "River station",
  source: null,
  open: true,
  data_subject: null,
  heard_within_seconds: 900,
  count: 4,
  view: null,
  views: [rain],
  attributes: {
    precipitationDay: {
      value: "number",
      title_zh: "日降水量",
      title_en: "Rain of the day",
      unit: "MMT",
      unit_missing: "assume",
      min: 0,
      max: 1800,
      personal: null,
      words: [],
    },
  },
};
const station = (n: number, value: number, minutes = 10, quality: Quality = "good") => ({
  id: `urn:ngsi-ld:WaterObserved:${n}`,
  type: "WaterObserved",
  name: `站 ${n}`,
  location: [113 + 0.05 * (n % 3), 30.6 + 0.05 * Math.floor(n / 3)],
  modified_at: new Date(NOW).toISOString(),
  attributes: {
    precipitationDay: {
      value,
      unit: "MMT",
      observed_at: new Date(NOW - minutes * 60_000).toISOString(),
      quality,
      position: n,
      masked: false,
    },
  },
});
let stations = [] as ReturnType<typeof station>[];
let broken = false;

function open(language: "zh" | "en" = "en") {
  const calls = serve({
    "GET /api/v1/city": {
      name_zh: "天门市",
      name_en: "Tianmen",
      bbox: [112.6, 30.3, 113.5, 30.9],
      demo: false,
    },
    "GET /api/v1/types": { items: [kind] },
    "GET /api/v1/map/entities": { types: [], ids: [], type: [], lon: [], lat: [], name: [], severity: [] },
    "GET /api/v1/entities": () =>
      broken ? new Response("{}", { status: 500 }) : { items: stations, next: null },
  });
  return import("./page.tsx").then(({ Page }) => {
    show(<Page />, { user: userWith(["entity.read"]), language });
    return calls;
  });
}
const asked = (calls: { path: string }[]) => calls.filter(({ path }) => path.startsWith("/api/v1/entities?"));
const drawn = () => view.setIsolines.mock.lastCall?.[0] ?? null;

describe("lines of equal value on the map's page", () => {
  beforeEach(() => {
    localStorage.removeItem("jingling.map.isolines");
    vi.useFakeTimers({ now: NOW, shouldAdvanceTime: true });
    view.setIsolines.mockClear();
    broken = false;
    stations = [
      station(0, 2),
      station(1, 40),
      station(2, 12, 90),
      station(3, 0, 30),
      station(4, 99, 121),
      station(5, 99, 5, "uncertain"),
    ];
  });
  afterEach(() => {
    localStorage.removeItem("jingling.map.isolines");
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("asks for nothing while they are off; on, draws them and says of what", async () => {
    const calls = await open();
    const box = await screen.findByRole("checkbox", { name: "Rain of the day" });
    expect(asked(calls)).toHaveLength(0);
    expect(drawn()).toBeNull();
    fireEvent.click(box);
    const section = screen.getByRole("region", { name: "Lines of equal value" });
    expect(await within(section).findByText("Of 4 stations, observed 10:30 to 11:50 (UTC+8)")).toBeTruthy();
    expect(
      within(section).getByText(
        "Left out: 1 with a value older than 120 min, 1 with a doubtful or incredible value",
      ),
    ).toBeTruthy();
    const levels = within(section).getByRole("list", { name: "Levels" });
    expect(
      within(levels)
        .getAllByRole("listitem")
        .map((item) => item.textContent),
    ).toEqual(["10 – 25Moderate rain", "≥ 25Heavy rain"]);
    expect(within(section).getByText(/^In mm\. .*power 2.*25 km.*GB\/T 28592-2012/)).toBeTruthy();
    expect(asked(calls).map(({ path }) => path)).toEqual([
      "/api/v1/entities?type=WaterObserved&attributes=precipitationDay&limit=1000",
    ]);
    expect(drawn()?.lines.map(({ text, pieces }) => [text, pieces.length > 0])).toEqual([
      ["10", true],
      ["25", true],
    ]);
    fireEvent.click(box);
    expect(drawn()).toBeNull();
    expect(within(section).queryByRole("list", { name: "Levels" })).toBeNull();
    expect(localStorage.getItem("jingling.map.isolines")).toBe("");
  });

  it("says why there are none with too few stations, and where none reaches the lowest level", async () => {
    stations = [station(0, 30), station(1, 40), station(2, 50, 121)];
    localStorage.setItem("jingling.map.isolines", "rain-map");
    await open("zh");
    expect(
      await screen.findByText("只有 2 个站有 120 分钟以内的可用值，不足 3 个，不画等值线。"),
    ).toBeTruthy();
    expect(drawn()).toBeNull();
    stations = [station(0, 1), station(1, 2), station(2, 3)];
    // Read anew every minute, for values become too old by themselves.
    await act(() => vi.advanceTimersByTimeAsync(61_000));
    expect(await screen.findByText("各站的值都低于 10 mm。")).toBeTruthy();
  });

  it("draws anew only when a value changed", async () => {
    localStorage.setItem("jingling.map.isolines", "rain-map");
    await open();
    await screen.findByText(/Of 4 stations/);
    const first = drawn();
    expect(first).not.toBeNull();
    stations = stations.map((each, n) => (n === 0 ? station(0, 2, 1) : each));
    await act(() => vi.advanceTimersByTimeAsync(61_000));
    await screen.findByText(/observed 10:30 to 11:59/);
    expect(drawn()).toBe(first);
    stations = stations.map((each, n) => (n === 0 ? station(0, 20, 1) : each));
    await act(() => vi.advanceTimersByTimeAsync(61_000));
    await vi.waitFor(() => expect(drawn()).not.toBe(first));
  });

  it("says that the stations could not be read, and keeps what it has", async () => {
    localStorage.setItem("jingling.map.isolines", "rain-map");
    await open();
    await screen.findByText(/Of 4 stations/);
    const first = drawn();
    broken = true;
    await act(() => vi.advanceTimersByTimeAsync(61_000));
    expect(await screen.findByText("The stations' values could not be read.")).toBeTruthy();
    expect(screen.getByText(/Of 4 stations/)).toBeTruthy();
    expect(drawn()).toBe(first);
    broken = false;
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await vi.waitFor(() => expect(screen.queryByText("The stations' values could not be read.")).toBeNull());
  });

  it("is switched by its key too", async () => {
    await open();
    await screen.findByRole("checkbox", { name: "Rain of the day" });
    fireEvent.keyDown(document.body, { key: "i" });
    expect(await screen.findByText(/Of 4 stations/)).toBeTruthy();
    fireEvent.keyDown(document.body, { key: "i" });
    await vi.waitFor(() => expect(screen.queryByText(/Of 4 stations/)).toBeNull());
  });
});
