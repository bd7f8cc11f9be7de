/** Beside the map: which lines of equal value are shown, what their colours mean, and of how many stations they are. */
import { Button, Checkbox } from "antd";
import { useT } from "../../i18n/index.tsx";
import { number, shortTime, unitSymbol, ZONE_LABEL } from "../../lib/format.ts";
import type { ViewIsolines } from "../../lib/types.ts";
import { Loading } from "../../ui/states.tsx";
import { STATIONS_MAX } from "./queries.ts";
import type { IsolineState, IsolineSwitch, IsolineView } from "./use-isolines.ts";

export function IsolinesSection({
  isolines: { choices, chosen, choose },
  state,
}: {
  isolines: IsolineSwitch;
  state: IsolineState;
}) {
  const { t, p } = useT();
  if (choices.length === 0) return null;
  return (
    <section className="map-section" aria-label={t("map.isolines")}>
      <header>
        <h2>{t("map.isolines")}</h2>
      </header>
      <ul className="plain-list">
        {choices.map(({ view }) => (
          <li key={view.id} className="layer">
            <Checkbox
              checked={view.id === chosen?.view.id}
              onChange={(event) => choose(event.target.checked ? view.id : null)}
            >
              {p(view.title_zh, view.title_en)}
            </Checkbox>
          </li>
        ))}
      </ul>
      {chosen && (
        <div className="isolines-legend">
          <Legend chosen={chosen} />
          <Told chosen={chosen} state={state} />
        </div>
      )}
    </section>
  );
}

/** Over a phone's map, whose panel is a drawer. */
export function IsolinesBar({ chosen, state }: { chosen: IsolineView; state: IsolineState }) {
  const { t, p } = useT();
  return (
    <section className="isolines-bar" aria-label={t("map.isolines")}>
      <strong>{titleOf(chosen, p)}</strong>
      <ul className="plain-list isolines-scale">
        {chosen.isolines.levels.map(({ value, colour }) => (
          <li key={value} className="number">
            <i style={{ background: colour }} />
            {number(value)}
          </li>
        ))}
      </ul>
      <Told chosen={chosen} state={state} short />
    </section>
  );
}

const titleOf = ({ view, unit }: IsolineView, p: (zh: string, en: string) => string) => {
  const symbol = unitSymbol(unit);
  return p(view.title_zh, view.title_en) + (symbol && ` (${symbol})`);
};

function Legend({ chosen }: { chosen: IsolineView }) {
  const { t, p } = useT();
  const { levels, radius_km_max, power, source } = chosen.isolines;
  return (
    <>
      <ul className="plain-list isolines-levels" aria-label={t("map.isolines-levels")}>
        {levels.map(({ value, colour, title_zh, title_en }, n) => (
          <li key={value}>
            <i style={{ background: colour }} />
            <span className="number">{rangeOf(chosen.isolines, n)}</span>
            <span>{p(title_zh, title_en)}</span>
          </li>
        ))}
      </ul>
      <p className="quiet">
        {t("map.isolines-method", {
          unit: unitSymbol(chosen.unit) || "—",
          power: number(power),
          km: number(radius_km_max),
        })}
        {source && t("map.isolines-source", { source })}
      </p>
    </>
  );
}

/** `10 – 25`, and of the last level `≥ 250`. */
export function rangeOf({ levels }: Pick<ViewIsolines, "levels">, n: number): string {
  const [from, to] = [levels[n]?.value ?? 0, levels[n + 1]?.value];
  return to === undefined ? `≥ ${number(from)}` : `${number(from)} – ${number(to)}`;
}

/** Of which values the lines are, which were left out, and why there are none. */
function Told({ chosen, state, short }: { chosen: IsolineView; state: IsolineState; short?: boolean }) {
  const { t } = useT();
  const { gauges, lines, truncated, failed, retry } = state;
  const failure = failed && (
    <p>
      {t("map.isolines-failed")}{" "}
      <Button size="small" onClick={retry}>
        {t("state.retry")}
      </Button>
    </p>
  );
  if (!gauges) return failure ? <div role="status">{failure}</div> : short ? null : <Loading />;
  const { isolines } = chosen;
  const minutes = isolines.minutes_max;
  const left = [
    gauges.stale > 0 && t("map.isolines-stale", { n: gauges.stale, minutes }),
    gauges.doubtful > 0 && t("map.isolines-doubtful", { n: gauges.doubtful }),
    gauges.unplaced > 0 && t("map.isolines-unplaced", { n: gauges.unplaced }),
  ].filter((text) => text !== false);
  const least = isolines.levels[0]?.value ?? 0;
  const now = Date.now();
  const none =
    lines === null
      ? t("map.isolines-few", { n: gauges.used.length, least: isolines.stations_min, minutes })
      : lines.lines.every(({ pieces }) => pieces.length === 0) &&
          gauges.used.every(({ value }) => value < least)
        ? t("map.isolines-below", { least: `${number(least)} ${unitSymbol(chosen.unit)}`.trim() })
        : null;
  return (
    <div role="status" className="isolines-told">
      {failure}
      {none && <p>{none}</p>}
      {gauges.from !== null && gauges.to !== null && (
        <p className="quiet">
          {t("map.isolines-used", {
            n: gauges.used.length,
            from: shortTime(gauges.from, now),
            to: shortTime(gauges.to, now),
            zone: ZONE_LABEL,
          })}
        </p>
      )}
      {left.length > 0 && (
        <p className="quiet">{t("map.isolines-left-out", { left: left.join(t("map.isolines-and")) })}</p>
      )}
      {truncated && <p className="quiet">{t("map.isolines-truncated", { n: number(STATIONS_MAX) })}</p>}
    </div>
  );
}
