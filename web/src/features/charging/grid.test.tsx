/** Smart charging: each transformer with what its outlets were told and why, what is missing or too much, and why there is none. */
import { screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Grid } from "./grid.tsx";

const GRID = "GET /api/v1/charging/grid";
const user = userWith(["charging.read"], "duty");

const outlet = (more: Record<string, unknown>) => ({
  id: "urn:ngsi-ld:ChargePoint:CP1",
  name: "一号桩",
  name_en: "Point 1",
  station: "CP1",
  outlet: 1,
  rated_w: 22_000,
  weight: 1,
  is_charging: true,
  drawn_w: 4_000,
  limit_w: 4_750,
  told_at: "2026-11-29T02:00:00Z",
  why: "shares",
  static_w: 4_750,
  is_static_told: true,
  is_reachable: true,
  ...more,
});

const transformer = (more: Record<string, unknown>) => ({
  id: "urn:ngsi-ld:Transformer:T1",
  name: "T1",
  name_en: null,
  limit_w: 40_000,
  static_w: 10_000,
  total_w: 34_000,
  measured_at: "2026-11-29T02:00:00Z",
  basis: "measured",
  budget_w: 10_000,
  held_w: 4_750,
  drawn_w: 4_000,
  over_w: 0,
  missing: [],
  outlets: [outlet({})],
  ...more,
});

function open(items: unknown[], is_on = true) {
  serve({ [GRID]: { is_on, seconds: 10, items } });
  show(<Grid />, { user });
}

afterEach(() => vi.unstubAllGlobals());

describe("smart charging", () => {
  it("shows what each outlet may take, and why", async () => {
    open([
      transformer({
        outlets: [
          outlet({}),
          outlet({
            id: "2",
            name: "CP2",
            name_en: null,
            station: "CP2",
            is_charging: false,
            limit_w: null,
            why: null,
          }),
          outlet({
            id: "3",
            name: "CP3",
            name_en: null,
            station: "CP3",
            is_reachable: false,
            why: "out-of-reach",
          }),
        ],
      }),
    ]);
    const rows = await screen.findAllByTestId("grid-outlet");
    expect(rows.map((row) => row.textContent)).toEqual([
      expect.stringMatching(/Point 1.*22 kW.*4 kW.*4.8 kW.*its share/),
      expect.stringMatching(/CP2.*free/),
      expect.stringMatching(/CP3.*out of reach/),
    ]);
    const legend = screen.getByText("Other load").closest("ul") as HTMLElement;
    expect(within(legend).getByText("30 kW")).toBeTruthy();
    expect(within(legend).getByText("5.3 kW")).toBeTruthy();
    expect(screen.getByText("by measured load")).toBeTruthy();
  });

  it("calls what nobody measured kept for other load", async () => {
    open([transformer({ basis: "static", budget_w: 24_000, total_w: null, measured_at: null })]);
    const legend = (await screen.findByText("Kept for other load")).closest("ul") as HTMLElement;
    expect(within(legend).getByText("16 kW")).toBeTruthy();
    expect(screen.queryByText("Other load")).toBeNull();
    expect(screen.getByText("by static power")).toBeTruthy();
  });

  it("says what is too much and what is missing", async () => {
    open([
      transformer({ over_w: 12_000 }),
      transformer({
        id: "T2",
        name: "T2",
        basis: null,
        limit_w: null,
        missing: ["powerLimit", "ratedPower"],
        outlets: [],
      }),
    ]);
    expect(await screen.findByText(/12 kW too much/)).toBeTruthy();
    expect(
      screen.getByText(/Missing or wrong: the transformer's most load, the rated power of some points/),
    ).toBeTruthy();
    expect(screen.getByText("not steered")).toBeTruthy();
  });

  it("says what it needs where there is none", async () => {
    open([]);
    expect(await screen.findByText("No transformer feeds a charging place yet")).toBeTruthy();
  });

  it("says what switches it on", async () => {
    open([], false);
    expect(await screen.findByText("Smart charging is switched off")).toBeTruthy();
    expect(screen.getByText(/charging\.grid_seconds/)).toBeTruthy();
  });
});
