/** The plan's progress for everybody: without signing in, small enough for a phone, Chinese first. */
import "./portal.css";
import { startTransition, useEffect, useMemo, useState } from "react";
import { ApiError } from "../../lib/api.ts";
import { number } from "../../lib/format.ts";
import type { PublicIndicator, PublicPackages, PublicPlan } from "../../lib/types.ts";
import { byGroup, type Choice, choose, STANDINGS, standingOf } from "./choice.ts";
import { Indicator } from "./indicator.tsx";
import { type Speech, useSpeech } from "./language.ts";
import { Opportunities } from "./opportunities.tsx";
import { FILES, readPackages, readPlan } from "./queries.ts";

const ALL: Choice = { standing: null, group: null, words: "" };

type Read = { plan: PublicPlan } | { error: unknown } | null;

export function Page() {
  const speech = useSpeech();
  const { t, p } = speech;
  const [read, setRead] = useState<Read>(null);
  const [again, setAgain] = useState(0);
  const [offers, setOffers] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new try is asked for by counting.
  useEffect(() => {
    const leave = new AbortController();
    readPlan(leave.signal).then(
      (plan) => setRead({ plan }),
      (error) => leave.signal.aborted || setRead({ error }),
    );
    return () => leave.abort();
  }, [again]);
  const plan = read && "plan" in read ? read.plan : null;
  return (
    <div className="portal">
      <header className="portal-head">
        <a className="portal-skip" href="#indicators">
          {t("portal.skip")}
        </a>
        <div className="portal-bar">
          <strong>
            {plan && `${p(plan.city_zh, plan.city_en)} · `}
            {t("portal.title")}
          </strong>
          <span className="portal-grow" />
          <a href="/sign-in">{t("portal.sign-in")}</a>
          <button type="button" lang={speech.language === "zh" ? "en" : "zh-CN"} onClick={speech.other}>
            {t("portal.other-language")}
          </button>
        </div>
        <h1>{plan ? p(plan.title_zh, plan.title_en) : t("portal.title")}</h1>
        {plan && (
          <p>
            {`${p(plan.source_zh, plan.source_en)} · ${plan.period.join("–")}`}
            {offers && (
              <>
                {" · "}
                <a href="#opportunities">{t("portal.opportunities")}</a>
              </>
            )}
          </p>
        )}
      </header>
      <main id="indicators" tabIndex={-1}>
        {plan && <Goals plan={plan} speech={speech} />}
        {plan && <Offered speech={speech} onFound={setOffers} />}
        {read === null && <p role="status">{t("portal.loading")}</p>}
        {read && "error" in read && (
          <Failed
            error={read.error}
            speech={speech}
            retry={() => {
              setRead(null);
              setAgain(again + 1);
            }}
          />
        )}
      </main>
      {plan && <OpenData plan={plan} speech={speech} />}
    </div>
  );
}

/** What is offered to investors: read when the plan is there, so that it keeps nobody from the figures. */
function Offered({ speech, onFound }: { speech: Speech; onFound: (any: boolean) => void }) {
  const [read, setRead] = useState<PublicPackages | "failed" | null>(null);
  useEffect(() => {
    const leave = new AbortController();
    readPackages(leave.signal).then(
      (found) => {
        setRead(found);
        onFound(found.packages.length > 0);
      },
      () => leave.signal.aborted || setRead("failed"),
    );
    return () => leave.abort();
  }, [onFound]);
  // A link may lead here before anything stands here.
  useEffect(() => {
    if (read && read !== "failed" && location.hash === "#opportunities")
      document.getElementById("opportunities")?.scrollIntoView?.();
  }, [read]);
  if (read === "failed") return <p role="alert">{speech.t("portal.opportunities-failed")}</p>;
  return read && <Opportunities packages={read.packages} speech={speech} />;
}

/** What went wrong, in the server's words; a closed portal says how it is opened. */
function Failed({ error, speech, retry }: { error: unknown; speech: Speech; retry: () => void }) {
  const { t, language } = speech;
  const closed = error instanceof ApiError && error.code === "portal-closed";
  const said = error instanceof ApiError ? error.in(language) : null;
  return (
    <section className="portal-card" role="alert" data-testid={closed ? "portal-closed" : "portal-failed"}>
      <h2>{t(closed ? "portal.closed" : "portal.failed")}</h2>
      <p>{said ? said.detail : String(error)}</p>
      {said?.mend && <p>{said.mend}</p>}
      {!closed && (
        <button type="button" onClick={retry}>
          {t("portal.retry")}
        </button>
      )}
    </section>
  );
}

