/**
 * What the map shows of the entities at one zoom: some singly, the rest as clusters with their number. A pack's view
 * says from which zoom on its entities are shown singly (`zoom_min`). Pure.
 */
import { type Box, type Spot, scaleAt } from "./camera.ts";
import type { Point } from "./points.ts";

/** Least distance between the middles of two clusters, pixels at the zoom's full step. */
const CLUSTER_PX = 64;
/** At most so many entities with an alert are shown singly below their layer's zoom; more tell it by their cluster's ring. */
export const ALERTS_SINGLE_MAX = 300;

export interface Cluster extends Spot, Box {
  count: number;
  /** The gravest alert in it: 0 none … 4 critical. */
  severity: number;
}

export interface Marks {
  /** Later ones are drawn over earlier ones: the gravest come last. */
  singles: Point[];
  clusters: Cluster[];
}

export interface Showing {
  /** Whole step of the zoom. */
  level: number;
  /** Types that are hidden; what has an active alert is shown all the same. */
  hidden: ReadonlySet<string>;
  /** From which zoom on a type's entities are shown singly. */
  zoomMin: (type: string) => number;
  /** The entity that is looked at is shown singly, hidden or not. */
  selected: string | null;
}

export function marksOf(points: Iterable<Point>, showing: Showing): Marks {
  const single = new Map<string, boolean>();
  const bySeverity: Point[][] = [[], [], [], [], []];
  const calm: Point[] = [];
  const alerted: Point[] = [];
  let chosen: Point | null = null;
  for (const point of points) {
    if (point.id === showing.selected) {
      chosen = point;
      continue;
    }
    if (point.severity === 0 && showing.hidden.has(point.type)) continue;
    let alone = single.get(point.type);
    if (alone === undefined) {
      alone = showing.level >= showing.zoomMin(point.type);
      single.set(point.type, alone);
    }
    if (alone) bySeverity[point.severity]?.push(point);
    else if (point.severity > 0) alerted.push(point);
    else calm.push(point);
  }
  const storm = alerted.length > ALERTS_SINGLE_MAX;
  if (!storm) for (const point of alerted) bySeverity[point.severity]?.push(point);
  const clusters: Cluster[] = [];
  for (const group of grouped(storm ? calm.concat(alerted) : calm, CLUSTER_PX / scaleAt(showing.level))) {
    const [only] = group.members;
    if (only && group.members.length === 1) bySeverity[only.severity]?.push(only);
    else clusters.push(clusterOf(group.members));
  }
  if (chosen) bySeverity[4]?.push(chosen);
  return { singles: bySeverity.flat(), clusters };
}

interface Group {
  x: number;
  y: number;
  members: Point[];
}

/** By cells of a grid first; then a cell whose middle lies too near a fuller one's joins it. */
function grouped(points: Point[], size: number): Group[] {
  const cells = new Map<number, Group>();
  const columns = Math.ceil(1 / size) + 1;
  const keyOf = (column: number, row: number) => row * columns + column;
  for (const point of points) {
    const key = keyOf(Math.floor(point.x / size), Math.floor(point.y / size));
    const cell = cells.get(key);
    if (cell) {
      cell.x += point.x;
      cell.y += point.y;
      cell.members.push(point);
    } else cells.set(key, { x: point.x, y: point.y, members: [point] });
  }
  for (const cell of cells.values()) {
    cell.x /= cell.members.length;
    cell.y /= cell.members.length;
  }
  const kept: Group[] = [];
  const keptAt = new Map<number, Group[]>();
  for (const cell of [...cells.values()].sort((a, b) => b.members.length - a.members.length)) {
    const column = Math.floor(cell.x / size);
    const row = Math.floor(cell.y / size);
    const near = nearest(cell, column, row);
    if (near) {
      near.members = near.members.concat(cell.members);
      continue;
    }
    kept.push(cell);
    const key = keyOf(column, row);
    keptAt.set(key, [...(keptAt.get(key) ?? []), cell]);
  }
  return kept;

  function nearest(cell: Group, column: number, row: number): Group | null {
    let best: Group | null = null;
    let bestDistance = size ** 2;
    for (let y = row - 1; y <= row + 1; y += 1) {
      for (let x = column - 1; x <= column + 1; x += 1) {
        for (const other of keptAt.get(keyOf(x, y)) ?? []) {
          const distance = (other.x - cell.x) ** 2 + (other.y - cell.y) ** 2;
          if (distance < bestDistance) {
            best = other;
            bestDistance = distance;
          }
        }
      }
    }
    return best;
  }
}

function clusterOf(members: Point[]): Cluster {
  const made: Cluster = {
    x: 0,
    y: 0,
    west: 1,
    north: 1,
    east: 0,
    south: 0,
    count: members.length,
    severity: 0,
  };
  for (const { x, y, severity } of members) {
    made.x += x / members.length;
    made.y += y / members.length;
    made.west = Math.min(made.west, x);
    made.east = Math.max(made.east, x);
    made.north = Math.min(made.north, y);
    made.south = Math.max(made.south, y);
    made.severity = Math.max(made.severity, severity);
  }
  return made;
}
