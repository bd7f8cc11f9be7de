/** What other platforms have of a case, and what a person decides about it. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { CaseDetail, CaseOpen311Link, CaseStep } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { OtherPlatforms, Suggested } from "./open311.tsx";

const item = { id: 3, closed_at: null } as CaseDetail;
const held: CaseOpen311Link = {
  id: 8,
  peer: "province",
  way: "to",
  state: "held",
  service_code: "002",
  reference: "[ref:tianmen/TM-3]",
  made_at: "2026-11-23T22:00:00Z",
  attempts: 2,
  posted_at: "2026-11-23T22:00:00Z",
  remote_id: null,
  remote_status: null,
  remote_notes: null,
  asked_at: null,
  problem: "it was not found, and may be there all the same",
  decisions: ["send", "found", "drop"],
};
const links = (...items: CaseOpen311Link[]) => ({ "GET /api/v1/cases/3/open311": { items } });

describe("other platforms", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("asks for the id before a case is said to be there", async () => {
    const calls = serve({
      ...links(held),
      "POST /api/v1/cases/3/open311/8": {
        items: [{ ...held, state: "open", remote_id: "7", problem: null, decisions: [] }],
      },
    });
    show(<OtherPlatforms item={item} />, { user: userWith(["case.read", "case.dispatch"]) });
    expect(await screen.findByText(/may be there all the same/)).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: /It is there/ }));
    const submit = await screen.findByTestId("link-found-submit");
    fireEvent.click(submit);
    expect(await screen.findByText("Enter the id that it has there")).toBeTruthy();
    expect(calls.filter((call) => call.method === "POST")).toEqual([]);
    fireEvent.change(screen.getByLabelText("Its id there"), { target: { value: " 7 " } });
    fireEvent.click(submit);
    await waitFor(() => expect(calls.some((call) => call.method === "POST")).toBe(true));
    expect(calls.find((call) => call.method === "POST")?.body).toEqual({ act: "found", remote_id: "7" });
    expect(await screen.findByText("Open there")).toBeTruthy();
  });

  it("lets only who dispatches decide", async () => {
    serve(links(held));
    show(<OtherPlatforms item={item} />, { user: userWith(["case.read"]) });
    expect(await screen.findByText("A person decides")).toBeTruthy();
    expect(screen.queryByRole("button")).toBeNull();
  });

  it("says that a source cannot be told that the case has ended", async () => {
    const taken = {
      ...held,
      way: "from",
      state: "open",
      remote_id: "7",
      remote_status: "open",
      decisions: [],
    };
    serve(links(taken));
    show(<OtherPlatforms item={{ ...item, closed_at: "2026-11-24T00:00:00Z" }} />, {
      user: userWith(["case.read"]),
    });
    expect(await screen.findByText(/no way to tell the other platform/)).toBeTruthy();
  });

  it("shows the step that a closure there suggests", () => {
    const step = { detail: { peer: "province", suggest: "finish" } } as unknown as CaseStep;
    show(<Suggested step={step} />, { user: userWith([]) });
    expect(screen.getByText("Suggested: Finish")).toBeTruthy();
  });
});
