/** A slow computer gets a coarser map while it moves, and only then; a quick one never. */
import { describe, expect, it } from "vitest";
import { Pace } from "./pace.ts";

function drive(frameMs: number, frames: number, pace: Pace, from = 0): number {
  let now = from;
  for (let frame = 0; frame < frames; frame += 1) {
    now += frameMs;
    pace.moving(now);
  }
  return now;
}

describe("pace", () => {
  it("stays sharp where frames are quick", () => {
    const switches: boolean[] = [];
    const pace = new Pace((coarse) => switches.push(coarse));
    pace.beginning();
    drive(16.7, 200, pace);
    pace.resting();
    pace.beginning();
    expect(switches).toEqual([]);
  });

  it("turns coarse from the second gesture on where frames are slow, and sharp at rest", () => {
    const switches: boolean[] = [];
    const pace = new Pace((coarse) => switches.push(coarse));
    pace.beginning();
    const at = drive(90, 10, pace);
    pace.resting();
    expect(switches).toEqual([]);
    pace.beginning();
    expect(switches).toEqual([true]);
    drive(30, 10, pace, at + 5_000);
    pace.resting();
    expect(switches).toEqual([true, false]);
    pace.beginning();
    expect(switches).toEqual([true, false, true]);
  });

  it("takes one slow frame, or a hand that pauses, for what it is", () => {
    const switches: boolean[] = [];
    const pace = new Pace((coarse) => switches.push(coarse));
    const at = drive(16.7, 30, pace);
    pace.moving(at + 90);
    pace.moving(at + 2_000);
    drive(16.7, 30, pace, at + 2_000);
    pace.beginning();
    expect(switches).toEqual([]);
  });
});
