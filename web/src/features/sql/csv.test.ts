/** What is downloaded is what was shown, whatever the cells hold. */
import { describe, expect, it } from "vitest";
import type { SqlResult } from "../../lib/types.ts";
import { cellText, toCsv } from "./csv.ts";

describe("csv", () => {
  it("keeps quotes, commas, line ends, Chinese and nulls apart", () => {
    const columns: SqlResult["columns"] = [
      { name: "a", type: "text" },
      { name: "b,c", type: "json" },
    ];
    const rows = [
      { a: '说"好"', "b,c": null },
      { a: "x\ny", "b,c": { k: 1 } },
    ];
    expect(toCsv({ columns, rows })).toBe('\ufeffa,"b,c"\r\n"说""好""",\r\n"x\ny","{""k"":1}"\r\n');
  });

  it("runs no formula in a spreadsheet, and leaves numbers as they are", () => {
    const columns: SqlResult["columns"] = [{ name: "a", type: "text" }];
    const cells = ["=1+1", "@SUM(A1)", "+86 728 1234", "-3.5", -3.5, "+12", "\tx", "a=b"];
    const text = toCsv({ columns, rows: cells.map((a) => ({ a })) });
    const told = ["'=1+1", "'@SUM(A1)", "'+86 728 1234", "-3.5", "-3.5", "+12", "'\tx", "a=b"];
    expect(text.slice(1).split("\r\n").slice(1, -1)).toEqual(told);
  });

  it("tells null from the word and zero from nothing", () => {
    expect([null, undefined, 0, false, "null"].map(cellText)).toEqual(["", "", "0", "false", "null"]);
  });
});
