/** One system of the plan: what it is, and the rows behind each of its figures. */
import "./overview.css";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { Link, useLocation, useNavigate, useParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { can, useUser } from "../../lib/session.ts";
import type { SystemRows } from "../../lib/types.ts";
import { Loading, useFailure } from "../../ui/states.tsx";
import { Age, CaseStateTag, SeverityTag } from "../../ui/tags.tsx";
import { StatusTag } from "../plan/marks.tsx";
import { type OverviewContext, overviewActions } from "./actions.tsx";
import { pageOf, verdictOf } from "./frame.ts";
import { systemQuery } from "./queries.ts";
import { FlowFigures } from "./tile.tsx";

export function Page() {
  const { t, p } = useT();
  const { id = "" } = useParams();
  const navigate = useNavigate();
  const rows = useQuery(systemQuery(id));
  const failure = useFailure(rows);
  const context: OverviewContext = { refresh: () => rows.refetch(), navigate };
  useActionKeys(overviewActions, context);
  const system = rows.data?.system;
  return (
    <div className="page">
      <header className="page-head">
        <h1>{system ? p(system.name_zh, system.name_en) : id}</h1>
        <Link to="/">{t("overview.back")}</Link>
        <span className="grow" />
        <ActionBar actions={overviewActions} context={context} />
      </header>
      {failure ?? (rows.data ? <Rows rows={rows.data} /> : <Loading tall />)}
    </div>
  );
}

function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <section id={id} className="system-section" aria-label={title} tabIndex={-1}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** A list that says when it is empty. */
function List({ children, empty }: { children: ReactNode[]; empty: string }) {
  if (children.length === 0) return <p className="quiet">{empty}</p>;
  return <ul className="plain-list system-list">{children}</ul>;
}

function Rows({ rows }: { rows: SystemRows }) {
  const { t, p } = useT();
  const user = useUser();
  const { hash } = useLocation();
  const { system } = rows;
  const page = pageOf(system);
  const verdict = verdictOf(system);
  // The browser looks for the place before the rows are there.
  useEffect(() => {
    if (hash) document.getElementById(hash.slice(1))?.scrollIntoView();
  }, [hash]);
  return (
    <>
      <section className={`tile tile-${verdict}`}>
        <p>
          <strong>{t(`overview.${verdict}`)}</strong>
          {verdict === "absent" && <> · {t("overview.absent-text")}</>}
          {page && (
            <>
              {" · "}
              <Link to={page}>{t("overview.to-page")}</Link>
            </>
          )}
        </p>
        <p>
          {t("overview.plan-says")}
          <q>{system.quote}</q>
        </p>
        {system.packs.map((pack) => (
          <p key={pack.name} className="quiet">
            {p(pack.title_zh, pack.title_en)} ({pack.name}) · {p(pack.owner_zh, pack.owner_en)}
          </p>
        ))}
      </section>
      {rows.truncated && <p className="quiet">{t("overview.truncated")}</p>}
      {system.flow && (
        <Section id="flow" title={t("overview.unheard")}>
          <p>
            <FlowFigures flow={system.flow} />
          </p>
          <List empty={t(system.flow.total > 0 ? "overview.all-heard" : "overview.none-speaks")}>
            {rows.unheard.map((entity) => (
              <li key={entity.id}>
                <Link to={`/entities/${encodeURIComponent(entity.id)}`}>{entity.name ?? entity.id}</Link>
                <span className="quiet">{entity.type}</span>
                <Age at={entity.modified_at} />
              </li>
            ))}
          </List>
        </Section>
      )}
      {system.alerts && (
        <Section id="alerts" title={t("nav.alerts")}>
          <List empty={t("overview.no-alerts")}>
            {rows.alerts.map((alert) => (
              <li key={alert.id}>
                <SeverityTag severity={alert.severity} />
                <Link to={`/alerts?alert=${alert.id}`}>{p(alert.title_zh, alert.title_en)}</Link>
                <span className="quiet">{p(alert.entity_name, alert.entity_name_en)}</span>
                <Age at={alert.raised_at} />
              </li>
            ))}
          </List>
        </Section>
      )}
      {system.cases && (
        <Section id="cases" title={t("nav.cases")}>
          <List empty={t("overview.no-cases")}>
            {rows.cases.map((one) => (
              <li key={one.id}>
                <CaseStateTag state={one.state} />
                <Link to={`/cases/${one.id}`}>
                  {one.number} {one.title}
                </Link>
                <Age at={one.updated_at} />
              </li>
            ))}
          </List>
        </Section>
      )}
      {system.targets && (
        <Section id="targets" title={t("overview.targets")}>
          <List empty={t("overview.no-targets")}>
            {system.targets.map((target) => (
              <li key={target.id}>
                <StatusTag status={target.status} />
                {can(user, "indicator.read") ? (
                  <Link to={`/plan/${target.id}`}>{p(target.name_zh, target.name_en)}</Link>
                ) : (
                  p(target.name_zh, target.name_en)
                )}
              </li>
            ))}
          </List>
        </Section>
      )}
    </>
  );
}
