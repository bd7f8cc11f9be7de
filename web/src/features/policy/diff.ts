/** What two texts differ in, line by line. */

export interface Line {
  kind: "same" | "gone" | "new";
  text: string;
}
/** Lines that are the same and far from any that is not. */
export interface Skipped {
  kind: "skipped";
  count: number;
}

/** Most pairs of lines that are compared; larger changes are told as all gone and all new. */
const PAIRS_MAX = 4_000_000;
/** Lines shown around a change. */
const AROUND = 2;

const linesOf = (text: string) => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

/** The shortest change from one text to the other, in the order of reading. */
export function difference(before: string, after: string): Line[] {
  const old = linesOf(before);
  const now = linesOf(after);
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (
    tail < old.length - head &&
    tail < now.length - head &&
    old[old.length - 1 - tail] === now[now.length - 1 - tail]
  ) {
    tail += 1;
  }
  const same = (texts: string[]): Line[] => texts.map((text) => ({ kind: "same", text }));
  return [
    ...same(old.slice(0, head)),
    ...middle(old.slice(head, old.length - tail), now.slice(head, now.length - tail)),
    ...same(old.slice(old.length - tail)),
  ];
}

function middle(old: string[], now: string[]): Line[] {
  const gone = (texts: string[]): Line[] => texts.map((text) => ({ kind: "gone", text }));
  const added = (texts: string[]): Line[] => texts.map((text) => ({ kind: "new", text }));
  if (old.length * now.length > PAIRS_MAX) return [...gone(old), ...added(now)];
  // common[i][j]: how many lines old[i…] and now[j…] have in common, in one row after another.
  const width = now.length + 1;
  const common = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      common[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < old.length && j < now.length) {
    if (old[i] === now[j]) {
      lines.push({ kind: "same", text: old[i] as string });
      [i, j] = [i + 1, j + 1];
    } else if (at(i + 1, j) >= at(i, j + 1)) {
      lines.push({ kind: "gone", text: old[i] as string });
      i += 1;
    } else {
      lines.push({ kind: "new", text: now[j] as string });
      j += 1;
    }
  }
  return [...lines, ...gone(old.slice(i)), ...added(now.slice(j))];
}

/** The same without what is far from any change. */
export function nearChanges(lines: Line[], around = AROUND): (Line | Skipped)[] {
  const near = new Array<boolean>(lines.length).fill(false);
  lines.forEach((line, n) => {
    if (line.kind !== "same") near.fill(true, Math.max(0, n - around), n + around + 1);
  });
  const shown: (Line | Skipped)[] = [];
  lines.forEach((line, n) => {
    const last = shown.at(-1);
    if (near[n]) shown.push(line);
    else if (last?.kind === "skipped") last.count += 1;
    else shown.push({ kind: "skipped", count: 1 });
  });
  return shown;
}
