/** The tree of organisations loses none of them, whatever stands above whatever. */
import { describe, expect, it } from "vitest";
import type { OrganisationUnit } from "../../lib/types.ts";
import { type Branch, groupsOf, matching } from "./tree.ts";

const unit = (id: string, kind = "department", parent: string | null = null): OrganisationUnit => ({
  id,
  name_zh: `${id}局`,
  name_en: id.toUpperCase(),
  kind,
  parent,
  credit_code: null,
  division: id === "town" ? "429006001" : null,
  disabled: false,
  of_profile: true,
  people: 0,
});

const ids = (branches: Branch[]): unknown[] =>
  branches.map((b) => (b.children.length ? [b.unit.id, ids(b.children)] : b.unit.id));

describe("groupsOf", () => {
  it("puts organisations under their parent and the rest under their kind, in the kinds' order", () => {
    const units = [
      unit("co", "enterprise"),
      unit("water"),
      unit("pump", "operator", "water"),
      unit("gate", "operator", "pump"),
      unit("town", "town"),
    ];
    const groups = groupsOf(units).map((group) => [group.kind, ids(group.branches)]);
    expect(groups).toEqual([
      ["department", [["water", [["pump", ["gate"]]]]]],
      ["town", ["town"]],
      ["enterprise", ["co"]],
    ]);
  });

  it("keeps what has an unknown parent, stands in a ring or is of an unknown kind", () => {
    const units = [unit("a", "department", "b"), unit("b", "department", "a"), unit("c", "club", "gone")];
    const groups = groupsOf(units).map((group) => [group.kind, ids(group.branches)]);
    expect(groups).toEqual([
      ["department", ["a", "b"]],
      ["club", ["c"]],
    ]);
  });
});

describe("matching", () => {
  const units = [unit("water"), unit("pump", "operator", "water"), unit("town", "town")];
  const found = (text: string) => matching(units, text).map((u) => u.id);

  it("finds by name, id and code, with everything above", () => {
    expect(found("PUMP")).toEqual(["water", "pump"]);
    expect(found("429006")).toEqual(["town"]);
    expect(found(" ")).toEqual(["water", "pump", "town"]);
    expect(found("nothing")).toEqual([]);
  });
});
