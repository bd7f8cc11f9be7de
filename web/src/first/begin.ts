/**
 * What stands before the program: on a phone that opens the plan or one of its indicators, the figures as plain elements, drawn as soon
 * as the server has answered; the program, which takes longer to start than all that, begins after they are on the screen and takes
 * their place when it shows the same itself. Nobody signed in, nothing to be shown, an error, no network: nothing is drawn, and the program
 * does as if this were not there. Without a library, and nothing is kept: each figure is of the answer to who opened the page.
 */
import { filingsAnswer, indicatorAnswer, PLANS_ANSWER, planAnswer } from "../features/plan/list.ts";
import { langOf, remembered } from "../i18n/fill.ts";
import { askEarly } from "../lib/early.ts";
import type { Language } from "../lib/format.ts";
import { isSignOutOwed } from "../lib/kept.ts";
import type { City, IndicatorDetail, IndicatorFilings, Plan, Plans, User } from "../lib/types.ts";
import { PHONE } from "../ui/phone.ts";
import { type Drawn, drawIndicator, drawPlan } from "./draw.ts";
import { STYLES } from "./styles.ts";

/** How long the program waits for the figures, milliseconds: a slow answer must not keep it. */
export const FIGURES_WAIT_MS = 1_500;
/** How long it waits for the frame in which they come on the screen, milliseconds: a page in the background has none. */
const FRAME_WAIT_MS = 250;
/** What the program shows while it has nothing to show (`Loading` in `ui/states.tsx`). */
const LOADING = ".state-tall[role=status]";
/** As `lib/session.ts` asks for them, so that the program has them too. */
const SESSION_ANSWER = "/api/v1/session";
const CITY_ANSWER = "/api/v1/city";

/** Which figures an address is of. */
export interface Wanted {
  /** The plan that it names; null: the one that holds today. */
  plan: string | null;
  /** The indicator that it is of; null: the list. */
  indicator: string | null;
}

/** What an address wants that can be drawn here; null for every other page. */
export function wantedAt(pathname: string, search: string): Wanted | null {
  const [, room, indicator, more] = pathname.split("/");
  if (room !== "plan" || more) return null;
  const plan = new URLSearchParams(search).get("plan");
  try {
    return { plan, indicator: indicator ? decodeURIComponent(indicator) : null };
  } catch {
    return null; // An address that is none.
  }
}

/** Draws what the address wants, then starts the program; at once where there is nothing to draw. */
export async function begin({ pathname, search }: Pick<Location, "pathname" | "search">, start: () => void) {
  try {
    const wanted = wantedAt(pathname, search);
    // Who signed out without a network is out, also while the cookie is still good.
    if (wanted && !isSignOutOwed()) {
      const answered = ask(wanted);
      const draw = matchMedia(PHONE).matches && (await Promise.race([answered, pause(FIGURES_WAIT_MS)]));
      if (draw) await show(draw);
    }
  } catch {
    // Whatever it is, the program meets it too, and tells.
  }
  start();
}

/** Asks for all that is to be drawn, the longest answer first; what draws it, or null when the server did not say all of it. */
async function ask({ plan, indicator }: Wanted): Promise<((language: Language) => Drawn | null) | null> {
  const isList = indicator === null;
  const [of, beside] = isList
    ? [planAnswer(plan), PLANS_ANSWER]
    : [indicatorAnswer(indicator, plan), filingsAnswer(indicator)];
  const answers = await Promise.all([of, SESSION_ANSWER, CITY_ANSWER, beside].map(askEarly));
  const [found, session, city, more] = answers as [
    unknown,
    { user: User } | undefined,
    City | undefined,
    unknown,
  ];
  if (!found || !session || !city) return null;
  return (language) => {
    const frame = { language, city, user: session.user, asked: plan };
    if (isList) return drawPlan(found as Plan, (more as Plans | undefined)?.items ?? [], frame);
    const mayReport = (more as IndicatorFilings | undefined)?.may_report ?? false;
    return drawIndicator(found as IndicatorDetail, mayReport, frame);
  };
}

/** Puts the drawing on the page; over when it is on the screen. */
async function show(draw: (language: Language) => Drawn | null) {
  if (!document.body) await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve));
  const root = document.getElementById("root");
  const language = remembered();
  const drawn = root && draw(language);
  if (!drawn) return;
  const style = document.createElement("style");
  style.nonce = document.querySelector<HTMLElement>("meta[property=csp-nonce]")?.nonce ?? "";
  style.textContent = STYLES;
  document.head.append(style);
  document.documentElement.lang = langOf(language);
  document.title = drawn.title;
  root.inert = true;
  root.before(drawn.element);
  leaveWhenReplaced(root, drawn.element, style);
  if (!document.hidden) await Promise.race([frame(), pause(FRAME_WAIT_MS)]);
}

/** Gives way to the program in the moment in which it shows something of its own: nothing flickers between. */
function leaveWhenReplaced(root: HTMLElement, drawn: HTMLElement, style: HTMLElement) {
  const observer = new MutationObserver(() => {
    if (!root.firstElementChild || root.querySelector(LOADING)) return;
    observer.disconnect();
    root.inert = false;
    const scrolled = drawn.querySelector("main")?.scrollTop ?? 0;
    const content = document.getElementById("content");
    if (content && scrolled > 0) content.scrollTop = scrolled;
    const held = drawn.contains(document.activeElement) && document.activeElement?.getAttribute("href");
    drawn.remove();
    style.remove();
    if (held)
      root.querySelector<HTMLElement>(`a[href=${JSON.stringify(held)}]`)?.focus({ preventScroll: true });
  });
  observer.observe(root, { childList: true, subtree: true });
}

const pause = (ms: number) => new Promise<null>((resolve) => setTimeout(() => resolve(null), ms));

/** Over when what was changed before is on the screen: after the next frame, not in it. */
const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
