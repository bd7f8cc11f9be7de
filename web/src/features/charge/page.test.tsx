/** The driver's pages: found by address, started once however often it is tapped, watched, stopped, paid, complained of, reserved. */
import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { Route, Routes, useLocation } from "react-router";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { firstPage, navFor } from "../../shell/navigation.tsx";
import { drawNothing, serve, show, userWith } from "../../test-tools.tsx";
import { order, places } from "./made.ts";
import { Page } from "./page.tsx";
import type { Order } from "./types.ts";

const MINE = "/api/v1/charging/mine";
const RESERVATIONS = "/api/v1/charging/reservations";
const driver = userWith(["charging.use"], "resident");

function Address() {
  const { pathname, search } = useLocation();
  return <output data-testid="address">{pathname + search}</output>;
}
const address = () => screen.getByTestId("address").textContent;

function open(path: string, answers: Record<string, unknown> = {}, language: "zh" | "en" = "en") {
  const calls = serve({ "GET /api/v1/charging/places": places(), ...answers });
  show(
    <>
      <Routes>
        <Route path="/charge/*" element={<Page />} />
      </Routes>
      <Address />
    </>,
    { user: driver, path, language },
  );
  return calls;
}
const problem = (status: number, code: string, detail: string, mend: string) => () =>
  Response.json({ code, detail, mend }, { status });
const detail = (more: Partial<Order> = {}, rest: Record<string, unknown> = {}) => ({
  order: order(more),
  bill: null,
  readings: [],
  ...rest,
});
const line = (kind: string, amount_fen: number) => ({
  kind,
  from: "2026-11-29T08:01:00Z",
  until: "2026-11-29T09:00:00Z",
  energy_wh: 18_400,
  price: 6_000,
  amount_fen,
  text_zh: `${kind}（2026-11-29 16:01:00 UTC+8 起）`,
  text_en: `${kind} (from 2026-11-29 16:01:00 UTC+8)`,
});
const bill = {
  tariff: "tou",
  standing: "due",
  lines: [line("energy", 1_104), line("service", 828)],
  total_fen: 1_932,
  due_fen: 1_932,
  doubts: [],
  decided_by: null,
  decided_at: null,
  decided_note: null,
};

beforeEach(() => drawNothing());
afterEach(() => vi.unstubAllGlobals());

describe("the menu", () => {
  it("offers a driver charging alone, and begins there; who works for the city begins as before", () => {
    expect(navFor(driver).map(({ path }) => path)).toEqual(["/charge"]);
    expect(firstPage(driver)).toBe("/charge");
    const duty = userWith(["charging.use", "entity.read"]);
    expect(navFor(duty).map(({ path }) => path)).toContain("/charge");
    expect(firstPage(duty)).toBe("/");
    expect(navFor(userWith(["entity.read"])).map(({ path }) => path)).not.toContain("/charge");
    expect(firstPage(userWith([]))).toBe("/no-rights");
  });
});

