/** The chart of an entity: what is forecast stands beside what was measured, in the picture, in words and as a table. */
import { fireEvent, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Entity, EntityForecast } from "../../lib/types.ts";
import { drawNothing, serve, show, userWith } from "../../test-tools.tsx";
import { HistoryChart } from "./chart.tsx";

const ID = "urn:ngsi-ld:WaterObserved:1";
const OF = `/api/v1/entities/${encodeURIComponent(ID)}`;
const MINUTE = 60_000;
const iso = (minutes: number) => new Date(Date.now() + minutes * MINUTE).toISOString();
/** As pages write it, today or on another day. */
const clock = (moment: string) =>
  new RegExp(`${new Date(Date.parse(moment) + 8 * 3_600_000).toISOString().slice(11, 16)}`);

const state = (value: unknown) => ({
  value,
  unit: "MTR",
  observed_at: iso(-5),
  quality: "good" as const,
  position: 3,
  masked: false,
});
const entity: Entity = {
  id: ID,
  type: "WaterObserved",
  name: "天门站",
  location: null,
  modified_at: iso(-5),
  attributes: { waterLevel: state(29), warningLevel: state(29.3), guaranteeLevel: state(30) },
};
const history = {
  attribute: "waterLevel",
  unit: "MTR",
  truncated: false,
  points: [-30, -15, -5].map((minutes) => ({
    observed_at: iso(minutes),
    received_at: iso(minutes),
    value: 29,
    quality: "good",
    position: 40 + minutes,
  })),
};
const [soon, later, last] = [iso(60), iso(180), iso(360)];
const forecast: EntityForecast = {
  forecast_id: "urn:ngsi-ld:WaterLevelForecast:1",
  forecast_type: "WaterLevelForecast",
  attribute: "waterLevel",
  unit: "MTR",
  unit_symbol: "m",
  issued_at: iso(-10),
  method: "water.corresponding-stage",
  version: "2",
  run: "run-17",
  certainty: 0.9,
  is_out_of_range: false,
  quality: "good",
  position: 77,
  points: [
    { at: soon, value: 29.1, lower: 28.8, upper: 29.4 },
    { at: later, value: 29.35, lower: 28.9, upper: 29.8 },
    { at: last, value: 29.5, lower: 28.9, upper: 29.9 },
  ],
};
const reader = userWith(["entity.read", "run.read"]);
const answers = { [`GET ${OF}/history`]: history, "GET /api/v1/corrections": { items: [], next: null } };

function open(forecasts: unknown, more: Record<string, unknown> = {}, user = reader) {
  const calls = serve({ ...answers, [`GET ${OF}/forecasts`]: forecasts, ...more });
  const positions: number[] = [];
  show(
    <HistoryChart
      entity={entity}
      kind={undefined}
      onReading={() => {}}
      onMessage={(position) => positions.push(position)}
    />,
    { user },
  );
  return { calls, positions };
}
const levels = () =>
  screen.getAllByTestId("forecast-levels").flatMap((list) => within(list).getAllByRole("listitem"));

