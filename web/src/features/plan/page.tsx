/** A plan: every indicator, where it was, is and must be, and where the plan contradicts itself. */
import "./plan.css";
import { DownOutlined, WarningOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Alert, Card, Segmented, Table, Tooltip } from "antd";
import { useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { query } from "../../lib/api.ts";
import type { Contradiction, Indicator, IndicatorStatus, Plan } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { type PlanContext, planActions } from "./actions.tsx";
import { DocumentDialog } from "./documents.tsx";
import { Figure, MethodTag, PathBar, STATUS_COLOURS, StatusTag, Target } from "./marks.tsx";
import { planOf } from "./queries.ts";
import { PlanSwitch } from "./switch.tsx";

const STATUSES: IndicatorStatus[] = ["met", "on_path", "behind", "unknown"];

/** Where an indicator is shown; as a plan wants it, where one is named. */
export const indicatorPath = (id: string, plan: string | null = null) =>
  `/plan/${encodeURIComponent(id)}${query({ plan })}`;

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

type Origin = Indicator["origin"] | "all";
const ORIGINS: Origin[] = ["all", "table", "text", "platform"];

function PlanView({ plan }: { plan: Plan }) {
  const { t, p, language } = useT();
  const phone = usePhone();
  const [origin, setOrigin] = useState<Origin>("all");
  const [status, setStatus] = useState<IndicatorStatus | null>(null);
  const [isMaking, setMaking] = useState(false);
  const asked = useAsked();
  const context: PlanContext = { makeDocument: () => setMaking(true) };
  useActionKeys(planActions, context);
  const ofOrigin = plan.indicators.filter((i) => origin === "all" || i.origin === origin);
  const shown = ofOrigin.filter((i) => status === null || i.status === status);
  const groups = [...new Map(shown.map((i) => [i.group_zh, i.group_en]))];
  const notes = language === "zh" ? plan.notes_zh : plan.notes_en;
  return (
    <div className="page">
      <header className="page-head">
        <h1>{p(plan.title_zh, plan.title_en)}</h1>
        <span className="quiet">
          {t("plan.source")}: {p(plan.source_zh, plan.source_en)} · {plan.period.join("–")}
        </span>
        <span className="grow" />
        <PlanSwitch shown={plan.id} />
        <ActionBar actions={planActions} context={context} />
        <Link to="/reporting">{t("reports.open")}</Link>
      </header>
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
              options={ORIGINS.filter((o) => o === "all" || plan.indicators.some((i) => i.origin === o)).map(
                (o) => ({
                  value: o,
                  label: t(`plan.origin-${o}`),
                }),
              )}
            />
          </div>
          <Contradictions items={plan.contradictions} />
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
      {isMaking && <DocumentDialog plan={asked} onClose={() => setMaking(false)} />}
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
        <div className="contradictions" hidden={!shown}>
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
        <Tooltip title={t("plan.contradiction")}>
          <WarningOutlined className="plan-warning" aria-label={t("plan.contradiction")} />
        </Tooltip>
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
    <Table
      size="small"
      rowKey="id"
      dataSource={indicators}
      pagination={false}
      scroll={{ x: 980 }}
      rowClassName="row-link"
      onRow={(indicator) => ({ onClick: () => navigate(indicatorPath(indicator.id, asked)) })}
      columns={[
        { title: "#", width: 52, dataIndex: "number", className: "quiet" },
        { title: t("plan.name"), render: (_, indicator) => <Name indicator={indicator} /> },
        {
          title: t("plan.baseline", { year: first?.baseline_year ?? "" }),
          width: 120,
          align: "right",
          render: (_, indicator) => <Figure value={indicator.baseline} unit={unit(indicator)} />,
        },
        {
          title: t("plan.now"),
          width: 130,
          align: "right",
          render: (_, indicator) => <Figure value={indicator.value} unit={unit(indicator)} strong />,
        },
        {
          title: t("plan.target", { year: first?.target_year ?? "" }),
          width: 130,
          align: "right",
          render: (_, indicator) => <Target indicator={indicator} />,
        },
        {
          title: t("plan.progress"),
          width: 210,
          render: (_, indicator) => <PathBar indicator={indicator} />,
        },
        {
          title: t("word.state"),
          width: 96,
          render: (_, indicator) => <StatusTag status={indicator.status} />,
        },
        {
          title: t("plan.method"),
          width: 112,
          render: (_, indicator) => <MethodTag method={indicator.method} />,
        },
      ]}
    />
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
              <strong>
                <Name indicator={indicator} />
              </strong>
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
