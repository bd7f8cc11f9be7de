/** Charging: who sees it, figures with what they are counted from, sessions by the filter in the address, stations and their orders. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { useLocation } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Language } from "../../lib/format.ts";
import type { ChargingCard, ChargingFigures, ChargingSession } from "../../lib/types.ts";
import { NAV, navFor } from "../../shell/navigation.tsx";
import { type Call, serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./page.tsx";

const CHARGING = "/api/v1/charging";
const CARD = "272edd961a12c50d544c2dcce57107e0180f5467caab6aa45e1def6670b5e222";
const figures: ChargingFigures = {
  from: "2026-11-23",
  to: "2026-11-29",
  sums: [
    { operator: "city", state: "billed", sessions: 16, energy_wh: 401_193, total_fen: 43_163 },
    { operator: "city", state: "doubtful", sessions: 3, energy_wh: 22_500, total_fen: 0 },
    { operator: "天门电力", state: "charging", sessions: 2, energy_wh: 9_300, total_fen: 0 },
  ],
  points: 4,
  statuses: { Available: 2, Charging: 1, "": 1 },
  stations: 4,
  stations_online: 3,
  towns: [
    { code: "429006001", name: "竟陵街道", points: 3, charging: 1, out_of_order: 0 },
    { code: "", name: "", points: 1, charging: 0, out_of_order: 1 },
  ],
  at: "2026-11-29T04:42:49Z",
};
const session: ChargingSession = {
  id: 245,
  station: "CP1",
  transaction_id: "27",
  connector: 1,
  operator: "city",
  card: CARD,
  state: "billed",
  started_at: "2026-11-29T03:32:18Z",
  ended_at: "2026-11-29T04:12:18Z",
  energy_wh: 18_000,
  total_fen: 1_747,
  corrected: true,
  changed_at: "2026-11-29T04:42:33Z",
};
const held: ChargingSession = {
  ...session,
  id: 31,
  state: "doubtful",
  energy_wh: -1_500,
  total_fen: 0,
  corrected: false,
};
const card: ChargingCard = {
  card: CARD,
  holder: "CT-2026-0114",
  blocked: false,
  good_until: null,
  changed_at: "2026-11-29T04:42:18Z",
  changed_by: "周运营",
};
const words = [{ value: "Available", title_zh: "空闲", title_en: "Free" }];
const answers: Record<string, unknown> = {
  [`GET ${CHARGING}/figures`]: figures,
  [`GET ${CHARGING}/sessions`]: { items: [session, held], next: null, may_manage: true },
  [`GET ${CHARGING}/cards`]: { items: [card], next: null },
  [`GET ${CHARGING}/stations`]: { is_open: true, items: [{ identity: "CP1", version: "1.6" }] },
  "GET /api/v1/types": { items: [{ name: "ChargePoint", attributes: { status: { words } } }] },
};
const operator = userWith(["entity.read", "charging.read", "charging.manage"], "operator");
const viewer = userWith(["entity.read", "charging.read"]);

function Where() {
  const { pathname, search } = useLocation();
  return <output data-testid="where">{pathname + search}</output>;
}
const where = () => screen.getByTestId("where").textContent;

function open(path: string, more: Record<string, unknown> = {}, user = operator, language: Language = "en") {
  const calls = serve({ ...answers, ...more });
  show(
    <>
      <Page />
      <Where />
    </>,
    { user, path, language },
  );
  return calls;
}

afterEach(() => vi.unstubAllGlobals());

describe("who sees charging", () => {
  it("stands in the menu of who may read it, beside the other work of departments", () => {
    expect(navFor(viewer).map(({ path }) => path)).toContain("/charging");
    expect(navFor(userWith(["entity.read"])).map(({ path }) => path)).not.toContain("/charging");
    const entry = NAV.find(({ path }) => path === "/charging");
    expect([entry?.section, entry?.title]).toEqual(["handling", "nav.charging"]);
  });

  it("shows who only reads no cards and no orders, and asks for no cards", async () => {
    const calls = open("/charging?view=cards", {}, viewer);
    // The part that is not theirs is the overview.
    expect(await screen.findByTestId("charging-days")).toBeTruthy();
    expect(screen.queryByText("Cards")).toBeNull();
    expect(screen.getByText("You may look at this, not change it.")).toBeTruthy();
    fireEvent.click(screen.getByText("Stations"));
    expect(await screen.findByTestId("charging-station")).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Unlock/ })).toBeNull();
    expect(calls.some(({ path }) => path.startsWith(`${CHARGING}/cards`))).toBe(false);
  });
});

describe("the overview", () => {
  it("says what each figure is counted from and when", async () => {
    const calls = open("/charging?days=week");
    const days = await screen.findByTestId("charging-days");
    expect(days.textContent).toContain("Sessions of 2026-11-23 to 2026-11-29");
    expect(days.textContent).toContain("Counted at 2026-11-29 12:42:49 UTC+8");
    expect(days.textContent).toContain("431.63 yuan");
    // Without what is held.
    expect(days.textContent).toContain("410.5 kWh");
    expect(within(days).getByText("The city")).toBeTruthy();
    expect(within(days).getByRole("link", { name: "All bills held" }).getAttribute("href")).toBe(
      "/charging?view=sessions&state=doubtful",
    );
    // A figure leads to its rows.
    const rows = within(days)
      .getAllByRole("link")
      .map((link) => link.getAttribute("href"));
    expect(rows[0]).toBe("/charging?view=sessions&from=2026-11-23&to=2026-11-29");
    expect(rows).toContain("/charging?view=sessions&from=2026-11-23&to=2026-11-29&operator=city");
    const now = screen.getByTestId("charging-now");
    expect(now.textContent).toContain("3 of 4 registered stations");
    expect(now.textContent).toContain("75.0 %");
    // The pack's word, the server's where there is none, and what told nothing.
    await within(now).findByText("Free");
    expect(within(now).getByText("Charging")).toBeTruthy();
    expect(within(now).getByText("Not told")).toBeTruthy();
    expect(screen.getByTestId("charging-towns").textContent).toContain("Place not known");
    const asked = calls.find(({ path }) => path.startsWith(`${CHARGING}/figures`))?.path ?? "";
    expect(asked).toMatch(/from=\d{4}-\d\d-\d\d&to=\d{4}-\d\d-\d\d$/);
  });

  it("asks for other days by the address, in Chinese too", async () => {
    const calls = open("/charging?from=2026-11-01&to=2026-11-02", {}, operator, "zh");
    expect(await screen.findByText("431.63 元")).toBeTruthy();
    expect(calls.some(({ path }) => path.endsWith("figures?from=2026-11-01&to=2026-11-02"))).toBe(true);
    fireEvent.click(screen.getByText("近 30 天"));
    await waitFor(() => expect(where()).toBe("/charging?days=month"));
  });

  it("says that nothing was charged, and that nothing is registered", async () => {
    const none = {
      ...figures,
      sums: [],
      points: 0,
      statuses: {},
      towns: [],
      stations: 0,
      stations_online: 0,
    };
    open("/charging", { [`GET ${CHARGING}/figures`]: none });
    expect(await screen.findByText("No sessions on these days")).toBeTruthy();
    expect(screen.getAllByText("No charge point is registered").length).toBeGreaterThan(0);
    expect(screen.getByText("no station is registered")).toBeTruthy();
  });

  it("says what failed, with a way to try again", async () => {
    const starting = { code: "charging-starting", detail: "charging is being started" };
    open("/charging", { [`GET ${CHARGING}/figures`]: () => Response.json(starting, { status: 503 }) });
    expect(await screen.findByText("charging is being started")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Try again" })).toBeTruthy();
  });
});

describe("sessions", () => {
  it("of some days say so, and all of them are a click away", async () => {
    const calls = open("/charging?view=sessions&from=2026-11-01&to=2026-11-02");
    expect(await screen.findByText("2026-11-01 to 2026-11-02")).toBeTruthy();
    const asked = (path: string) => path.endsWith("sessions?from=2026-11-01&to=2026-11-02");
    await waitFor(() => expect(calls.some(({ path }) => asked(path))).toBe(true));
    fireEvent.click(screen.getByRole("button", { name: "Close" }));
    await waitFor(() => expect(where()).toBe("/charging?view=sessions"));
  });

  it("are listed with state, energy and money, and open by click and key", async () => {
    open("/charging?view=sessions");
    const [first, second] = await screen.findAllByTestId("charging-session");
    expect(first?.textContent).toContain("Billed Corrected");
    expect(first?.textContent).toContain("272edd961a12");
    expect(first?.textContent).not.toContain(CARD);
    expect(first?.textContent).toContain("2026-11-29 11:32:18");
    expect(first?.textContent).toContain("18.00017.47");
    // What a bill that is held comes to, nobody knows yet.
    expect(second?.textContent).toContain("-1.500open");
    fireEvent.keyDown(second as HTMLElement, { key: "Enter" });
    await waitFor(() => expect(where()).toBe("/charging/sessions/31"));
  });

  it("are filtered by the address, and the filter is taken back with one button", async () => {
    const calls = open(`/charging?view=sessions&state=doubtful&station=CP1&card=${CARD}&corrected=1`, {
      [`GET ${CHARGING}/sessions`]: ({ path }: Call) => ({
        items: path.includes("state=") ? [] : [session],
        next: null,
        may_manage: true,
      }),
    });
    expect(await screen.findByText("No session fits the filter")).toBeTruthy();
    const asked = calls.find(({ path }) => path.startsWith(`${CHARGING}/sessions`))?.path;
    expect(asked).toBe(`${CHARGING}/sessions?state=doubtful&station=CP1&card=${CARD}&corrected=true`);
    fireEvent.click(screen.getByRole("button", { name: "Clear the filter" }));
    expect(await screen.findByTestId("charging-session")).toBeTruthy();
    expect(where()).toBe("/charging?view=sessions");
    fireEvent.click(screen.getByRole("checkbox"));
    await waitFor(() => expect(where()).toBe("/charging?view=sessions&corrected=1"));
  });

  it("are read page by page", async () => {
    open("/charging?view=sessions", {
      [`GET ${CHARGING}/sessions`]: ({ path }: Call) =>
        path.includes("after=x")
          ? { items: [{ ...session, id: 7 }], next: null, may_manage: true }
          : { items: [session], next: "x", may_manage: true },
    });
    fireEvent.click(await screen.findByRole("button", { name: "Load more" }));
    await waitFor(() => expect(screen.getAllByTestId("charging-session")).toHaveLength(2));
    expect(screen.queryByRole("button", { name: "Load more" })).toBeNull();
  });
});

describe("cards", () => {
  it("are registered by their number and kept by a pseudonym, of which the beginning is shown", async () => {
    const calls = open("/charging?view=cards", { [`PUT ${CHARGING}/cards`]: card });
    const row = await screen.findByTestId("charging-card");
    expect(row.textContent).toContain("Good");
    expect(row.textContent).toContain("272edd961a12");
    expect(row.textContent).not.toContain(CARD);
    fireEvent.click(screen.getByRole("button", { name: /Register a card/ }));
    const submit = await screen.findByTestId("charging-card-submit");
    fireEvent.change(screen.getByLabelText("Card"), { target: { value: "CARD 7" } });
    fireEvent.click(submit);
    expect(await screen.findByText("1 to 128 letters, digits or signs")).toBeTruthy();
    expect(calls.some(({ method }) => method === "PUT")).toBe(false);
    fireEvent.change(screen.getByLabelText("Card"), { target: { value: "CARD-7 " } });
    fireEvent.change(screen.getByLabelText("Holder"), { target: { value: "CT-7" } });
    fireEvent.click(submit);
    await waitFor(() => expect(calls.some(({ method }) => method === "PUT")).toBe(true));
    expect(calls.find(({ method }) => method === "PUT")?.body).toEqual({
      card: "CARD-7",
      holder: "CT-7",
      blocked: false,
      good_until: null,
    });
  }, 20_000);

  it("are blocked once it was asked, with everything else as it was", async () => {
    const kept = { ...card, good_until: "2099-06-17T04:42:18Z" };
    const calls = open("/charging?view=cards", {
      [`GET ${CHARGING}/cards`]: { items: [kept, { ...card, card: "ab", blocked: true }], next: null },
      [`PUT ${CHARGING}/cards`]: { ...kept, blocked: true },
    });
    expect((await screen.findAllByTestId("charging-card"))[1]?.textContent).toContain("Blocked");
    fireEvent.click(screen.getByRole("button", { name: /^lock Block$|^Block$/ }));
    const title = (await screen.findAllByText("Block the card of CT-2026-0114?"))[0];
    const question = title?.closest<HTMLElement>(".ant-modal-confirm") as HTMLElement;
    expect(calls.some(({ method }) => method === "PUT")).toBe(false);
    fireEvent.click(within(question).getByRole("button", { name: "Block" }));
    await waitFor(() => expect(calls.some(({ method }) => method === "PUT")).toBe(true));
    expect(calls.find(({ method }) => method === "PUT")?.body).toEqual({
      pseudonym: CARD,
      holder: "CT-2026-0114",
      blocked: true,
      good_until: kept.good_until,
    });
  }, 20_000);
});
