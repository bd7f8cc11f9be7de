/** Stations on the line: orders are asked once more, the station's answer is shown, and a closed door says what opens it. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Stations } from "./stations.tsx";

const STATIONS = "/api/v1/charging/stations";
const ORDERS = `POST ${STATIONS}/CP1/orders`;
const running = { transaction_id: "30", connector: 2, energy_wh: 4_000 };
const operator = userWith(["charging.read", "charging.manage"], "operator");

function open(more: Record<string, unknown> = {}) {
  const calls = serve({
    [`GET ${STATIONS}`]: {
      is_open: true,
      items: [
        { identity: "CP1", version: "1.6" },
        { identity: "CP2", version: "2.0.1" },
      ],
    },
    "GET /api/v1/charging/figures": { stations: 4 },
    "GET /api/v1/charging/sessions": { items: [running], next: null, may_manage: true },
    ...more,
  });
  show(<Stations />, { user: operator });
  return calls;
}

/** Opens an order of the first station. */
async function order(name: RegExp) {
  const [button] = await screen.findAllByRole("button", { name });
  fireEvent.click(button as HTMLElement);
  return screen.findByTestId("charging-order-next");
}
const sent = (calls: ReturnType<typeof open>) => calls.find(({ method }) => method === "POST")?.body;

afterEach(() => vi.unstubAllGlobals());

describe("stations on the line", () => {
  it("stand with their version, of how many there are, and are found by their identity", async () => {
    open();
    expect(await screen.findAllByTestId("charging-station")).toHaveLength(2);
    expect(screen.getByText("2.0.1")).toBeTruthy();
    expect(await screen.findByText(/of 4 registered/)).toBeTruthy();
    fireEvent.change(screen.getByRole("searchbox"), { target: { value: "cp2" } });
    await waitFor(() => expect(screen.getAllByTestId("charging-station")).toHaveLength(1));
  });

  it("are none while the door is closed, with the settings that open it", async () => {
    open({ [`GET ${STATIONS}`]: { is_open: false, items: [] } });
    expect(await screen.findByText("The stations' door is closed")).toBeTruthy();
    expect(screen.getByText(/ocpp\.listen .*ocpp\.tls_listen/)).toBeTruthy();
  });

  it("may all be away", async () => {
    open({ [`GET ${STATIONS}`]: { is_open: true, items: [] } });
    expect(await screen.findByText("No station is on the line")).toBeTruthy();
  });
});

