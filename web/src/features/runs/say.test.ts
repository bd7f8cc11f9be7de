/** Figures of runs in words. */
import { describe, expect, it } from "vitest";
import { translator } from "../../i18n/index.tsx";
import type { RunDefinition, RunRepeated } from "../../lib/types.ts";
import { every, fanOf, repeated, took } from "./say.ts";

const t = translator("en");

describe("runs in words", () => {
  it("says how long one took and how often it is due", () => {
    expect(took("2026-07-01T00:00:00Z", null)).toBe("—");
    expect(took("2026-07-01T00:00:00Z", "2026-07-01T00:00:00.340Z")).toBe("340 ms");
    expect(took("2026-07-01T00:00:00Z", "2026-07-01T00:00:12.300Z")).toBe("12.3 s");
    expect(took("2026-07-01T00:00:00Z", "2026-07-01T00:05:00Z")).toBe("5 min");
    const often = { every_minutes: 15, delay_minutes: 1 } as RunDefinition;
    expect(every(often, t)).toBe("every 15 min (begins 1 min later)");
    expect(every({ ...often, every_minutes: 360, delay_minutes: 0 }, translator("zh"))).toBe("每 6 h");
  });

  it("draws an outcome that has a forecast's columns, and no other", () => {
    const table = {
      columns: ["at", "note", "value", "lower", "upper"],
      rows: [
        ["2026-07-01T01:00:00Z", "", "29.5", "29", ""],
        ["2026-07-01T02:00:00Z", "", "", "", ""],
        ["tomorrow", "", "30", "", ""],
      ],
    };
    expect(fanOf(table)).toEqual([{ at: "2026-07-01T01:00:00Z", value: 29.5, lower: 29, upper: null }]);
    expect(fanOf({ columns: ["at", "value"], rows: [["2026-07-01T01:00:00Z", "0"]] })).toEqual([
      { at: "2026-07-01T01:00:00Z", value: 0, lower: null, upper: null },
    ]);
    expect(fanOf({ columns: ["at", "stage"], rows: [["2026-07-01T01:00:00Z", "1"]] })).toBeNull();
    expect(fanOf({ columns: ["at", "value"], rows: [] })).toBeNull();
  });

  it("says what came of reckoning again", () => {
    const same: RunRepeated = {
      is_same: true,
      engine_version_then: 1,
      engine_version_now: 1,
      output_digest_then: "a",
      output_digest_now: "a",
      problems: [],
    };
    const said = (over: Partial<RunRepeated>) => repeated({ ...same, is_same: false, ...over }, t);
    expect(repeated(same, t)).toMatchObject({ type: "success" });
    expect(said({ output_digest_now: "b" }).type).toBe("error");
    expect(said({ output_digest_now: "b", engine_version_now: 2 })).toEqual({
      type: "warning",
      text: "Reckoned again, the outcome differs: the engine was v1 and is v2",
    });
    expect(said({}).text).toContain("the table is the same and the report differs although");
    expect(said({ engine_version_now: 2 }).type).toBe("warning");
    expect(said({ output_digest_now: null })).toMatchObject({ type: "error" });
    expect(said({ output_digest_now: null, output_digest_then: null }).text).toContain("fails now too");
    expect(said({ output_digest_then: null }).text).toContain("is done now");
  });
});
