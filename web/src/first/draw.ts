/**
 * Draws a plan's list and an indicator's figures as the pages of `features/plan` show them on a phone, with the same classes and sizes,
 * so that nothing moves when those take their place. What cannot be done before the program is there is drawn as what is still out of use.
 */
import { groupsOf, indicatorPath, originsOf, STATUS_COLOURS, STATUSES } from "../features/plan/list.ts";
import { expectedProgress, progress } from "../features/plan/progress.ts";
import { fill } from "../i18n/fill.ts";
import { firstWords } from "../i18n/words/first.ts";
import { query } from "../lib/api.ts";
import { type Language, number, pick } from "../lib/format.ts";
import type { City, Indicator, IndicatorDetail, Plan, Plans, User } from "../lib/types.ts";

/** Where and for whom it is drawn. */
export interface Frame {
  language: Language;
  city: City;
  user: User;
  /** The plan that the address names; null: the one that holds today. */
  asked: string | null;
}

export interface Drawn {
  element: HTMLElement;
  /** Of the page. */
  title: string;
}

type Child = Node | string | null | false;
type Attributes = Record<string, string>;

function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes | string | null,
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  if (typeof attributes === "string") element.className = attributes;
  else for (const [key, value] of Object.entries(attributes ?? {})) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== null && child !== false));
  return element;
}

/** As an icon will stand there. */
const icon = () => h("span", "first-icon");

/** What will be a control, with its words; who hears the page is told of it when it is one. */
const later = (kind: string, ...children: Child[]) =>
  h("span", { class: `first-${kind}`, "aria-hidden": "true" }, ...children);

const button = (words: string) => later("button", icon(), h("span", null, words));

type Key = keyof typeof firstWords;

/** Draws in one language. */
class Pen {
  constructor(readonly frame: Frame) {}

  t(key: Key, values?: Record<string, string | number>): string {
    return fill(firstWords[key][this.frame.language === "zh" ? 0 : 1], values);
  }

  p(zh: string | null | undefined, en: string | null | undefined): string {
    return pick(this.frame.language, zh, en);
  }

  unit(of: Indicator): string {
    return this.p(of.unit_zh, of.unit_en);
  }

  may(permission: string): boolean {
    return this.frame.user.permissions.includes(permission);
  }

  /** The frame around a page, as the shell has it on a phone. */
  page(...children: Child[]): Drawn {
    const { city } = this.frame;
    const name = this.p(city.name_zh, city.name_en);
    const element = h(
      "div",
      { id: "first", class: "shell" },
      h("a", { class: "skip", href: "#first-content" }, this.t("nav.skip")),
      h(
        "header",
        "header",
        h(
          "div",
          "brand",
          h("img", { src: "/favicon.svg", alt: "", width: "26", height: "26" }),
          h("strong", null, this.t("app.name")),
          h("span", "brand-city", name),
          city.demo && later("demo", icon()),
        ),
      ),
      h("main", { id: "first-content", class: "content", tabindex: "-1" }, h("div", "page", ...children)),
      h("div", "bar"),
    );
    return { element, title: [this.t("nav.plan"), name, this.t("app.name")].join(" · ") };
  }

  status({ status }: Indicator): HTMLElement {
    const shown = h("span", "plan-mark plan-status", this.t(`plan.status-${status}`));
    shown.dataset.status = status;
    return shown;
  }

  figure(value: number | null, unit: string, isStrong = false): HTMLElement {
    if (value === null) return h("span", "quiet", "—");
    return this.written(isStrong ? h("strong", null, number(value)) : number(value), unit);
  }

  target(of: Indicator): HTMLElement {
    const { target, target_low: low, target_high: high } = of;
    if (low === high) return this.figure(target, this.unit(of));
    return this.written(`${number(low)}–${number(high)}`, this.unit(of));
  }

  private written(figure: Child, unit: string): HTMLElement {
    return h("span", "number plan-figure", figure, unit !== "" && h("span", "quiet", ` ${unit}`));
  }

  bar(of: Indicator): HTMLElement {
    const [done, expected] = [progress(of), expectedProgress(of)];
    const bar = h("div", {
      class: "path-bar",
      role: "progressbar",
      "aria-label": this.t("plan.progress"),
      "aria-valuemin": "0",
      "aria-valuemax": "100",
    });
    const said = this.expected(of);
    if (said !== null) {
      bar.title = said;
      bar.setAttribute("aria-valuetext", said);
    }
    if (done !== null) {
      bar.setAttribute("aria-valuenow", String(Math.round(done * 100)));
      const part = h("div", "path-bar-done");
      part.style.width = `${done * 100}%`;
      part.style.background = STATUS_COLOURS[of.status];
      bar.append(part);
    }
    if (expected !== null) {
      const mark = h("div", "path-bar-expected");
      mark.style.left = `${expected * 100}%`;
      bar.append(mark);
    }
    return bar;
  }

  /** Where the path says that it should be now; null where the path is not known. */
  expected(of: Indicator): string | null {
    if (of.expected_now === null) return null;
    return this.t("plan.expected", { value: `${number(of.expected_now)} ${this.unit(of)}`.trim() });
  }
}

