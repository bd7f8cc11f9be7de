/** Photos of a project's site: by month, large with the keys, two beside each other, sent again where sending failed, removed with a reason. */
import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { Route, Routes } from "react-router";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ProjectDetail, ProjectPhoto } from "../../lib/types.ts";
import { type Call, serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./detail.tsx";
import { byMonth } from "./photos.tsx";
import { detail, milestone, photo, photos } from "./samples.ts";

const PHOTOS = "/api/v1/projects/smart-water/photos";
const unit = userWith(["project.read", "project.edit"], "operator");
const before: ProjectPhoto = { ...photo, id: 1, taken_on: "2026-02-10", caption: "", milestone: "开工" };
const begun: ProjectDetail = {
  ...detail,
  item: { ...detail.item, milestones: [milestone("开工", "2026-03-01")] },
  kept: {
    ...detail.kept,
    milestones: [
      { name: "开工", planned: "2026-03-01", forecast: null, done: "2026-03-02", evidence: "", photo: 2 },
    ],
  },
};

beforeEach(() => {
  vi.stubGlobal("URL", Object.assign(URL, { createObjectURL: () => "blob:x", revokeObjectURL: () => {} }));
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function draw(more: Record<string, unknown> = {}, user = unit) {
  const calls = serve({
    "GET /api/v1/projects/smart-water": begun,
    [`GET ${PHOTOS}`]: photos([photo, before]),
    "GET /api/v1/projects/smart-water/history": { items: [], next: null, organisations: [] },
    ...more,
  });
  show(
    <Routes>
      <Route path="/projects/:id" element={<Page />} />
    </Routes>,
    { user, path: "/projects/smart-water" },
  );
  return calls;
}

describe("the photos of a project's site", () => {
  it("stand by month, the newest first", async () => {
    expect(byMonth([photo, { ...photo, id: 3 }, before]).map(([month, of]) => [month, of.length])).toEqual([
      ["2026-03", 2],
      ["2026-02", 1],
    ]);
    draw();
    const shown = await screen.findAllByTestId("project-photo");
    expect(shown.map((button) => button.querySelector("img")?.alt)).toEqual([
      "2026-03-02 打桩",
      "2026-02-10 开工",
    ]);
    // A milestone shows the photo that is its evidence.
    const evidence = screen.getByLabelText("Photo that shows it: 2026-03-02 打桩");
    expect(evidence.getAttribute("href")).toBe(`${PHOTOS}/2?plain=true`);
    // Small copies stand in lists: a month of them is loaded at once.
    const sources = [evidence, ...shown].map((one) => one.querySelector("img")?.getAttribute("src"));
    expect(sources).toEqual([`${PHOTOS}/2/small`, `${PHOTOS}/2/small`, `${PHOTOS}/1/small`]);
  });

  it("are looked at one by one with the keys", async () => {
    draw();
    const [first] = await screen.findAllByTestId("project-photo");
    fireEvent.click(first as HTMLElement);
    const dialog = await screen.findByRole("dialog");
    expect(within(dialog).getByText("1 / 2")).toBeTruthy();
    expect(within(dialog).getByText(/113\.16000°E, 30\.65000°N/)).toBeTruthy();
    expect(within(dialog).getByAltText("2026-03-02 打桩").getAttribute("src")).toBe(`${PHOTOS}/2?plain=true`);
    const files = ["Without camera data", "As it was sent"].map((word) => within(dialog).getByText(word));
    expect(files.map((link) => [link.getAttribute("href"), link.getAttribute("download")])).toEqual([
      [`${PHOTOS}/2?plain=true`, "smart-water-2026-03-02-2.jpg"],
      [`${PHOTOS}/2`, "smart-water-2026-03-02-2.jpg"],
    ]);
    fireEvent.keyDown(window, { key: "ArrowRight" });
    expect(await within(dialog).findByText("2 / 2")).toBeTruthy();
    fireEvent.keyDown(window, { key: "ArrowRight" });
    expect(within(dialog).getByText("2 / 2")).toBeTruthy();
    fireEvent.keyDown(window, { key: "ArrowLeft" });
    expect(await within(dialog).findByText("1 / 2")).toBeTruthy();
  });

  it("are compared, the oldest with the newest", async () => {
    draw();
    fireEvent.click(await screen.findByTestId("project-photo-compare"));
    const pair = await screen.findByTestId("project-photo-pair");
    expect([...pair.querySelectorAll("img")].map((img) => img.getAttribute("src"))).toEqual([
      `${PHOTOS}/1?plain=true`,
      `${PHOTOS}/2?plain=true`,
    ]);
  });

  it("are removed with a reason, which stays to be read", async () => {
    const gone = {
      id: 9,
      taken_on: "2026-01-05",
      at: "2026-01-06T00:00:00Z",
      by: "周主任",
      reason: "拍到了路人",
    };
    const calls = draw({
      [`GET ${PHOTOS}`]: { ...photos([photo, before]), removed: [gone] },
      [`POST ${PHOTOS}/2/remove`]: new Response(null, { status: 204 }),
    });
    expect(await screen.findByText("拍到了路人")).toBeTruthy();
    fireEvent.click((await screen.findAllByTestId("project-photo"))[0] as HTMLElement);
    fireEvent.click(await screen.findByRole("button", { name: /Remove/ }));
    fireEvent.click(await screen.findByTestId("project-photo-remove"));
    expect(await screen.findByText("Say something here")).toBeTruthy();
    fireEvent.change(screen.getByLabelText("Reason"), { target: { value: "重复" } });
    fireEvent.click(screen.getByTestId("project-photo-remove"));
    await waitFor(() => expect(calls.some(({ method }) => method === "POST")).toBe(true));
    expect(calls.find(({ method }) => method === "POST")?.body).toEqual({ reason: "重复" });
  });

  it("are shown and not changed by who may only read", async () => {
    draw({ [`GET ${PHOTOS}`]: { ...photos([photo]), may_edit: false } }, userWith(["project.read"]));
    fireEvent.click(await screen.findByTestId("project-photo"));
    expect(await screen.findByText("1 / 1")).toBeTruthy();
    expect(screen.queryByText("Remove")).toBeNull();
    expect(screen.queryByText("Add photos")).toBeNull();
    expect(screen.queryByTestId("project-photo-compare")).toBeNull();
  });

  it("are sent with their words, and what failed is sent again", async () => {
    let attempts = 0;
    const calls = draw({
      [`POST ${PHOTOS}`]: ({ body }: Call) => {
        attempts += 1;
        const file = (body as FormData).get("file") as File;
        return file.name === "b.jpg" && attempts === 2
          ? Response.json({ code: "photo-day", detail: "no day", place: "taken_on" }, { status: 400 })
          : photo;
      },
    });
    fireEvent.click(await screen.findByText("Add photos"));
    const old = (name: string) => new File(["x"], name, { type: "image/jpeg", lastModified: 0 });
    const large = old("c.jpg");
    Object.defineProperty(large, "size", { value: 11 * 1024 * 1024 });
    const input = await screen.findByTestId("project-photo-file");
    fireEvent.change(input, { target: { files: [old("a.jpg"), old("b.jpg"), large] } });
    expect(await screen.findByText(/A photo above/)).toBeTruthy();
    fireEvent.change(screen.getByLabelText("What photo 1 shows"), { target: { value: "堤防" } });
    fireEvent.change(screen.getByLabelText("Day of photo 1"), { target: { value: "2026-05-06" } });
    fireEvent.click(screen.getByText("Send 2"));
    expect(await screen.findByText(/no day/)).toBeTruthy();
    expect(screen.queryByText(/a\.jpg/)).toBeNull();
    fireEvent.change(screen.getByLabelText("Day of photo 1"), { target: { value: "2026-05-07" } });
    fireEvent.click(screen.getByText("Send what failed again"));
    await waitFor(() => expect(attempts).toBe(3));
    const sent = calls.filter(({ method }) => method === "POST").map(({ body }) => body as FormData);
    expect(sent.map((form) => [form.get("taken_on"), form.get("caption"), form.get("milestone")])).toEqual([
      ["2026-05-06", "堤防", null],
      [null, null, null],
      ["2026-05-07", null, null],
    ]);
    // What is said of a photo comes before its bytes.
    expect([...(sent[0]?.keys() ?? [])].at(-1)).toBe("file");
  });
});
