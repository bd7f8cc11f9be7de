/**
 * The wall screen: the city's state on one page, for a 4K wall and a laptop. It shows nothing that is not a figure with rows
 * behind it, and says loudly when it does not show the present.
 */
import "./wall.css";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useState } from "react";
import { Link, useNavigate } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { ago, number, time, ZONE_LABEL } from "../../lib/format.ts";
import { throttle, useConnected, useLive, useLiveState } from "../../lib/live.ts";
import { can, cityQuery, useUser } from "../../lib/session.ts";
import { CASE_STATES, type City, type Overview, type SystemState, type User } from "../../lib/types.ts";
import { useLiveCache } from "../../shell/use-live-cache.tsx";
import { Crash, Guard, Loaded } from "../../ui/states.tsx";
import { SEVERITIES, stateWord, useNow } from "../../ui/tags.tsx";
import { activeAlertsQuery } from "../alerts/queries.ts";
import { mapEntitiesQuery, typesQuery } from "../map/queries.ts";
import { SEVERITY_BY_NUMBER } from "../map/style.ts";
import { useBaseLayers, useEntities, useMapView } from "../map/use-map-view.ts";
import { alertCount, frameOf, verdictOf } from "../overview/frame.ts";
import { overviewQuery } from "../overview/queries.ts";
import { wallActions } from "./actions.tsx";
import { sessionEndQuery } from "./queries.ts";
import { connectionOf, isStale, movedBy, sessionEndOf, stepsInOrder, worstFirst } from "./state.ts";

/** Least time between two readings of all points, milliseconds. */
const REREAD_MS = 5_000;
const CLOCK_MS = 1_000;

export function Page() {
  const user = useUser();
  const city = useQuery(cityQuery);
  return (
    <Guard resetKey="wall" fallback={(error) => <Crash error={error} />}>
      <Loaded query={city} tall>
        {(found) => (user ? <Wall city={found} user={user} /> : null)}
      </Loaded>
    </Guard>
  );
}

/** Since when the stream is away; null while it is live. */
function useLostAt(): number | null {
  const state = useLiveState();
  const [lostAt, set] = useState<number | null>(() => Date.now());
  useEffect(() => {
    if (state === "live") set(null);
    else set((before) => before ?? Date.now());
  }, [state]);
  return lostAt;
}

function Wall({ city, user }: { city: City; user: User }) {
  const { t, p } = useT();
  const navigate = useNavigate();
  useConnected();
  useLiveCache(user);
  const now = useNow(CLOCK_MS);
  const state = useLiveState();
  const connection = connectionOf(state, useLostAt(), now);
  const overview = useQuery(overviewQuery);
  const stale = !connection.isLive || isStale(overview.dataUpdatedAt, now);
  const map = useWallMap(city);
  const context = { view: map.view, city, navigate };
  useActionKeys(wallActions, context);
  useEffect(() => {
    document.title = [t("nav.wall"), p(city.name_zh, city.name_en)].join(" · ");
  }, [t, p, city]);
  return (
    <main className={`wall ${stale ? "wall-stale" : ""}`} data-stale={stale} onKeyDown={byArrows}>
      <header className="wall-head">
        <h1>{p(city.name_zh, city.name_en)}</h1>
        {city.demo && <span className="wall-demo">{t("city.demo")}</span>}
        <Session now={now} />
        <span
          className={`wall-live ${connection.isLive ? "" : "wall-loud"}`}
          role="status"
          data-live={connection.isLive}
        >
          {connection.isLive ? t("live.live") : t("wall.broken", { seconds: connection.seconds })}
        </span>
        <time className="wall-clock" dateTime={new Date(now).toISOString()}>
          {time(now)} <small>{ZONE_LABEL}</small>
        </time>
        <span className="wall-tools">
          <ActionBar actions={wallActions} context={context} size="small" />
        </span>
      </header>
      {stale && (
        <p className="wall-warning" role="alert">
          {overview.dataUpdatedAt === 0
            ? t("wall.never")
            : t("wall.stale", { at: time(overview.dataUpdatedAt), zone: ZONE_LABEL })}
        </p>
      )}
      <div className="wall-body">
        <section className="wall-map" aria-label={t("map.label")}>
          <div ref={map.container} className="map-canvas" data-testid="map" data-points={map.points} />
          {map.broken && <div className="wall-quiet">{t("map.no-webgl")}</div>}
        </section>
        <aside className="wall-side">
          <Alerts user={user} now={now} overview={overview.data} />
          <Cases overview={overview.data} />
          <Plan overview={overview.data} />
          <Freshness overview={overview.data} now={now} />
        </aside>
      </div>
      {overview.data && <Systems systems={overview.data.systems} />}
    </main>
  );
}

