/** What the office offers to investors: how each stands, how everybody would see it, and what is sent when it is written, published, withdrawn. */
import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { InvestmentPackage, InvestmentPackages } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { contentOf } from "./package-dialogs.tsx";
import { Page } from "./page.tsx";
import { item } from "./samples.ts";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const PACKAGES = "/api/v1/investment-packages";
const office = userWith(["project.read", "project.manage"], "planner");
const one: InvestmentPackage = {
  id: 3,
  version: 4,
  content: {
    kind: "projects",
    title_zh: "水利项目包",
    title_en: "Water projects",
    summary_zh: "简介",
    summary_en: "Summary",
    contact_zh: "市发改委",
    contact_en: "The commission",
    valid_until: "2099-12-31",
    entries: [
      {
        project: "smart-water",
        name_zh: "",
        name_en: "",
        sought: ["operator"],
        words_zh: "运维",
        words_en: "Run it",
        with_money: false,
      },
    ],
  },
  state: "published",
  edition: 1,
  is_changed: true,
  published_at: "2026-06-01T00:00:00Z",
  published_by: "fagai.zhou",
  withdrawn_at: null,
  withdrawn_by: null,
  withdrawn_why: null,
  changed_at: "2026-06-02T00:00:00Z",
  changed_by: "fagai.zhou",
  preview: {
    id: 3,
    edition: 1,
    published_on: null,
    kind: "projects",
    title_zh: "水利项目包",
    title_en: "Water projects",
    summary_zh: "简介",
    summary_en: "Summary",
    contact_zh: "市发改委",
    contact_en: "The commission",
    valid_until: "2099-12-31",
    entries: [
      {
        project: "smart-water",
        name_zh: "智慧水利",
        name_en: "Smart water",
        quote: null,
        stage: "reserve",
        start: null,
        end: null,
        sought: ["operator"],
        words_zh: "运维",
        words_en: "Run it",
        money: null,
        indicators: [],
      },
    ],
  },
};
const list: InvestmentPackages = { items: [one], day: "2026-06-15", is_open: false, may_manage: true };

function draw(body: InvestmentPackages, user = office) {
  const calls = serve({
    "GET /api/v1/projects": {
      day: "2026-06-01",
      items: [item],
      total: 16,
      of_plan: 16,
      organisations: [],
      may_manage: true,
    },
    [`GET ${PACKAGES}`]: body,
    [`POST ${PACKAGES}*`]: one,
    [`PUT ${PACKAGES}*`]: one,
  });
  show(<Page />, { user, path: "/projects?view=packages" });
  return calls;
}

describe("packages for investors", () => {
  it("say how they stand, and that nobody sees them while the portal is closed", async () => {
    draw(list);
    const card = within(await screen.findByTestId("package-card"));
    expect(card.getByText("Published")).toBeTruthy();
    expect(card.getByText(/The changes are not published/)).toBeTruthy();
    expect(card.getByText("Smart water")).toBeTruthy();
    expect(screen.getByText(/The public portal is closed/)).toBeTruthy();
  });

  it("are read and not changed by others", async () => {
    draw({ ...list, may_manage: false }, userWith(["project.read"]));
    expect(await screen.findByTestId("package-card")).toBeTruthy();
    for (const name of ["Publish", "Withdraw", "New package"]) expect(screen.queryByText(name)).toBeNull();
  });

  it("are published in the version that was seen, and withdrawn with a reason", async () => {
    const calls = draw(list);
    fireEvent.click(await screen.findByText("Publish"));
    fireEvent.click(await screen.findByTestId("package-publish"));
    const posted = () => calls.filter(({ method }) => method === "POST");
    await waitFor(() => expect(posted()).toHaveLength(1));
    expect(posted()[0]).toMatchObject({ path: `${PACKAGES}/3/publish`, body: { version: 4 } });
    await waitFor(() => expect(screen.queryByTestId("package-publish")).toBeNull());
    fireEvent.click(screen.getByText("Withdraw"));
    fireEvent.change(await screen.findByLabelText("Reason"), { target: { value: "已签约" } });
    fireEvent.click(screen.getByTestId("package-withdraw"));
    await waitFor(() => expect(posted()).toHaveLength(2));
    expect(posted()[1]).toMatchObject({ path: `${PACKAGES}/3/withdraw`, body: { reason: "已签约" } });
  });

  it("are written on top of what was seen", async () => {
    const calls = draw(list);
    const card = within(await screen.findByTestId("package-card"));
    fireEvent.click(card.getByText("Change"));
    fireEvent.change(await screen.findByLabelText("Title in English"), { target: { value: " Water " } });
    fireEvent.click(screen.getByTestId("package-save"));
    await waitFor(() => expect(calls.some(({ method }) => method === "PUT")).toBe(true));
    const put = calls.find(({ method }) => method === "PUT");
    expect(put).toMatchObject({
      path: `${PACKAGES}/3`,
      body: { version: 4, content: { ...one.content, title_en: "Water" } },
    });
  });

  it("of scenarios name no project and no money", () => {
    const entries = [{ ...one.content.entries[0], name_zh: " 无人机 ", name_en: "Drones", with_money: true }];
    expect(contentOf({ ...one.content, kind: "scenarios", entries }).entries[0]).toMatchObject({
      project: null,
      name_zh: "无人机",
      name_en: "Drones",
      with_money: false,
    });
  });
});
