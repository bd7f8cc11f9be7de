/** The player moves by the time that passed and its speed, waits for what is not loaded, and rests at the end. */
import { describe, expect, it } from "vitest";
import { faster, jump, pause, play, player, SPEEDS, step, tick } from "./player.ts";

const HOUR = 3_600_000;

describe("the player", () => {
  it("moves by what passed times its speed", () => {
    let p = play({ ...player(HOUR), speed: 60 }, 1_000);
    p = tick(p, 1_500, HOUR);
    expect(p.at).toBe(30_000);
    p = tick({ ...p, speed: 600 }, 1_600, HOUR);
    expect(p.at).toBe(90_000);
  });

  it("rests when it is told to, and does not leap when it goes on", () => {
    let p = tick(play(player(HOUR), 0), 100, HOUR);
    const at = p.at;
    p = pause(p);
    expect(tick(p, 90_000, HOUR).at).toBe(at);
    p = play(p, 100_000);
    expect(tick(p, 100_000, HOUR).at).toBe(at);
  });

  it("waits where nothing is loaded, and goes on without a leap", () => {
    let p = tick(play(player(HOUR), 0), 1_000, 5_000);
    expect(p.at).toBe(5_000);
    p = tick(p, 2_000, 5_000);
    expect(p.at).toBe(5_000);
    expect(p.playing).toBe(true);
    p = tick(p, 2_100, HOUR);
    expect(p.at).toBe(5_000 + 100 * p.speed);
  });

  it("is not thrown back by a loaded end behind it", () => {
    const p = tick(play(jump(player(HOUR), 50_000), 0), 100, 10_000);
    expect(p.at).toBe(50_000);
  });

  it("rests at the end, and begins again from there", () => {
    let p = tick(play(jump(player(HOUR), HOUR - 10), 0), 1_000, HOUR);
    expect(p).toMatchObject({ at: HOUR, playing: false });
    p = play(p, 2_000);
    expect(p).toMatchObject({ at: 0, playing: true });
  });

  it("counts a page that slept as one second", () => {
    const p = tick(play({ ...player(HOUR), speed: 1 }, 0), 600_000, HOUR);
    expect(p.at).toBe(1_000);
    // And a clock that goes back as none.
    expect(tick(play(player(HOUR), 1_000), 0, HOUR).at).toBe(0);
  });

  it("jumps and steps within the recording", () => {
    expect(jump(player(HOUR), -5).at).toBe(0);
    expect(jump(player(HOUR), HOUR + 5).at).toBe(HOUR);
    expect(jump(player(HOUR), Number.NaN).at).toBe(0);
    const stepped = step(play(jump(player(HOUR), 20_000), 0), -10_000);
    expect(stepped).toMatchObject({ at: 10_000, playing: false });
  });

  it("goes from real time to six hundred times as fast, and no further", () => {
    expect([SPEEDS[0], SPEEDS.at(-1)]).toEqual([1, 600]);
    let p = { ...player(HOUR), speed: 300 };
    p = { ...faster(p, 1) };
    expect(p.speed).toBe(600);
    expect(faster(p, 1).speed).toBe(600);
    expect(faster({ ...p, speed: 1 }, -1).speed).toBe(1);
  });
});
