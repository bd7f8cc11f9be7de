/** Curves and rules are shown as tables; other values are left to the line that every value has. */
import { screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { show } from "../../test-tools.tsx";
import { Listed, listOf } from "./listed.tsx";

const curve = {
  surveyedAt: "2019-11-01",
  points: [
    { level: 80, storage: 12_000_000 },
    { level: 92, storage: 98_000_000, area: 2.1 },
  ],
};

describe("a value that is a list", () => {
  it("is found alone or with what stands beside it, and nothing else is taken for one", () => {
    expect(listOf(curve)?.rows).toHaveLength(2);
    expect(listOf(curve)?.beside).toEqual([["surveyedAt", "2019-11-01"]]);
    expect(listOf([{ from: "05-01", level: 90 }])?.rows).toHaveLength(1);
    const others = [
      28.5,
      "text",
      null,
      [],
      ["a"],
      [[1, 2]],
      { points: [] },
      { type: "Point", coordinates: [113, 30] },
      { points: [{ deep: { a: 1 } }] },
      { a: [{ b: 1 }], c: [{ d: 1 }] },
    ];
    expect(others.map(listOf)).toEqual(others.map(() => null));
  });

  it("has a column for each field, with words where there are some", () => {
    const list = listOf(curve);
    show(<Listed rows={list?.rows ?? []} beside={list?.beside ?? []} />);
    expect(screen.getAllByRole("columnheader").map(({ textContent }) => textContent)).toEqual([
      "level, m",
      "storage, m³",
      "area",
    ]);
    const [, first] = screen.getAllByRole("row");
    expect(
      within(first as HTMLElement)
        .getAllByRole("cell")
        .map(({ textContent }) => textContent),
    ).toEqual(["80", "12,000,000", ""]);
    expect(screen.getByText("surveyed 2019-11-01")).toBeTruthy();
  });
});
