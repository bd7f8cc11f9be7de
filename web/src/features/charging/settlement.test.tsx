/** Settlement: whose is what of a month, what is asked once more before it is settled, and who may not. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ChargingSettlement, ChargingStatement } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { monthOf } from "./month.tsx";
import { Settlement } from "./settlement.tsx";

const PATH = "/api/v1/charging/settlements/2026-10";
const operator = userWith(["charging.read", "charging.manage"], "operator");
const statement = (more: Partial<ChargingStatement>): ChargingStatement => ({
  operator: "city",
  home: "city",
  count: 3,
  energy_wh: 66_000,
  paid_fen: 9_900,
  refunded_fen: 1_000,
  energy_fen: 6_600,
  service_fen: 2_300,
  parking_fen: 0,
  idle_fen: 0,
  total_fen: 8_900,
  share_fen: 0,
  due_fen: 8_900,
  settled_at: null,
  ...more,
});
const other = statement({ operator: "天门电力", share_fen: 230, due_fen: 8_670 });
const settlement = (more: Partial<ChargingSettlement> = {}): ChargingSettlement => ({
  month: "2026-10",
  is_over: true,
  statements: [statement({}), other],
  shares: [0, 1_000, 0],
  may_manage: true,
  ...more,
});

function open(found: ChargingSettlement, user = operator) {
  let now = found;
  const calls = serve({
    [`GET ${PATH}`]: () => now,
    [`POST ${PATH}`]: () => {
      const settled_at = "2026-11-02T02:00:00Z";
      now = { ...found, statements: found.statements.map((row) => ({ ...row, settled_at })) };
      return now;
    },
  });
  show(<Settlement />, { user, path: "/charging?view=settlement&month=2026-10" });
  return calls;
}

afterEach(() => vi.unstubAllGlobals());

describe("settlement", () => {
  it("takes the month of the address, or the one before this", () => {
    const now = Date.parse("2026-11-30T17:00:00Z");
    expect(monthOf("2026-02", now)).toBe("2026-02");
    expect(monthOf("2026-13", now)).toBe("2026-11");
    expect(monthOf(null, now)).toBe("2026-11");
  });

  it("shows each operator's money and their sum", async () => {
    open(settlement());
    const [first] = await screen.findAllByTestId("settlement-statement");
    expect(first?.textContent).toBe("The citynot settled 366.00099.0010.0066.0023.000.0089.000.0089.00");
    expect(screen.getByRole("table").textContent).toContain(
      "All6132.000198.0020.00132.0046.000.00178.002.30175.70",
    );
    expect(screen.getByText(/service 10 %/)).toBeTruthy();
  });

  it("asks once more, then settles", async () => {
    const calls = open(settlement());
    fireEvent.click(await screen.findByRole("button", { name: /Settle the month$/ }));
    const dialog = within(await screen.findByRole("dialog"));
    expect(dialog.getByText("天门电力: 86.70 yuan due")).toBeTruthy();
    expect(calls.some(({ method }) => method === "POST")).toBe(false);
    fireEvent.click(screen.getByTestId("settlement-sure"));
    await waitFor(() => expect(calls.filter(({ method }) => method === "POST")).toHaveLength(1));
    expect(await screen.findAllByText("settled")).toHaveLength(2);
    expect(document.querySelector("[data-action='settlement.settle']")).toBeNull();
  });

  it("says that a month goes on, and offers nothing then", async () => {
    open(settlement({ is_over: false }));
    expect(await screen.findByTestId("settlement-goes-on")).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Settle the month$/ })).toBeNull();
  });

  it("lets who may only look take the table along and no more", async () => {
    open(settlement({ may_manage: false }), userWith(["charging.read"]));
    expect(await screen.findByRole("button", { name: /Download$/ })).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Settle the month$/ })).toBeNull();
  });

  it("says so when there is nothing", async () => {
    open(settlement({ statements: [] }));
    expect(await screen.findByText(/Nothing was paid/)).toBeTruthy();
  });
});