/** Arrows go from figure to figure, so that a remote control is enough; the map keeps its own. */
function byArrows(event: KeyboardEvent<HTMLElement>) {
  const here = event.target as HTMLElement;
  if (!event.key.startsWith("Arrow") || here.tagName === "CANVAS") return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>("a[href]")];
  const at = links.indexOf(here);
  const grid = here.closest(".wall-systems");
  const columns = grid ? getComputedStyle(grid).gridTemplateColumns.split(" ").length : 1;
  const next = at < 0 ? 0 : movedBy(event.key, at, links.length, columns);
  links[next]?.focus();
  event.preventDefault();
}

function useWallMap(city: City) {
  const { t, language } = useT();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const entities = useQuery(mapEntitiesQuery);
  const types = useQuery(typesQuery).data;
  const { container, view, broken } = useMapView(city, language, t("map.label"), (id) => {
    if (id) navigate(`/map?entity=${encodeURIComponent(id)}`);
  });
  useBaseLayers(view);
  useEntities(view, entities.data, types);
  const reread = useMemo(
    () =>
      throttle(REREAD_MS, () => {
        void queryClient.invalidateQueries({ queryKey: mapEntitiesQuery.queryKey });
      }),
    [queryClient],
  );
  useEffect(() => () => reread.cancel(), [reread]);
  useLive("alert", (alert) => {
    if (!alert.cleared_at) view?.raise(alert.entity_id, SEVERITY_BY_NUMBER.indexOf(alert.severity) + 1);
    reread();
  });
  useLive("entity", ({ ids }) => {
    if (view?.markFresh(ids)) reread();
  });
  return { container, view, broken, points: entities.data?.ids.length ?? 0 };
}

/** When the session ends: quietly at first, loudly from half an hour before, so that a wall never goes out by surprise. */
function Session({ now }: { now: number }) {
  const { t } = useT();
  const end = useQuery(sessionEndQuery).data;
  if (!end) return null;
  const { level, minutes } = sessionEndOf(end, now);
  if (level === "over") return <span className="wall-session wall-loud">{t("wall.session-over")}</span>;
  return (
    <span className={`wall-session ${level === "soon" ? "wall-loud" : ""}`}>
      {level === "soon"
        ? t("wall.session-soon", { minutes })
        : t("wall.session-until", { at: time(end), zone: ZONE_LABEL })}
    </span>
  );
}

function Panel({ to, title, children }: { to: string; title: string; children: ReactNode }) {
  return (
    <section className="wall-panel" aria-label={title}>
      <h2>
        <Link to={to}>{title}</Link>
      </h2>
      {children}
    </section>
  );
}

