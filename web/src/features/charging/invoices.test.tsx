/** Invoices: listed with what is refunded of them, issued under a number, declined with a reason, taken back; a seller without made-up codes. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ChargingInvoice } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Invoices } from "./invoices.tsx";

const INVOICES = "/api/v1/charging/invoices";
const NUMBER = "26422000000000000001";
const operator = userWith(["charging.read", "charging.manage"], "operator");
const invoice = (more: Partial<ChargingInvoice> = {}): ChargingInvoice => ({
  id: 7,
  state: "asked",
  operator: "city",
  title: "天门市某单位",
  tax_number: "11429006000000000A",
  seller: "竟陵充电有限公司",
  seller_tax_number: "91429006MA00000000",
  bills: ["CP1/7"],
  items: [
    {
      kind: "energy",
      code: "1".repeat(19),
      rate_percent: 13,
      net_fen: 1_947,
      tax_fen: 253,
      gross_fen: 2_200,
    },
    { kind: "service", code: "3".repeat(19), rate_percent: 6, net_fen: 1_038, tax_fen: 62, gross_fen: 1_100 },
  ],
  net_fen: 2_985,
  tax_fen: 315,
  gross_fen: 3_300,
  left_fen: 3_300,
  is_changed: false,
  number: null,
  red_number: null,
  note: null,
  replaces: null,
  asked_at: "2026-11-29T02:00:00Z",
  changed_at: "2026-11-29T02:00:00Z",
  ...more,
});
const refunded = invoice({ id: 6, state: "issued", number: NUMBER, left_fen: 2_300, is_changed: true });

function open(more: Record<string, unknown> = {}) {
  const calls = serve({
    [`GET ${INVOICES}`]: { items: [invoice(), refunded], is_sandbox: true, next: null },
    [`GET ${INVOICES}/sellers`]: { items: [], operator: "city" },
    ...more,
  });
  show(<Invoices />, { user: operator, path: "/charging?view=invoices" });
  return calls;
}

afterEach(() => vi.unstubAllGlobals());

describe("invoices", () => {
  it("lists what they come to, marks what was refunded, and warns of the sandbox", async () => {
    open();
    const [asked, issued] = await screen.findAllByTestId("charging-invoice");
    expect(asked?.textContent).toContain("天门市某单位11429006000000000A");
    expect(asked?.textContent).toContain("The city33.00");
    expect(within(issued as HTMLElement).getByText("refunded")).toBeTruthy();
    expect(issued?.textContent).toContain(NUMBER);
    expect(screen.getByTestId("invoice-sandbox")).toBeTruthy();
    fireEvent.click(within(asked as HTMLElement).getByRole("button", { name: /expand/i }));
    expect(await screen.findByText("1".repeat(19))).toBeTruthy();
    expect(screen.getByText(/Seller 竟陵充电有限公司 \(91429006MA00000000\); bills CP1\/7/)).toBeTruthy();
  });

  it("records a number of 20 digits and no other", async () => {
    const calls = open({ [`POST ${INVOICES}/7/steps`]: invoice({ state: "issued", number: NUMBER }) });
    fireEvent.click(await screen.findByRole("button", { name: /Record its number$/ }));
    const field = await screen.findByLabelText("Number (20 digits)");
    fireEvent.change(field, { target: { value: "123" } });
    fireEvent.click(screen.getByTestId("invoice-step-submit"));
    expect(await screen.findByText("20 digits")).toBeTruthy();
    expect(calls.some(({ method }) => method === "POST")).toBe(false);
    fireEvent.change(field, { target: { value: ` ${NUMBER}` } });
    fireEvent.click(screen.getByTestId("invoice-step-submit"));
    await waitFor(() =>
      expect(calls.find(({ method }) => method === "POST")?.body).toEqual({
        step: "issue",
        number: NUMBER,
        note: null,
      }),
    );
  });

  it("takes an issued one back with a number and a reason", async () => {
    const calls = open({ [`POST ${INVOICES}/6/steps`]: { ...refunded, state: "reversed" } });
    fireEvent.click(await screen.findByRole("button", { name: /Take back$/ }));
    fireEvent.change(await screen.findByLabelText("Number of the red invoice (20 digits)"), {
      target: { value: "26422000000000000002" },
    });
    fireEvent.click(screen.getByTestId("invoice-step-submit"));
    expect(await screen.findByText("Fill this in")).toBeTruthy();
    fireEvent.change(screen.getByLabelText("Reason"), { target: { value: "退款" } });
    fireEvent.click(screen.getByTestId("invoice-step-submit"));
    await waitFor(() =>
      expect(calls.find(({ method }) => method === "POST")?.body).toEqual({
        step: "reverse",
        number: "26422000000000000002",
        note: "退款",
      }),
    );
  });

  it("has a seller written whose fees without a code are left out", async () => {
    const calls = open({ [`PUT ${INVOICES}/sellers`]: { items: [], operator: "city" } });
    fireEvent.click(await screen.findByRole("button", { name: /Seller and rates$/ }));
    const name = await screen.findByLabelText("The seller's name");
    expect(screen.getAllByLabelText("Rate").map((field) => (field as HTMLInputElement).value)).toEqual([
      "",
      "",
      "",
      "",
    ]);
    fireEvent.change(name, { target: { value: "竟陵充电有限公司" } });
    fireEvent.change(screen.getByLabelText("Taxpayer's number"), { target: { value: "91429006MA00000000" } });
    const code = screen.getAllByLabelText("Tax code (19 digits)")[0] as HTMLElement;
    const rate = screen.getAllByLabelText("Rate")[0] as HTMLElement;
    fireEvent.change(code, { target: { value: "1".repeat(19) } });
    fireEvent.click(screen.getByTestId("invoice-seller-submit"));
    expect(await screen.findByText("Fill this in")).toBeTruthy();
    fireEvent.change(rate, { target: { value: "13" } });
    fireEvent.click(screen.getByTestId("invoice-seller-submit"));
    await waitFor(() =>
      expect(calls.find(({ method }) => method === "PUT")?.body).toEqual({
        operator: "city",
        name: "竟陵充电有限公司",
        tax_number: "91429006MA00000000",
        taxed: [{ kind: "energy", code: "1".repeat(19), rate_percent: 13 }],
      }),
    );
  });
});
