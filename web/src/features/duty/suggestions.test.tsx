/** What alerts suggest is shown with why and started by a person; where nothing is suggested nothing is shown. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { PlanSuggestion } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Suggestions } from "./suggestions.tsx";

const alert = (id: number) => ({
  id,
  severity: "major" as const,
  title_zh: `${id}站水位高`,
  title_en: `Station ${id} is high`,
  raised_at: "2026-07-01T00:00:00Z",
});
const three: PlanSuggestion = {
  plan_id: "water-flood-level-3",
  title_zh: "防汛Ⅲ级应急响应",
  title_en: "Flood control response, Level III",
  ladder: "flood-control",
  rank: 3,
  level_zh: "Ⅲ级",
  level_en: "Level III",
  why_zh: "达到警戒水位的测站已涉及风险区",
  why_en: "A station at the warning stage has reached a risk area",
  entities: 7,
  places: 2,
  count: 7,
  alerts: [1, 2, 3, 4, 5, 6, 7].map(alert),
  lower: [{ activation_id: 9, title_zh: "防汛Ⅳ级应急响应", title_en: "Flood control response, Level IV" }],
};
const SUGGESTIONS = "GET /api/v1/duty/suggestions";

describe("suggested plans", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("are told with why and for which alerts, and started by a person", async () => {
    serve({ [SUGGESTIONS]: { items: [three] } });
    const open = vi.fn();
    const openOne = vi.fn();
    show(<Suggestions open={open} openOne={openOne} />, { user: userWith(["duty.read", "duty.act"]) });
    const found = await screen.findByTestId("suggestion");
    expect(found.textContent).toContain("Suggested: Flood control response, Level III");
    expect(found.textContent).toContain("A station at the warning stage has reached a risk area");
    expect(found.textContent).toContain("alerts of 7 entities, 2 places affected");
    expect(screen.getByRole("link", { name: "Station 1 is high" }).getAttribute("href")).toBe(
      "/alerts?alert=1",
    );
    expect(found.textContent).toContain("and 2 more alerts");
    expect(open).not.toHaveBeenCalled();
    fireEvent.click(screen.getByRole("button", { name: /Start a plan/ }));
    expect(open).toHaveBeenCalledWith({ kind: "start", plan: "water-flood-level-3" });
    fireEvent.click(screen.getByRole("button", { name: "Details" }));
    expect(openOne).toHaveBeenCalledWith(9);
  });

  it("show nothing while nothing is suggested, and no way to start to who may not", async () => {
    const calls = serve({ [SUGGESTIONS]: { items: [] } });
    const shown = show(<Suggestions open={vi.fn()} openOne={vi.fn()} />, { user: userWith(["duty.read"]) });
    await waitFor(() => expect(calls).toHaveLength(1));
    expect(screen.queryByTestId("suggestion")).toBeNull();
    shown.unmount();
    serve({ [SUGGESTIONS]: { items: [three] } });
    show(<Suggestions open={vi.fn()} openOne={vi.fn()} />, { user: userWith(["duty.read"]) });
    await screen.findByTestId("suggestion");
    expect(screen.queryByRole("button", { name: /Start a plan/ })).toBeNull();
  });
});
