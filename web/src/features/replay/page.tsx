/** A past stretch played back on the city's map: what stood where, which alerts there were then, as quick as one likes. */
import "../map/map.css";
import "./replay.css";
import { useQuery } from "@tanstack/react-query";
import { Button, Select } from "antd";
import { type MouseEvent, useEffect, useMemo, useRef, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionButton, available, useActionKeys } from "../../lib/actions.tsx";
import { time, valueText, ZONE_LABEL } from "../../lib/format.ts";
import { throttle } from "../../lib/live.ts";
import { cityQuery, useUser } from "../../lib/session.ts";
import type { City } from "../../lib/types.ts";
import { Failed, Loaded, Loading } from "../../ui/states.tsx";
import { SEVERITY_COLOURS, SeverityTag } from "../../ui/tags.tsx";
import type { MapView } from "../map/map-view.ts";
import { typesQuery } from "../map/queries.ts";
import { useBaseLayers, useMapView } from "../map/use-map-view.ts";
import { replayActions } from "./actions.tsx";
import { faster, jump, type Player, SPEEDS } from "./player.ts";
import type { Recording } from "./recording.ts";
import { fromField, LENGTHS_MIN, lastHour, minutesOf, stretchOf, stretchText, toField } from "./stretch.ts";
import { useRecording } from "./use-recording.ts";

/** Least time between two pictures of the map, milliseconds: it draws no oftener. */
const DRAW_MS = 250;
/** Alerts of a moment that are listed. */
const ALERTS_LISTED_MAX = 50;

export function Page() {
  const city = useQuery(cityQuery);
  return (
    <Loaded query={city} tall>
      {(found) => <Replay city={found} />}
    </Loaded>
  );
}

function Replay({ city }: { city: City }) {
  const { t, language } = useT();
  const user = useUser();
  const [parameters, setParameters] = useSearchParams();
  const named = stretchOf(parameters.get("from"), parameters.get("until"));
  const [first] = useState(() => lastHour(Date.now()));
  const stretch = named ?? first;
  const [attempt, setAttempt] = useState(0);
  const { recording, player, error, loaded, cut, change } = useRecording(stretch, attempt);
  const [selected, setSelected] = useState<string | null>(null);
  const types = useQuery(typesQuery).data;
  const { container, view, broken } = useMapView(city, language, t("replay.map"), setSelected);
  useBaseLayers(view);
  useEffect(() => {
    if (view && types) view.setKinds(types);
  }, [view, types]);
  useEffect(() => view?.select(selected), [view, selected]);
  useMoments(view, recording, player?.at ?? 0);
  const context = { recording, player, change };
  useActionKeys(replayActions, context);
  const choose = (next: { from: string; until: string } | null) => {
    if (next) setParameters({ from: next.from, until: next.until }, { replace: true });
  };
  const at = recording && player ? recording.from + player.at : null;
  return (
    <div className="replay-page">
      <h1 className="only-heard">{t("nav.replay")}</h1>
      <div className="map-field">
        <div ref={container} className="map-canvas" data-testid="replay-map" />
        {broken && <div className="map-broken">{t("map.no-webgl")}</div>}
        <output className="replay-label">
          {t("replay.label", { stretch: stretchText(stretch), speed: player?.speed ?? 1 })}
          {at !== null && <strong data-testid="replay-at">{time(at)}</strong>}
        </output>
        {!recording && error === null && <Loading tall />}
        {error !== null && <Failed error={error} retry={() => setAttempt(attempt + 1)} />}
      </div>
      <div className="replay-bar">
        <label>
          {t("replay.from")}{" "}
          <input
            type="datetime-local"
            key={stretch.from}
            defaultValue={toField(stretch.from)}
            max={toField(new Date().toISOString())}
            onBlur={(event) => choose(fromField(event.target.value, minutesOf(stretch)))}
            onKeyDown={(event) => {
              if (event.key === "Enter") event.currentTarget.blur();
            }}
          />{" "}
          <span className="quiet">{ZONE_LABEL}</span>
        </label>
        <Select
          aria-label={t("replay.length")}
          value={minutesOf(stretch)}
          options={LENGTHS_MIN.map((n) => ({ value: n, label: t("replay.minutes", { n }) }))}
          onChange={(n: number) => choose(fromField(toField(stretch.from), n))}
        />
        {available(replayActions, context, user).map((action) => (
          <ActionButton key={action.name} action={action} context={context} iconOnly />
        ))}
        <Select
          aria-label={t("replay.speed")}
          value={player?.speed ?? 60}
          disabled={!player}
          options={SPEEDS.map((speed) => ({ value: speed, label: `×${speed}` }))}
          onChange={(speed: number) => change((p) => ({ ...faster(p, 1), speed }))}
        />
        <Button type="link" size="small">
          <Link to="/map">{t("replay.to-live")}</Link>
        </Button>
        {recording && player && (
          <Timeline recording={recording} player={player} loaded={loaded} change={change} />
        )}
        {player && player.at >= loaded && loaded < player.length && !cut && (
          <span role="status">{t("replay.waiting")}</span>
        )}
        {cut && <span className="replay-warning">{t("replay.cut", { at: time(at) })}</span>}
        {recording?.truncated && <span className="replay-warning">{t("replay.truncated")}</span>}
      </div>
      {recording && <Beside recording={recording} selected={selected} at={player?.at ?? 0} />}
    </div>
  );
}

