/**
 * Two people and a gate (调度): one asks for an opening with the keyboard alone, the other agrees, the station answers, and both
 * pages show how the gates stand; interlocks say what holds one back and what to do. Throws where the way ends.
 */
import { accessible } from "./axe.mjs";
import { openPage, PHONE, signIn } from "./browser.mjs";
import { focused, tabTo } from "./keyboard.mjs";
import { station } from "./sl651.mjs";

const GATE = "urn:ngsi-ld:SluiceGate:62206901";
const ADDRESS = "0062206901";
const PASSWORD = "03E8";
const BAYS = 3;
/** Metres above the city's datum. */
const GUARANTEE = 29;

/** What the city's door needs. */
export const SETTINGS = [
  "sl651.tcp_listen=127.0.0.1:0",
  "sl651.weak_identity_is_accepted=true",
  `sl651.password="${PASSWORD}"`,
];

const property = (value, unitCode) => ({ type: "Property", value, ...(unitCode && { unitCode }) });
const act = (name) => `[data-action="${name}"]`;
const seen = (name) => `[data-testid="${name}"]`;
/** A dialog that has come to rest: a person waits for it. */
const DIALOG = ".ant-modal:not(.ant-zoom-appear):not(.ant-zoom-enter)";
const DRAWER = ".ant-drawer-open";

/** Waits until the text of the first `selector` has all of these. */
async function says(page, selector, ...texts) {
  await page
    .waitForFunction(
      ([where, all]) => {
        const text = document.querySelector(where)?.innerText ?? "";
        return all.every((each) => text.includes(each));
      },
      [selector, texts],
    )
    .catch(async () => {
      const text = await page
        .locator(selector)
        .first()
        .innerText()
        .catch(() => "nothing");
      throw new Error(`${selector} says ${JSON.stringify(text)} and not ${texts}`);
    });
}

/** Opens the form of the gate's command by keyboard and enters an opening. */
async function enter(page, opening) {
  await tabTo(page, `${seen("dispatch-thing")} ${act("dispatch.ask")}`);
  await page.keyboard.press("Enter");
  await page.locator(DIALOG).waitFor();
  await focused(page, ".ant-modal *");
  await tabTo(page, `${DIALOG} [role="spinbutton"]`);
  await page.keyboard.type(opening);
}

/**
 * `people`: two of the water department (`username`, `password`, `name`), who may ask and agree; `upsert` sends entities as a machine does; `door` is the address of
 * the SL 651 door, at which the gate is registered.
 */
export async function dispatch({ browser, base, people: [asker, other], upsert, door }) {
  const set = (attributes) => upsert([{ id: GATE, type: "SluiceGate", ...attributes }]);
  await set({
    name: property("试验闸"),
    numberOfGates: property(BAYS),
    gateHeight: property(3, "MTR"),
    guaranteeLevelDownstream: property(GUARANTEE, "MTR"),
    waterLevelDownstream: property(GUARANTEE + 0.2, "MTR"),
    gateState: property("closed"),
    controlMode: property("remote"),
  });
  const gate = station(door, ADDRESS, PASSWORD);
  const opened = [await openPage(browser, base), await openPage(browser, base, { size: PHONE })];
  try {
    // With a first report it has a link. 38: its battery, V.
    await gate.report([["38", 2, 2, 12.3]]);
    await walk(
      opened.map(({ page }) => page),
      [asker, other],
      gate,
      set,
    );
  } finally {
    gate.end();
    for (const { context } of opened) await context.close();
  }
  // What was held back on purpose is told by the browser too.
  return opened.flatMap(({ problems }) => problems).filter((problem) => !/status of 409/.test(problem));
}

/** The way itself: `a` on a desktop, `b` on a phone. */
async function walk([a, b], [asker, other], gate, set) {
  await Promise.all([
    signIn(a, asker.username, asker.password, "/dispatch"),
    signIn(b, other.username, other.password, "/dispatch"),
  ]);

  // The river is as high as it may be: the form says so before anything is asked for, and again when it is asked for.
  await says(a, seen("dispatch-thing"), "试验闸", `${GUARANTEE + 0.2} m`);
  await accessible(a, "the board");
  await enter(a, "0.5");
  await says(a, ".dispatch-interlocks", "闸下水位达到或超过保证水位 · 成立，不放行");
  await says(a, seen("dispatch-cannot"), "条件解除或数据恢复后再申请");
  await tabTo(a, `${DIALOG} textarea`);
  await a.keyboard.type("调度令 2026-17 号");
  await accessible(a, "the form", ".ant-modal");
  await tabTo(a, seen("dispatch-ask"));
  await a.keyboard.press("Enter");
  await says(a, ".ant-message-error", "闸下水位达到或超过保证水位", "条件解除或数据恢复后再申请");

  // It has fallen: the same form lets it go, and the person sees that somebody else must agree.
  await set({ waterLevelDownstream: property(GUARANTEE - 1, "MTR") });
  await a.locator(seen("dispatch-cannot")).waitFor({ state: "detached" });
  await focused(a, seen("dispatch-ask"));
  await a.keyboard.press("Enter");
  await says(a, DRAWER, "闸门开度 → 0.5 m", "待批准", "调度令 2026-17 号", "等另一个人批准");
  await focused(a, `${DRAWER}, ${DRAWER} *`);
  await a.locator(act("dispatch.withdraw")).waitFor();
  if ((await a.locator(act("dispatch.approve")).count()) > 0) throw new Error("one's own can be approved");
  const id = new URL(a.url()).searchParams.get("id");
  const forged = await a.evaluate(async (number) => {
    const answer = await fetch(`/api/v1/commands/${number}/approve`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-jingling-csrf": "1" },
      body: JSON.stringify({ note: "" }),
    });
    return `${answer.status} ${(await answer.json()).code}`;
  }, id);
  if (forged !== "403 command-own") throw new Error(`who asked approves: ${forged}`);

  // The other, on a phone.
  await tabTo(b, seen("dispatch-waiting"));
  await b.keyboard.press("Enter");
  await says(b, DRAWER, "闸门开度 → 0.5 m", "调度令 2026-17 号", asker.name);
  // Whoever decides sees the interlocks too.
  await b.locator(`${DRAWER} [data-goes="true"]`).nth(3).waitFor();
  await accessible(b, "a command on a phone", DRAWER);
  await tabTo(b, `${DRAWER} textarea`);
  await b.keyboard.type("同意，注意下游");
  await tabTo(b, act("dispatch.approve"));
  await b.keyboard.press("Enter");
  await says(b, DRAWER, "已下发", other.name, "同意，注意下游");

  // Nothing has answered yet; now the station does, and both see it.
  const told = await gate.tell({ do: "obey" });
  const bays = JSON.stringify(Array(BAYS).fill([true, 50]));
  if (JSON.stringify(told.command.gates) !== bays) throw new Error(`told: ${JSON.stringify(told)}`);
  await Promise.all([a, b].map((page) => says(page, DRAWER, "已应答", `${BAYS} × 0.5 m`, "同意，注意下游")));
  await a.keyboard.press("Escape");
  await a.locator(DRAWER).waitFor({ state: "hidden" });
  await says(a, seen("dispatch-thing"), `${BAYS} × 0.5 m`);
  await says(a, seen("dispatch-row"), "试验闸", "已应答");
  await a.locator(seen("dispatch-waiting")).waitFor({ state: "detached" });
}
