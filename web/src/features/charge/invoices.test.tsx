/** A driver's invoices: chosen of what is paid, of one operator alone, asked for once, and what became of them. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { Route, Routes } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serve, show, userWith } from "../../test-tools.tsx";
import { order } from "./made.ts";
import { Page } from "./page.tsx";
import type { Invoice } from "./types.ts";

const MINE = "/api/v1/charging/mine";
const driver = userWith(["charging.use"], "resident");
const paid = (id: string, operator: string) =>
  order({
    id,
    operator,
    state: "paid",
    may_invoice: true,
    paid_fen: 3_300,
    refunded_fen: 300,
    may_stop: false,
  });
const invoice: Invoice = {
  id: 7,
  state: "issued",
  operator: "city",
  title: "天门市某单位",
  tax_number: null,
  seller: "竟陵充电有限公司",
  seller_tax_number: "91429006MA00000000",
  bills: ["CP1/7", "CP1/8"],
  items: [],
  net_fen: 2_985,
  tax_fen: 315,
  gross_fen: 3_300,
  left_fen: 3_300,
  is_changed: false,
  number: "26422000000000000001",
  red_number: null,
  note: null,
  replaces: null,
  asked_at: "2026-11-29T02:00:00Z",
  changed_at: "2026-11-29T02:00:00Z",
};

function open(answers: Record<string, unknown> = {}) {
  const items = [paid("a", "city"), paid("b", "city"), paid("c", "天门电力"), order({ id: "d" })];
  const calls = serve({
    [`GET ${MINE}`]: { items, owed_fen: 0, next: null },
    [`GET ${MINE}/invoices`]: { items: [invoice], is_sandbox: true, next: null },
    [`POST ${MINE}/invoices`]: invoice,
    "GET /api/v1/charging/places": {
      items: [],
      payment: { is_open: true, is_sandbox: true },
      hold_fen: 1,
      at: "",
    },
    ...answers,
  });
  show(
    <Routes>
      <Route path="/charge/*" element={<Page />} />
    </Routes>,
    { user: driver, path: "/charge/invoices" },
  );
  return calls;
}

afterEach(() => vi.unstubAllGlobals());

describe("a driver's invoices", () => {
  it("shows what became of them", async () => {
    open();
    const card = within(await screen.findByTestId("charge-invoice"));
    expect(card.getByText("issued")).toBeTruthy();
    expect(card.getByText(/26422000000000000001/)).toBeTruthy();
    expect(card.getByText(/Charges: 2 · 33.00 yuan/)).toBeTruthy();
  });

  it("asks for one of the charges of one operator, with a title and a number", async () => {
    const calls = open();
    const rows = await screen.findAllByTestId("charge-invoiceable");
    expect(rows).toHaveLength(3);
    fireEvent.click(within(rows[0] as HTMLElement).getByRole("checkbox"));
    const others = within(rows[2] as HTMLElement).getByRole<HTMLInputElement>("checkbox");
    expect(others.disabled).toBe(true);
    fireEvent.click(screen.getByRole("checkbox", { name: "Choose all" }));
    fireEvent.click(screen.getByRole("button", { name: "Ask for an invoice (2, 60.00 yuan)" }));
    fireEvent.click(await screen.findByRole("radio", { name: "An organisation" }));
    fireEvent.change(screen.getByLabelText("Title"), { target: { value: "天门市某单位" } });
    fireEvent.change(await screen.findByLabelText("Taxpayer's number"), { target: { value: "123" } });
    fireEvent.click(screen.getByTestId("charge-invoice-send"));
    expect(await screen.findByText("15 to 20 digits or capital letters")).toBeTruthy();
    fireEvent.change(screen.getByLabelText("Taxpayer's number"), { target: { value: "11429006000000000A" } });
    fireEvent.click(screen.getByTestId("charge-invoice-send"));
    await waitFor(() =>
      expect(calls.find(({ method }) => method === "POST")?.body).toEqual({
        charges: ["a", "b"],
        title: "天门市某单位",
        tax_number: "11429006000000000A",
        key: expect.any(String),
      }),
    );
  });

  it("says what can be invoiced where nothing can", async () => {
    open({ [`GET ${MINE}`]: { items: [order()], owed_fen: 0, next: null } });
    expect(await screen.findByText("No charge can be invoiced")).toBeTruthy();
  });
});
