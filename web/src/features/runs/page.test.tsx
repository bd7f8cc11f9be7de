/** Declared runs and those that were made: looked at, filtered, started; empty, refused and failed. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { useLocation } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Run, RunDefinition } from "../../lib/types.ts";
import { NAV, navFor } from "../../shell/navigation.tsx";
import { serve, show, userWith } from "../../test-tools.tsx";
import { Page } from "./page.tsx";

const RUNS = "/api/v1/runs";
const definition: RunDefinition = {
  id: "water-stage-forecast",
  pack: "pack-water",
  version: 1,
  title_zh: "相应水位预报",
  title_en: "Stages foretold",
  engine: "water.corresponding-stage",
  engine_version: 2,
  engine_title_zh: "相应水位",
  engine_title_en: "Corresponding stages",
  method: "a regression by lead",
  reference: "GB/T 22482-2008",
  every_minutes: 15,
  delay_minutes: 1,
  window_hours: 120,
  input_sql: "SELECT own.at FROM readings own",
  target_sql: "SELECT entity_id FROM entities_now",
  forecast_type: "WaterLevelForecast",
  adopt_type: null,
  forecast_unit: "MTR",
  next_at: "2026-07-01T01:16:00Z",
  last: { at: "2026-07-01T01:00:00Z", done: 5, failed: 1 },
};
const run: Run = {
  id: 17,
  definition_id: definition.id,
  definition_version: 1,
  title_zh: definition.title_zh,
  title_en: definition.title_en,
  engine: definition.engine,
  engine_version: 2,
  target_id: "urn:ngsi-ld:WaterObserved:1",
  target_name: "天门站",
  due_at: "2026-07-01T01:00:00Z",
  begun_at: "2026-07-01T01:01:00Z",
  ended_at: "2026-07-01T01:01:00.340Z",
  outcome: "done",
  problems: [],
  rows_in: 480,
  rows_out: 24,
  position: 50_017,
  output_digest: "9f86d081",
  entity_id: "urn:ngsi-ld:WaterLevelForecast:1",
  asked_by: null,
};
const failed: Run = {
  ...run,
  id: 16,
  outcome: "failed",
  problems: [
    { code: "run-no-input", what: "the statement found nothing", place: "input", mend: "check the target" },
  ],
  rows_in: 0,
  rows_out: 0,
  position: null,
  output_digest: null,
  entity_id: null,
  asked_by: "Wang",
};
const answers = {
  [`GET ${RUNS}/definitions`]: [definition],
  [`GET ${RUNS}`]: { items: [run, failed], next: null },
};
const duty = userWith(["entity.read", "run.read", "run.start"]);

function Where() {
  const { pathname, search } = useLocation();
  return <output data-testid="where">{pathname + search}</output>;
}
const open = (found: Record<string, unknown>, user = duty, path = "/runs") => {
  const calls = serve(found);
  show(
    <>
      <Page />
      <Where />
    </>,
    { user, path },
  );
  return calls;
};
const where = () => screen.getByTestId("where").textContent;

describe("runs", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("says of each declaration how often, what next and how the last moment went", async () => {
    open(answers);
    const row = await screen.findByTestId("run-definition");
    for (const said of ["Stages foretold", "Corresponding stages", "every 15 min", "5 done", "1 failed"]) {
      expect(row.textContent).toContain(said);
    }
    // 01:16 UTC is 09:16 in the city.
    expect(row.textContent).toContain("2026-07-01 09:16:00");
    fireEvent.click(row);
    expect(await screen.findByText("SELECT own.at FROM readings own")).toBeTruthy();
    expect(screen.getByText("GB/T 22482-2008")).toBeTruthy();
    expect(screen.getByText("120 hours back")).toBeTruthy();
    const becomes = screen.getByText("WaterLevelForecast").closest("dd");
    expect(becomes?.textContent).toBe("WaterLevelForecast · in m");
  });

  it("lists runs, with what was wrong, and opens one", async () => {
    open(answers);
    const rows = await screen.findAllByTestId("run");
    expect(rows.map((row) => within(row).queryByText("Failed") !== null)).toEqual([false, true]);
    expect(rows[0]?.textContent).toContain("340 ms");
    expect(rows[0]?.textContent).toContain("The clock");
    expect(rows[1]?.textContent).toContain("There is nothing to reckon from");
    expect(rows[1]?.textContent).toContain("Wang");
    fireEvent.keyDown(rows[0] as HTMLElement, { key: "Enter" });
    expect(where()).toBe("/runs/17");
  });

  it("asks for what the address filters by, and clears that", async () => {
    const calls = open(
      { ...answers, [`GET ${RUNS}`]: { items: [], next: null } },
      duty,
      "/runs?outcome=failed",
    );
    fireEvent.click(await screen.findByRole("button", { name: "Clear the filters" }));
    expect(calls.some((call) => call.path === `${RUNS}?outcome=failed`)).toBe(true);
    expect(await screen.findByText("Nothing was run yet")).toBeTruthy();
    expect(where()).toBe("/runs");
    const target = screen.getByLabelText("Filter by the target's id");
    fireEvent.change(target, { target: { value: " urn:ngsi-ld:WaterObserved:1 " } });
    fireEvent.keyDown(target, { key: "Enter", keyCode: 13 });
    await waitFor(() => expect(where()).toBe("/runs?target_id=urn%3Angsi-ld%3AWaterObserved%3A1"));
  });

  it("runs one target now, once it was confirmed", async () => {
    const calls = open({ ...answers, [`POST ${RUNS}`]: { runs: [run] } });
    await screen.findByTestId("run-definition");
    fireEvent.click(document.querySelector("[data-action='run.start']") as HTMLElement);
    expect(await screen.findByText("Run “Stages foretold” now?")).toBeTruthy();
    expect(calls.some((call) => call.method === "POST")).toBe(false);
    fireEvent.change(screen.getByLabelText("Target (optional)"), { target: { value: "station 1" } });
    fireEvent.click(screen.getByTestId("run-start-submit"));
    expect(await screen.findByText("Must begin with urn: and have no spaces")).toBeTruthy();
    fireEvent.change(screen.getByLabelText("Target (optional)"), {
      target: { value: " urn:ngsi-ld:WaterObserved:1 " },
    });
    fireEvent.click(screen.getByTestId("run-start-submit"));
    await waitFor(() => expect(where()).toBe("/runs/17"));
    expect(calls.find((call) => call.method === "POST")?.body).toEqual({
      definition_id: definition.id,
      target_id: "urn:ngsi-ld:WaterObserved:1",
    });
  });

  it("runs all targets, tells how many failed, and shows those runs", async () => {
    const calls = open({ ...answers, [`POST ${RUNS}`]: { runs: [run, failed] } });
    await screen.findByTestId("run-definition");
    fireEvent.click(document.querySelector("[data-action='run.start']") as HTMLElement);
    fireEvent.click(await screen.findByTestId("run-start-submit"));
    expect(await screen.findByText("Run: 1 done, 1 failed")).toBeTruthy();
    await waitFor(() => expect(where()).toBe("/runs?definition_id=water-stage-forecast"));
    expect(calls.find((call) => call.method === "POST")?.body).toEqual({
      definition_id: definition.id,
      target_id: null,
    });
  });

  it("offers nothing to start to who only reads", async () => {
    open(answers, userWith(["run.read"], "viewer"));
    await screen.findByTestId("run-definition");
    expect(document.querySelector("[data-action='run.start']")).toBeNull();
  });

  it("says that nothing is declared and nothing was run", async () => {
    open({ [`GET ${RUNS}/definitions`]: [], [`GET ${RUNS}`]: { items: [], next: null } });
    expect(await screen.findByText("No runs are declared")).toBeTruthy();
    expect(await screen.findByText("Nothing was run yet")).toBeTruthy();
  });

  it("says what failed, and tries again", async () => {
    let asked = 0;
    const broken = {
      code: "store-unavailable",
      detail: "the store cannot be reached",
      mend: "look at /readyz",
    };
    open({
      ...answers,
      [`GET ${RUNS}`]: () => {
        asked += 1;
        return asked === 1 ? Response.json(broken, { status: 503 }) : { items: [run], next: null };
      },
    });
    expect(await screen.findByText("the store cannot be reached")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByTestId("run")).toBeTruthy();
  });

  it("is for who has the permission: others have no way to it, and are told so", async () => {
    expect(navFor(userWith(["sql.query"])).map(({ path }) => path)).not.toContain("/runs");
    expect(navFor(userWith(["run.read"])).map(({ path }) => path)).toContain("/runs");
    expect(NAV.find(({ path }) => path === "/runs")?.section).toBe("data");
    const refusal = { code: "forbidden", detail: "run.read is needed", mend: "ask an administrator" };
    const refuse = () => Response.json(refusal, { status: 403 });
    open({ [`GET ${RUNS}/definitions`]: refuse, [`GET ${RUNS}`]: refuse }, userWith(["alert.read"]));
    expect((await screen.findAllByText("Not permitted")).length).toBeGreaterThan(0);
  });
});