function Goals({ plan, speech }: { plan: PublicPlan; speech: Speech }) {
  const { t, p } = speech;
  const [choice, setChoice] = useState<Choice>(ALL);
  const [open, setOpen] = useState<string | null>(() => decodeURIComponent(location.hash.slice(1)) || null);
  const shown = useMemo(() => choose(plan.indicators, choice), [plan, choice]);
  // The sum stands first: what it is made of is drawn in the next breath.
  const [isDrawn, setDrawn] = useState(false);
  useEffect(() => startTransition(() => setDrawn(true)), []);
  const names = new Map(plan.groups.map((group) => [group.group_zh, group]));
  const count = (standing: Choice["standing"]) =>
    plan.indicators.filter((one) => standingOf(one) === standing).length;
  useEffect(() => {
    const follow = () => setOpen(decodeURIComponent(location.hash.slice(1)) || null);
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  }, []);
  return (
    <>
      {plan.demo && <p className="portal-demo">{t("portal.demo")}</p>}
      <section className="portal-card" aria-label={t("portal.filter-status")}>
        <p className="portal-sum" data-testid="portal-figure">
          {t("portal.published", { n: plan.sums.published, all: plan.sums.indicators })}
        </p>
        <Share plan={plan} count={count} />
        <ul className="portal-standings">
          {STANDINGS.map((standing) => (
            <li key={standing}>
              <button
                type="button"
                aria-pressed={choice.standing === standing}
                data-standing={standing}
                onClick={() =>
                  setChoice({ ...choice, standing: choice.standing === standing ? null : standing })
                }
              >
                <b>{number(count(standing))}</b> {t(`portal.status-${standing}`)}
              </button>
            </li>
          ))}
        </ul>
        <p className="portal-quiet">
          {t("portal.published-why")} {t("portal.judged", { day: plan.day })}
        </p>
      </section>
      <search className="portal-filters">
        <label>
          {t("portal.group")}
          <select
            value={choice.group ?? ""}
            onChange={(event) => setChoice({ ...choice, group: event.target.value || null })}
          >
            <option value="">{t("portal.group-all")}</option>
            {plan.groups.map((group) => (
              <option key={group.group_zh} value={group.group_zh}>
                {p(group.group_zh, group.group_en)}
              </option>
            ))}
          </select>
        </label>
        <label className="portal-grow">
          {t("portal.search")}
          <input
            type="search"
            value={choice.words}
            placeholder={t("portal.search-hint")}
            onChange={(event) => setChoice({ ...choice, words: event.target.value })}
          />
        </label>
        <p role="status" data-testid="portal-shown">
          {shown.length > 0 ? t("portal.shown", { n: shown.length }) : t("portal.none")}
        </p>
        {choice !== ALL && (
          <button type="button" onClick={() => setChoice(ALL)}>
            {t("portal.clear")}
          </button>
        )}
      </search>
      <p className="portal-quiet portal-line-legend">
        <span className="portal-line-key" aria-hidden="true" /> {t("portal.legend")}
      </p>
      {isDrawn &&
        byGroup(shown).map(([group, those]) => {
          const all = names.get(group);
          return (
            <section key={group} className="portal-group">
              <h2>
                {p(all?.group_zh, all?.group_en)}
                {all && (
                  <small>{t("portal.group-published", { n: all.published, all: all.indicators })}</small>
                )}
              </h2>
              <List those={those} open={open} speech={speech} />
            </section>
          );
        })}
    </>
  );
}

function List({ those, open, speech }: { those: PublicIndicator[]; open: string | null; speech: Speech }) {
  return (
    <ul className="portal-list">
      {those.map((one) => (
        <li key={one.id}>
          <Indicator indicator={one} isAsked={one.id === open} speech={speech} />
        </li>
      ))}
    </ul>
  );
}

/** How many stand how, as one bar; the buttons below say the same in words. */
function Share({ plan, count }: { plan: PublicPlan; count: (standing: Choice["standing"]) => number }) {
  let from = 0;
  const all = Math.max(1, plan.indicators.length);
  return (
    <svg className="portal-share" viewBox="0 0 100 2" preserveAspectRatio="none" aria-hidden="true">
      {STANDINGS.map((standing) => {
        const width = (100 * count(standing)) / all;
        const x = from;
        from += width;
        return <rect key={standing} data-standing={standing} x={x} y={0} width={width} height={2} />;
      })}
    </svg>
  );
}

function OpenData({ plan, speech }: { plan: PublicPlan; speech: Speech }) {
  const { t, p } = speech;
  return (
    <footer className="portal-foot">
      <h2>{t("portal.open-data")}</h2>
      <p>{t("portal.open-data-text")}</p>
      <ul>
        {(["csv", "json", "packages-csv", "packages-json", "catalogue"] as const).map((kind) => (
          <li key={kind}>
            <a href={FILES[kind]}>{t(`portal.file-${kind}`)}</a>
          </li>
        ))}
      </ul>
      <p className="portal-quiet">
        {t("portal.publisher")}: {p(plan.publisher_zh, plan.publisher_en)} · {t("portal.licence")}:{" "}
        <a href={plan.licence} rel="license">
          {plan.licence}
        </a>
      </p>
    </footer>
  );
}
