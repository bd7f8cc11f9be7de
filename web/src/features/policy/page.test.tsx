/** The policies page: what holds is read, the city's own are checked and changed, and why is told in sentences. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { Route, Routes, useLocation } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import { available } from "../../lib/actions.tsx";
import type { Entity, Policies, PolicyTried, PolicyVersion, Why } from "../../lib/types.ts";
import { serve, show, userWith } from "../../test-tools.tsx";
import { entityActions } from "../entity/actions.tsx";
import { Page } from "./page.tsx";
import { spotOf } from "./tried.tsx";

const may = userWith(["policy.read", "policy.manage"], "security");
const NIGHT = "permit (principal, action, resource);\npermit (principle, action, resource);\n";
const held: Policies = {
  version: 3,
  documents: [
    { title: "program/roles", source: "program", name: "roles", text: "// roles" },
    { title: "city/night", source: "city", name: "night", text: NIGHT },
    { title: "city/towns", source: "city", name: "towns", text: "// towns\n" },
  ],
  policies: [
    {
      id: "program/roles#duty",
      source: "program",
      permits: true,
      zh: "指挥中心值班员",
      en: "Duty officer of the command centre",
      text: 'permit (principal in Role::"duty", action, resource);',
    },
    {
      id: "city/night#1",
      source: "city",
      permits: false,
      zh: null,
      en: null,
      text: 'forbid (principal, action == Action::"sql.query", resource);',
    },
  ],
  schema: 'entity Role;\naction "entity.read" appliesTo {};\naction "sql.query" appliesTo {};\n',
};
const version = (n: number, documents: Record<string, string>): PolicyVersion => ({
  version: n,
  at: "2026-11-24T00:00:00Z",
  changed_by: "wang",
  reason: `because ${n}`,
  documents,
});
const versions = {
  items: [
    version(3, { night: NIGHT, towns: "// towns\n" }),
    version(2, { night: "permit (principal, action, resource);\n", old: "// old\n" }),
  ],
  next: "2",
};
const nothing: PolicyTried = { problems: [], effects: [] };
const takes: PolicyTried = {
  problems: [],
  effects: ["li", "zhao"].map((username) => ({
    username,
    gained: ["case.read"],
    lost: ["sql.query"],
    seen: [{ attribute: "Streetlight.power", before: "shown", after: "hidden" }],
  })),
};
const answers = (more: Record<string, unknown> = {}) => ({
  "GET /api/v1/policy": held,
  "GET /api/v1/policy/versions": versions,
  "POST /api/v1/policy/check": nothing,
  ...more,
});
const problem = (status: number, code: string) =>
  Response.json({ code, detail: `server: ${code}`, place: "version", mend: "look again" }, { status });

function Address() {
  const { pathname, search } = useLocation();
  return <output data-testid="address">{`${pathname}${search}`}</output>;
}
const open = (path: string, options: Parameters<typeof show>[1] = {}) =>
  show(
    <>
      <Routes>
        <Route path="/policy" element={<Page />} />
        <Route path="*" element={null} />
      </Routes>
      <Address />
    </>,
    { user: may, path, ...options },
  );
const field = async () => (await screen.findByTestId("policy-text")) as HTMLTextAreaElement;
const press = async (name: string) =>
  fireEvent.click(await screen.findByText(name, { selector: "button, button *" }));
const write = async (text: string) => fireEvent.change(await field(), { target: { value: text } });
/** Presses the button of the bar, says why in the dialog, and sends it. */
async function letHold(reason: string) {
  fireEvent.click(document.querySelector('[data-action="policy.apply"]') as HTMLElement);
  const why = await screen.findByLabelText("Why (for the audit trail)");
  fireEvent.change(why, { target: { value: reason } });
  fireEvent.click(screen.getByTestId("policy-apply-submit"));
}

