/** Without a network a task is taken and finished; more than was told is not offered. */
import { describe, expect, it } from "vitest";
import type { CaseDetail } from "../../lib/types.ts";
import { allowedAfter } from "./allowed.ts";
import type { Step } from "./outbox.ts";

const item = {
  allowed: [
    { action: "take", needs: [], next: [{ action: "finish", needs: ["note", "photo"] }] },
    { action: "comment", needs: ["note"], next: [] },
  ],
} as unknown as CaseDetail;
const step = (action: string, answer: unknown = null) => ({ action, answer }) as unknown as Step;
const names = (steps: Step[]) => allowedAfter(item, steps).map((one) => one.action);

describe("allowed", () => {
  it("follows what waits to be sent", () => {
    expect(names([])).toEqual(["take", "comment"]);
    expect(names([step("take")])).toEqual(["finish"]);
    expect(allowedAfter(item, [step("take")])[0]?.needs).toEqual(["note", "photo"]);
    expect(names([step("take"), step("finish")])).toEqual([]);
  });

  it("leaves out what was answered and what moves nothing", () => {
    expect(names([step("take", { kind: "refused" })])).toEqual(["take", "comment"]);
    expect(names([step("comment")])).toEqual(["take", "comment"]);
  });
});
