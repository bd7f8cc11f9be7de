/** One run whole: what it was reckoned from, what came of it, what was wrong, and the same again. */
import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { Route, Routes } from "react-router";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RunDetail } from "../../lib/types.ts";
import { drawNothing, serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./detail.tsx";

const ONE = "/api/v1/runs/17";
const run: RunDetail = {
  id: 17,
  definition_id: "water-stage-forecast",
  definition_version: 1,
  title_zh: "相应水位预报",
  title_en: "Stages foretold",
  engine: "water.corresponding-stage",
  engine_version: 1,
  target_id: "urn:ngsi-ld:WaterObserved:1",
  target_name: "天门站",
  due_at: "2026-07-01T01:00:00Z",
  begun_at: "2026-07-01T01:01:00Z",
  ended_at: "2026-07-01T01:01:00.340Z",
  outcome: "done",
  problems: [],
  rows_in: 250,
  rows_out: 2,
  position: 50_017,
  output_digest: "9f86d081",
  entity_id: "urn:ngsi-ld:WaterLevelForecast:1",
  asked_by: null,
  parameters: { leads: 24 },
  report: {
    engine: "water.corresponding-stage",
    version: 1,
    given: { leads: 24, certainty: 0.9 },
    certainty: 0.9,
    origin: "2026-07-01T00:45:00Z",
    skill: [
      { covered: 0.991234567, lead: 1, terms: "changes" },
      { covered: 0.8, lead: 24, terms: "persistence" },
    ],
    doubts: ["the station upstream says nothing for 11 of 250 steps: they are left out"],
  },
  input: {
    columns: ["at", "stage_m"],
    rows: Array.from({ length: 250 }, (_, n) => [`row ${n}`, String(n)]),
  },
  output: {
    columns: ["at", "value", "lower", "upper"],
    rows: [
      ["2026-07-01T01:15:00Z", "29.10", "28.9", "29.3"],
      ["2026-07-01T01:30:00Z", "29.20", "28.9", "29.5"],
    ],
  },
  program_version: "0.1.0",
  input_sql: "SELECT own.at FROM readings own",
  forecast_unit: "MTR",
  is_withheld: false,
  is_adoptable: false,
};
const failed: RunDetail = {
  ...run,
  outcome: "failed",
  problems: [
    {
      code: "engine-row",
      what: "too few steps: 3 of 48",
      place: "input:4",
      mend: "wait until the station has said more",
    },
  ],
  rows_out: 0,
  position: null,
  output_digest: null,
  entity_id: null,
  report: {},
  output: { columns: [], rows: [] },
};
const duty = userWith(["entity.read", "run.read", "run.start"]);
const told = {
  position: 50_017,
  updates: [
    {
      id: run.entity_id,
      type: "WaterLevelForecast",
      attributes: { waterLevelSeries: { value: { unit: "MTR", points: [] } } },
    },
  ],
};

function open(found: RunDetail | (() => Response), more: Record<string, unknown> = {}, user = duty) {
  const calls = serve({ [`GET ${ONE}`]: found, "GET /api/v1/provenance/50017": told, ...more });
  show(
    <Routes>
      <Route path="/runs/:id" element={<Page />} />
    </Routes>,
    { user, path: "/runs/17" },
  );
  return calls;
}
const press = (name: string) =>
  fireEvent.click(document.querySelector(`[data-action="${name}"]`) as HTMLElement);
const page = () => document.querySelector(".page")?.textContent ?? "";

describe("a run", () => {
  beforeEach(drawNothing);
  afterEach(() => vi.unstubAllGlobals());

  it("says what it stands for, by which versions, and where its outcome went", async () => {
    open(run);
    expect(await screen.findByText("Stages foretold · 天门站")).toBeTruthy();
    for (const said of [
      "2026-07-01 09:00:00",
      "340 ms",
      "The clock",
      "250 rows read, 2 written",
      "9f86d081",
    ]) {
      expect(page()).toContain(said);
    }
    expect(screen.getByRole("link", { name: "天门站" }).getAttribute("href")).toBe(
      "/entities/urn%3Angsi-ld%3AWaterObserved%3A1",
    );
    expect(screen.getByRole("link", { name: "urn:ngsi-ld:WaterLevelForecast:1" })).toBeTruthy();
    expect(screen.getByTestId("provenance").textContent).toContain("50017");
    expect(screen.getByRole("img", { name: /outcome and its interval/ })).toBeTruthy();
  });

  it("asks the message for the unit only where the declaration does not say it any more", async () => {
    const isAsked = (calls: { path: string }[]) => calls.some((call) => call.path.includes("/provenance/"));
    const declared = open(run);
    await screen.findByRole("img", { name: /outcome and its interval/ });
    expect(isAsked(declared)).toBe(false);
    cleanup();
    const changed = open({ ...run, forecast_unit: null });
    await waitFor(() => expect(isAsked(changed)).toBe(true));
  });

  it("shows skill by lead as a table, doubts in full, and which parameters are defaults", async () => {
    open(run);
    const skill = await screen.findByRole("region", { name: "skill" });
    const cells = within(skill)
      .getAllByRole("row")
      .map((row) => [...row.children].map((cell) => cell.textContent));
    expect(cells).toEqual([
      ["Lead (steps)", "Held by the intervals (0 to 1)", "Foretold by"],
      ["1", "0.9912", "changes"],
      ["24", "0.8", "the stage stays"],
    ]);
    expect(screen.getByTestId("run-report").textContent).toContain("Foretold from2026-07-01 08:45:00 UTC+8");
    expect(screen.getByTestId("run-doubts").textContent).toContain("11 of 250 steps: they are left out");
    expect(screen.getByTestId("run-parameters").textContent).toMatch(/leads24certainty0.9 · default/);
  });

  it("shows the first 200 rows, the files, and the command with the files' names", async () => {
    open(run);
    const input = await screen.findByTestId("run-input");
    expect(within(input).getAllByRole("row").length).toBe(201);
    expect(input.textContent).toContain("250 rows, the first 200 here");
    for (const name of ["run.input", "run.parameters", "run.output"]) {
      expect(document.querySelector(`[data-action="${name}"]`)).not.toBeNull();
    }
    const clicked = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
    press("run.output");
    await waitFor(() => expect(clicked).toHaveBeenCalled());
    expect((clicked.mock.instances[0] as unknown as HTMLAnchorElement).getAttribute("href")).toBe(
      `${ONE}/output.csv`,
    );
    expect(screen.getByTestId("run-command").textContent).toBe(
      "jingling engine run water.corresponding-stage --input run-17-input.csv --parameters run-17-parameters.json --output again.csv\ncmp again.csv run-17-output.csv",
    );
    expect(screen.getByRole("button", { name: "Copy the command" })).toBeTruthy();
  });

  it("that failed says what, where and how to mend it", async () => {
    open(failed);
    expect(await screen.findByText("wait until the station has said more")).toBeTruthy();
    expect(page()).toContain("too few steps: 3 of 48");
    expect(page()).toContain("input:4");
    expect(page()).toContain("Nothing was told to the city");
    expect(within(screen.getByTestId("run-output")).getByText("There is no outcome")).toBeTruthy();
    expect(document.querySelector('[data-action="run.output"]')).toBeNull();
    expect(screen.queryByRole("img", { name: /as a chart/ })).toBeNull();
  });

  it("is reckoned again by key, and comes out the same", async () => {
    const same = {
      is_same: true,
      engine_version_then: 1,
      engine_version_now: 1,
      output_digest_then: "9f86d081",
      output_digest_now: "9f86d081",
      problems: [],
    };
    const calls = open(run, { [`POST ${ONE}/repeat`]: same });
    await screen.findByTestId("run-input");
    fireEvent.keyDown(window, { key: "r" });
    expect(await screen.findByText(/the same bit for bit \(engine v1 then, v1 now\)/)).toBeTruthy();
    expect(calls.filter((call) => call.method === "POST").length).toBe(1);
  });

  it("is reckoned again and differs, with both digests", async () => {
    const other = {
      is_same: false,
      engine_version_then: 1,
      engine_version_now: 2,
      output_digest_then: "9f86d081",
      output_digest_now: "60303ae2",
      problems: [],
    };
    open(run, { [`POST ${ONE}/repeat`]: other });
    await screen.findByTestId("run-input");
    press("run.repeat");
    const answer = await screen.findByTestId("run-again");
    expect(answer.getAttribute("role")).toBe("status");
    expect(answer.textContent).toContain("the outcome differs: the engine was v1 and is v2");
    expect(answer.textContent).toContain("60303ae2");
  });

  it("is run for its target again, once that was confirmed", async () => {
    const calls = open(run, {
      "POST /api/v1/runs": { runs: [{ ...run, id: 18 }] },
      "GET /api/v1/runs/18": run,
    });
    await screen.findByTestId("run-input");
    press("run.start-again");
    expect(await screen.findByText("For 天门站")).toBeTruthy();
    fireEvent.click(screen.getByTestId("run-start-submit"));
    await waitFor(() => expect(calls.some((call) => call.path === "/api/v1/runs/18")).toBe(true));
    expect(calls.find((call) => call.method === "POST")?.body).toEqual({
      definition_id: run.definition_id,
      target_id: run.target_id,
    });
  });

  it("withholds its input from who may not see everything", async () => {
    open({ ...run, input: null, is_withheld: true });
    expect(await screen.findByText(/may hold what you may not see/)).toBeTruthy();
    expect(document.querySelector('[data-action="run.input"]')).toBeNull();
    expect(document.querySelector('[data-action="run.repeat"]')).not.toBeNull();
    expect(screen.queryByTestId("run-command")).toBeNull();
  });

  it("that goes on, or was interrupted, says so and offers nothing that needs its end", async () => {
    const bare = {
      input: null,
      output: null,
      program_version: null,
      input_sql: null,
      report: {},
      parameters: {},
    };
    open({ ...run, ...bare, outcome: "running", ended_at: null, output_digest: null, position: null });
    expect(await screen.findByText(/It goes on/)).toBeTruthy();
    expect(document.querySelector('[data-action="run.repeat"]')).toBeNull();
    expect(document.querySelector('[data-action="run.start-again"]')).toBeNull();
    expect(screen.getByText("No input is kept")).toBeTruthy();
  });

  it("offers no run to who may not start one, and no way to what they may not read", async () => {
    const calls = open(run, {}, userWith(["run.read"]));
    await screen.findByTestId("run-input");
    expect(document.querySelector('[data-action="run.start-again"]')).toBeNull();
    expect(screen.queryByRole("link", { name: "天门站" })).toBeNull();
    expect(screen.queryByTestId("provenance")).toBeNull();
    expect(calls.some((call) => call.path.includes("/provenance/"))).toBe(false);
  });

  it("that there is not is told, with a way back", async () => {
    const missing = { code: "not-found", detail: "there is no run 17", mend: "look at the list" };
    open(() => Response.json(missing, { status: 404 }));
    expect(await screen.findByText("there is no run 17")).toBeTruthy();
    expect(screen.getByRole("link", { name: /Back to model runs/ }).getAttribute("href")).toBe("/runs");
  });

  it("shows what adopting changes, old beside new, and adopts what was shown", async () => {
    const fitted = { ...run, is_adoptable: true };
    const adoption = {
      entity_id: "urn:ngsi-ld:RiverReach:1",
      entity_type: "RiverReach",
      type_title_zh: "河段",
      type_title_en: "River reach",
      entity_name: "汉北河上段",
      is_new: false,
      seen: 50_020,
      is_allowed: true,
      attributes: [
        {
          attribute: "muskingumK",
          title_zh: "马斯京根 K",
          title_en: "Muskingum K",
          old: 8,
          old_unit: "HUR",
          new: 7.5,
          unit: "HUR",
        },
      ],
    };
    const calls = open(
      fitted,
      {
        [`GET ${ONE}/adoption`]: adoption,
        [`POST ${ONE}/adopt`]: { entity_id: adoption.entity_id, position: 50_021, refused: [] },
      },
      userWith(["entity.read", "run.read", "data.enter"]),
    );
    await screen.findByText("Stages foretold · 天门站");
    press("run.adopt");
    const dialog = await screen.findByRole("dialog");
    expect(await within(dialog).findByText("7.5 h")).toBeTruthy();
    expect(within(dialog).getByText("8 h")).toBeTruthy();
    fireEvent.click(screen.getByTestId("run-adopt-submit"));
    await waitFor(() => expect(calls.find((call) => call.method === "POST")?.body).toEqual({ seen: 50_020 }));
  });
});
