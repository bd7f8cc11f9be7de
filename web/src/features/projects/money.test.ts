/** Money stays what it is on the way to the page and back. */
import { describe, expect, it } from "vitest";
import { fenOf, percent, wan, yuan, yuanText } from "./money.ts";

describe("money", () => {
  it("is shown exactly in yuan and at a glance in ten thousands", () => {
    expect(yuan(1_234_567_890)).toBe("12,345,678.90");
    expect(yuan(5)).toBe("0.05");
    expect(wan(1_234_567_890)).toBe("1,234.57");
    expect(wan(0)).toBe("0");
  });

  it("is read as whole fen, or not at all", () => {
    for (const [text, fen] of [
      ["0", 0],
      ["12345.6", 1_234_560],
      ["12,345.67", 1_234_567],
      // As a floating number this would be 114.99999999999999.
      ["1.15", 115],
      ["", null],
      ["-1", null],
      ["1.234", null],
      ["一万", null],
    ] as const) {
      expect([text, fenOf(text)]).toEqual([text, fen]);
    }
    for (const fen of [0, 1, 10, 100, 115, 10_000_000_000_000]) expect(fenOf(yuanText(fen))).toBe(fen);
  });

  it("has no part of nothing", () => {
    expect(percent(50, 200)).toBe(25);
    expect(percent(0, 0)).toBeNull();
  });
});
