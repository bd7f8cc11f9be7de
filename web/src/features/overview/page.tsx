/** The front page: the city as its plan draws it, 1+1+N+3, with what each system does now. */
import "./overview.css";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useNavigate } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { number } from "../../lib/format.ts";
import { useCity } from "../../lib/session.ts";
import type { Overview, SystemState } from "../../lib/types.ts";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Age, Time } from "../../ui/tags.tsx";
import { type OverviewContext, overviewActions } from "./actions.tsx";
import { frameOf } from "./frame.ts";
import { overviewQuery } from "./queries.ts";
import { AlertFigures, FlowFigures, Tile } from "./tile.tsx";

export function Page() {
  const { t, p } = useT();
  const city = useCity();
  const navigate = useNavigate();
  const overview = useQuery(overviewQuery);
  const failure = useFailure(overview);
  const context: OverviewContext = { refresh: () => overview.refetch(), navigate };
  useActionKeys(overviewActions, context);
  return (
    <div className="page">
      <header className="page-head">
        <h1>{city ? p(city.name_zh, city.name_en) : t("nav.overview")}</h1>
        <span className="quiet">{t("overview.about")}</span>
        <span className="grow" />
        <ActionBar actions={overviewActions} context={context} />
      </header>
      {failure ?? (overview.data ? <Whole overview={overview.data} /> : <Loading tall />)}
    </div>
  );
}

function Whole({ overview }: { overview: Overview }) {
  const { t } = useT();
  const { base, thematic, three } = frameOf(overview.systems);
  const installed = thematic.filter((system) => system.installed).length;
  return (
    <>
      <Sums overview={overview} />
      {overview.systems.length === 0 && (
        <Nothing title={t("overview.no-plan")} mend={t("overview.no-plan-mend")} />
      )}
      <Part title={t("overview.base")} systems={base} wide />
      <Part
        title={t("overview.thematic", { n: thematic.length })}
        note={t("overview.installed", { n: installed, total: thematic.length })}
        systems={thematic}
      />
      <Part title={t("overview.three")} systems={three} />
    </>
  );
}

function Part({
  title,
  note,
  systems,
  wide,
}: {
  title: string;
  note?: string;
  systems: SystemState[];
  wide?: boolean;
}) {
  if (systems.length === 0) return null;
  return (
    <section className="overview-part" aria-label={title}>
      <h2>
        {title} {note && <span className="quiet">{note}</span>}
      </h2>
      <div className={wide ? "tiles tiles-wide" : "tiles"}>
        {systems.map((system) => (
          <Tile key={system.id} system={system} />
        ))}
      </div>
    </section>
  );
}

function Sum({ to, title, children }: { to: string; title: string; children: ReactNode }) {
  return (
    <li>
      <Link to={to}>
        <span className="quiet">{title}</span>
        <strong className="number">{children}</strong>
      </Link>
    </li>
  );
}

/** The whole city in one line. */
function Sums({ overview }: { overview: Overview }) {
  const { t } = useT();
  const { flow, alerts, cases, targets } = overview;
  return (
    <section aria-label={t("overview.sums")}>
      <ul className="overview-sums">
        {flow && (
          <Sum to="/map" title={t("overview.flow")}>
            <FlowFigures flow={flow} />
          </Sum>
        )}
        {alerts && (
          <Sum to="/alerts" title={t("nav.alerts")}>
            <AlertFigures alerts={alerts} />
            {overview.alerts_truncated && <span className="quiet"> {t("overview.and-more")}</span>}
          </Sum>
        )}
        {cases && (
          <Sum to="/cases" title={t("nav.cases")}>
            {t("overview.open", { n: number(cases.open) })}
            {cases.overdue > 0 && (
              <span className="tile-late"> · {t("overview.overdue", { n: number(cases.overdue) })}</span>
            )}
          </Sum>
        )}
        {targets && (
          <Sum to="/plan" title={t("overview.targets")}>
            {t("overview.met", {
              met: targets.met,
              total: targets.met + targets.on_path + targets.behind + targets.unknown,
            })}
            {targets.behind > 0 && (
              <span className="tile-late"> · {t("overview.behind", { n: targets.behind })}</span>
            )}
          </Sum>
        )}
      </ul>
      <p className="quiet overview-at">
        {t("overview.at")} <Time at={overview.at} />
        {flow?.newest_at && (
          <>
            {" · "}
            {t("overview.newest")} <Age at={flow.newest_at} />
          </>
        )}
        {" · "}
        {t("overview.within", { minutes: Math.round(overview.heard_within_seconds / 60) })}
        {overview.notices !== null && overview.notices > 0 && (
          <span className="tile-late"> · {t("overview.notices", { n: overview.notices })}</span>
        )}
      </p>
    </section>
  );
}
