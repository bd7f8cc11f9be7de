/** How a bill was paid: payments and refunds in words, and money given back once, never more than there is. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ChargingPayments, ChargingSessionDetail } from "../../lib/types.ts";
import { drawNothing, serve, show, userWith } from "../../test-tools.tsx";
import { Payments } from "./payments.tsx";

const PATH = "/api/v1/charging/sessions/3/payments";
const REFUNDS = "/api/v1/charging/sessions/3/refunds";
const found: ChargingPayments = {
  payments: [
    { id: "p-1", state: "done", made_at: "2026-11-29T01:00:00Z", changed_at: "2026-11-29T02:00:00Z" },
  ],
  refunds: [
    {
      part: "r-1",
      payment: "p-1",
      fen: 1_000,
      reason: "充电中断",
      asked_by: "王敏",
      state: "done",
      made_at: "2026-11-29T03:00:00Z",
    },
  ],
  refundable_fen: 2_300,
  cases: [12],
};
const detail = { session: { id: 3 }, may_manage: true } as ChargingSessionDetail;
const operator = userWith(["charging.read", "charging.manage"], "operator");

function open(more: Record<string, unknown> = {}, shown = detail) {
  const calls = serve({ [`GET ${PATH}`]: found, ...more });
  show(<Payments detail={shown} />, { user: operator, path: "/charging/sessions/3" });
  return calls;
}
beforeEach(() => drawNothing());
afterEach(() => vi.unstubAllGlobals());

describe("payments", () => {
  it("says what was paid and given back, by whom and why, and which cases came of it", async () => {
    open();
    const card = await screen.findByTestId("charging-payments");
    expect(await within(card).findByText("p-1")).toBeTruthy();
    expect(card.textContent).toContain("10.00 yuan given back · 王敏 · 2026-11-29 11:00");
    expect(card.textContent).toContain("充电中断");
    expect(within(card).getByRole("link", { name: /12/ }).getAttribute("href")).toBe("/cases/12");
  });

  it("gives back what is left at most, with a reason, asked once more", async () => {
    const sent = vi.fn((_: unknown) => Response.json({ ...found, refundable_fen: 0 }, { status: 201 }));
    const calls = open({ [`POST ${REFUNDS}`]: sent });
    const amount = await screen.findByLabelText("How much to give back, yuan");
    fireEvent.change(amount, { target: { value: "23.01" } });
    fireEvent.click(screen.getByRole("button", { name: "Give back" }));
    expect((await screen.findByRole("alert")).textContent).toContain("23.00 yuan at most");
    fireEvent.change(amount, { target: { value: "23" } });
    fireEvent.click(screen.getByRole("button", { name: "Give back" }));
    expect((await screen.findByRole("alert")).textContent).toContain("Say why first");
    fireEvent.change(screen.getByLabelText("Why it is given back"), {
      target: { value: "the meter was wrong" },
    });
    fireEvent.click(screen.getByRole("button", { name: "Give back" }));
    fireEvent.click(await screen.findByTestId("charging-refund-sure"));
    await waitFor(() => expect(sent).toHaveBeenCalledTimes(1));
    expect(calls.some((call) => JSON.stringify(call).includes(REFUNDS))).toBe(true);
    expect(await screen.findByText("It is given back")).toBeTruthy();
  }, 20_000);

  it("offers nothing to who only looks", async () => {
    open({}, { ...detail, may_manage: false });
    expect(await screen.findByText("p-1")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Give back" })).toBeNull();
  });
});
