/** One session: its bill line by line, doubts in words, a decision with a reason that is asked once more, corrections and what was told. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { Route, Routes } from "react-router";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ChargingBill, ChargingSessionDetail } from "../../lib/types.ts";
import { drawNothing, serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./detail.tsx";

const SESSION = "/api/v1/charging/sessions/3";
const CARD = "c2fa87ce8b643e35af60907450aa008e1266d0ed7fc34309b3e79012df19c66a";
const line = (kind: string, text_en: string, amount_fen: number) => ({
  kind,
  from: "2026-11-29T02:12:18Z",
  until: "2026-11-29T03:00:00Z",
  energy_wh: 22_619,
  price: 9_800,
  amount_fen,
  text_zh: `${text_en}（中）`,
  text_en,
});
const bill: ChargingBill = {
  tariff: "public-tou",
  standing: "held",
  lines: [line("energy", "electricity: 22.619 kWh", 2_217), line("service", "service: 22.619 kWh", 1_018)],
  total_fen: 3_235,
  due_fen: null,
  doubts: [
    {
      at: "2026-11-29T01:18:18.863416Z",
      text_zh: "电表倒走（2026-11-29 09:18:18 UTC+8）",
      text_en: "the register goes back (at 2026-11-29 09:18:18 UTC+8)",
    },
  ],
  decided_by: null,
  decided_at: null,
  decided_note: null,
};
const told = (kind: string, minute: string, register_wh: number | null) => ({
  kind,
  at: `2026-11-29T00:${minute}:18Z`,
  register_wh,
  received_at: "2026-11-29T04:42:18Z",
});
const detail: ChargingSessionDetail = {
  session: {
    id: 3,
    station: "CP2",
    transaction_id: "8",
    connector: 1,
    operator: "city",
    card: CARD,
    state: "doubtful",
    started_at: "2026-11-29T00:42:18Z",
    ended_at: "2026-11-29T01:42:18Z",
    energy_wh: 16_000,
    total_fen: 3_235,
    corrected: false,
    changed_at: "2026-11-29T04:42:18Z",
  },
  bill,
  correction: null,
  money: { billed_fen: 0, paid_fen: 0, refunded_fen: 0 },
  tariff_number: 1,
  holder: "CT-2026-0114",
  events: [told("started", "42", 50_000), told("reading", "54", 56_000), told("left", "58", null)],
  may_manage: true,
};
const operator = userWith(["entity.read", "charging.read", "charging.manage"], "operator");

const unpaid = { payments: [], refunds: [], refundable_fen: 0, cases: [] };

function open(found: unknown = detail, more: Record<string, unknown> = {}, user = operator) {
  const calls = serve({ [`GET ${SESSION}`]: found, [`GET ${SESSION}/payments`]: unpaid, ...more });
  show(
    <Routes>
      <Route path="/charging/sessions/:id" element={<Page />} />
    </Routes>,
    { user, path: "/charging/sessions/3" },
  );
  return calls;
}
const card = (name: string) => screen.findByTestId(`charging-${name}`);

beforeEach(() => drawNothing());
afterEach(() => vi.unstubAllGlobals());

describe("a session", () => {
  it("shows its facts, its bill line by line with sums, and what was told", async () => {
    open();
    const facts = await card("facts");
    expect(facts.textContent).toContain("CT-2026-0114");
    expect(facts.textContent).toContain("c2fa87ce8b64");
    expect(facts.textContent).not.toContain(CARD);
    expect(within(facts).getByRole("link", { name: "CP2 · outlet 1" }).getAttribute("href")).toBe(
      `/entities/${encodeURIComponent("urn:ngsi-ld:ChargePoint:CP2")}`,
    );
    const rows = within(await card("bill")).getAllByRole("row");
    expect(rows.map((row) => row.textContent)).toEqual([
      "LineAmount, yuan",
      "electricity: 22.619 kWh22.17",
      "service: 22.619 kWh10.18",
      "Electricity22.17",
      "Service10.18",
      "Total32.35",
    ]);
    const events = await card("told");
    expect(within(events).getAllByRole("row")[1]?.textContent).toContain("Started2026-11-29 08:42:1850.000");
    expect(within(events).getByRole("img")).toBeTruthy();
  });

  it("says what is in doubt, with times by the city's clock", async () => {
    open();
    const doubts = await card("doubts");
    expect(doubts.textContent).toContain("The bill is held: 1 in doubt");
    expect(doubts.textContent).toContain("the register goes back (at 2026-11-29 09:18:18 UTC+8)");
  });

  it("has no bill while it goes on, and says why; it can be ended", async () => {
    const going = { ...detail.session, state: "charging", ended_at: null, total_fen: null };
    open({ ...detail, session: going, bill: null, tariff_number: null });
    expect((await card("bill")).textContent).toContain("It is made once charging ends.");
    expect((await card("facts")).textContent).toContain("goes on");
    fireEvent.click(screen.getByRole("button", { name: /Stop/ }));
    fireEvent.click(await screen.findByTestId("charging-order-next"));
    expect((await screen.findByTestId("charging-order-question")).textContent).toContain(
      "End the transaction 8 at CP2?",
    );
  }, 20_000);

  it("shows a correction with its difference, and none where the correction is in doubt itself", async () => {
    const due = { ...bill, standing: "due", doubts: [], due_fen: 3_235 };
    const session = { ...detail.session, state: "billed", corrected: true };
    open({ ...detail, session, bill: due, correction: { ...due, total_fen: 3_393, due_fen: 3_393 } });
    expect((await card("correction")).textContent).toContain("Difference+1.58 yuan");
  });

  it("tells no difference to a correction that is held", async () => {
    const due = { ...bill, standing: "due", doubts: [], due_fen: 3_235 };
    open({ ...detail, bill: due, correction: { ...bill, lines: [], total_fen: 0 } });
    const correction = await card("correction");
    expect(correction.textContent).toContain("cannot be told, see the doubts");
    expect(correction.textContent).not.toContain("Difference");
    expect(correction.textContent).toContain("The correction is in doubt itself: 1");
  });

  it("is not there", async () => {
    open(() => Response.json({ detail: "no charging session" }, { status: 404 }));
    expect(await screen.findByText("Not found")).toBeTruthy();
  });
});

describe("the decision on a bill that is held", () => {
  const decided: ChargingSessionDetail = {
    ...detail,
    session: { ...detail.session, state: "billed" },
    bill: {
      ...bill,
      standing: "accepted",
      due_fen: 3_235,
      decided_by: "周运营",
      decided_at: "2026-11-29T05:07:59Z",
      decided_note: "the meter was looked at",
    },
    money: { billed_fen: 3_235, paid_fen: 0, refunded_fen: 0 },
  };

  it("needs a reason, is asked once more, and says afterwards who decided", async () => {
    let kept = detail;
    const calls = open(() => kept, {
      [`POST ${SESSION}/decision`]: () => {
        kept = decided;
        return kept;
      },
    });
    const decide = await card("decide");
    fireEvent.click(within(decide).getByRole("button", { name: /Charge/ }));
    expect((await within(decide).findByRole("alert")).textContent).toBe("Say why first");
    fireEvent.change(within(decide).getByLabelText("Reason"), {
      target: { value: " the meter was looked at " },
    });
    fireEvent.click(within(decide).getByRole("button", { name: /Charge/ }));
    expect((await screen.findAllByText("Charge the holder 32.35 yuan?")).length).toBeGreaterThan(0);
    expect(calls.some(({ method }) => method === "POST")).toBe(false);
    fireEvent.click(screen.getByTestId("charging-decide-sure"));
    await waitFor(() => expect(calls.some(({ method }) => method === "POST")).toBe(true));
    expect(calls.find(({ method }) => method === "POST")?.body).toEqual({
      decision: "accept",
      note: "the meter was looked at",
    });
    const after = await card("decided");
    expect(after.textContent).toContain("周运营 · 2026-11-29 13:07:59 UTC+8");
    expect(after.textContent).toContain("the meter was looked at");
    expect(after.textContent).toContain("What was in doubt: 1");
  }, 20_000);

  it("says what the server refused, and stays", async () => {
    const problem = { code: "charging-review", detail: "the bill is not held", mend: "load it again" };
    open(detail, { [`POST ${SESSION}/decision`]: () => Response.json(problem, { status: 409 }) });
    const decide = await card("decide");
    fireEvent.change(within(decide).getByLabelText("Reason"), { target: { value: "no" } });
    fireEvent.click(within(decide).getByRole("button", { name: "Waive" }));
    fireEvent.click(await screen.findByTestId("charging-decide-sure"));
    expect(await screen.findByText(/the bill is not held/)).toBeTruthy();
  }, 20_000);

  it("can only be to waive where no card was shown", async () => {
    open({ ...detail, session: { ...detail.session, card: null } });
    const decide = await card("decide");
    expect(within(decide).getByText("No card was shown: it can only be waived.")).toBeTruthy();
    expect(within(decide).queryByRole("button", { name: /Charge/ })).toBeNull();
    expect(within(decide).getByRole("button", { name: "Waive" })).toBeTruthy();
  });

  it("warns that charging nothing brings nothing", async () => {
    open({ ...detail, bill: { ...bill, lines: [], total_fen: 0 } });
    expect(within(await card("decide")).getByText(/brings nothing/)).toBeTruthy();
    expect((await card("bill")).textContent).toContain("No line could be reckoned. Total 0.00 yuan");
  });

  it("is not offered to who may not decide", async () => {
    open({ ...detail, may_manage: false }, {}, userWith(["charging.read"]));
    expect(await card("bill")).toBeTruthy();
    expect(screen.queryByTestId("charging-decide")).toBeNull();
  });
});
