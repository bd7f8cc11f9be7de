/** Sign-in says what is wrong, and when to try again. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./page.tsx";

const problem = (status: number, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ code: "x", detail: "from the server" }), { status, headers });

function enter(username: string, password: string) {
  fireEvent.change(screen.getByLabelText("User name"), { target: { value: username } });
  fireEvent.change(screen.getByLabelText("Password"), { target: { value: password } });
  fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
}

describe("sign-in", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("asks for both fields before it asks the server", async () => {
    const calls = serve({});
    show(<Page />);
    fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
    expect(await screen.findByText("Enter your user name")).toBeTruthy();
    expect(screen.getByText("Enter your password")).toBeTruthy();
    expect(calls).toEqual([]);
  });

  it("signs in and remembers who", async () => {
    const user = userWith(["entity.read"]);
    const calls = serve({ "POST /api/v1/session": { user } });
    const { queryClient } = show(<Page />);
    enter(" wang ", "secret");
    await waitFor(() => expect(queryClient.getQueryData(["session"])).toEqual(user));
    expect(calls[0]?.body).toEqual({ username: "wang", password: "secret" });
  });

  it("does not say which of the two was wrong", async () => {
    serve({ "POST /api/v1/session": () => problem(401) });
    show(<Page />);
    enter("wang", "wrong");
    expect(await screen.findByText("User name or password is not correct")).toBeTruthy();
  });

  it("counts down when attempts are limited, and cannot be pressed meanwhile", async () => {
    serve({ "POST /api/v1/session": () => problem(429, { "retry-after": "30" }) });
    show(<Page />);
    enter("wang", "wrong");
    const told = await screen.findByText(
      /Too many attempts\. Try again at \d\d:\d\d:\d\d UTC\+8 \(in (30|29) s\)/,
    );
    expect(told).toBeTruthy();
    expect((screen.getByRole("button", { name: "Sign in" }) as HTMLButtonElement).disabled).toBe(true);
  });
});