describe("the policies that hold", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("are told by what they are for, and open to their text", async () => {
    serve(answers());
    open("/policy", { language: "zh" });
    const duty = await screen.findByText("指挥中心值班员");
    expect(screen.getByText("允许")).toBeTruthy();
    expect(screen.getByText("程序")).toBeTruthy();
    expect(screen.queryByText(/Role::"duty"/)).toBeNull();
    fireEvent.click(duty);
    expect(await screen.findByText(/Role::"duty"/)).toBeTruthy();
    // Without a title it is told by its id.
    expect(screen.getAllByText("city/night#1")).toHaveLength(1);
  }, 20_000);

  it("are searched, by source too, and the address keeps it", async () => {
    serve(answers());
    open("/policy?source=city");
    expect((await screen.findAllByTestId("policy")).length).toBe(1);
    fireEvent.change(screen.getByLabelText("Title, id or text"), { target: { value: "SQL.query" } });
    expect((await screen.findAllByTestId("policy")).length).toBe(1);
    fireEvent.change(screen.getByLabelText("Title, id or text"), { target: { value: "duty" } });
    expect(await screen.findByText("No policy is like that")).toBeTruthy();
    expect(screen.getByTestId("address").textContent).toBe("/policy?source=city&q=duty");
  }, 20_000);

  it("say what failed, with a way to try again", async () => {
    serve(answers({ "GET /api/v1/policy": () => problem(500, "internal") }));
    open("/policy");
    expect(await screen.findByText("Try again")).toBeTruthy();
    expect(screen.getByText("server: internal")).toBeTruthy();
  }, 20_000);
});

