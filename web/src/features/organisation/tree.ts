/** Organisations as a tree: those above others hold them, the rest stand under their kind. Pure. */
import type { OrganisationUnit } from "../../lib/types.ts";

export const ORGANISATION_KINDS = ["department", "town", "operator", "enterprise"] as const;
export type OrganisationKind = (typeof ORGANISATION_KINDS)[number];

export interface Branch {
  unit: OrganisationUnit;
  children: Branch[];
}

export interface Group {
  kind: string;
  branches: Branch[];
}

/**
 * The groups that are not empty, in the order of the kinds. One whose parent is not there stands at the top, and so does
 * one of a ring, which the server refuses: nothing is ever left out.
 */
export function groupsOf(units: OrganisationUnit[]): Group[] {
  const known = new Map(units.map((unit) => [unit.id, unit]));
  const under = new Map<string, OrganisationUnit[]>();
  const top: OrganisationUnit[] = [];
  for (const unit of units) {
    if (unit.parent && known.has(unit.parent) && !isInRing(unit, known)) {
      const siblings = under.get(unit.parent) ?? [];
      siblings.push(unit);
      under.set(unit.parent, siblings);
    } else {
      top.push(unit);
    }
  }
  const branch = (unit: OrganisationUnit): Branch => ({
    unit,
    children: (under.get(unit.id) ?? []).map(branch),
  });
  const kinds = [...new Set<string>([...ORGANISATION_KINDS, ...top.map((unit) => unit.kind)])];
  return kinds
    .map((kind) => ({ kind, branches: top.filter((unit) => unit.kind === kind).map(branch) }))
    .filter((group) => group.branches.length > 0);
}

function isInRing(unit: OrganisationUnit, known: Map<string, OrganisationUnit>): boolean {
  let at = unit.parent;
  for (let steps = 0; at && steps <= known.size; steps += 1) {
    if (at === unit.id) return true;
    at = known.get(at)?.parent ?? null;
  }
  return false;
}

/** Organisations whose name, id or code holds the text, and everything above them. */
export function matching(units: OrganisationUnit[], text: string): OrganisationUnit[] {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return units;
  const known = new Map(units.map((unit) => [unit.id, unit]));
  const kept = new Set<string>();
  for (const unit of units) {
    const said = [unit.id, unit.name_zh, unit.name_en, unit.credit_code, unit.division];
    if (!said.some((word) => word?.toLowerCase().includes(wanted))) continue;
    let at: OrganisationUnit | undefined = unit;
    while (at && !kept.has(at.id)) {
      kept.add(at.id);
      at = at.parent ? known.get(at.parent) : undefined;
    }
  }
  return units.filter((unit) => kept.has(unit.id));
}
