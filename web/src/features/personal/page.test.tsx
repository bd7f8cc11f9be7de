/** Personal data on the pages: nothing without a purpose, the identifier never in an address, viewers in words. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { EntityDetail, SubjectData, Viewers } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./page.tsx";
import { RevealDialog } from "./reveal.tsx";

const PHONE = "19911112222";
const STATION = "urn:ngsi-ld:WaterObserved:1";
const city = {
  purposes: [
    { id: "emergency", title_zh: "应急处置", title_en: "Emergency" },
    { id: "own-request", title_zh: "本人申请", title_en: "The person's own request" },
  ],
};
const data: SubjectData = {
  city: "天门市",
  exported_at: "2026-11-26T00:00:00Z",
  truncated: false,
  entities: [
    {
      id: STATION,
      type: "WaterObserved",
      name: "岳口站",
      is_current: true,
      values: [{ attribute: "officerPhone", value: PHONE, observed_at: "2026-11-02T00:00:00Z", position: 3 }],
    },
  ],
};
const viewers: Viewers = {
  truncated: false,
  items: [
    {
      at: "2026-11-25T00:00:00Z",
      actor_kind: "user",
      actor: "王敏",
      peer: "10.0.0.5",
      action: "personal.view",
      purpose: "emergency",
      entities: { [STATION]: ["officerPhone"] },
      act: 12,
    },
  ],
};
const state = (value: string, masked: boolean) => ({
  value,
  masked,
  unit: null,
  observed_at: "2026-11-02T00:00:00Z",
  quality: "good" as const,
  position: 3,
});
const entity = (phone: string, masked: boolean): EntityDetail => ({
  id: STATION,
  type: "WaterObserved",
  name: "岳口站",
  attributes: { officerPhone: state(phone, masked), riverName: state("汉江", false) },
  location: null,
  modified_at: "2026-11-02T00:00:00Z",
  kind: null,
});
const may = userWith(["entity.read", "personal.export", "personal.reveal"], "admin");

describe("personal data", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("asks for a purpose, sends the identifier in the body, and shows what is held", async () => {
    const calls = serve({ "GET /api/v1/city": city, "POST /api/v1/personal/subject": data });
    show(<Page />, { user: may });
    fireEvent.change(await screen.findByTestId("personal-subject"), { target: { value: ` ${PHONE} ` } });
    fireEvent.click(screen.getByRole("button", { name: /Find what is held/ }));
    expect(await screen.findByText("Choose the purpose")).toBeTruthy();
    expect(calls.some((call) => call.method === "POST")).toBe(false);
    fireEvent.mouseDown(screen.getByRole("combobox"));
    fireEvent.click(await screen.findByText("The person's own request"));
    fireEvent.click(screen.getByRole("button", { name: /Find what is held/ }));
    expect(await screen.findByText("岳口站")).toBeTruthy();
    expect(screen.getByText(PHONE)).toBeTruthy();
    const asked = calls.find((call) => call.method === "POST");
    expect(asked?.body).toEqual({ subject: PHONE, purpose: "own-request" });
    expect(calls.every((call) => !call.path.includes(PHONE))).toBe(true);
    // Another number: what was found of the first goes.
    fireEvent.change(screen.getByTestId("personal-subject"), { target: { value: "1" } });
    await waitFor(() => expect(screen.queryByText("岳口站")).toBeNull());
  }, 20_000);

  it("says in Chinese who looked and what for, without asking for a purpose", async () => {
    const calls = serve({ "GET /api/v1/city": city, "POST /api/v1/personal/viewers": viewers });
    show(<Page />, { user: may, language: "zh" });
    fireEvent.change(await screen.findByTestId("personal-subject"), { target: { value: PHONE } });
    fireEvent.click(screen.getByRole("button", { name: /查询查看记录/ }));
    expect(await screen.findByText("王敏 · 用户")).toBeTruthy();
    expect(screen.getByText("应急处置")).toBeTruthy();
    expect(screen.getByText(/officerPhone/)).toBeTruthy();
    expect(calls.find((call) => call.method === "POST")?.body).toEqual({ subject: PHONE });
  }, 20_000);

  it("shows an entity's values for a purpose, and only those that were masked", async () => {
    const calls = serve({
      "GET /api/v1/city": city,
      [`GET /api/v1/entities/${encodeURIComponent(STATION)}`]: entity(PHONE, false),
    });
    show(<RevealDialog entity={entity("199****2222", true)} onClose={() => {}} />, { user: may });
    fireEvent.click(await screen.findByTestId("reveal-submit"));
    expect(await screen.findByText("Choose the purpose")).toBeTruthy();
    fireEvent.click(screen.getByText("Emergency"));
    fireEvent.click(screen.getByTestId("reveal-submit"));
    expect(await screen.findByText(PHONE)).toBeTruthy();
    expect(screen.queryByText("汉江")).toBeNull();
    expect(calls.at(-1)?.path).toContain("purpose=emergency");
  }, 20_000);
});
