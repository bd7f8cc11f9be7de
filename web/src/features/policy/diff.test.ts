/** A difference leads from the one text to the other, and is as short as can be. */
import { describe, expect, it } from "vitest";
import { difference, type Line, nearChanges } from "./diff.ts";

const short = (lines: Line[]) =>
  lines.map(({ kind, text }) => `${{ same: " ", gone: "-", new: "+" }[kind]}${text}`);
const side = (lines: Line[], left: "gone" | "new") =>
  lines.filter((line) => line.kind === "same" || line.kind === left).map((line) => line.text);

describe("the difference of two texts", () => {
  it("keeps what is the same and tells the rest in the order of reading", () => {
    expect(short(difference("a\nb\nc\n", "a\nx\nc\nd\n"))).toEqual([" a", "-b", "+x", " c", "+d"]);
    expect(short(difference("", "a\n"))).toEqual(["+a"]);
    expect(short(difference("a\n", ""))).toEqual(["-a"]);
    expect(difference("", "")).toEqual([]);
  });

  it("gives both texts back, whatever they are", () => {
    // Every pair of texts of at most four lines out of two words.
    const texts = [[]] as string[][];
    for (let n = 0; n < 30; n += 1) texts.push([...(texts[n >> 1] as string[]), n % 2 ? "p" : "f"]);
    for (const before of texts) {
      for (const after of texts) {
        const lines = difference(before.join("\n"), after.join("\n"));
        expect(side(lines, "gone")).toEqual(before);
        expect(side(lines, "new")).toEqual(after);
      }
    }
  });

  it("tells too large a change as all gone and all new", () => {
    const many = (word: string) => Array.from({ length: 2_500 }, (_, n) => `${word}${n}`).join("\n");
    const lines = difference(many("a"), many("b"));
    expect(lines.filter((line) => line.kind === "gone")).toHaveLength(2_500);
    expect(lines.filter((line) => line.kind === "new")).toHaveLength(2_500);
  });

  it("leaves out what is far from a change, and says how much", () => {
    const lines = difference("1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\n5\nx\n");
    expect(nearChanges(lines, 1)).toEqual([
      { kind: "skipped", count: 4 },
      { kind: "same", text: "5" },
      { kind: "gone", text: "6" },
      { kind: "new", text: "x" },
    ]);
  });
});
