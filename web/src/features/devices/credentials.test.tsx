/** A device's credentials: which, how old, until when; a new password is shown once. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Device } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { CredentialsDialog } from "./credentials.tsx";

const device = { client_id: "gauge-7", name: "Gauge 7", id: "urn:ngsi-ld:WaterObserved:7" } as Device;
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
const certificate = (days: number) => ({
  kind: "x509",
  fingerprint: `f00d${days}`,
  subject: "CN=gauge-7",
  created_at: inDays(-1),
  expires_at: inDays(days),
  is_over: days < 0,
  last_used_at: null,
});
const own = {
  kind: "password",
  fingerprint: null,
  subject: null,
  created_at: "2026-11-01T00:00:00Z",
  expires_at: null,
  is_over: false,
  last_used_at: null,
};
const listed = {
  "GET /api/v1/devices/gauge-7/credentials": { items: [own, certificate(300), certificate(-2)] },
};

describe("credentials of a device", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("lists each with its end, and offers no change to who may only look", async () => {
    serve(listed);
    show(<CredentialsDialog device={device} onClose={() => {}} />, { user: userWith(["device.read"]) });
    expect(await screen.findAllByTestId("credential")).toHaveLength(3);
    expect(screen.getByText("no end")).toBeTruthy();
    expect(screen.getByText("over")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "New password or key" })).toBeNull();
    expect(screen.queryByRole("button", { name: "Remove the certificate" })).toBeNull();
  });

  it("makes a new password, shows it once, and says how long the old one is good", async () => {
    const calls = serve({
      ...listed,
      "POST /api/v1/devices/gauge-7/password": {
        client_id: "gauge-7",
        username: "gauge-7",
        password: "the-new-one",
        key: null,
        old_until: "2026-11-27T00:00:00Z",
      },
    });
    const user = userWith(["device.read", "device.manage"]);
    show(<CredentialsDialog device={device} onClose={() => {}} />, { user });
    await screen.findAllByTestId("credential");
    fireEvent.click(screen.getByRole("button", { name: "New password or key" }));
    fireEvent.change(await screen.findByLabelText(/Hours for which/), { target: { value: "48" } });
    fireEvent.click(screen.getByTestId("rotate-submit"));
    expect(await screen.findByText("the-new-one")).toBeTruthy();
    expect(screen.getByText(/The old one is good until 2026-11-27/)).toBeTruthy();
    expect(calls.find((c) => c.method === "POST")?.body).toEqual({
      overlap_hours: 48,
      kind: "password",
    });
    fireEvent.click(screen.getByRole("button", { name: "I have saved it" }));
    await waitFor(() => expect(screen.queryByText("the-new-one")).toBeNull());
  });

  describe("of which one is a key", () => {
    const key = { ...own, kind: "psk", last_used_at: "2026-11-20T08:00:00Z" };
    const before = { ...key, created_at: inDays(-90), expires_at: inDays(1), last_used_at: null };
    const user = userWith(["device.read", "device.manage"]);
    const changing = (made: { password: string | null; key: string | null }) =>
      serve({
        "GET /api/v1/devices/gauge-7/credentials": { items: [key, before] },
        "POST /api/v1/devices/gauge-7/password": {
          client_id: "gauge-7",
          username: "gauge-7",
          old_until: "2026-11-27T00:00:00Z",
          ...made,
        },
      });

    it("shows it with its last use, and makes another key when nothing else is chosen", async () => {
      const calls = changing({ password: null, key: "00ff" });
      show(<CredentialsDialog device={device} onClose={() => {}} />, { user });
      expect(await screen.findAllByText("Key (PSK)")).toHaveLength(2);
      expect(screen.getByText(/last used 2026-11-20/)).toBeTruthy();
      expect(screen.getByText(/not used yet/)).toBeTruthy();
      fireEvent.click(screen.getByRole("button", { name: "New password or key" }));
      await screen.findByRole("radio", { name: "Key (PSK)" });
      fireEvent.click(screen.getByTestId("rotate-submit"));
      expect(await screen.findByText("00ff")).toBeTruthy();
      expect(calls.find((c) => c.method === "POST")?.body).toEqual({ overlap_hours: 24, kind: "psk" });
    });

    it("makes a password where one is chosen", async () => {
      const calls = changing({ password: "the-new-one", key: null });
      show(<CredentialsDialog device={device} onClose={() => {}} />, { user });
      await screen.findAllByTestId("credential");
      fireEvent.click(screen.getByRole("button", { name: "New password or key" }));
      fireEvent.click(await screen.findByRole("radio", { name: "Password" }));
      fireEvent.click(screen.getByTestId("rotate-submit"));
      expect(await screen.findByText("the-new-one")).toBeTruthy();
      expect(calls.find((c) => c.method === "POST")?.body).toEqual({ overlap_hours: 24, kind: "password" });
    });
  });

  it("removes a certificate by its fingerprint", async () => {
    const calls = serve({
      ...listed,
      "DELETE /api/v1/devices/gauge-7/certificates/f00d300": new Response(null, { status: 204 }),
    });
    const user = userWith(["device.read", "device.manage"]);
    show(<CredentialsDialog device={device} onClose={() => {}} />, { user });
    await screen.findAllByTestId("credential");
    fireEvent.click(screen.getAllByRole("button", { name: "Remove the certificate" })[0] as HTMLElement);
    await waitFor(() =>
      expect(calls.some((c) => c.method === "DELETE" && c.path.endsWith("f00d300"))).toBe(true),
    );
  });
});
