/** Bulletins: their states, the sheet in the reader's language, another one, and the files. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Bulletin, BulletinListed } from "../../lib/types.ts";
import { type Call, serve, show, userWith } from "../../test-tools.tsx";
import { figureColumns, Page } from "./page.tsx";

const listed: BulletinListed[] = [
  { id: "water", pack: "pack-water", title_zh: "水情简报", title_en: "Bulletin of the rivers" },
  { id: "rain", pack: "pack-water", title_zh: "雨情简报", title_en: "Bulletin of the rain" },
];
const text = (kind: "heading" | "text", words: string) => ({ kind, text: words, head: [], rows: [] });
const water: Bulletin = {
  id: "water",
  title: "Bulletin of the rivers",
  at: "2026-07-01T00:00:00Z",
  parts: [
    text("heading", "Stages"),
    text("text", "One of 2 stations is above warning."),
    {
      kind: "table",
      text: null,
      head: ["Station", "Stage, m", "In 24 h, m"],
      rows: [
        ["汉北河天门站", "29.45", "+0.31"],
        ["汉江岳口站", "34.12", "—"],
      ],
    },
  ],
};
const parametersOf = ({ path }: Call) => new URL(path, "http://city").searchParams;
const answers = {
  "GET /api/v1/bulletins": listed.slice(0, 1),
  "GET /api/v1/bulletins/water": (call: Call) =>
    parametersOf(call).get("language") === "zh" ? { ...water, title: "水情简报" } : water,
  "GET /api/v1/bulletins/rain": { ...water, id: "rain", title: "Bulletin of the rain", parts: [] },
};
const reader = userWith(["entity.read"]);

describe("bulletins", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it("say that they load, that there are none, that one may not see them, and what failed", async () => {
    serve({ "GET /api/v1/bulletins": () => new Promise(() => {}) });
    const loading = show(<Page />, { user: reader });
    expect(screen.getByRole("status").textContent).toContain("Loading");
    loading.unmount();
    serve({ "GET /api/v1/bulletins": [] });
    const none = show(<Page />, { user: reader });
    expect(await screen.findByText("No bulletins yet")).toBeTruthy();
    expect(screen.getByText("Packs declare them in bulletins/")).toBeTruthy();
    none.unmount();
    serve({ "GET /api/v1/bulletins": () => new Response("{}", { status: 403 }) });
    const forbidden = show(<Page />, { user: userWith([]) });
    expect(await screen.findByText("Not permitted")).toBeTruthy();
    forbidden.unmount();
    serve({ ...answers, "GET /api/v1/bulletins/water": () => new Response("{}", { status: 503 }) });
    show(<Page />, { user: reader });
    expect(await screen.findByText("Could not load")).toBeTruthy();
    // What is not there cannot be printed or taken along.
    expect(document.querySelector('[data-action="bulletin.pdf"]')).toBeNull();
    serve(answers);
    fireEvent.click(screen.getByRole("button", { name: /Try again/ }));
    expect(await screen.findByTestId("bulletin")).toBeTruthy();
  });

  it("are a sheet with headings, sentences and tables, whose figures stand at the right", async () => {
    serve(answers);
    show(<Page />, { user: reader });
    const sheet = within(await screen.findByTestId("bulletin"));
    expect(sheet.getByRole("heading", { level: 2 }).textContent).toBe("Bulletin of the rivers");
    expect(sheet.getByRole("heading", { level: 3 }).textContent).toBe("Stages");
    expect(sheet.getByText("One of 2 stations is above warning.")).toBeTruthy();
    expect(sheet.getByText(/As of/).textContent).toContain("2026-07-01 08:00:00 UTC+8");
    expect(sheet.getByText(/As of/).textContent).toContain("Declared by pack-water");
    expect(sheet.getByText("29.45").className).toBe("bulletin-figure");
    expect(sheet.getByText("—").className).toBe("bulletin-figure");
    expect(sheet.getByText("汉江岳口站").className).toBe("");
    // One bulletin needs no choice.
    expect(screen.queryByRole("combobox")).toBeNull();
  });

  it("come in the reader's language, anew when it is asked for", async () => {
    const calls = serve(answers);
    show(<Page />, { user: reader, language: "zh" });
    expect(await screen.findByRole("heading", { name: "水情简报" })).toBeTruthy();
    expect(screen.getByText(/截至/).textContent).toContain("只含您有权查看的内容");
    fireEvent.click(screen.getByRole("button", { name: /重新生成/ }));
    const read = () => calls.filter(({ path }) => path === "/api/v1/bulletins/water?language=zh");
    await waitFor(() => expect(read()).toHaveLength(2));
  });

  it("keep the sheet when a newer one cannot be had, and say why", async () => {
    let isDown = false;
    serve({
      ...answers,
      "GET /api/v1/bulletins/water": () =>
        isDown ? Response.json({ code: "busy", detail: "too many queries" }, { status: 503 }) : water,
    });
    show(<Page />, { user: reader });
    await screen.findByTestId("bulletin");
    isDown = true;
    fireEvent.keyDown(document.body, { key: "r" });
    expect(await screen.findByText(/too many queries/)).toBeTruthy();
    expect(screen.getByTestId("bulletin")).toBeTruthy();
  });

  it("are chosen by the address or by hand, where there are several", async () => {
    serve({ ...answers, "GET /api/v1/bulletins": listed });
    show(<Page />, { user: reader, path: "/bulletins?id=rain" });
    expect(await screen.findByRole("heading", { name: "Bulletin of the rain" })).toBeTruthy();
    expect(screen.getByText("This bulletin says nothing")).toBeTruthy();
    fireEvent.mouseDown(screen.getByRole("combobox"));
    fireEvent.click(await screen.findByTitle("Bulletin of the rivers"));
    expect(await screen.findByRole("heading", { name: "Bulletin of the rivers" })).toBeTruthy();
  });

  it("are taken along as files in the reader's language, and printed", async () => {
    serve(answers);
    show(<Page />, { user: reader });
    await screen.findByTestId("bulletin");
    const asked: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
      asked.push(new URL(this.href).pathname + new URL(this.href).search);
    });
    fireEvent.click(screen.getByRole("button", { name: /PDF/ }));
    fireEvent.click(screen.getByRole("button", { name: /Word/ }));
    await waitFor(() =>
      expect(asked).toEqual([
        "/api/v1/bulletins/water?format=pdf&language=en",
        "/api/v1/bulletins/water?format=docx&language=en",
      ]),
    );
    const print = vi.fn();
    vi.stubGlobal("print", print);
    fireEvent.keyDown(document.body, { key: "p" });
    await waitFor(() => expect(print).toHaveBeenCalledTimes(1));
  });

  it("know figures from words and from columns in which nothing stands", () => {
    const rows = [
      ["甲", "1,240", "-0.5", "—", "2026-07-01 08:00"],
      ["乙", "—", "+12", "—", "—"],
    ];
    expect(figureColumns({ head: ["a", "b", "c", "d", "e"], rows })).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
    expect(figureColumns({ head: ["a"], rows: [] })).toEqual([false]);
  });
});
