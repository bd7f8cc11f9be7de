/** The wall says when it is not live, what is too old, when its session ends, and puts the worst first. */
import { describe, expect, it } from "vitest";
import type { Alert } from "../../lib/types.ts";
import { connectionOf, isStale, movedBy, sessionEndOf, stepsInOrder, worstFirst } from "./state.ts";

const alert = (id: number, severity: Alert["severity"]) => ({ id, severity }) as Alert;

describe("the wall", () => {
  it("is quiet about a blink and loud about a broken stream", () => {
    expect(connectionOf("live", null, 50_000)).toEqual({ isLive: true, seconds: 0 });
    expect(connectionOf("broken", 50_000, 52_999).isLive).toBe(true);
    expect(connectionOf("broken", 50_000, 62_400)).toEqual({ isLive: false, seconds: 12 });
    // A clock that was put back does not count backwards.
    expect(connectionOf("connecting", 50_000, 40_000).seconds).toBe(0);
  });

  it("greys what is old and what was never read", () => {
    expect(isStale(0, 5_000)).toBe(true);
    expect(isStale(10_000, 40_000)).toBe(false);
    expect(isStale(10_000, 40_001)).toBe(true);
  });

  it("puts the worst first, then the newest, and not more than there is room for", () => {
    const all = [alert(1, "minor"), alert(2, "critical"), alert(3, "info"), alert(4, "critical")];
    expect(worstFirst(all).map((a) => a.id)).toEqual([4, 2, 1, 3]);
    expect(worstFirst(all, 2).map((a) => a.id)).toEqual([4, 2]);
    expect(all[0]?.id).toBe(1);
  });

  it("tells the end of the session before it comes", () => {
    const end = "2026-11-26T10:00:00Z";
    const at = (iso: string) => sessionEndOf(end, Date.parse(iso));
    expect(at("2026-11-26T08:00:00Z")).toEqual({ level: "fine", minutes: 120 });
    expect(at("2026-11-26T09:30:01Z")).toEqual({ level: "soon", minutes: 29 });
    expect(at("2026-11-26T10:00:00Z").level).toBe("over");
    expect(sessionEndOf("nonsense", 0).level).toBe("over");
  });

  it("keeps the steps of cases in the workflow's order, others behind", () => {
    const state = (name: string) => ({ state: name, open: 1, overdue: 0 });
    const cases = { open: 3, overdue: 0, states: ["zeta", "handling", "filed"].map(state) };
    expect(stepsInOrder(cases, ["filed", "handling"]).map((s) => s.state)).toEqual([
      "filed",
      "handling",
      "zeta",
    ]);
  });

  it("moves among figures by arrows, and stays at an edge", () => {
    expect(movedBy("ArrowRight", 0, 3, 2)).toBe(1);
    expect(movedBy("ArrowDown", 0, 3, 2)).toBe(2);
    expect(movedBy("ArrowDown", 2, 3, 2)).toBe(2);
    expect(movedBy("ArrowLeft", 0, 3, 2)).toBe(0);
    expect(movedBy("Enter", 1, 3, 2)).toBe(1);
  });
});