function Alerts({ user, now, overview }: { user: User; now: number; overview: Overview | undefined }) {
  const { t, p, language } = useT();
  const enabled = can(user, "alert.read");
  const active = useQuery({ ...activeAlertsQuery, enabled });
  const counts = overview?.alerts;
  const shown = useMemo(() => worstFirst(active.data?.items ?? []), [active.data]);
  if (!enabled) return null;
  return (
    <Panel to="/alerts" title={t("map.active-alerts")}>
      {counts && (
        <ul className="wall-figures">
          {SEVERITIES.map((severity) => (
            <li key={severity} className={counts[severity] > 0 ? `wall-${severity}` : "wall-none"}>
              <strong>{number(counts[severity])}</strong>
              <span>{t(`severity.${severity}`)}</span>
            </li>
          ))}
        </ul>
      )}
      <ul className="wall-list">
        {shown.map((alert) => (
          <li key={alert.id}>
            <Link to={`/alerts?alert=${alert.id}`}>
              <i className={`wall-dot wall-${alert.severity}`} aria-hidden="true" />
              <span className="wall-text">
                {p(alert.title_zh, alert.title_en)} {p(alert.entity_name, alert.entity_name_en)}
              </span>
              <span className="wall-quiet">{ago(alert.raised_at, now, language)}</span>
            </Link>
          </li>
        ))}
        {active.data && shown.length === 0 && <li className="wall-quiet">{t("map.no-alerts")}</li>}
      </ul>
    </Panel>
  );
}

function Cases({ overview }: { overview: Overview | undefined }) {
  const { t } = useT();
  const cases = overview?.cases;
  if (!cases) return null;
  return (
    <Panel to="/cases" title={t("wall.cases")}>
      <ul className="wall-figures">
        <li>
          <strong>{number(cases.open)}</strong>
          <span>{t("wall.open")}</span>
        </li>
        <li className={cases.overdue > 0 ? "wall-critical" : "wall-none"}>
          <strong>{number(cases.overdue)}</strong>
          <span>{t("wall.overdue")}</span>
        </li>
      </ul>
      <ul className="wall-steps">
        {stepsInOrder(cases, CASE_STATES).map((step) => (
          <li key={step.state}>
            <span>{stateWord(step.state, t)}</span>
            <strong>{number(step.open)}</strong>
            {step.overdue > 0 && <em>{t("overview.overdue", { n: number(step.overdue) })}</em>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

const STATUSES = ["met", "on_path", "behind", "unknown"] as const;

function Plan({ overview }: { overview: Overview | undefined }) {
  const { t } = useT();
  const targets = overview?.targets;
  if (!targets) return null;
  return (
    <Panel to="/plan" title={t("wall.plan")}>
      <ul className="wall-figures">
        {STATUSES.map((status) => (
          <li key={status} className={status === "behind" && targets.behind > 0 ? "wall-major" : undefined}>
            <strong>{number(targets[status])}</strong>
            <span>{t(`plan.status-${status}`)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Freshness({ overview, now }: { overview: Overview | undefined; now: number }) {
  const { t, language } = useT();
  const flow = overview?.flow;
  if (!overview || !flow) return null;
  return (
    <Panel to="/systems/S01" title={t("wall.data")}>
      <ul className="wall-figures">
        <li>
          <strong>{number(flow.heard)}</strong>
          <span>{t("wall.heard")}</span>
        </li>
        <li>
          <strong>{number(flow.total)}</strong>
          <span>{t("wall.entities")}</span>
        </li>
        <li className={flow.silent > 0 ? "wall-major" : "wall-none"}>
          <strong>{number(flow.silent)}</strong>
          <span>{t("wall.silent")}</span>
        </li>
      </ul>
      {flow.newest_at && (
        <p className="wall-quiet">
          {t("overview.newest")} {ago(flow.newest_at, now, language)}
        </p>
      )}
    </Panel>
  );
}

function Systems({ systems }: { systems: SystemState[] }) {
  const { t, p } = useT();
  const { base, thematic, three } = frameOf(systems);
  return (
    <nav className="wall-systems" aria-label={t("wall.systems")}>
      {[...base, ...thematic, ...three].map((system) => {
        const verdict = verdictOf(system);
        const open = system.alerts ? alertCount(system.alerts) : 0;
        return (
          <Link key={system.id} to={`/systems/${system.id}`} className={`wall-system wall-is-${verdict}`}>
            <span className="wall-text">{p(system.name_zh, system.name_en)}</span>
            <small>{open > 0 ? t("wall.alert-count", { n: number(open) }) : t(`overview.${verdict}`)}</small>
          </Link>
        );
      })}
    </nav>
  );
}
