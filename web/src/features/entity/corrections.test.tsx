/** A value is corrected with a reason by who may; who reads sees the old value, who and why. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Correction } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { CorrectionDialog, CorrectionsCard, ReadingActions } from "./corrections.tsx";
import type { Reading } from "./queries.ts";

const ID = "urn:ngsi-ld:WaterObserved:1";
const reading: Reading = {
  attribute: "waterLevel",
  observed_at: "2026-11-24T00:00:00.125Z",
  value: 812,
  unit: "MTR",
  position: 40,
};
const correction: Correction = {
  position: 57,
  entity_id: ID,
  entity_type: "WaterObserved",
  attribute: "waterLevel",
  observed_at: reading.observed_at,
  supersedes: 40,
  old_value: 812,
  old_unit: "MTR",
  old_quality: "out_of_range",
  new_value: 28.12,
  unit: "MTR",
  reason: "a digit too many",
  corrected_by: "Zhou",
  corrected_at: "2026-11-24T01:00:00Z",
};

describe("corrections", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("shows the old value, the new one, who and why", async () => {
    const withdrawn = { ...correction, position: 58, new_value: null, reason: "the gauge was dry" };
    serve({ "GET /api/v1/corrections": { items: [withdrawn, correction], next: null } });
    const seen: number[] = [];
    show(<CorrectionsCard entityId={ID} kind={undefined} onPosition={(at) => seen.push(at)} />);
    expect(await screen.findByText("a digit too many")).toBeTruthy();
    expect(screen.getAllByText("812 m").length).toBe(2);
    expect(screen.getByText("28.12 m")).toBeTruthy();
    expect(screen.getByText("withdrawn")).toBeTruthy();
    expect(screen.getAllByText(/Zhou/).length).toBe(2);
    const [first] = screen.getAllByRole("button", { name: /Old message/ });
    if (first) fireEvent.click(first);
    expect(seen).toEqual([40]);
  });

  it("is offered to who may correct", () => {
    const { unmount } = show(<ReadingActions correct={() => {}} />, { user: userWith(["entity.read"]) });
    expect(document.querySelector("[data-action='observation.correct']")).toBeNull();
    unmount();
    show(<ReadingActions correct={() => {}} />, { user: userWith(["data.correct"]) });
    expect(document.querySelector("[data-action='observation.correct']")).not.toBeNull();
  });

  it("sends exactly the observation picked, only with a value and a reason", async () => {
    const calls = serve({ "POST /api/v1/corrections": correction });
    const closed = vi.fn();
    show(<CorrectionDialog entityId={ID} reading={reading} title="Stage" onClose={closed} />);
    const submit = await screen.findByTestId("correction-submit");
    fireEvent.click(submit);
    expect(await screen.findByText("Say why")).toBeTruthy();
    expect(calls).toEqual([]);
    fireEvent.change(screen.getByLabelText("The value that holds"), { target: { value: "28.12" } });
    fireEvent.change(screen.getByLabelText("Reason"), { target: { value: " a digit too many " } });
    fireEvent.click(submit);
    await waitFor(() => expect(closed).toHaveBeenCalled());
    expect(calls[0]?.body).toEqual({
      entity_id: ID,
      attribute: "waterLevel",
      observed_at: "2026-11-24T00:00:00.125Z",
      position: 40,
      value: 28.12,
      reason: "a digit too many",
    });
  });

  it("withdraws what has no value to type", async () => {
    const calls = serve({ "POST /api/v1/corrections": { ...correction, new_value: null } });
    const place = { ...reading, attribute: "location", value: { type: "Point", coordinates: [113, 30] } };
    show(<CorrectionDialog entityId={ID} reading={place} title="Place" onClose={() => {}} />);
    fireEvent.change(await screen.findByLabelText("Reason"), { target: { value: "wrong station" } });
    fireEvent.click(screen.getByTestId("correction-submit"));
    await waitFor(() => expect(calls.length).toBe(1));
    expect(calls[0]?.body).toMatchObject({ attribute: "location", value: null });
  });
});