describe("the city's own policies", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("are checked as they stand in the field, and a mistake is told with its line", async () => {
    const problems = [
      {
        code: "policy-syntax",
        what: "unexpected token",
        place: "city/night, line 2, column 9",
        mend: "see docs",
      },
    ];
    const calls = serve(answers({ "POST /api/v1/policy/check": { problems, effects: [] } }));
    open("/policy?tab=city");
    await write(`${NIGHT}// more`);
    fireEvent.keyDown(await field(), { key: "Enter", ctrlKey: true });
    const told = await screen.findByTestId("policy-problems");
    expect(within(told).getByText("unexpected token")).toBeTruthy();
    const sent = calls.find((call) => call.path === "/api/v1/policy/check");
    expect(sent?.body).toEqual({ documents: { night: `${NIGHT}// more`, towns: "// towns\n" } });
    // The place leads there, also from another document.
    fireEvent.click(screen.getByText("towns"));
    await waitFor(async () => expect((await field()).value).toBe("// towns\n"));
    fireEvent.click(within(told).getByText("night, line 2, column 9"));
    await waitFor(async () => {
      const { value, selectionStart } = await field();
      expect(value.slice(selectionStart)).toBe("principle, action, resource);\n// more");
    });
    // With mistakes nothing can be let hold.
    fireEvent.click(document.querySelector('[data-action="policy.apply"]') as HTMLElement);
    await waitFor(() => expect(calls.filter((c) => c.path.endsWith("/check"))).toHaveLength(2));
    await screen.findByTestId("policy-problems");
    expect(screen.queryByLabelText("Why (for the audit trail)")).toBeNull();
  }, 20_000);

  it("tell whom a draft gives, takes and shows what, once for who is concerned alike", async () => {
    serve(answers({ "POST /api/v1/policy/check": takes }));
    open("/policy?tab=city", { language: "zh" });
    await write("// other");
    await press("检查");
    const effects = await screen.findByTestId("policy-effects");
    expect(within(effects).getByText("li、zhao")).toBeTruthy();
    expect(within(effects).getByTestId("gained").textContent).toBe("得到 看案件 case.read");
    expect(within(effects).getByTestId("lost").textContent).toBe("失去 用 SQL 查询 sql.query");
    expect(within(effects).getByTestId("seen-otherwise").textContent).toBe("Streetlight.power 可见 → 不可见");
    await write("// another");
    expect(await screen.findByText("检查之后又改过，请再检查")).toBeTruthy();
  }, 20_000);

  it("hold after the effects were seen again and a reason was given", async () => {
    const changed = version(4, { night: "// other", towns: "// towns\n" });
    const calls = serve(answers({ "POST /api/v1/policy/check": takes, "PUT /api/v1/policy": changed }));
    open("/policy?tab=city");
    await field();
    expect(document.querySelector('[data-action="policy.apply"]')).toBeNull();
    await write("// other");
    await letHold("  at night nobody asks  ");
    expect(await screen.findByText("The policies hold")).toBeTruthy();
    expect(calls.find((call) => call.method === "PUT")?.body).toEqual({
      documents: { night: "// other", towns: "// towns\n" },
      reason: "at night nobody asks",
      version: 3,
    });
    // What this person may do may be something else now.
    await waitFor(() => expect(calls.map((call) => call.path)).toContain("/api/v1/session"));
  }, 20_000);

  it("are not sent without a reason", async () => {
    const calls = serve(answers({ "PUT /api/v1/policy": {} }));
    open("/policy?tab=city");
    await write("// other");
    await letHold("   ");
    expect(await screen.findByText("Say why")).toBeTruthy();
    expect(calls.some((call) => call.method === "PUT")).toBe(false);
  }, 20_000);

  it("say that somebody else was sooner, and load what holds", async () => {
    const newer = {
      ...held,
      version: 4,
      documents: held.documents.map((d) => (d.name === "night" ? { ...d, text: "// theirs" } : d)),
    };
    let now: Policies = held;
    serve(
      answers({
        "GET /api/v1/policy": () => now,
        "PUT /api/v1/policy": () => {
          now = newer;
          return problem(409, "policy-version");
        },
      }),
    );
    open("/policy?tab=city");
    await write("// mine");
    await letHold("mine is better");
    expect(await screen.findByText("Somebody changed the policies meanwhile")).toBeTruthy();
    expect((await field()).value).toBe("// mine");
    await press("Load what holds");
    await waitFor(async () => expect((await field()).value).toBe("// theirs"));
    expect(screen.queryByText("Somebody changed the policies meanwhile")).toBeNull();
  }, 20_000);

  it("wait for a second person where one must agree", async () => {
    for (const body of [{ approval: { id: 12 } }, { id: 12 }]) {
      serve(answers({ "PUT /api/v1/policy": () => Response.json(body, { status: 202 }) }));
      const page = open("/policy?tab=city", { language: "zh" });
      await write("// other");
      fireEvent.click(document.querySelector('[data-action="policy.apply"]') as HTMLElement);
      fireEvent.change(await screen.findByLabelText("理由（记入审计）"), { target: { value: "试行" } });
      fireEvent.click(screen.getByTestId("policy-apply-submit"));
      expect(await screen.findByText("等待另一人审批，尚未生效")).toBeTruthy();
      expect(screen.getByText("查看审批 12").getAttribute("href")).toBe("/approvals?id=12");
      expect(screen.queryByText("已生效")).toBeNull();
      page.unmount();
    }
  }, 30_000);

  it("are added by a name that can be, removed, and begun with an example", async () => {
    const calls = serve(answers());
    open("/policy?tab=city");
    await field();
    fireEvent.keyDown(window, { key: "n" });
    const name = await screen.findByLabelText("Name");
    for (const [bad, said] of [
      ["Night Shift", "Lower-case letters, digits, dots and hyphens"],
      ["night", "There is a document of that name"],
    ] as const) {
      fireEvent.change(name, { target: { value: bad } });
      fireEvent.click(screen.getByTestId("policy-add-submit"));
      await waitFor(() =>
        expect(document.querySelector(".ant-form-item-explain-error")?.textContent).toBe(said),
      );
    }
    fireEvent.change(name, { target: { value: "hours" } });
    fireEvent.click(screen.getByTestId("policy-add-submit"));
    await waitFor(async () => expect((await field()).value).toBe(""));
    await press("Only in working hours");
    await waitFor(async () => expect((await field()).value).toMatch(/^@zh.*context\.hour >= 8/s));
    fireEvent.click(screen.getByText("towns"));
    await waitFor(async () => expect((await field()).value).toBe("// towns\n"));
    await press("Remove the document");
    await press("Check");
    await waitFor(() => {
      const sent = calls.find((call) => call.path.endsWith("/check"))?.body as {
        documents: Record<string, string>;
      };
      expect(Object.keys(sent.documents).sort()).toEqual(["hours", "night"]);
    });
    await press("Discard the changes");
    await waitFor(async () => expect((await field()).value).toBe("// towns\n"));
    expect(screen.queryByText("hours")).toBeNull();
  }, 30_000);

  it("may be tried, but not changed, by who may only read them", async () => {
    serve(answers());
    open("/policy?tab=city", { user: userWith(["policy.read"], "auditor") });
    await write("// other");
    expect(await screen.findByText("Changed, not in force")).toBeTruthy();
    expect(document.querySelector('[data-action="policy.check"]')).toBeTruthy();
    expect(document.querySelector('[data-action="policy.apply"]')).toBeNull();
  }, 20_000);

  it("have a history, with what each change changed", async () => {
    serve(answers());
    open("/policy?tab=city");
    fireEvent.click(await screen.findByText("because 3"));
    const [night, old, towns] = await screen.findAllByTestId("policy-diff");
    expect(night?.textContent).toBe(
      "  permit (principal, action, resource);+ permit (principle, action, resource);",
    );
    expect(old?.textContent).toBe("− // old");
    expect(towns?.textContent).toBe("+ // towns");
    // What was before the oldest of those read is to be read first.
    fireEvent.click(screen.getByText("because 2"));
    expect(await screen.findByText("Load the version before it to compare")).toBeTruthy();
  }, 20_000);

  it("say so when there are none", async () => {
    serve(
      answers({
        "GET /api/v1/policy": { ...held, version: 0, documents: held.documents.slice(0, 1) },
        "GET /api/v1/policy/versions": { items: [], next: null },
      }),
    );
    open("/policy?tab=city");
    expect(await screen.findByText("The city has no policies of its own")).toBeTruthy();
    expect(await screen.findByText("Not changed yet")).toBeTruthy();
  }, 20_000);
});

