/** Squares land where they belong, never outside, however many. */
import { describe, expect, it } from "vitest";
import { dotOf, square } from "./dots.ts";

const WIDTH = 8;
const HEIGHT = 4;
const drawn = (x: number, y: number, half: number) => {
  const dots = new Uint32Array(WIDTH * HEIGHT);
  square(dots, WIDTH, HEIGHT, x, y, half, 1);
  return Array.from({ length: HEIGHT }, (_, row) => dots.slice(row * WIDTH, (row + 1) * WIDTH).join(""));
};

describe("dots", () => {
  it("fills a square around its place", () => {
    expect(drawn(3, 2, 1)).toEqual(["00000000", "00110000", "00110000", "00000000"]);
  });

  it("cuts off what is outside, on each side", () => {
    expect(drawn(0, 0, 1)).toEqual(["10000000", "00000000", "00000000", "00000000"]);
    expect(drawn(8, 4, 1)[3]).toBe("00000001");
    for (const [x, y] of [
      [-5, 2],
      [20, 2],
      [3, -9],
      [3, 90],
    ] as const)
      expect(drawn(x, y, 1).join("")).not.toContain("1");
  });

  it("keeps colours, and has one for what is none", () => {
    const bytes = (colour: string) => [...new Uint8Array(new Uint32Array([dotOf(colour)]).buffer)];
    expect(bytes("#112233")).toEqual([0x11, 0x22, 0x33, 0xff]);
    expect(bytes("red")).toEqual([0x80, 0x80, 0x80, 0xff]);
  });

  it("writes a hundred thousand into a large screen", () => {
    const dots = new Uint32Array(1_920 * 1_080);
    for (let n = 0; n < 100_000; n += 1)
      square(dots, 1_920, 1_080, (n * 37) % 1_920, (n * 53) % 1_080, 3, 0xff000000);
    expect(dots[53 * 1_920 + 37]).toBe(0xff000000);
  });
});
