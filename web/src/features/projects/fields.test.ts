/** What is kept of a project goes into a form and comes out of it as it was. */
import { describe, expect, it } from "vitest";
import type { ProjectKept } from "../../lib/types.ts";
import { part, rowsOf, SECTIONS } from "./fields.ts";
import { detail } from "./samples.ts";

const kept: ProjectKept = {
  ...detail.kept,
  milestones: [
    { name: "开工", planned: "2026-03-01", forecast: null, done: "2026-03-02", evidence: "", photo: 7 },
    { name: "竣工", planned: "2026-12-01", forecast: "2027-01-15", done: null, evidence: "", photo: null },
  ],
  money: [{ source: "bonds", year: 2026, planned_fen: 115, arranged_fen: 0, paid_fen: 10_000_000 }],
  tasks: [{ organisation: "zhujian", task: "用地", due: "2026-05-01", done: null, progress: "在谈" }],
  procedures: [{ name: "施工许可", state: "granted", number: "42号", decided: null }],
  factors: [{ kind: "land", need: "30 亩", missing: "" }],
  risks: [{ risk: "汛期", level: "high", measure: "抢工期", over: true }],
  assets: [{ entity_id: "urn:ngsi-ld:X:1", note: "" }],
};

describe("the forms of a project", () => {
  it("give back what was kept when nothing was entered", () => {
    for (const section of SECTIONS) {
      const back = part(section, rowsOf(section, kept), 4) as unknown as Record<string, unknown>;
      expect(back).toEqual({ version: 4, section, [section]: kept[section] });
    }
  });

  it("send what was entered as it is meant", () => {
    const row = { source: "city", year: "2027", planned_fen: "1,000.50", arranged_fen: "0", paid_fen: "0" };
    expect(part("money", [row], 0)).toEqual({
      version: 0,
      section: "money",
      money: [{ source: "city", year: 2027, planned_fen: 100_050, arranged_fen: 0, paid_fen: 0 }],
    });
  });
});
