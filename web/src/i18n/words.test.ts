/** Every word is there in both languages, says the same, and is used. */
import { describe, expect, it } from "vitest";
import { keyOf, words } from "./words.ts";

const entries = Object.entries(words) as [string, readonly [string, string]][];
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();

const sources = Object.entries(
  import.meta.glob<string>("../**/*.{ts,tsx}", { query: "?raw", import: "default", eager: true }),
).filter(([path]) => !path.includes("words"));
const source = sources.map(([, text]) => text).join("\n");
/** Keys put together at run time: `severity.${…}` uses all that begin so. */
const prefixes = [
  ...[...source.matchAll(/`([\w-]+[.-](?:[\w-]+-)?)\$\{/g)].map((m) => m[1] as string),
  ...[...source.matchAll(/keyOf\("([\w-]+)"/g)].map((m) => `${m[1]}.`),
];

describe("words", () => {
  it("has both languages, with the same places to fill", () => {
    const wrong = entries.filter(
      ([, [zh, en]]) => !zh.trim() || !en.trim() || String(placeholders(zh)) !== String(placeholders(en)),
    );
    expect(wrong).toEqual([]);
  });

  it("writes Chinese with Chinese punctuation", () => {
    const wrong = entries.filter(([, [zh]]) => /[\u4e00-\u9fff][,;?!]|[,;?!][\u4e00-\u9fff]/.test(zh));
    expect(wrong).toEqual([]);
  });

  it("uses every word, and only words that there are", () => {
    const unused = entries
      .map(([key]) => key)
      .filter((key) => !source.includes(`"${key}"`) && !prefixes.some((prefix) => key.startsWith(prefix)));
    expect(unused).toEqual([]);
    const asked = [...source.matchAll(/\bt\(\s*"([^"]+)"/g)].map((m) => m[1] as string);
    expect(asked.length).toBeGreaterThan(100);
    expect(asked.filter((key) => !(key in words))).toEqual([]);
  });

  it("knows no word for what the server may send newly", () => {
    expect(keyOf("role", "duty")).toBe("role.duty");
    expect(keyOf("role", "astronaut")).toBeUndefined();
  });
});
