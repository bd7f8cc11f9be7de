/** The register's readings: by the station's clock, with those in doubt marked. */
import { expect, it } from "vitest";
import type { ChargingEvent } from "../../lib/types.ts";
import { readingsOf } from "./register-chart.tsx";

const told = (minute: number, register_wh: number | null): ChargingEvent => ({
  kind: "reading",
  at: `2026-11-29T00:${String(minute).padStart(2, "0")}:00Z`,
  register_wh,
  received_at: "2026-11-29T01:00:00Z",
});

it("puts readings in order and marks what goes back or is in doubt", () => {
  const events = [
    told(0, 50_000),
    told(20, 61_000),
    told(10, 56_000),
    told(30, 52_000),
    told(40, null),
    told(50, 90_000),
  ];
  const doubts = [{ at: told(50, null).at, text_zh: "跳变", text_en: "jump" }];
  expect(readingsOf(events, doubts).map(({ wh, mark }) => [wh, mark])).toEqual([
    [50_000, null],
    [56_000, null],
    [61_000, null],
    [52_000, "back"],
    [90_000, "doubt"],
  ]);
});
