/** Which indicators are shown: by state, group and words, in the order of the plan. Pure. */
import type { PublicIndicator } from "../../lib/types.ts";

/** How an indicator stands, or that its figure is not published. */
export type Standing = NonNullable<PublicIndicator["status"]> | "withheld";
export const STANDINGS: readonly Standing[] = ["met", "on_path", "behind", "unknown", "withheld"];

export interface Choice {
  standing: Standing | null;
  /** The group's Chinese name; null for all. */
  group: string | null;
  words: string;
}

export const standingOf = (one: Pick<PublicIndicator, "status">): Standing => one.status ?? "withheld";

/** Texts in which words are looked for. */
const texts = (one: PublicIndicator) =>
  [
    one.number,
    one.name_zh,
    one.name_en,
    one.subgroup_zh,
    one.subgroup_en,
    one.responsible?.name_zh,
    one.responsible?.name_en,
    ...one.places.map((place) => place.quote),
  ]
    .join("\n")
    .toLowerCase();

/** Every word must be somewhere in it. */
export function choose(
  all: readonly PublicIndicator[],
  { standing, group, words }: Choice,
): PublicIndicator[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter(
    (one) =>
      (standing === null || standingOf(one) === standing) &&
      (group === null || one.group_zh === group) &&
      (wanted.length === 0 || wanted.every((word) => texts(one).includes(word))),
  );
}

/** The groups in the order in which they come, each with its own. */
export function byGroup(all: readonly PublicIndicator[]): [string, PublicIndicator[]][] {
  const groups = new Map<string, PublicIndicator[]>();
  for (const one of all) groups.set(one.group_zh, [...(groups.get(one.group_zh) ?? []), one]);
  return [...groups];
}

/** Places on a line chart: a year and a value become shares of its width and height, 0 to 1 from the upper left. */
export function scale(points: readonly (readonly [year: number, value: number])[]) {
  const years = points.map(([year]) => year);
  const values = points.map(([, value]) => value);
  const [first, last] = [Math.min(...years), Math.max(...years)];
  const [low, high] = [Math.min(0, ...values), Math.max(...values)];
  const share = (at: number, from: number, to: number) => (to > from ? (at - from) / (to - from) : 0.5);
  return {
    first,
    last,
    low,
    high,
    x: (year: number) => share(year, first, last),
    y: (value: number) => 1 - share(value, low, high),
  };
}
