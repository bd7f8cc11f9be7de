/** The file of passwords is read by spreadsheets, and runs nothing there. */
import { expect, it } from "vitest";
import { signInsCsv } from "./sign-ins.ts";

it("writes a line for each person and lets no name be a formula or break a line", () => {
  const made = [
    { username: "zhao", name: "=赵六", organisation: "keji", password: "a" },
    { username: "qian", name: '钱,"七"\n', organisation: null, password: "b" },
  ];
  expect(signInsCsv(made, ["head", "more"])).toBe(
    '\ufeffhead,more\r\n\'=赵六,zhao,keji,a\r\n"钱,""七""\n",qian,,b\r\n',
  );
});
