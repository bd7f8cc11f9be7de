/** The flag of embedded pages is read from the address and kept over ways. */
import { expect, test } from "vitest";
import { embedded, isEmbedded } from "./embed.ts";

test("a page is embedded by its address alone", () => {
  expect(isEmbedded("?embed=1")).toBe(true);
  expect(isEmbedded("?view=map&embed=1")).toBe(true);
  expect(isEmbedded("?embed=0")).toBe(false);
  expect(isEmbedded("")).toBe(false);
});

test.each([
  ["/charge", "/charge?embed=1"],
  ["/charge?view=map", "/charge?view=map&embed=1"],
  ["/charge?embed=1", "/charge?embed=1"],
  ["/charge/orders/a%20b#bill", "/charge/orders/a%20b?embed=1#bill"],
])("the way to %s keeps it as %s", (path, kept) => {
  expect(embedded(path)).toBe(kept);
});
