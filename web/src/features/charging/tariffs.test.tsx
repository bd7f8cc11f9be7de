/** Tariffs: the one that holds is marked and open, fees are sentences, and one is put in force with the server's objections shown. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { translator } from "../../i18n/index.tsx";
import type { ChargingTariff } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import type { WrittenTariff } from "./tariff.ts";
import { feeWord, Tariffs } from "./tariffs.tsx";

const TARIFFS = "/api/v1/charging/tariffs";
const written: WrittenTariff = {
  id: "public-tou",
  title_zh: "公共充电站分时电价",
  title_en: "Public stations",
  versions: [
    {
      id: "1",
      first: "2026-01-01",
      source: "77号",
      prices: {
        flat: { energy: "0.6000", service: "0.4500" },
        valley: { energy: "0.2700", service: "0.4500" },
      },
      days: [{ hours: ["00:00-06:00 valley", "06:00-24:00 flat"] }],
    },
  ],
};
const put = (number: number, more: Partial<ChargingTariff> = {}): ChargingTariff => ({
  number,
  station: null,
  from: "2026-01-01T00:00:00Z",
  tariff: written as never,
  written_at: "2026-01-01T00:00:00Z",
  written_by: "周运营",
  holds_now: false,
  ...more,
});
const all = {
  items: [
    put(4, { from: "2099-01-01T00:00:00Z" }),
    put(3, { station: "CP4" }),
    put(2, { holds_now: true }),
    put(1, { from: "2025-12-01T00:00:00Z" }),
  ],
  may_manage: true,
};
const operator = userWith(["charging.read", "charging.manage"], "operator");

function open(more: Record<string, unknown> = {}, user = operator) {
  const calls = serve({ [`GET ${TARIFFS}`]: all, ...more });
  show(<Tariffs />, { user });
  return calls;
}

afterEach(() => vi.unstubAllGlobals());

describe("tariffs", () => {
  it("are read by people: how each stands, periods, prices together, fees", async () => {
    open();
    const shown = await screen.findAllByTestId("charging-tariff");
    expect(shown.map((one) => one.dataset.standing)).toEqual(["holds", "holds", "coming"]);
    const [now, station] = shown as [HTMLElement, HTMLElement];
    expect(now.textContent).toContain("Holds now");
    expect(station.textContent).toContain("station CP4 only");
    expect(within(now).getByRole("img").getAttribute("aria-label")).toBe(
      "The day by periods: 00:00–06:00 Valley, 06:00–24:00 Flat",
    );
    expect(within(now).getByText("1.0500")).toBeTruthy();
    expect(now.textContent).toContain("Source: 77号");
    expect(now.textContent).toContain("Parking feenone");
    expect(screen.getByText("Tariffs followed by others (1)")).toBeTruthy();
  });

  it("are put in force by who manages them alone", async () => {
    open({}, userWith(["charging.read"]));
    await screen.findAllByTestId("charging-tariff");
    expect(screen.queryByRole("button", { name: /Put a tariff in force/ })).toBeNull();
  });

  it("are missed where there is none", async () => {
    open({ [`GET ${TARIFFS}`]: { items: [], may_manage: true } });
    expect(await screen.findByText("No tariff yet")).toBeTruthy();
  });

  it("say fees in one sentence, in both languages", () => {
    const parking = { free_minutes: 120, unit_minutes: 30, fen_per_unit: 150, day_cap_fen: 1_500 };
    expect(feeWord(parking, translator("zh"))).toBe("前 120 分钟免费，每 30 分钟 1.50 元，每天最多 15.00 元");
    const idle = { unit_minutes: 1, fen_per_unit: 50, hours: ["07:00-23:00"], cap_fen: 3_000 };
    expect(feeWord(idle, translator("en"))).toBe(
      "0.50 yuan for each 1 min begun, counted 07:00-23:00, at most 30.00 yuan for one charge",
    );
  });
});

describe("the form", () => {
  it("begins with the one that holds, draws the day as it is entered, and sends it", async () => {
    const calls = open({ [`POST ${TARIFFS}`]: all });
    fireEvent.click(await screen.findByRole("button", { name: /Put a tariff in force/ }));
    const submit = await screen.findByTestId("charging-tariff-submit");
    const dialog = submit.closest<HTMLElement>(".ant-modal") as HTMLElement;
    expect((within(dialog).getByLabelText("Id") as HTMLInputElement).value).toBe("public-tou");
    fireEvent.click(screen.getByTestId("charging-hour-add"));
    // In the midst of the longest.
    await waitFor(() => expect(within(dialog).getByText("to 15:00")).toBeTruthy());
    fireEvent.change(within(dialog).getByLabelText("Flat Energy"), { target: { value: "x" } });
    fireEvent.click(submit);
    expect(await within(dialog).findByText("0 to 100, at most 4 decimals")).toBeTruthy();
    expect(calls.some(({ method }) => method === "POST")).toBe(false);
    fireEvent.change(within(dialog).getByLabelText("Flat Energy"), { target: { value: "0.61" } });
    fireEvent.click(submit);
    await waitFor(() => expect(calls.some(({ method }) => method === "POST")).toBe(true));
    const body = calls.find(({ method }) => method === "POST")?.body as {
      station: string | null;
      from: string;
      tariff: WrittenTariff;
    };
    expect(body.station).toBeNull();
    expect(body.from).toMatch(/T00:00:00\+08:00$/);
    const [version] = body.tariff.versions;
    expect(version?.first).toBe(body.from.slice(0, 10));
    expect(version?.prices?.flat).toEqual({ energy: "0.61", service: "0.4500" });
    // Two neighbours of one kind are one.
    expect(version?.days).toEqual([{ hours: ["00:00-06:00 valley", "06:00-24:00 flat"] }]);
    expect([version?.parking, version?.idle]).toEqual([null, null]);
  }, 30_000);

  it("takes days that differ: they are drawn, checked, and sent before all other days", async () => {
    const calls = open({ [`POST ${TARIFFS}`]: all });
    fireEvent.click(await screen.findByRole("button", { name: /Put a tariff in force/ }));
    const submit = await screen.findByTestId("charging-tariff-submit");
    const dialog = submit.closest<HTMLElement>(".ant-modal") as HTMLElement;
    const tabs = () => within(dialog).getAllByRole("tab");
    const chosen = () => tabs().find((tab) => tab.getAttribute("aria-selected") === "true")?.textContent;
    expect(tabs().map((tab) => tab.textContent)).toEqual(["Every day"]);
    fireEvent.click(within(dialog).getByTestId("charging-days-add"));
    await waitFor(() => expect(chosen()).toBe("New days"));
    expect(tabs().at(-1)?.textContent).toBe("All other days");
    // Where something is wrong is shown, whatever was looked at.
    fireEvent.click(tabs().at(-1) as HTMLElement);
    await waitFor(() => expect(chosen()).toBe("All other days"));
    fireEvent.click(submit);
    expect(await within(dialog).findByText("Choose months or kinds of days")).toBeTruthy();
    await waitFor(() => expect(chosen()).toBe("New days"));
    expect(calls.some(({ method }) => method === "POST")).toBe(false);

    const panel = () => within(within(dialog).getByRole("tabpanel"));
    expect(document.activeElement).toBe(panel().getByRole("checkbox", { name: "1" }));
    fireEvent.click(panel().getByRole("checkbox", { name: "7" }));
    fireEvent.click(panel().getByRole("checkbox", { name: "8" }));
    fireEvent.click(panel().getByRole("checkbox", { name: "working days" }));
    await waitFor(() => expect(chosen()).toBe("months 7, 8 · working days"));
    fireEvent.click(panel().getByRole("button", { name: "Remove period 2" }));
    await waitFor(() =>
      expect(panel().getByRole("img", { name: "The day by periods: 00:00–24:00 Valley" })).toBeTruthy(),
    );
    fireEvent.click(panel().getByRole("switch"));
    const own = await within(dialog).findByLabelText<HTMLInputElement>(
      "months 7, 8 · working days: Valley Energy",
    );
    expect(own.value).toBe("0.2700");
    fireEvent.change(own, { target: { value: "0.31" } });

    // A second one that has no day left is refused until it is looked at first.
    fireEvent.click(within(dialog).getByTestId("charging-days-add"));
    await waitFor(() => expect(chosen()).toBe("New days"));
    fireEvent.click(panel().getByRole("checkbox", { name: "7" }));
    fireEvent.click(panel().getByRole("checkbox", { name: "working days" }));
    fireEvent.click(submit);
    expect(await within(dialog).findByText(/Those before have all of these days/)).toBeTruthy();
    fireEvent.click(panel().getByRole("button", { name: /Move one to the front/ }));
    await waitFor(() =>
      expect(tabs().map((tab) => tab.textContent)).toEqual([
        "months 7 · working days",
        "months 7, 8 · working days",
        "All other days",
      ]),
    );
    expect(chosen()).toBe("months 7 · working days");
    fireEvent.click(submit);
    await waitFor(() => expect(calls.some(({ method }) => method === "POST")).toBe(true));
    const body = calls.find(({ method }) => method === "POST")?.body as { tariff: WrittenTariff };
    const hours = ["00:00-06:00 valley", "06:00-24:00 flat"];
    expect(body.tariff.versions[0]?.days).toEqual([
      { months: [7], kinds: ["workday"], hours },
      {
        months: [7, 8],
        kinds: ["workday"],
        hours: ["00:00-24:00 valley"],
        prices: { valley: { energy: "0.31", service: "0.4500" } },
      },
      { hours },
    ]);
    expect(body.tariff.versions[0]?.prices?.valley).toEqual({ energy: "0.2700", service: "0.4500" });
  }, 60_000);

  it("begins with the days of the one that holds, and takes them out again", async () => {
    const [version] = written.versions;
    const days = [
      { months: [7], hours: ["00:00-24:00 flat"] },
      { kinds: ["holiday" as const], hours: ["00:00-24:00 valley"] },
      ...(version?.days ?? []),
    ];
    const held = { ...written, change: "at-start", versions: [{ ...version, days }] };
    const items = [put(2, { holds_now: true, tariff: held as never })];
    const calls = open({ [`GET ${TARIFFS}`]: { items, may_manage: true }, [`POST ${TARIFFS}`]: all });
    fireEvent.click(await screen.findByRole("button", { name: /Put a tariff in force/ }));
    const submit = await screen.findByTestId("charging-tariff-submit");
    const dialog = submit.closest<HTMLElement>(".ant-modal") as HTMLElement;
    fireEvent.click(within(dialog).getByRole("tab", { name: "months 7" }));
    const panel = within(within(dialog).getByRole("tabpanel"));
    await waitFor(() =>
      expect(panel.getByRole<HTMLInputElement>("checkbox", { name: "7" }).checked).toBe(true),
    );
    fireEvent.click(panel.getByRole("button", { name: /Remove these days/ }));
    await waitFor(() => expect(within(dialog).queryByRole("tab", { name: "months 7" })).toBeNull());
    fireEvent.click(submit);
    await waitFor(() => expect(calls.some(({ method }) => method === "POST")).toBe(true));
    const body = calls.find(({ method }) => method === "POST")?.body as { tariff: WrittenTariff };
    expect(body.tariff.versions[0]?.days).toEqual(days.slice(1));
    expect(body.tariff.change).toBe("at-start");
  }, 30_000);

  it("stays open with what the server objects to", async () => {
    const problem = {
      code: "charging-tariffs-full",
      detail: "there are all the tariffs there may be",
      mend: "ask who runs the platform",
    };
    open({ [`POST ${TARIFFS}`]: () => Response.json(problem, { status: 409 }) });
    fireEvent.click(await screen.findByRole("button", { name: /Put a tariff in force/ }));
    fireEvent.click(await screen.findByTestId("charging-tariff-submit"));
    const refused = await screen.findByTestId("charging-tariff-refused");
    expect(refused.textContent).toContain("there are all the tariffs there may be");
    expect(refused.textContent).toContain("ask who runs the platform");
  }, 30_000);
});
