/** A hand-over is looked at before it is done, and a change asks to look again. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { HandOverReport, PersonDetail } from "../../lib/types.ts";
import { serve, show } from "../../test-tools.tsx";
import { HandOverDialog } from "./hand-over.tsx";

const li: PersonDetail = {
  id: 3,
  username: "li.si",
  name: "李四",
  role: "field",
  organisation: "shuili",
  phone: null,
  disabled: false,
  password_set_at: "2026-11-01T00:00:00Z",
  posts: [
    {
      holder_id: 9,
      id: "pump-1",
      organisation: "pump",
      title_zh: "值守",
      title_en: "Watch",
      role: "field",
      from: "2026-11-01T00:00:00Z",
      until: null,
    },
  ],
};
const looked: HandOverReport = {
  id: null,
  at: null,
  from_name: "李四",
  to_name: null,
  closes: true,
  cases: [{ id: 5, number: "TM-1", title: "Open drain", state: "handling", severity: "minor" }],
  posts: [{ id: "pump-1", organisation: "pump", title_zh: "值守", title_en: "Watch", is_given: false }],
  sessions: 2,
  turns: 2,
  sign_ins: 1,
};
const answers = {
  "GET /api/v1/organisation": { organisations: [], posts: [] },
  "GET /api/v1/people": { items: [], next: null },
};
const preview = "/api/v1/people/3/handover/preview";

describe("the hand-over dialog", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("looks, shows what would move, and does it when it is asked again", async () => {
    const calls = serve({
      ...answers,
      [`POST ${preview}`]: looked,
      "POST /api/v1/people/3/handover": { ...looked, id: 1 },
    });
    const [changed, onClose] = [vi.fn(), vi.fn()];
    show(<HandOverDialog person={li} units={[]} changed={changed} onClose={onClose} />);
    const button = await screen.findByTestId("handover-submit");
    fireEvent.click(button);
    expect(await screen.findByText("TM-1 Open drain")).toBeTruthy();
    expect(screen.getByText(/1 cases pass on; 1 posts, 2 sessions and 1 sign-ins/)).toBeTruthy();
    expect(screen.getByText("Sign-in of 李四 will be closed")).toBeTruthy();
    expect(onClose).not.toHaveBeenCalled();
    // Something else is asked: it is looked at anew first.
    fireEvent.click(screen.getByLabelText("The successor may be of another organisation"));
    await waitFor(() => expect(screen.queryByTestId("handover-preview")).toBeNull());
    fireEvent.click(button);
    await screen.findByTestId("handover-preview");
    fireEvent.click(button);
    await waitFor(() => expect(onClose).toHaveBeenCalled());
    expect(changed).toHaveBeenCalled();
    const posts = calls.filter((call) => call.method === "POST");
    expect(posts.map((call) => call.path)).toEqual([preview, preview, "/api/v1/people/3/handover"]);
    expect(posts[2]?.body).toMatchObject({ across: true, give_posts: [] });
  }, 20_000);

  it("says why it cannot be done", async () => {
    const problem = { code: "successor-missing", detail: "李四 handles 1 open cases", mend: "name one" };
    serve({ ...answers, [`POST ${preview}`]: () => Response.json(problem, { status: 409 }) });
    show(<HandOverDialog person={li} units={[]} changed={vi.fn()} onClose={vi.fn()} />);
    fireEvent.click(await screen.findByTestId("handover-submit"));
    expect(await screen.findByText(/李四 handles 1 open cases/)).toBeTruthy();
    expect(screen.queryByTestId("handover-preview")).toBeNull();
  }, 20_000);
});
