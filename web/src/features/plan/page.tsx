/** A plan: every indicator, where it was, is and must be, and where the plan contradicts itself. */
import "./plan.css";
import { DownOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Alert, Card, Segmented } from "antd";
import { lazy, Suspense, useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import type { Contradiction, Indicator, IndicatorStatus, Plan } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { type PlanContext, planActions } from "./actions.tsx";
import { groupsOf, indicatorPath, type Origin, originsOf, STATUS_COLOURS, STATUSES } from "./list.ts";
import { Figure, MethodTag, PathBar, StatusTag, Target } from "./marks.tsx";
import { planOf } from "./queries.ts";
import { PlanSwitch } from "./switch.tsx";

// Forms, days and tables of the library: fetched when they are asked for, so that nobody's phone waits for them to see the plan.
const DocumentDialog = lazy(async () => ({ default: (await import("./documents.tsx")).DocumentDialog }));
const Numbers = lazy(async () => ({ default: (await import("./numbers.tsx")).Numbers }));

/** The plan that the address names; null: the one that holds today. */
export const useAsked = () => useSearchParams()[0].get("plan");

export function Page() {
  const plan = useQuery(planOf(useAsked()));
  return (
    <Loaded query={plan} tall>
      {(found) => <PlanView key={found.id} plan={found} />}
    </Loaded>
  );
}

function PlanView({ plan }: { plan: Plan }) {
  const { t, p, language } = useT();
  const phone = usePhone();
  const [origin, setOrigin] = useState<Origin>("all");
  const [status, setStatus] = useState<IndicatorStatus | null>(null);
  const [isMaking, setMaking] = useState(false);
  const [isListing, setListing] = useState(false);
  const asked = useAsked();
  const context: PlanContext = { makeDocument: () => setMaking(true), openNumbers: () => setListing(true) };
  useActionKeys(planActions, context);
  const ofOrigin = plan.indicators.filter((i) => origin === "all" || i.origin === origin);
  const shown = ofOrigin.filter((i) => status === null || i.status === status);
  const groups = groupsOf(shown);
  const notes = language === "zh" ? plan.notes_zh : plan.notes_en;
  return (
    <div className="page">
      <header className="page-head">
        <h1>{p(plan.title_zh, plan.title_en)}</h1>
        <span className="grow" />
        <PlanSwitch shown={plan.id} />
        <Link className="back" to="/reporting">
          {t("reports.open")}
        </Link>
        <ActionBar actions={planActions} context={context} />
      </header>
      <p className="quiet plan-source">
        {t("plan.source")}
        {t("word.colon")}
        {p(plan.source_zh, plan.source_en)} · {plan.period.join("–")}
      </p>
      {plan.indicators.length === 0 ? (
        <Nothing title={t("plan.none")} />
      ) : (
        <>
          <div className="plan-filters">
            <ul className="plan-summary">
              {STATUSES.map((each) => {
                const n = ofOrigin.filter((indicator) => indicator.status === each).length;
                return (
                  <li key={each}>
                    <button
                      type="button"
                      aria-pressed={status === each}
                      style={{ borderColor: STATUS_COLOURS[each] }}
                      onClick={() => setStatus(status === each ? null : each)}
                    >
                      {t(`plan.summary-${each}`, { n })}
                    </button>
                  </li>
                );
              })}
            </ul>
            <Segmented<Origin>
              aria-label={t("plan.origin")}
              value={origin}
              onChange={setOrigin}
              options={originsOf(plan.indicators).map((o) => ({ value: o, label: t(`plan.origin-${o}`) }))}
            />
          </div>
          <Contradictions items={plan.contradictions} />
          <p className="quiet plan-legend">
            <span className="plan-legend-line" aria-hidden="true" /> {t("plan.legend")}
          </p>
          {groups.length === 0 && <Nothing title={t("plan.none-match")} />}
          {groups.map(([zh, en]) => {
            const indicators = shown.filter((indicator) => indicator.group_zh === zh);
            return (
              <Card
                key={zh}
                size="small"
                title={p(zh, en)}
                extra={<span className="quiet">{t("list.count", { n: indicators.length })}</span>}
                styles={{ body: { padding: 0 } }}
              >
                {phone ? (
                  <IndicatorCards indicators={indicators} />
                ) : (
                  <IndicatorTable indicators={indicators} />
                )}
              </Card>
            );
          })}
          {notes.length > 0 && (
            <Card size="small" title={t("plan.notes")}>
              <ul className="notes">
                {notes.map((note) => (
                  <li key={note}>{note}</li>
                ))}
              </ul>
            </Card>
          )}
        </>
      )}
      <Suspense fallback={null}>
        {isMaking && (
          <DocumentDialog plan={asked} onClose={() => setMaking(false)} onGiven={() => setListing(true)} />
        )}
        {isListing && <Numbers onClose={() => setListing(false)} />}
      </Suspense>
    </div>
  );
}

/** Where the plan contradicts itself, with both places in its own words, and how the platform reads it. */
export function Contradictions({ items, open }: { items: Contradiction[]; open?: boolean }) {
  const { t, p } = useT();
  const [shown, setShown] = useState(open ?? false);
  if (items.length === 0) return null;
  return (
    <Alert
      type="warning"
      showIcon
      data-testid="contradictions"
      title={
        <button
          type="button"
          className="contradictions-head"
          onClick={() => setShown(!shown)}
          aria-expanded={shown}
        >
          {t("plan.contradictions", { n: items.length })} <DownOutlined rotate={shown ? 180 : 0} />
        </button>
      }
      description={
        shown && (
          <div className="contradictions">
            {items.map((item) => {
              const kind = keyOf("plan-kind", item.kind);
              return (
                <details key={item.id} open={open}>
                  <summary>
                    <strong>{kind ? t(kind) : item.kind}</strong> {p(item.zh, item.en)}
                  </summary>
                  <ul>
                    {item.places.map((place) => (
                      <li key={place.section + place.quote}>
                        <cite>{place.section}</cite> <q>{place.quote}</q>
                      </li>
                    ))}
                  </ul>
                  <p>
                    {t("plan.reading")}: {p(item.reading_zh, item.reading_en)}
                  </p>
                </details>
              );
            })}
          </div>
        )
      }
    />
  );
}

function Name({ indicator }: { indicator: Indicator }) {
  const { t, p } = useT();
  const asked = useAsked();
  return (
    <>
      <Link to={indicatorPath(indicator.id, asked)}>{p(indicator.name_zh, indicator.name_en)}</Link>
      {indicator.contradictions.length > 0 && (
        <span
          className="plan-warning"
          role="img"
          title={t("plan.contradiction")}
          aria-label={t("plan.contradiction")}
        >
          {"\u26a0\ufe0e"}
        </span>
      )}
      <div className="quiet plan-subgroup">{p(indicator.subgroup_zh, indicator.subgroup_en)}</div>
    </>
  );
}

function IndicatorTable({ indicators }: { indicators: Indicator[] }) {
  const { t, p } = useT();
  const navigate = useNavigate();
  const asked = useAsked();
  const first = indicators[0];
  const unit = (indicator: Indicator) => p(indicator.unit_zh, indicator.unit_en);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section className="plan-table" tabIndex={0} aria-label={p(first?.group_zh, first?.group_en)}>
      <table>
        <thead>
          <tr>
            <th scope="col">#</th>
            <th scope="col">{t("plan.name")}</th>
            <th scope="col">{t("plan.baseline", { year: first?.baseline_year ?? "" })}</th>
            <th scope="col">{t("plan.now")}</th>
            <th scope="col">{t("plan.target", { year: first?.target_year ?? "" })}</th>
            <th scope="col">{t("plan.progress")}</th>
            <th scope="col">{t("word.state")}</th>
            <th scope="col">{t("plan.method")}</th>
          </tr>
        </thead>
        <tbody>
          {indicators.map((indicator) => (
            <tr
              key={indicator.id}
              className="row-link"
              onClick={() => navigate(indicatorPath(indicator.id, asked))}
            >
              <td className="quiet">{indicator.number}</td>
              <td>
                <Name indicator={indicator} />
              </td>
              <td>
                <Figure value={indicator.baseline} unit={unit(indicator)} />
              </td>
              <td>
                <Figure value={indicator.value} unit={unit(indicator)} strong />
              </td>
              <td>
                <Target indicator={indicator} />
              </td>
              <td>
                <PathBar indicator={indicator} />
              </td>
              <td>
                <StatusTag status={indicator.status} />
              </td>
              <td>
                <MethodTag method={indicator.method} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function IndicatorCards({ indicators }: { indicators: Indicator[] }) {
  const { t, p } = useT();
  return (
    <ul className="plain-list">
      {indicators.map((indicator) => {
        const unit = p(indicator.unit_zh, indicator.unit_en);
        return (
          <li key={indicator.id} className="plan-card">
            <div className="item-card-head">
              <div className="plan-card-name">
                <Name indicator={indicator} />
              </div>
              <StatusTag status={indicator.status} />
            </div>
            <PathBar indicator={indicator} />
            <div className="plan-figures">
              <span className="quiet">
                {t("plan.baseline", { year: indicator.baseline_year })}{" "}
                <Figure value={indicator.baseline} unit={unit} />
              </span>
              <span>
                {t("plan.now")} <Figure value={indicator.value} unit={unit} strong />
              </span>
              <span className="quiet">
                {t("plan.target", { year: indicator.target_year })} <Target indicator={indicator} />
              </span>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