describe("a forecast on an entity's chart", () => {
  beforeEach(drawNothing);
  afterEach(() => vi.unstubAllGlobals());

  it("says by whom, how sure and by which run it was made, and leads to its message", async () => {
    const { positions } = open([forecast]);
    const source = await screen.findByTestId("forecast-source");
    expect(source.textContent).toContain("water.corresponding-stage v2");
    expect(source.textContent).toContain("the interval is to hold 90 % of outcomes");
    expect(within(source).getByRole("link", { name: "run 17" }).getAttribute("href")).toBe("/runs/17");
    fireEvent.click(within(source).getByRole("button", { name: /Stored message/ }));
    expect(positions).toEqual([77]);
    expect(screen.getByRole("img", { name: /figures are in the table below/ })).toBeTruthy();
    expect(screen.getByText("Interval (90 % sure)")).toBeTruthy();
  });

  it("says when the forecast and its upper end reach each level", async () => {
    open([forecast]);
    await screen.findByTestId("forecast");
    const [warning, guarantee] = levels();
    expect(warning?.textContent).toMatch(
      /^warningLevel 29.3 m: forecast to be reached at .*, by the upper end at/,
    );
    expect(warning?.textContent).toMatch(clock(later));
    expect(warning?.textContent).toMatch(clock(soon));
    expect(guarantee?.textContent).toBe(
      "guaranteeLevel 30 m: reached neither by the forecast nor by its upper end",
    );
  });

  it("has no upper end to speak of without an interval", async () => {
    const points = forecast.points.map((point) => ({ ...point, lower: null, upper: null }));
    open([{ ...forecast, points, certainty: null }]);
    await screen.findByTestId("forecast");
    const [warning, guarantee] = levels();
    expect(warning?.textContent).not.toContain("upper");
    expect(guarantee?.textContent).toBe("guaranteeLevel 30 m: not reached by the forecast");
    expect(screen.getByTestId("forecast-source").textContent).toContain("no certainty is stated");
    expect(screen.queryByText("Interval")).toBeNull();
    expect(screen.queryByRole("columnheader", { name: "Upper end" })).toBeNull();
  });

  it("is a table for who cannot see the picture", async () => {
    open([forecast]);
    const table = await screen.findByRole("table", { hidden: true });
    const cells = within(table)
      .getAllByRole("row", { hidden: true })
      .map((row) => [...row.children].slice(1).map((cell) => cell.textContent));
    expect(cells).toEqual([
      ["Forecast (m)", "Lower end", "Upper end"],
      ["29.1", "28.8", "29.4"],
      ["29.35", "28.9", "29.8"],
      ["29.5", "28.9", "29.9"],
    ]);
  });

  it("shows earlier issues when they are asked for", async () => {
    const before = { ...forecast, issued_at: iso(-25), position: 70 };
    const { calls } = open((call: { path: string }) =>
      call.path.includes("issued=24") ? [forecast, before] : [forecast],
    );
    fireEvent.click(await screen.findByRole("switch", { name: "Show earlier issues" }));
    expect(await screen.findByText("1 earlier issues")).toBeTruthy();
    expect(screen.getByText("Earlier issues")).toBeTruthy();
    const asked = calls.filter((call) => call.path.includes("/forecasts")).map((call) => call.path);
    expect(asked[0]).toContain("attribute=waterLevel&issued=1");
    expect(asked.at(-1)).toContain("issued=24");
  });

  it("that is over, doubtful or of another unit says so", async () => {
    const over = forecast.points.map((point, n) => ({ ...point, at: iso(-60 + n) }));
    open([{ ...forecast, points: over, is_out_of_range: true }]);
    expect(await screen.findByText(/there is no newer one/)).toBeTruthy();
    expect(screen.getByText(/out of the credible range/)).toBeTruthy();
    expect(screen.queryByTestId("forecast-levels")).toBeNull();
  });

  it("in another unit than the curve is told, not drawn", async () => {
    open([{ ...forecast, unit: "CMT", unit_symbol: "cm" }]);
    expect(await screen.findByText(/unit \(cm\) is not that of the curve/)).toBeTruthy();
    expect(screen.getByRole("img", { name: "waterLevel" })).toBeTruthy();
    expect(screen.queryByTestId("forecast-levels")).toBeNull();
  });

  it("names its run without a link to who may not read runs", async () => {
    open([forecast], {}, userWith(["entity.read"]));
    const source = await screen.findByTestId("forecast-source");
    expect(source.textContent).toContain("run run-17");
    expect(within(source).queryByRole("link", { name: /run 17/ })).toBeNull();
  });

  it("leaves the chart as it was where nothing is forecast", async () => {
    open([]);
    expect(await screen.findByRole("img", { name: "waterLevel" })).toBeTruthy();
    expect(screen.queryByTestId("forecast")).toBeNull();
  });

  it("that cannot be read does not take the chart with it", async () => {
    const refused = { code: "busy", detail: "the lake is busy", mend: "try again" };
    open(() => Response.json(refused, { status: 503 }));
    expect(await screen.findByText(/The forecast could not be loaded: the lake is busy/)).toBeTruthy();
    expect(screen.getByRole("img", { name: "waterLevel" })).toBeTruthy();
  });

  it("is drawn where nothing was measured in the period", async () => {
    open([forecast], { [`GET ${OF}/history`]: { ...history, points: [] } });
    expect(await screen.findByTestId("forecast")).toBeTruthy();
    expect(screen.getByRole("img", { name: /figures are in the table below/ })).toBeTruthy();
    expect(screen.queryByText("No data in this period")).toBeNull();
  });
});
