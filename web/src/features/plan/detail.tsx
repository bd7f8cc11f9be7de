/** One indicator: its path, how it is computed or who reported it, and the rows behind the number. */
import "./plan.css";
import { ArrowLeftOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Alert, Card } from "antd";
import { useMemo, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { query } from "../../lib/api.ts";
import { number, time } from "../../lib/format.ts";
import type { IndicatorDetail } from "../../lib/types.ts";
import { AXIS, Chart, type ChartOption } from "../../ui/chart.tsx";
import { Loaded } from "../../ui/states.tsx";
import { CopyButton, Time } from "../../ui/tags.tsx";
import { ProjectsOfGoal } from "../projects/of-goal.tsx";
import { ProblemBox, ProvenanceDrawer } from "../provenance/drawer.tsx";
import "../sql/sql.css";
import { indicatorActions } from "./actions.tsx";
import { ReportDialog } from "./dialogs.tsx";
import { EvidenceFiles } from "./evidence.tsx";
import { indicatorPath } from "./list.ts";
import { Figure, MethodTag, PathBar, StatusTag, Target } from "./marks.tsx";
import { forecastSeries, Outlook } from "./outlook.tsx";
import { Contradictions, useAsked } from "./page.tsx";
import { dayOf, yearEndScale } from "./progress.ts";
import { Inputs, RowsBehind, TownRowsDialog } from "./proof.tsx";
import { filingsQuery, indicatorQuery, planOf } from "./queries.ts";
import { ReportDrawer, Reports } from "./reports.tsx";
import { Towns } from "./towns.tsx";

export function Page() {
  const id = useParams().id ?? "";
  const found = useQuery(indicatorQuery(id, useAsked()));
  return (
    <Loaded query={found} tall>
      {(indicator) => <IndicatorView indicator={indicator} />}
    </Loaded>
  );
}

function IndicatorView({ indicator }: { indicator: IndicatorDetail }) {
  const { t, p } = useT();
  const navigate = useNavigate();
  const asked = useAsked();
  const plan = useQuery({ ...planOf(indicator.plan), enabled: indicator.contradictions.length > 0 }).data;
  const [reporting, setReporting] = useState(false);
  const [position, setPosition] = useState<number | null>(null);
  const [report, setReport] = useState<number | null>(null);
  const [town, setTown] = useState<{ code: string; name: string } | null>(null);
  const openers = { onPosition: setPosition, onReport: setReport };
  const mayReport = useQuery(filingsQuery(indicator.id)).data?.may_report ?? false;
  const context = { indicator, navigate, mayReport, report: () => setReporting(true) };
  useActionKeys(indicatorActions, reporting ? null : context);
  const unit = p(indicator.unit_zh, indicator.unit_en);
  const contradictions = (plan?.contradictions ?? []).filter((c) => indicator.contradictions.includes(c.id));
  return (
    <div className="page">
      <Link to={`/plan${query({ plan: asked })}`} className="back">
        <ArrowLeftOutlined /> {t("plan.back")}
      </Link>
      <header className="page-head">
        <h1>{p(indicator.name_zh, indicator.name_en)}</h1>
        <StatusTag status={indicator.status} />
        <MethodTag method={indicator.method} />
        <span className="grow" />
        <ActionBar actions={indicatorActions} context={context} />
      </header>
      <Card size="small">
        <div className="figures">
          <BigFigure
            title={t("plan.baseline", { year: indicator.baseline_year })}
            value={indicator.baseline}
            unit={unit}
          />
          <BigFigure title={t("plan.now")} value={indicator.value} unit={unit} main />
          <div className="figure">
            <div className="quiet">{t("plan.target", { year: indicator.target_year })}</div>
            <Target indicator={indicator} />
          </div>
          <div className="figures-bar">
            <PathBar indicator={indicator} />
            <div className="quiet">
              {indicator.expected_now !== null &&
                t("plan.expected", { value: `${number(indicator.expected_now)} ${unit}`.trim() })}
              {indicator.direction === "less" && ` · ${t("plan.direction-less")}`}
            </div>
          </div>
        </div>
        <p className="quiet" style={{ margin: "10px 0 0" }}>
          {indicator.measured_at && (
            <>
              {t("plan.measured")}: <Time at={indicator.measured_at} age /> ·{" "}
            </>
          )}
          {p(indicator.source_zh, indicator.source_en)}
        </p>
        {indicator.problem && (
          <div style={{ marginTop: 10 }}>
            <strong>{t("plan.problem")}</strong>
            <ProblemBox problem={indicator.problem} />
          </div>
        )}
        {indicator.reported && (
          <Alert
            style={{ marginTop: 10 }}
            type="info"
            showIcon
            data-testid="reported"
            title={t("plan.reported", {
              who: indicator.reported.by,
              time: `${time(indicator.reported.at)} UTC+8`,
            })}
            description={
              <>
                {t("plan.period")}: {indicator.reported.period} · {t("plan.evidence")}:{" "}
                {indicator.reported.evidence || "—"}
                {indicator.reported.filing_id !== null && (
                  <EvidenceFiles report={indicator.reported.filing_id} files={indicator.reported.files} />
                )}
              </>
            }
          />
        )}
      </Card>
      <Contradictions items={contradictions} open />
      <div className="split">
        <Card size="small" title={t("plan.path")}>
          <PathChart indicator={indicator} unit={unit} />
        </Card>
        <Card size="small" title={t("plan.quotes")}>
          {indicator.plan_places.map((place) => (
            <blockquote key={place.section + place.quote} className="quote">
              <p>{place.quote}</p>
              <cite>{place.section}</cite>
            </blockquote>
          ))}
        </Card>
      </div>
      <OtherPlans indicator={indicator} />
      <Outlook indicator={indicator} />
      <Towns indicator={indicator} onTown={setTown} />
      <ProjectsOfGoal id={indicator.id} unit={unit} />
      <Reports indicator={indicator} />
      <Card size="small" title={t("plan.rows")}>
        <RowsBehind rows={indicator.rows} leads={indicator.leads} {...openers} />
      </Card>
      <Inputs indicator={indicator} />
      <Card size="small" title={t("plan.sql")} extra={indicator.sql && <CopyButton text={indicator.sql} />}>
        {indicator.sql ? (
          <Statement text={indicator.sql} />
        ) : (
          <span className="quiet">{t("plan.sql-none")}</span>
        )}
      </Card>
      {indicator.rows_sql && (
        <Card size="small" title={t("plan.rows-sql")} extra={<CopyButton text={indicator.rows_sql} />}>
          <Statement text={indicator.rows_sql} />
        </Card>
      )}
      {town && (
        <TownRowsDialog indicator={indicator} town={town} onClose={() => setTown(null)} {...openers} />
      )}
      <ReportDrawer id={report} onClose={() => setReport(null)} />
      <ProvenanceDrawer position={position} onClose={() => setPosition(null)} />
      {reporting && <ReportDialog of={indicator} onClose={() => setReporting(false)} />}
    </div>
  );
}

/** What the city's other plans want of it; nothing where there is none. */
function OtherPlans({ indicator }: { indicator: IndicatorDetail }) {
  const { t, p } = useT();
  const unit = p(indicator.unit_zh, indicator.unit_en);
  if (indicator.also_in.length === 0) return null;
  return (
    <Card size="small" title={t("plan.also-in")} data-testid="also-in">
      <ul className="plain-list also-in">
        {indicator.also_in.map((other) => (
          <li key={other.plan}>
            <Link to={indicatorPath(indicator.id, other.plan)}>{p(other.title_zh, other.title_en)}</Link>
            <span>
              {t("plan.target", { year: other.target_year })}{" "}
              <Target indicator={{ ...indicator, ...other, target: other.target_low }} />
            </span>
            <span className="quiet">
              {t("plan.baseline", { year: other.baseline_year })}{" "}
              <Figure value={other.baseline} unit={unit} />
            </span>
            <StatusTag status={other.status} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function BigFigure({
  title,
  value,
  unit,
  main,
}: {
  title: string;
  value: number | null;
  unit: string;
  main?: boolean;
}) {
  return (
    <div className={main ? "figure figure-main" : "figure"}>
      <div className="quiet">{title}</div>
      <Figure value={value} unit={unit} strong={main} />
    </div>
  );
}

function PathChart({ indicator, unit }: { indicator: IndicatorDetail; unit: string }) {
  const { t } = useT();
  const option = useMemo<ChartOption>(() => {
    const label = (x: number, y: unknown, name: string) =>
      `${name}<br>${dayOf(x)}: <b>${typeof y === "number" ? `${number(y)} ${unit}`.trim() : "—"}</b>`;
    return {
      animation: false,
      grid: { left: 10, right: 76, top: 40, bottom: 10, containLabel: true },
      legend: { top: 0, right: 0 },
      tooltip: {
        trigger: "item",
        formatter: (raw) => {
          const point = Array.isArray(raw) ? raw[0] : raw;
          const [x, y] = (point?.value ?? []) as [number, unknown];
          return label(x, y, point?.seriesName ?? "");
        },
      },
      xAxis: {
        type: "value",
        name: t("plan.year-end"),
        min: "dataMin",
        max: "dataMax",
        minInterval: 1,
        ...AXIS,
        splitLine: { show: false },
        axisLabel: {
          ...AXIS.axisLabel,
          hideOverlap: true,
          formatter: (year: number) => (Number.isInteger(year) ? String(year) : ""),
        },
      },
      yAxis: {
        type: "value",
        scale: true,
        name: unit,
        nameTextStyle: { align: "left", color: "#5d7078" },
        ...AXIS,
      },
      series: [
        {
          name: t("plan.path-expected"),
          type: "line",
          data: indicator.path.map((point) => [point.year, point.expected]),
          lineStyle: { type: "dashed", color: "#9a7b2e", width: 2 },
          itemStyle: { color: "#9a7b2e" },
          symbolSize: 7,
        },
        {
          name: t("plan.path-actual"),
          type: "line",
          data: indicator.history.map((point) => [yearEndScale(point.at), point.value]),
          lineStyle: { color: "#0e6b7c", width: 2.5 },
          itemStyle: { color: "#0e6b7c" },
          symbolSize: 8,
        },
        ...[
          forecastSeries(indicator, { forecast: t("plan.forecast"), interval: t("plan.forecast-ends") }),
        ].flat(),
      ],
    };
  }, [indicator, unit, t]);
  return <Chart option={option} label={t("plan.path")} height={300} />;
}

/** The text of a query. */
function Statement({ text }: { text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <pre className="raw" tabIndex={0}>
      {text}
    </pre>
  );
}