describe("an order", () => {
  it("is asked once more before it goes, and the station's answer is shown", async () => {
    const calls = open({
      [ORDERS]: { accepted: true, status: "Unlocked", settings: [], file: null, data: null },
    });
    fireEvent.click(await order(/Unlock/));
    expect((await screen.findByTestId("charging-order-question")).textContent).toContain(
      "Unlock CP1 (outlet 1)? If it charges there, that ends first.",
    );
    expect(sent(calls)).toBeUndefined();
    fireEvent.click(screen.getByTestId("charging-order-send"));
    const came = await screen.findByTestId("charging-order-came");
    expect(came.textContent).toContain("The station does it");
    expect(came.textContent).toContain("unlocked (Unlocked)");
    expect(sent(calls)).toEqual({ order: "unlock", outlet: 1 });
  }, 20_000);

  it("to start needs a card, and can be gone back from", async () => {
    const calls = open({
      [ORDERS]: { accepted: false, status: "Rejected", settings: [], file: null, data: null },
    });
    const next = await order(/Start/);
    fireEvent.click(next);
    expect(await screen.findByText("Fill this in")).toBeTruthy();
    fireEvent.change(screen.getByLabelText("Card"), { target: { value: "CARD-1" } });
    fireEvent.click(next);
    expect((await screen.findByTestId("charging-order-question")).textContent).toContain("any outlet");
    fireEvent.click(screen.getByRole("button", { name: "Back" }));
    expect((screen.getByLabelText("Card") as HTMLInputElement).value).toBe("CARD-1");
    fireEvent.click(await screen.findByTestId("charging-order-next"));
    fireEvent.click(await screen.findByTestId("charging-order-send"));
    const came = await screen.findByTestId("charging-order-came");
    expect(came.textContent).toContain("The station does not do it");
    expect(sent(calls)).toEqual({ order: "start", outlet: null, card: "CARD-1" });
  }, 20_000);

  it("to stop offers what charges there", async () => {
    const calls = open({ [ORDERS]: { accepted: true, status: null, settings: [], file: null, data: null } });
    const next = await order(/Stop/);
    fireEvent.mouseDown(screen.getByRole("combobox"));
    fireEvent.click(await screen.findByText("30 · outlet 2 · 4 kWh"));
    fireEvent.click(next);
    fireEvent.click(await screen.findByTestId("charging-order-send"));
    await screen.findByTestId("charging-order-came");
    expect(sent(calls)).toEqual({ order: "stop", transaction: "30" });
  }, 20_000);

  it("out of service and a hard reset say what they do to what charges", async () => {
    const calls = open({
      [ORDERS]: { accepted: true, status: "Scheduled", settings: [], file: null, data: null },
    });
    fireEvent.click(await order(/In or out of service/));
    expect((await screen.findByTestId("charging-order-question")).textContent).toContain(
      "Take CP1 (the whole station) out of service?",
    );
    fireEvent.click(screen.getByTestId("charging-order-send"));
    expect((await screen.findByTestId("charging-order-came")).textContent).toContain("once charging ends");
    expect(sent(calls)).toEqual({ order: "availability", outlet: null, operative: false });
  }, 20_000);

  it.each([
    [504, "No answer came; it may have been carried out"],
    [409, "Nothing was carried out"],
  ])(
    "that comes to nothing with %s says whether it may have been carried out",
    async (status, title) => {
      const problem = {
        code: "ocpp",
        detail: "station CP1 has no link now",
        mend: "wait until it is connected",
      };
      open({ [ORDERS]: () => Response.json(problem, { status }) });
      fireEvent.click(await order(/Unlock/));
      fireEvent.click(await screen.findByTestId("charging-order-send"));
      const came = await screen.findByTestId("charging-order-came");
      expect(came.textContent).toContain(title);
      expect(came.textContent).toContain("wait until it is connected");
    },
    20_000,
  );
});

describe("an order that is given seldom", () => {
  const nothing = { settings: [], file: null, data: null };

  it("is chosen in the dialog, here a limit of power", async () => {
    const calls = open({ [ORDERS]: { accepted: true, status: "Accepted", ...nothing } });
    const next = await order(/More/);
    fireEvent.change(screen.getByRole("spinbutton", { name: /Most power/ }), { target: { value: "12.5" } });
    fireEvent.click(next);
    expect((await screen.findByTestId("charging-order-question")).textContent).toContain(
      "Limit CP1 as a whole to 12.5 kW for 60 minutes?",
    );
    fireEvent.click(screen.getByTestId("charging-order-send"));
    await screen.findByTestId("charging-order-came");
    expect(sent(calls)).toEqual({ order: "limit", power_kw: 12.5, minutes: 60 });
  }, 20_000);

  it("shows the settings that a station told", async () => {
    const settings = [{ component: "", name: "HeartbeatInterval", value: "300", status: "ReadWrite" }];
    const calls = open({ [ORDERS]: { accepted: true, status: "Accepted", ...nothing, settings } });
    const next = await order(/More/);
    fireEvent.mouseDown(screen.getByRole("combobox", { name: "What" }));
    fireEvent.click(await screen.findByText("Read settings"));
    fireEvent.change(await screen.findByRole("textbox", { name: "Settings" }), {
      target: { value: "HeartbeatInterval" },
    });
    fireEvent.click(next);
    fireEvent.click(await screen.findByTestId("charging-order-send"));
    expect((await screen.findByTestId("charging-setting")).textContent).toContain(
      "HeartbeatInterval300can be changed",
    );
    expect(sent(calls)).toEqual({
      order: "read_settings",
      settings: [{ component: "", name: "HeartbeatInterval", value: null }],
    });
  }, 20_000);
});
