/** One system of the plan: its health, its alerts, its cases and its targets, each a way to the rows behind it. */
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { number } from "../../lib/format.ts";
import type { AlertCounts, Flow, SystemState } from "../../lib/types.ts";
import { SEVERITIES } from "../../ui/tags.tsx";
import { alertCount, targetsMet, verdictOf } from "./frame.ts";

/** Alerts by severity, the gravest first; those that there are none of are left out. */
export function AlertFigures({ alerts }: { alerts: AlertCounts }) {
  const { t } = useT();
  if (alertCount(alerts) === 0) return <span className="calm">{t("overview.no-alerts")}</span>;
  return (
    <>
      {SEVERITIES.filter((severity) => alerts[severity] > 0).map((severity) => (
        <span key={severity} className={`severity-count severity-${severity}`}>
          {t(`severity.${severity}`)} {number(alerts[severity])}
        </span>
      ))}
    </>
  );
}

/** How many of what is expected to speak is heard; what does not speak by itself is told apart. */
export function FlowFigures({ flow }: { flow: Flow }) {
  const { t } = useT();
  const { total, others, silent } = flow;
  if (total === 0) return <>{t("overview.only-others", { n: number(others) })}</>;
  return (
    <>
      {t("overview.heard", { heard: number(flow.heard), total: number(total) })}
      {silent > 0 && <span className="tile-late"> · {t("overview.silent", { n: number(silent) })}</span>}
      {others > 0 && (
        <span className="quiet tile-others"> {t("overview.others", { n: number(others) })}</span>
      )}
    </>
  );
}

function Row({ to, title, children }: { to: string; title: string; children: ReactNode }) {
  return (
    <li>
      <Link to={to}>
        <span className="quiet">{title}</span>
        <span className="number">{children}</span>
      </Link>
    </li>
  );
}

export function Tile({ system }: { system: SystemState }) {
  const { t, p } = useT();
  const verdict = verdictOf(system);
  const { flow, alerts, cases } = system;
  const targets = targetsMet(system);
  const to = `/systems/${system.id}`;
  const name = p(system.name_zh, system.name_en);
  return (
    <article className={`tile tile-${verdict}`} data-system={system.id} aria-label={name}>
      <header>
        <Link to={to} className="tile-name">
          <h3>{name}</h3>
        </Link>
        <span className="tile-verdict">{t(`overview.${verdict}`)}</span>
      </header>
      <ul className="plain-list">
        {flow && (
          <Row to={`${to}#flow`} title={t("overview.flow")}>
            <FlowFigures flow={flow} />
          </Row>
        )}
        {alerts && (
          <Row to={`${to}#alerts`} title={t("nav.alerts")}>
            <AlertFigures alerts={alerts} />
          </Row>
        )}
        {cases && (
          <Row to={`${to}#cases`} title={t("nav.cases")}>
            {t("overview.open", { n: number(cases.open) })}
            {cases.overdue > 0 && (
              <span className="tile-late"> · {t("overview.overdue", { n: number(cases.overdue) })}</span>
            )}
          </Row>
        )}
        {targets && (
          <Row to={`${to}#targets`} title={t("overview.targets")}>
            {t("overview.met", { met: targets.met, total: targets.total })}
          </Row>
        )}
        {verdict === "absent" && !targets && <li className="quiet">{t("overview.absent-text")}</li>}
      </ul>
    </article>
  );
}
