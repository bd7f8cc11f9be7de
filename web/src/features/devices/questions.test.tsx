/** Asking a device: only what its door offers, what is said with it, and what it answers, in words. */
import { fireEvent, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Device } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { QuestionsDialog, rowsOf } from "./questions.tsx";

const device = { client_id: "gauge-7", name: "Gauge 7", id: "urn:ngsi-ld:WaterObserved:7" } as Device;
const path = "/api/v1/devices/gauge-7/questions";
const question = (name: string, takes: string, changes = false) => ({
  name,
  title_zh: `问${name}`,
  title_en: `ask ${name}`,
  changes,
  takes,
  codes: takes === "nothing" ? [] : [{ code: "20", title_zh: "定时报时间间隔", unit: "h", decimals: 0 }],
});
const items = [question("now", "nothing"), question("running-set", "values", true)];
const answer = {
  at: "2026-07-01T00:00:00Z",
  answer: {
    function: "37",
    body: { stations: [{ entries: [{ element: "39", name_zh: "河道水位", value: 28.512, unit: "m" }] }] },
  },
};
const user = userWith(["device.read", "device.manage"]);

async function choose(title: string) {
  fireEvent.mouseDown(await screen.findByLabelText("What to ask or set"));
  fireEvent.click(await screen.findByText(title));
}

describe("asking a device", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("sends what was chosen and shows the answer's values with their units", async () => {
    const calls = serve({ [`GET ${path}`]: { items }, [`POST ${path}`]: answer });
    show(<QuestionsDialog device={device} onClose={() => {}} />, { user });
    await choose("ask now");
    fireEvent.click(screen.getByTestId("question-submit"));
    expect(await screen.findByText("28.512 m")).toBeTruthy();
    expect(screen.getByText("河道水位")).toBeTruthy();
    expect(calls.find((call) => call.method === "POST")?.body).toEqual({ question: "now" });
  });

  it("warns before it changes something, and sends numbers by code", async () => {
    const calls = serve({ [`GET ${path}`]: { items }, [`POST ${path}`]: answer });
    show(<QuestionsDialog device={device} onClose={() => {}} />, { user });
    await choose("ask running-set");
    expect(await screen.findByText(/changes the station's settings/)).toBeTruthy();
    fireEvent.mouseDown(screen.getByLabelText("Elements or parameters"));
    fireEvent.click(await screen.findByText("20 定时报时间间隔 (h)"));
    fireEvent.change(await screen.findByLabelText("20 定时报时间间隔"), { target: { value: "6" } });
    fireEvent.click(screen.getByTestId("question-submit"));
    await screen.findByTestId("device-answer");
    expect(calls.find((call) => call.method === "POST")?.body).toEqual({
      question: "running-set",
      values: { "20": 6 },
    });
  });

  it("says that a device cannot be asked where its door offers nothing", async () => {
    serve({ [`GET ${path}`]: { items: [] } });
    show(<QuestionsDialog device={device} onClose={() => {}} />, { user });
    expect(await screen.findByText("This device cannot be asked anything")).toBeTruthy();
  });

  it("reads parameters and leaves out what is no value", () => {
    const told = {
      body: { parameters: [{ parameter: "30", name_zh: "水位修正基值 1", value: 0.2, unit: "m" }] },
    };
    expect(rowsOf(told)).toEqual([{ code: "30", name: "水位修正基值 1", value: "0.2 m" }]);
    expect(rowsOf({ body: { stations: [{ entries: [{ observed: "2607010800" }] }] } })).toEqual([]);
    expect(rowsOf(null)).toEqual([]);
  });
});
