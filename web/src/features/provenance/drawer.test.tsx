/** Where a value comes from: the message as it was received, or that it may not be shown as such. */
import { screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Provenance } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { ProvenanceDrawer } from "./drawer.tsx";

const message: Provenance = {
  position: 7,
  received_at: "2026-11-24T00:00:00Z",
  door: "mqtt",
  device_id: "lamp-1",
  address: "city/lamp-1",
  size_bytes: 13,
  raw_text: '{"power": 40}',
  raw_base64: btoa('{"power": 40}'),
  raw_withheld: false,
  withheld: false,
  problem: null,
  updates: [],
};
const open = (found: Provenance) => {
  serve({ "GET /api/v1/provenance/7": found, "GET /api/v1/types": { items: [] } });
  show(<ProvenanceDrawer position={7} onClose={() => {}} />, { user: userWith(["entity.read"]) });
};

describe("a stored message", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("is shown as it was received", async () => {
    open(message);
    expect(await screen.findByText(/"power": 40/)).toBeTruthy();
    expect(screen.queryByText(/you may not see/)).toBeNull();
  }, 20_000);

  it("is not, where it says what the reader may not see", async () => {
    open({ ...message, raw_text: null, raw_base64: "", raw_withheld: true });
    expect(await screen.findByText(/The message says something that you may not see/)).toBeTruthy();
    expect(screen.queryByText("Message as received")).toBeNull();
  }, 20_000);
});
