/** The exchange: partners with what waits for them, days whose orders differ with their case, disputed orders; closed, it says what opens it. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Exchange } from "./exchange.tsx";

const EXCHANGE = "GET /api/v1/charging/exchange";
const ORDERS = "GET /api/v1/charging/exchange/orders";
const operator = userWith(["charging.read", "charging.manage"], "operator");
const partner = {
  operator_id: "123456789",
  name: "某充电运营商",
  role: "operator",
  asked: true,
  heard_at: "2026-11-29T01:00:00Z",
  stations_at: null,
  statuses_at: null,
  problem: "it answered 502",
  problem_at: "2026-11-29T02:00:00Z",
  orders: 12,
  disputed: 1,
  waiting: 0,
  given_up: 2,
};
const compared = {
  partner: "123456789",
  from: "2026-11-27T16:00:00Z",
  until: "2026-11-28T15:59:59Z",
  our_count: 3,
  our_wh: 27_190,
  our_fen: 4_629,
  their_count: 3,
  their_wh: 27_190,
  their_fen: 3_196,
  differences: [{ order: "A", text_zh: "订单 A：金额不一致", text_en: "order A: the money differs" }],
  difference_count: 3,
  case_id: 7,
  asked_by: "partner",
  compared_at: "2026-11-29T00:00:00Z",
};
const order = {
  id: 1,
  partner: "123456789",
  order_no: "123456789000000000000000001",
  side: "theirs",
  connector_id: "C1",
  station: null,
  transaction_id: null,
  state: "settled",
  started_at: "2026-11-28T01:00:00Z",
  ended_at: "2026-11-28T02:00:00Z",
  energy_wh: 12_345,
  electricity_fen: 926,
  service_fen: 617,
  confirm_result: 1,
  doubts: ["content"],
  told_at: "2026-11-28T02:00:05Z",
  case_id: 9,
};

const sum = { count: 2, energy_wh: 20_000, electricity_fen: 2_000, service_fen: 1_000 };
const none = { count: 0, energy_wh: 0, electricity_fen: 0, service_fen: 0 };
const statements = {
  month: "2026-10",
  is_over: true,
  may_manage: true,
  statements: [
    {
      partner: "987654321",
      name: "某聚合平台",
      side: "ours",
      agreed: sum,
      disputed: { ...sum, count: 1 },
      open: none,
      entered_fen: 0,
      due_fen: 3_000,
    },
    {
      partner: "123456789",
      name: "某充电平台",
      side: "theirs",
      agreed: sum,
      disputed: none,
      open: none,
      entered_fen: 0,
      due_fen: 0,
    },
  ],
};

function open(more: Record<string, unknown> = {}) {
  const calls = serve({
    [EXCHANGE]: { is_open: true, operator_id: "429006001", partners: [partner], comparisons: [compared] },
    "GET /api/v1/charging/exchange/statements/*": statements,
    "POST /api/v1/charging/exchange/statements/2026-10/987654321": statements,
    [ORDERS]: { items: [order], next: null },
    ...more,
  });
  show(<Exchange />, { user: operator, path: "/charging?view=exchange&month=2026-10" });
  return calls;
}

afterEach(() => vi.unstubAllGlobals());

describe("the exchange", () => {
  it("shows each partner with its role, what is disputed, and that it could not be asked", async () => {
    open();
    const row = within(await screen.findByTestId("exchange-partner"));
    expect(row.getByText("runs stations")).toBeTruthy();
    expect(row.getByText("came to nothing")).toBeTruthy();
    expect(row.getByText("2")).toBeTruthy();
    expect(screen.getByText(/429006001/)).toBeTruthy();
  });

  it("shows a day whose orders differ, what differs, and its case", async () => {
    open();
    const row = await screen.findByTestId("exchange-comparison");
    expect(row.textContent).toContain("46.29 / 31.96");
    expect(within(row).getByRole("link", { name: "Open" }).getAttribute("href")).toBe("/cases/7");
    fireEvent.click(within(row).getByRole("button"));
    expect(await screen.findByText("order A: the money differs")).toBeTruthy();
    expect(screen.getByText("2 more")).toBeTruthy();
  });

  it("lists orders, and those alone that are disputed", async () => {
    const calls = open();
    const row = await screen.findByTestId("exchange-order");
    expect(row.textContent).toContain("12.345");
    expect(row.textContent).toContain("15.43");
    expect(within(row).getByText("disputed")).toBeTruthy();
    fireEvent.click(screen.getByRole("checkbox"));
    await waitFor(() => expect(calls.some(({ path }) => path.includes("disputed=true"))).toBe(true));
  });

  it("shows a month's money, and enters what is agreed on after it was asked once more", async () => {
    const calls = open();
    const rows = await screen.findAllByTestId("exchange-statement");
    expect(rows[0]?.textContent).toContain("2: 20.000 kWh20.00 electricity, 10.00 service, yuan");
    expect(within(rows[1] as HTMLElement).queryByRole("button", { name: /Enter$/ })).toBeNull();
    fireEvent.click(within(rows[0] as HTMLElement).getByRole("button", { name: /Enter$/ }));
    const sure = await screen.findByTestId("statement-sure");
    expect(screen.getByRole("dialog").textContent).toContain(
      "Enter 30.00 yuan of 2026-10 as owed by 某聚合平台?",
    );
    fireEvent.click(sure);
    await waitFor(() => expect(calls.filter(({ method }) => method === "POST")).toHaveLength(1));
  });

  it("leads from an order to the case of its dispute", async () => {
    open();
    const row = await screen.findByTestId("exchange-order");
    expect(within(row).getByRole("link", { name: "Open" }).getAttribute("href")).toBe("/cases/9");
  });

  it("says what opens it while it is closed", async () => {
    open({ [EXCHANGE]: { is_open: false, operator_id: null, partners: [], comparisons: [] } });
    expect(await screen.findByText("The exchange is closed")).toBeTruthy();
    expect(screen.getByText(/tcec102\.open/)).toBeTruthy();
  });
});