describe("a place in a document", () => {
  it("is understood where it is of the city's own", () => {
    expect(spotOf("city/night, line 2, column 8")).toEqual({ name: "night", line: 2, column: 8 });
    expect(spotOf("city/a.b-1")).toEqual({ name: "a.b-1", line: 1, column: 1 });
    expect(spotOf("program/roles, line 2, column 8")).toBeNull();
    expect(spotOf("policies")).toBeNull();
  });
});

const why: Why = {
  username: "wang",
  name: "王敏",
  roles: ["duty"],
  organisations: ["chengguan"],
  posts: [],
  hour: 14,
  weekday: 3,
  entity: { id: "urn:ngsi-ld:Streetlight:1", type: "Streetlight", division: "429006101", owner: null },
  answers: [],
  policies: held.policies,
};
const answer = (more: Partial<Why["answers"][number]>): Why["answers"][number] => ({
  action: "entity.read",
  attribute: null,
  personal: "none",
  permitted: true,
  seen: null,
  by: [],
  permitted_to_others_by: [],
  ...more,
});

describe("why somebody may or may not", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("is asked by a form whose fields stand in the address", async () => {
    const calls = serve(answers({ "GET /api/v1/policy/why": { ...why, entity: null } }));
    open("/policy?tab=why&entity=urn:x");
    expect(await screen.findByText("Whom do you ask about")).toBeTruthy();
    expect((screen.getByLabelText("Entity id") as HTMLInputElement).value).toBe("urn:x");
    await press("Ask");
    expect(await screen.findByText("Enter a user name")).toBeTruthy();
    expect(calls.some((call) => call.path.includes("/why"))).toBe(false);
    fireEvent.change(screen.getByLabelText("Person (user name)"), { target: { value: " wang " } });
    fireEvent.change(screen.getByLabelText("Purpose"), { target: { value: "防汛" } });
    await press("Ask");
    const asked = `username=wang&purpose=${encodeURIComponent("防汛")}&entity_id=${encodeURIComponent("urn:x")}`;
    await waitFor(() => expect(calls.map((c) => c.path)).toContain(`/api/v1/policy/why?${asked}`));
    const address = new URLSearchParams(screen.getByTestId("address").textContent?.split("?")[1]);
    expect(Object.fromEntries(address)).toEqual({
      tab: "why",
      username: "wang",
      entity: "urn:x",
      purpose: "防汛",
    });
  }, 20_000);

  it("says in Chinese what is seen, by which policies, once for all attributes alike", async () => {
    const by = ["program/roles#duty"];
    serve(
      answers({
        "GET /api/v1/policy/why": {
          ...why,
          answers: [
            answer({ attribute: "power", seen: "shown", by }),
            answer({ attribute: "keeperPhone", seen: "masked", personal: "personal", by }),
            answer({ attribute: "status", seen: "shown", by }),
            answer({ attribute: "camera", seen: "hidden", permitted: false, by: ["city/night#1"] }),
          ],
        },
      }),
    );
    open("/policy?tab=why&username=wang&entity=urn:x", { language: "zh" });
    const told = await screen.findByTestId("policy-answer");
    expect(told.textContent).toContain(
      "王敏（wang）的角色：指挥中心值班员。单位：chengguan。岗位：无。 按城市时间周三 14:00–15:00 回答。 没有声明用途。",
    );
    expect(told.textContent).toContain("所在区划：429006101，归属：未注明。");
    const [shown, masked, hidden] = await screen.findAllByTestId("policy-why");
    expect(shown?.textContent).toContain("可见王敏可以看到以下数据项");
    expect([...(shown?.querySelectorAll("p code") ?? [])].map((c) => c.textContent)).toEqual([
      "power",
      "status",
    ]);
    expect(shown?.textContent).toContain("依据：");
    fireEvent.click(within(shown as HTMLElement).getByText("指挥中心值班员"));
    expect(await within(shown as HTMLElement).findByText(/Role::"duty"/)).toBeTruthy();
    expect(masked?.textContent).toContain("遮盖王敏只能看到遮盖后的以下数据项个人信息keeperPhone");
    const ask =
      within(masked as HTMLElement)
        .getByText("查看原因")
        .getAttribute("href") ?? "";
    expect(new URLSearchParams(ask.split("?")[1]).get("action")).toBe("personal.reveal");
    expect(hidden?.textContent).toContain("不可见王敏看不到以下数据项camera以下策略禁止：");
    expect(hidden?.textContent).toContain("city/night#1");
  }, 20_000);

  it("says when nothing permits it, and whom policies permit it", async () => {
    const denied = answer({ action: "sql.query", permitted: false, personal: null });
    let others = ["program/roles#duty"];
    serve(
      answers({
        "GET /api/v1/policy/why": () => ({
          ...why,
          entity: null,
          answers: [{ ...denied, permitted_to_others_by: others }],
        }),
      }),
    );
    const { queryClient } = open("/policy?tab=why&username=wang&action=sql.query");
    expect(await screen.findByText("王敏 may not: Query with SQL sql.query")).toBeTruthy();
    expect(screen.getByText("No policy permits it. These permit it to others:")).toBeTruthy();
    expect(screen.getByText("Duty officer of the command centre")).toBeTruthy();
    others = [];
    await queryClient.invalidateQueries({ queryKey: ["policy", "why"] });
    expect(await screen.findByText("No policy permits it.")).toBeTruthy();
  }, 20_000);

  it("is asked from an entity's page, by who may read policies", () => {
    const entity = { id: "urn:ngsi-ld:Streetlight:1", location: null } as Entity;
    const went: string[] = [];
    const context = { entity, navigate: (to: string) => went.push(to), openCase: () => {}, reveal: () => {} };
    const offered = (permissions: string[]) =>
      available(entityActions, context, userWith(permissions)).find((action) => action.name === "entity.why");
    expect(offered(["entity.read"])).toBeUndefined();
    void offered(["policy.read"])?.perform(context);
    expect(went).toEqual(["/policy?tab=why&entity=urn%3Angsi-ld%3AStreetlight%3A1"]);
  });

  it("says when there is nobody of that name", async () => {
    serve(answers({ "GET /api/v1/policy/why": () => problem(404, "not-found") }));
    open("/policy?tab=why&username=nobody");
    expect(await screen.findByText("Not found")).toBeTruthy();
    expect(screen.getByText("server: not-found")).toBeTruthy();
  }, 20_000);
});