/** Brings the recording, and with it the map, to the player's place. */
function useMoments(view: MapView | null, recording: Recording | null, at: number) {
  const latest = useRef({ view, recording, at });
  latest.current = { view, recording, at };
  const draw = useMemo(
    () =>
      throttle(DRAW_MS, () => {
        const now = latest.current;
        if (!now.recording) return;
        const reported = now.recording.seek(now.at);
        now.view?.setEntities(now.recording.entities());
        now.view?.markFresh(reported);
      }),
    [],
  );
  useEffect(() => () => draw.cancel(), [draw]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn when any of them is another.
  useEffect(() => draw(), [draw, view, recording, at]);
}

/** The stretch as a line: what is loaded, where it plays, and when alerts were raised. */
function Timeline({
  recording,
  player,
  loaded,
  change,
}: {
  recording: Recording;
  player: Player;
  loaded: number;
  change: (to: (player: Player) => Player) => void;
}) {
  const { t, p } = useT();
  const share = (ms: number) => `${(100 * ms) / player.length}%`;
  const jumpTo = (event: MouseEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const to = ((event.clientX - box.left) / box.width) * player.length;
    change((now) => jump(now, to));
  };
  return (
    <div className="replay-line">
      {/* The range below does the same by the keyboard. */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the range below answers keys. */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the range below is its equal for everybody. */}
      <div className="replay-track" onClick={jumpTo}>
        <span className="replay-loaded" style={{ width: share(loaded) }} />
        {recording.alerts
          .filter(({ from }) => from >= 0)
          .map(({ alert, from }) => (
            <i
              key={alert.id}
              className="replay-alert"
              style={{ left: share(from), background: SEVERITY_COLOURS[alert.severity] }}
              title={`${time(recording.from + from)} ${p(alert.title_zh, alert.title_en)}`}
            />
          ))}
        <b className="replay-head" style={{ left: share(player.at) }} />
      </div>
      <input
        type="range"
        aria-label={t("replay.place")}
        aria-valuetext={time(recording.from + player.at)}
        min={0}
        max={player.length}
        step={1_000}
        value={player.at}
        onChange={(event) => change((now) => jump(now, Number(event.target.value)))}
      />
    </div>
  );
}

/** What was known then: the alerts that were active, and the entity that was chosen. */
function Beside({
  recording,
  selected,
  at,
}: {
  recording: Recording;
  selected: string | null;
  /** The moment; what is shown follows it. */
  at: number;
}) {
  const { t, p } = useT();
  // The map's drawing has moved the recording, or will within a moment.
  const active = recording.alerts.filter(({ from, until }) => from <= at && at < until).reverse();
  const thing = selected ? recording.get(selected) : undefined;
  return (
    <aside className="map-panel replay-beside">
      {selected && (
        <section className="map-section">
          <h2>{thing?.name ?? selected}</h2>
          {thing ? (
            <dl className="map-card-values">
              {Object.entries(thing.values).map(([name, value]) => (
                <div key={name}>
                  <dt className="ellipsis">{name}</dt>
                  <dd className="number">{valueText(value)}</dd>
                </div>
              ))}
            </dl>
          ) : (
            <p className="quiet">{t("replay.not-there")}</p>
          )}
          <Link to={`/entities/${encodeURIComponent(selected)}`}>{t("map.open-entity")}</Link>
        </section>
      )}
      <section className="map-section" aria-label={t("replay.alerts")}>
        <h2>
          {t("replay.alerts")} <span className="quiet">{active.length}</span>
        </h2>
        <ul className="plain-list">
          {active.slice(0, ALERTS_LISTED_MAX).map(({ alert }) => (
            <li key={alert.id} className="replay-alert-row">
              <SeverityTag severity={alert.severity} />{" "}
              <Link to={`/alerts?alert=${alert.id}`}>{p(alert.title_zh, alert.title_en)}</Link>
              <div className="quiet">
                {p(alert.entity_name, alert.entity_name_en)} · {time(alert.raised_at)}
              </div>
            </li>
          ))}
        </ul>
        {active.length === 0 && <p className="quiet">{t("replay.no-alerts")}</p>}
        <p className="quiet">{t("replay.look-back", { minutes: recording.lookBackMinutes })}</p>
      </section>
    </aside>
  );
}
