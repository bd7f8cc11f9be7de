/** A device's code: typed, asked about, said yes to; what is wrong with it is told. */
import { fireEvent, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serve, show, userWith } from "../../test-tools.tsx";
import { DevicePage } from "./device.tsx";

describe("a device's code", () => {
  afterEach(() => vi.unstubAllGlobals());
  const open = (search = "") => show(<DevicePage />, { user: userWith([]), path: `/oidc/device${search}` });

  it("is not sent before it is whole", async () => {
    const calls = serve({});
    open();
    fireEvent.change(screen.getByLabelText("The code that the device shows"), { target: { value: "WDJB" } });
    fireEvent.click(screen.getByRole("button", { name: "Go on" }));
    expect(await screen.findByText("Enter the code of 8 letters")).toBeTruthy();
    expect(calls).toEqual([]);
  });

  it("that came with the address is still asked about", async () => {
    const calls = serve({
      "GET /api/v1/oidc/device": { client_name: "大屏", scopes: ["openid"] },
      "POST /api/v1/oidc/device": () => new Response(null, { status: 204 }),
    });
    open("?user_code=WDJB-MJHT");
    fireEvent.click(screen.getByRole("button", { name: "Go on" }));
    expect(await screen.findByText("Sign in to 大屏")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: /Agree and sign in/ }));
    expect(await screen.findByText(/The device is signed in/)).toBeTruthy();
    expect(calls.at(-1)?.body).toEqual({ user_code: "WDJB-MJHT", approve: true });
  });

  it("that nobody waits with is told", async () => {
    const problem = { code: "oidc-user-code", detail: "no device waits with this code" };
    serve({ "GET /api/v1/oidc/device": () => new Response(JSON.stringify(problem), { status: 404 }) });
    open("?user_code=WDJB-MJHT");
    fireEvent.click(screen.getByRole("button", { name: "Go on" }));
    expect(await screen.findByText("No device waits with this code")).toBeTruthy();
  });
});
