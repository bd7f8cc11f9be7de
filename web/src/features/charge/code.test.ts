/** What is read off a charge point, by camera or by eye. */
import { expect, test } from "vitest";
import { checked, outletOf } from "./code.ts";

test.each([
  ["https://city.example/charge/at/CP1/2", "CP1", 2],
  ["https://city.example/charge/at/CP%201/2/?embed=1", "CP 1", 2],
  ["CP1", "CP1", 1],
  ["TS-0001/3", "TS-0001", 3],
  [" TS-0001 # 3 ", "TS-0001", 3],
  ["CP1 2", "CP1", 2],
])("%s is an outlet", (text, station, outlet) => {
  expect(outletOf(text)).toEqual({ station, outlet });
});

test.each([
  "",
  "https://city.example/charge/orders/1",
  "https://pay.example/q/123",
  "http://",
  "https://city.example/charge/at/CP1/0",
  "https://city.example/charge/at/%E0%A4%A/1",
  "hlht://10000000000000000000001.123456789/",
  "CP1/100",
  "CP1:2",
])("%s is none", (text) => {
  expect(outletOf(text)).toBeNull();
});

test("a station's identity has 48 characters at most, and an outlet is a whole number", () => {
  expect(checked("x".repeat(48), "1")).not.toBeNull();
  expect(checked("x".repeat(49), "1")).toBeNull();
  expect(checked("CP1", "1.5")).toBeNull();
  expect(checked("CP1", undefined)).toBeNull();
});