describe("find", () => {
  it("lists places with what is free and what it costs", async () => {
    open("/charge");
    const cards = await screen.findAllByTestId("charge-place");
    expect(cards.map((card) => card.textContent)).toEqual([
      "East Lake1 of 2 free1.05 yuan/kWh120 kW · GB/T 20234.3",
      "South Station0 of 1 freePrice not known7 kW · GB/T 20234.2",
    ]);
    expect(cards[0]?.getAttribute("href")).toBe("/charge/places/east");
  });

  it("keeps its filters in the address, and helps out of too many", async () => {
    open("/charge?power=120&q=south");
    expect(await screen.findByText("No place fits")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Clear the filters" }));
    expect(await screen.findAllByTestId("charge-place")).toHaveLength(2);
    fireEvent.click(screen.getByRole("button", { name: "Free only" }));
    await waitFor(() => expect(screen.getAllByTestId("charge-place")).toHaveLength(1));
    expect(address()).toBe("/charge?free=1");
  });

  it("asks where the phone is on a tap alone, and says why it does not know", async () => {
    const getCurrentPosition = vi.fn((_: unknown, no: (error: unknown) => void) =>
      no({ code: 1, PERMISSION_DENIED: 1 }),
    );
    vi.stubGlobal("navigator", {
      ...navigator,
      userAgent: "test",
      onLine: true,
      geolocation: { getCurrentPosition },
    });
    open("/charge");
    const button = await screen.findByTestId("charge-where");
    expect(getCurrentPosition).not.toHaveBeenCalled();
    fireEvent.click(button);
    expect(await screen.findByText(/may not say where it is/)).toBeTruthy();
  });

  it("keeps the flag of an embedded page on every way", async () => {
    open("/charge?embed=1");
    const [card] = await screen.findAllByTestId("charge-place");
    expect(card?.getAttribute("href")).toBe("/charge/places/east?embed=1");
    const parts = within(screen.getByRole("navigation", { name: "The parts of charging" }));
    for (const way of parts.getAllByRole("link")) expect(way.getAttribute("href")).toMatch(/\?embed=1$/);
    expect(screen.getByTestId("language")).toBeTruthy();
  });

  it("says so when there is no place", async () => {
    open("/charge", { "GET /api/v1/charging/places": places({ items: [] }) });
    expect(await screen.findByText("No place yet")).toBeTruthy();
  });
});

describe("a place", () => {
  it("shows its points with why not, and hands the way over as WGS 84", async () => {
    open("/charge/places/east");
    const cards = await screen.findAllByTestId("charge-point");
    expect(
      within(cards[0] as HTMLElement)
        .getByRole("link", { name: "Charge here" })
        .getAttribute("href"),
    ).toBe("/charge/at/CP1/1");
    expect(cards[1]?.textContent).toContain("another vehicle charges there");
    expect(within(cards[1] as HTMLElement).queryByRole("link", { name: "Charge here" })).toBeNull();
    expect(screen.getByRole("link", { name: "Amap" }).getAttribute("href")).toContain("coordinate=wgs84");
  });

  it("that is not there is missed", async () => {
    open("/charge/places/none");
    expect(await screen.findByText("There is no such place")).toBeTruthy();
  });
});

describe("start", () => {
  /** What asked before may still be on its way out. */
  const begin = async () => {
    await screen.findByTestId("charge-start");
    const before = screen.queryAllByTestId("charge-start-sure").length;
    const button = document.querySelector<HTMLButtonElement>('[data-action="charge.start"]:not(:disabled)');
    fireEvent.click(button as HTMLButtonElement);
    await waitFor(() => expect(screen.getAllByTestId("charge-start-sure")).toHaveLength(before + 1));
    fireEvent.click(screen.getAllByTestId("charge-start-sure").at(-1) as HTMLElement);
  };

  it("says price and hold, asks once, sends, and goes to the charge", async () => {
    const calls = open("/charge/at/CP1/1?embed=1", {
      [`POST ${MINE}`]: () => Response.json(order({ state: "holding" }), { status: 201 }),
      [`GET ${MINE}/a1`]: detail({ state: "holding", started_at: null, energy_wh: null }),
    });
    const card = await screen.findByTestId("charge-start");
    expect(card.textContent).toContain("1.05 yuan/kWh");
    expect(card.textContent).toContain("50.00 yuan are set aside first");
    expect(within(card).getByTestId("charge-sandbox").textContent).toBe("Sandbox: no real money moves");
    expect(calls.some(({ method }) => method === "POST")).toBe(false);
    await begin();
    await waitFor(() => expect(address()).toBe("/charge/orders/a1?embed=1"));
    const sent = calls.find(({ method }) => method === "POST")?.body as Record<string, unknown>;
    expect(sent).toMatchObject({ station: "CP1", outlet: 1 });
    expect(String(sent.key)).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("sends the same key again after no answer, and another after a refusal", async () => {
    const answers = [
      problem(504, "charging-no-answer", "the station did not answer", "look"),
      problem(409, "charging-taken", "somebody was faster", "take another point"),
      problem(409, "charging-taken", "somebody was faster", "take another point"),
    ];
    const calls = open("/charge/at/CP1/1", { [`POST ${MINE}`]: () => answers.shift()?.() });
    await begin();
    const lost = await screen.findByTestId("charge-refused");
    expect(lost.textContent).toContain("it may have been done all the same");
    expect(within(lost).getByRole("link", { name: "Look" }).getAttribute("href")).toBe("/charge/orders");
    await begin();
    await waitFor(() =>
      expect(screen.getByTestId("charge-refused").textContent).toContain("somebody was faster"),
    );
    expect(screen.getByTestId("charge-refused").textContent).toContain("take another point");
    await begin();
    await waitFor(() => expect(calls.filter(({ method }) => method === "POST")).toHaveLength(3));
    const keys = calls
      .filter(({ method }) => method === "POST")
      .map(({ body }) => (body as { key: string }).key);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[1]);
  }, 30_000);

  it("is not offered where it may not be, which is said", async () => {
    open("/charge/at/CP1/2", {}, "zh");
    expect((await screen.findByTestId("charge-may-not")).textContent).toContain("正有别的车在充电");
    expect(screen.queryByRole("button", { name: /开始充电/ })).toBeNull();
  });

  it("misses an outlet that there is not, and a number that is none", async () => {
    open("/charge/at/CP9/1");
    expect(await screen.findByText("There is no outlet 1 of CP9")).toBeTruthy();
  });
});

describe("scan", () => {
  it("takes the typed number, and says when it is none", async () => {
    open("/charge/scan");
    const field = await screen.findByLabelText("Station");
    fireEvent.change(field, { target: { value: "CP1:2" } });
    fireEvent.click(screen.getByRole("button", { name: "See this point" }));
    expect(await screen.findByText(/No number is written so/)).toBeTruthy();
    fireEvent.change(field, { target: { value: "CP1/2" } });
    fireEvent.click(screen.getByRole("button", { name: "See this point" }));
    await waitFor(() => expect(address()).toBe("/charge/at/CP1/2"));
  });

  it("reads the code by the camera, and lets the camera go", async () => {
    const stopped = vi.fn();
    vi.stubGlobal(
      "BarcodeDetector",
      class {
        detect = async () => [{ rawValue: "https://city.example/charge/at/CP1/1" }];
      },
    );
    const getUserMedia = async () => ({ getTracks: () => [{ stop: stopped }] });
    vi.stubGlobal("navigator", {
      ...navigator,
      onLine: true,
      userAgent: "test",
      mediaDevices: { getUserMedia },
    });
    vi.spyOn(HTMLMediaElement.prototype, "play").mockResolvedValue();
    open("/charge/scan");
    fireEvent.click(await screen.findByRole("button", { name: /Open the camera/ }));
    await waitFor(() => expect(address()).toBe("/charge/at/CP1/1"));
    expect(stopped).toHaveBeenCalledOnce();
  });

  it("says what helps where the camera may not be used", async () => {
    vi.stubGlobal("BarcodeDetector", class {});
    const getUserMedia = async () => {
      throw new DOMException("no", "NotAllowedError");
    };
    vi.stubGlobal("navigator", {
      ...navigator,
      onLine: true,
      userAgent: "test",
      mediaDevices: { getUserMedia },
    });
    open("/charge/scan");
    fireEvent.click(await screen.findByRole("button", { name: /Open the camera/ }));
    expect((await screen.findByTestId("charge-camera-failed")).textContent).toContain(
      "type the number below",
    );
  });
});

describe("a charge", () => {
  it("shows energy, power and cost while it goes on, and is stopped after being asked once more", async () => {
    const ended = order({ state: "ended", ended_at: "2026-11-29T09:00:00Z", may_stop: false });
    let now = detail();
    const calls = open("/charge/orders/a1", {
      [`GET ${MINE}/a1`]: () => now,
      [`POST ${MINE}/a1/stop`]: () => {
        now = { ...now, order: ended };
        return ended;
      },
    });
    const figures = await screen.findByTestId("charge-figures");
    expect(figures.textContent).toContain("Energy18.4 kWh");
    expect(figures.textContent).toContain("Power62.3 kW");
    expect(figures.textContent).toContain("19.32 yuan");
    fireEvent.click(screen.getByRole("button", { name: /Stop charging/ }));
    const sure = await screen.findByTestId("charge-stop-sure");
    expect(calls.some(({ method }) => method === "POST")).toBe(false);
    fireEvent.click(sure);
    await waitFor(() => expect(screen.getByTestId("charge-live").dataset.state).toBe("ended"));
    expect(document.querySelector('[data-action="charge.stop"]')).toBeNull();
  });

  it("shows how far it is before it begins", async () => {
    open("/charge/orders/a1", {
      [`GET ${MINE}/a1`]: detail({ state: "starting", started_at: null, energy_wh: null, may_stop: false }),
    });
    expect((await screen.findByTestId("charge-live")).textContent).toContain("Plug the cable in now");
    expect(screen.queryByTestId("charge-figures")).toBeNull();
  });

  it("that did not begin says why", async () => {
    const told = { zh: "车没有连上", en: "no vehicle was connected" };
    open(
      "/charge/orders/a1",
      { [`GET ${MINE}/a1`]: detail({ state: "refused", told, energy_wh: null }) },
      "zh",
    );
    expect((await screen.findByTestId("charge-told")).textContent).toContain("车没有连上");
  });

  it("has its bill line by line, and what is owed is paid", async () => {
    const owed = { state: "owed" as const, due_fen: 6_120, paid_fen: 5_000, owed_fen: 1_120, may_pay: true };
    const calls = open("/charge/orders/a1", {
      [`GET ${MINE}/a1`]: detail({ ...owed, may_stop: false }, { bill }),
      [`POST ${MINE}/a1/payment`]: order({ ...owed, state: "paid", owed_fen: 0, may_pay: false }),
    });
    const rows = within(await screen.findByTestId("charge-bill")).getAllByRole("row");
    expect(rows.map((row) => row.textContent)).toEqual([
      "LineAmount, yuan",
      "energy (from 2026-11-29 16:01:00 UTC+8)11.04",
      "service (from 2026-11-29 16:01:00 UTC+8)8.28",
      "Total19.32",
    ]);
    expect(screen.getByTestId("charge-payment").textContent).toContain("Owed11.20 yuan");
    fireEvent.click(screen.getByRole("button", { name: /Pay/ }));
    expect((await screen.findAllByText("Pay 11.20 yuan?")).length).toBeGreaterThan(0);
    fireEvent.click(screen.getByTestId("charge-pay-sure"));
    await waitFor(() => expect(calls.some(({ path }) => path === `${MINE}/a1/payment`)).toBe(true));
  });

  it("whose payment is under way says so, and asks for no money", async () => {
    const paying = { state: "paying" as const, due_fen: 6_120, paid_fen: 5_000, owed_fen: 0, may_pay: false };
    open("/charge/orders/a1", { [`GET ${MINE}/a1`]: detail({ ...paying, may_stop: false }, { bill }) });
    const live = await screen.findByTestId("charge-live");
    expect(live.textContent).toContain("Payment under way");
    expect(live.textContent).toContain("There is nothing more to pay");
    expect(screen.getByTestId("charge-payment").textContent).toContain("Under way11.20 yuan");
    expect(screen.getByTestId("charge-payment").textContent).not.toContain("Owed");
    expect(document.querySelector('[data-action="charge.pay"]')).toBeNull();
    expect(document.querySelector('[data-action="charge.complain"]')).not.toBeNull();
  });

  it("takes a complaint, and says the case's number", async () => {
    const calls = open("/charge/orders/a1", {
      [`GET ${MINE}/a1`]: detail({ state: "paid", may_stop: false }),
      [`POST ${MINE}/a1/complaint`]: () => Response.json({ case: "TM-318" }, { status: 201 }),
    });
    fireEvent.click(await screen.findByRole("button", { name: /Complain/ }));
    fireEvent.click(await screen.findByTestId("charge-complaint-send"));
    expect(await screen.findByText("Say what went wrong")).toBeTruthy();
    fireEvent.change(screen.getByLabelText("What went wrong"), { target: { value: " too much " } });
    fireEvent.click(screen.getByTestId("charge-complaint-send"));
    expect((await screen.findByTestId("charge-complaint-taken")).textContent).toContain("TM-318");
    expect(calls.find(({ method }) => method === "POST")?.body).toEqual({ text: "too much" });
  }, 30_000);
});

describe("my charging", () => {
  it("has what is owed on top, with the way to pay it", async () => {
    const owed = order({ id: "b/2", state: "owed", due_fen: 6_120, owed_fen: 1_120 });
    open("/charge/orders", { [`GET ${MINE}`]: { items: [order(), owed], owed_fen: 1_120, next: null } });
    const top = await screen.findByTestId("charge-owed");
    expect(top.textContent).toContain("You owe 11.20 yuan");
    expect(within(top).getByRole("link").getAttribute("href")).toBe("/charge/orders/b%2F2");
    const [first, second] = screen.getAllByTestId("charge-order");
    expect(first?.textContent).toContain("18.4 kWh · about 19.32 yuan");
    expect(second?.textContent).toContain("61.20 yuan");
  });

  it("names places in the reader's language, and by what there is where one has no English name", async () => {
    const items = [order(), order({ id: "b2", place_en: null, point_en: null })];
    const heads = () =>
      screen.getAllByTestId("charge-order").map((card) => card.querySelector("strong")?.textContent);
    const list = { [`GET ${MINE}`]: { items, owed_fen: 0, next: null } };
    const calls = open("/charge/orders", list);
    await screen.findByTestId("charge-orders");
    expect(heads()).toEqual(["East Lake · Outlet one", "东湖公园 · 一号枪"]);
    expect(calls.some(({ path }) => path === "/api/v1/charging/places")).toBe(false);
    cleanup();
    open("/charge/orders", list, "zh");
    await screen.findByTestId("charge-orders");
    expect(heads()).toEqual(["东湖公园 · 一号枪", "东湖公园 · 一号枪"]);
  });

  it("begins empty", async () => {
    open("/charge/orders", { [`GET ${MINE}`]: { items: [], owed_fen: 0, next: null } });
    expect(await screen.findByText("No charge yet")).toBeTruthy();
    expect(screen.queryByTestId("charge-owed")).toBeNull();
  });

  it("says what failed, with a way to try again", async () => {
    open("/charge/orders", { [`GET ${MINE}`]: problem(503, "down", "not now", "wait") });
    expect(await screen.findByText("not now")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Try again" })).toBeTruthy();
  });
});

describe("reservations", () => {
  const one = {
    id: 12,
    station: "CP1",
    outlet: 1,
    place: "东湖公园",
    place_en: "East Lake",
    point: "一号枪",
    point_en: "Outlet one",
    from: "2026-11-29T10:00:00Z",
    to: "2026-11-29T11:00:00Z",
    state: "confirmed",
    may_cancel: true,
  };

  it("stand the next first, and are given up after being asked once more", async () => {
    const past = {
      ...one,
      id: 3,
      from: "2026-11-20T10:00:00Z",
      to: "2026-11-20T11:00:00Z",
      state: "no_show",
      may_cancel: false,
    };
    const calls = open("/charge/reservations", {
      [`GET ${RESERVATIONS}`]: { items: [past, one] },
      [`DELETE ${RESERVATIONS}/12`]: () => new Response(null, { status: 204 }),
    });
    const shown = await screen.findAllByTestId("charge-reservation");
    expect(shown.map((item) => item.textContent?.includes("Not come"))).toEqual([false, true]);
    fireEvent.click(screen.getByRole("button", { name: /Give it up/ }));
    expect(calls.some(({ method }) => method === "DELETE")).toBe(false);
    fireEvent.click(await screen.findByTestId("charge-give-up-sure"));
    await waitFor(() => expect(calls.some(({ method }) => method === "DELETE")).toBe(true));
  });

  it("are made for the first free time of an hour, unless another is chosen", async () => {
    const quarter = 15 * 60_000;
    const next = Math.ceil(Date.now() / quarter) * quarter;
    const iso = (at: number) => new Date(at).toISOString();
    const calls = open("/charge/reserve/CP1/1", {
      [`GET ${RESERVATIONS}/free`]: {
        busy: [{ from: iso(next), to: iso(next + 4 * quarter) }],
        minutes_min: 30,
        minutes_max: 120,
        ahead_hours_max: 24,
        late_minutes: 15,
      },
      [`GET ${RESERVATIONS}`]: { items: [] },
      [`POST ${RESERVATIONS}`]: () => Response.json(one, { status: 201 }),
    });
    const send = await screen.findByTestId("charge-reserve-send");
    expect(screen.getByTestId("charge-busy").children).toHaveLength(1);
    expect(screen.getByText(/Whoever has not come 15 min after its begin/)).toBeTruthy();
    fireEvent.click(send);
    await waitFor(() => expect(address()).toBe("/charge/reservations"));
    const sent = calls.find(({ method }) => method === "POST")?.body as { from: string; to: string };
    expect(Date.parse(sent.to) - Date.parse(sent.from)).toBe(3_600_000);
    expect(Date.parse(sent.from)).toBeGreaterThanOrEqual(next + 4 * quarter);
  });

  it("that are refused say so in the server's words", async () => {
    open("/charge/reserve/CP1/1", {
      [`GET ${RESERVATIONS}/free`]: {
        busy: [],
        minutes_min: 30,
        minutes_max: 120,
        ahead_hours_max: 24,
        late_minutes: 15,
      },
      [`POST ${RESERVATIONS}`]: problem(409, "booked", "it is taken", "choose another time"),
    });
    fireEvent.click(await screen.findByTestId("charge-reserve-send"));
    expect((await screen.findByTestId("charge-refused")).textContent).toContain("it is taken");
  });
});
