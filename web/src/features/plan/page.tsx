/** The plan: every indicator, where it was, is and must be, and where the plan contradicts itself. */
import "./plan.css";
import { WarningOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Alert, Card, Table, Tooltip } from "antd";
import { Link, useNavigate } from "react-router";
import { useT } from "../../i18n/index.tsx";
import type { Contradiction, Indicator, IndicatorStatus, Plan } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { Figure, MethodTag, PathBar, STATUS_COLOURS, StatusTag } from "./marks.tsx";
import { planQuery } from "./queries.ts";

const STATUSES: IndicatorStatus[] = ["met", "on_path", "behind", "unknown"];

export const indicatorPath = (id: string) => `/plan/${encodeURIComponent(id)}`;

export function Page() {
  const plan = useQuery(planQuery);
  return (
    <Loaded query={plan} tall>
      {(found) => <PlanView plan={found} />}
    </Loaded>
  );
}

function PlanView({ plan }: { plan: Plan }) {
  const { t, p } = useT();
  const phone = usePhone();
  const counts = STATUSES.map((status) => ({
    status,
    n: plan.indicators.filter((indicator) => indicator.status === status).length,
  }));
  return (
    <div className="page">
      <header className="page-head">
        <h1>{plan.title}</h1>
        <span className="quiet">
          {t("plan.source")}: {plan.source} · {plan.period.join("–")}
        </span>
      </header>
      {plan.indicators.length === 0 ? (
        <Nothing title={t("plan.none")} />
      ) : (
        <>
          <ul className="plan-summary">
            {counts.map(({ status, n }) => (
              <li key={status} style={{ borderColor: STATUS_COLOURS[status] }}>
                {t(`plan.summary-${status}`, { n })}
              </li>
            ))}
          </ul>
          <Contradictions items={plan.contradictions} />
          {plan.groups.map((group) => {
            const indicators = plan.indicators.filter((indicator) => indicator.group_zh === group.zh);
            if (indicators.length === 0) return null;
            return (
              <Card
                key={group.zh}
                size="small"
                title={p(group.zh, group.en)}
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
        </>
      )}
    </div>
  );
}

export function Contradictions({ items }: { items: Contradiction[] }) {
  const { t, p } = useT();
  if (items.length === 0) return null;
  return (
    <Alert
      type="warning"
      showIcon
      data-testid="contradictions"
      title={t("plan.contradictions", { n: items.length })}
      description={
        <ul className="contradictions">
          {items.map((item) => (
            <li key={item.id}>
              {p(item.zh, item.en)}
              <ul>
                {item.places.map((place) => (
                  <li key={place.section + place.quote}>
                    <cite>{place.section}</cite> <q>{place.quote}</q>
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ul>
      }
    />
  );
}

function Name({ indicator }: { indicator: Indicator }) {
  const { t, p } = useT();
  return (
    <>
      <Link to={indicatorPath(indicator.id)}>{p(indicator.name_zh, indicator.name_en)}</Link>
      {indicator.contradictions.length > 0 && (
        <Tooltip title={t("plan.contradiction")}>
          <WarningOutlined className="plan-warning" aria-label={t("plan.contradiction")} />
        </Tooltip>
      )}
    </>
  );
}

function IndicatorTable({ indicators }: { indicators: Indicator[] }) {
  const { t, p } = useT();
  const navigate = useNavigate();
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
      onRow={(indicator) => ({ onClick: () => navigate(indicatorPath(indicator.id)) })}
      columns={[
        { title: "#", width: 44, dataIndex: "number", className: "quiet" },
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
          render: (_, indicator) => <Figure value={indicator.target} unit={unit(indicator)} />,
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
                {t("plan.target", { year: indicator.target_year })}{" "}
                <Figure value={indicator.target} unit={unit} />
              </span>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