/** A plan's list; null when it has no indicator. */
export function drawPlan(plan: Plan, plans: Plans["items"], frame: Frame): Drawn | null {
  if (plan.indicators.length === 0) return null;
  const pen = new Pen(frame);
  return pen.page(
    planHead(pen, plan, plans),
    h(
      "p",
      "quiet plan-source",
      `${pen.t("plan.source")}${pen.t("word.colon")}${pen.p(plan.source_zh, plan.source_en)} · ${plan.period.join("–")}`,
    ),
    planFilters(pen, plan.indicators),
    plan.contradictions.length > 0 &&
      h(
        "div",
        "first-alert",
        icon(),
        h("span", null, pen.t("plan.contradictions", { n: plan.contradictions.length }), " ", icon()),
      ),
    h("p", "quiet plan-legend", h("span", "plan-legend-line"), ` ${pen.t("plan.legend")}`),
    ...groupsOf(plan.indicators).map(([zh, en]) => {
      const those = plan.indicators.filter((each) => each.group_zh === zh);
      return h(
        "div",
        "first-card",
        h(
          "div",
          "first-card-head",
          h("span", null, pen.p(zh, en)),
          h("span", "quiet", pen.t("list.count", { n: those.length })),
        ),
        h("ul", "plain-list", ...those.map((each) => card(pen, each))),
      );
    }),
  );
}

function planHead(pen: Pen, plan: Plan, plans: Plans["items"]): HTMLElement {
  const shown = plans.find((each) => each.id === plan.id);
  const isChosen = plans.length > 1 && shown;
  return h(
    "header",
    "page-head",
    h("h1", null, pen.p(plan.title_zh, plan.title_en)),
    h("span", "grow"),
    isChosen
      ? later(
          "select",
          h("span", null, `${pen.p(shown.title_zh, shown.title_en)} · ${pen.t(`plan.phase-${shown.phase}`)}`),
        )
      : null,
    h("a", { class: "back", href: "/reporting" }, pen.t("reports.open")),
    ...(pen.may("project.read") ? (["document.title", "document.numbers"] as const) : []).map((key) =>
      button(pen.t(key)),
    ),
  );
}

function planFilters(pen: Pen, indicators: readonly Indicator[]): HTMLElement {
  return h(
    "div",
    "plan-filters",
    h(
      "ul",
      "plan-summary",
      ...STATUSES.map((status) => {
        const n = indicators.filter((each) => each.status === status).length;
        const count = h("button", { type: "button", disabled: "" }, pen.t(`plan.summary-${status}`, { n }));
        count.style.borderColor = STATUS_COLOURS[status];
        return h("li", null, count);
      }),
    ),
    later(
      "choice",
      ...originsOf(indicators).map((origin) => h("span", null, pen.t(`plan.origin-${origin}`))),
    ),
  );
}

function card(pen: Pen, of: Indicator): HTMLElement {
  const unit = pen.unit(of);
  const warning = pen.t("plan.contradiction");
  return h(
    "li",
    "plan-card",
    h(
      "div",
      "item-card-head",
      h(
        "div",
        "plan-card-name",
        h("a", { href: indicatorPath(of.id, pen.frame.asked) }, pen.p(of.name_zh, of.name_en)),
        of.contradictions.length > 0 &&
          h(
            "span",
            { class: "plan-warning", role: "img", title: warning, "aria-label": warning },
            "\u26a0\ufe0e",
          ),
        h("div", "quiet plan-subgroup", pen.p(of.subgroup_zh, of.subgroup_en)),
      ),
      pen.status(of),
    ),
    pen.bar(of),
    h(
      "div",
      "plan-figures",
      h(
        "span",
        "quiet",
        `${pen.t("plan.baseline", { year: of.baseline_year })} `,
        pen.figure(of.baseline, unit),
      ),
      h("span", null, `${pen.t("plan.now")} `, pen.figure(of.value, unit, true)),
      h("span", "quiet", `${pen.t("plan.target", { year: of.target_year })} `, pen.target(of)),
    ),
  );
}

/** An indicator's name, state and figures, which stand at the top of its page. */
export function drawIndicator(of: IndicatorDetail, mayReport: boolean, frame: Frame): Drawn {
  const pen = new Pen(frame);
  const unit = pen.unit(of);
  const method = h("span", "plan-mark plan-method", pen.t(`plan.method-${of.method}`));
  method.dataset.method = of.method;
  const isLess = of.direction === "less" ? ` · ${pen.t("plan.direction-less")}` : "";
  return pen.page(
    h("a", { class: "back", href: `/plan${query({ plan: frame.asked })}` }, icon(), ` ${pen.t("plan.back")}`),
    h(
      "header",
      "page-head",
      h("h1", null, pen.p(of.name_zh, of.name_en)),
      pen.status(of),
      method,
      mayReport && pen.may("indicator.report") && button(pen.t("plan.report")),
      Boolean(of.sql) && pen.may("sql.query") && button(pen.t("plan.sql-open")),
    ),
    h(
      "div",
      "first-card first-figures",
      h(
        "div",
        "figures",
        large(pen.t("plan.baseline", { year: of.baseline_year }), pen.figure(of.baseline, unit)),
        large(pen.t("plan.now"), pen.figure(of.value, unit, true), "figure figure-main"),
        large(pen.t("plan.target", { year: of.target_year }), pen.target(of)),
        h("div", "figures-bar", pen.bar(of), h("div", "quiet", `${pen.expected(of) ?? ""}${isLess}`)),
      ),
    ),
  );
}

const large = (title: string, figure: HTMLElement, kind = "figure") =>
  h("div", kind, h("div", "quiet", title), figure);
