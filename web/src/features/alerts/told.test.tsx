/** Who was told of an alert: who took note and who did not, for which places, and what nobody answers for. */
import { screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ToldEvent } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Told, ToldCard } from "./told.tsx";

const place = (n: number) => ({
  id: `urn:ngsi-ld:FloodRiskArea:${n}`,
  name_zh: `${n}号区`,
  name_en: `Area ${n}`,
});
const person = (name: string, confirmed_at: string | null, more = {}) => ({
  name,
  level: 1,
  channels: [
    { channel: "page", state: "read" },
    { channel: "sms", state: "delivered" },
  ],
  told_at: "2026-07-01T00:00:00Z",
  confirmed_at,
  places: [place(1)],
  ...more,
});
const event = (kind: string, more = {}): ToldEvent => ({
  kind,
  title_zh: "新涉及 1 处",
  title_en: "1 more affected",
  at: "2026-07-01T00:00:00Z",
  places: [place(1)],
  people: [],
  ...more,
});
const TOLD = "GET /api/v1/alerts/4/told";
const reader = userWith(["alert.read"]);

describe("who was told of an alert", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("shows who took note and who did not, and for which places", async () => {
    const people = [
      person("王敏", "2026-07-01T00:05:00Z"),
      person("赵强", null, { level: 2, places: [1, 2, 3, 4, 5, 6, 7].map(place), channels: [] }),
    ];
    serve({ [TOLD]: [event("alert.reached", { people })] });
    show(<Told alertId={4} />, { user: reader });
    const [first, second] = await screen.findAllByTestId("told-person");
    expect(first?.textContent).toContain("Took note");
    expect(first?.textContent).toContain("answers for Area 1");
    expect(first?.textContent).toContain("sms Arrived");
    expect(second?.textContent).toContain("Not yet taken note");
    expect(second?.textContent).toContain("level 2");
    expect(second?.textContent).toContain("Area 5 and 2 more");
    expect(second?.textContent).not.toContain("Area 6");
    expect(screen.getByText(/When more places were affected/)).toBeTruthy();
  });

  it("is loud about places that nobody answers for", async () => {
    serve({ [TOLD]: [event("alert.raised"), event("alert.nobody-responsible", { places: [place(2)] })] });
    show(<ToldCard alertId={4} />, { user: reader, language: "zh" });
    const found = within(await screen.findByTestId("told"));
    expect(found.getByText("没有可通知的责任人：2号区")).toBeTruthy();
    expect(found.getAllByText("没有人")).toHaveLength(2);
  });

  it("is not there where no rule tells, nor asked for by who may not see alerts; what failed is said", async () => {
    const none = serve({ [TOLD]: [] });
    const shown = show(<Told alertId={4} />, { user: reader });
    await waitFor(() => expect(none).toHaveLength(1));
    expect(screen.queryByTestId("told")).toBeNull();
    shown.unmount();
    const calls = serve({ [TOLD]: [] });
    const other = show(<Told alertId={4} />, { user: userWith(["case.read"]) });
    await Promise.resolve();
    expect(calls).toEqual([]);
    other.unmount();
    serve({ [TOLD]: () => new Response("{}", { status: 503 }) });
    show(<Told alertId={4} />, { user: reader });
    expect((await screen.findByRole("alert")).textContent).toContain("Who was told could not be loaded");
  });
});
