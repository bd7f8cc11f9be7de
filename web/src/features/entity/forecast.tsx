/** What the chart shows of a forecast, in words and as a table: which line is what, by whom, how sure, when levels are reached. */
import { FileSearchOutlined } from "@ant-design/icons";
import { Alert, Button, Select, Switch } from "antd";
import { useId } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { number, shortTime, time, unitSymbol, ZONE_LABEL } from "../../lib/format.ts";
import { can, useUser } from "../../lib/session.ts";
import type { EntityForecast, Quality } from "../../lib/types.ts";
import { intervalOf } from "../../ui/fan.ts";
import { QualityTag, Time, useNow } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { endOf, hasInterval, type Measured, type Outlook, reaching, runOf } from "./outlook.ts";

/** A level that the value is measured against. */
export interface Level {
  title: string;
  value: number;
}

/** The unit as people write it. */
export const symbolOf = ({ unit, unit_symbol }: EntityForecast) => unit_symbol ?? unitSymbol(unit);

export function ForecastNotes({
  outlook,
  levels,
  measured,
  cutAfter,
  past,
  setPast,
  choose,
  onMessage,
}: {
  outlook: Outlook;
  levels: Level[];
  measured: Measured | null;
  /** What the chart shows of it ends here, milliseconds; null when it shows all of it. */
  cutAfter: number | null;
  past: boolean;
  setPast: (past: boolean) => void;
  choose: (forecast: string) => void;
  onMessage: (position: number) => void;
}) {
  const { t } = useT();
  const now = useNow();
  const toggle = useId();
  const { newest, earlier, choices, isDrawn } = outlook;
  const certainty = newest.certainty === null ? null : number(100 * newest.certainty, 1);
  const isOver = endOf(newest) <= now;
  return (
    <section className="forecast" aria-label={t("forecast.title")} data-testid="forecast">
      <div className="toolbar">
        {isDrawn && <Legend outlook={outlook} certainty={certainty} />}
        {choices.length > 1 && (
          <Select
            size="small"
            value={newest.forecast_id}
            onChange={choose}
            aria-label={t("forecast.which")}
            popupMatchSelectWidth={false}
            options={choices.map((one) => ({
              value: one.forecast_id,
              label: `${one.method} · ${one.forecast_id.split(":").slice(2).join(":")}`,
            }))}
          />
        )}
        <span className="forecast-past">
          <Switch
            id={toggle}
            size="small"
            checked={past}
            onChange={setPast}
            aria-label={t("forecast.past")}
          />
          <label htmlFor={toggle}>
            {past ? t("forecast.past-shown", { n: earlier.length }) : t("forecast.past")}
          </label>
        </span>
      </div>
      <Source forecast={newest} certainty={certainty} onMessage={onMessage} />
      {!isDrawn && (
        <Alert type="warning" showIcon title={t("forecast.other-unit", { unit: symbolOf(newest) })} />
      )}
      {newest.is_out_of_range && <Alert type="warning" showIcon title={t("forecast.out-of-range")} />}
      {isOver ? (
        <Alert
          type="warning"
          showIcon
          title={t("forecast.over", { time: `${time(endOf(newest))} ${ZONE_LABEL}` })}
        />
      ) : (
        isDrawn && <Levels forecast={newest} levels={levels} measured={measured} now={now} />
      )}
      {isDrawn && cutAfter !== null && (
        <p className="quiet hint">
          {t("forecast.cut", { shown: shortTime(cutAfter, now), end: shortTime(endOf(newest), now) })}
        </p>
      )}
      <Points forecast={newest} now={now} />
    </section>
  );
}

function Legend({ outlook, certainty }: { outlook: Outlook; certainty: string | null }) {
  const { t } = useT();
  const withInterval = hasInterval(outlook.newest.points);
  return (
    <ul className="forecast-legend" aria-label={t("forecast.legend")}>
      <li>
        <i className="forecast-mark forecast-mark-measured" /> {t("forecast.measured")}
      </li>
      <li>
        <i className="forecast-mark forecast-mark-value" /> {t("forecast.value")}
      </li>
      {withInterval && (
        <li>
          <i className="forecast-mark forecast-mark-interval" />{" "}
          {certainty === null ? t("forecast.interval") : t("forecast.interval-sure", { percent: certainty })}
        </li>
      )}
      {outlook.earlier.length > 0 && (
        <li>
          <i className="forecast-mark forecast-mark-earlier" /> {t("forecast.earlier")}
        </li>
      )}
    </ul>
  );
}

/** When it was issued, by which method, how sure it is, by which run, and the message that said it. */
function Source({
  forecast,
  certainty,
  onMessage,
}: {
  forecast: EntityForecast;
  certainty: string | null;
  onMessage: (position: number) => void;
}) {
  const { t } = useT();
  const user = useUser();
  const run = runOf(forecast.run);
  return (
    <p className="forecast-source" data-testid="forecast-source">
      {t("forecast.issued")} <Time at={forecast.issued_at} age /> · {t("forecast.method")}{" "}
      <code>{forecast.method}</code> v{forecast.version} ·{" "}
      {certainty === null ? t("forecast.certainty-none") : t("forecast.certainty", { percent: certainty })}
      {forecast.run !== null && (
        <>
          {" · "}
          {run !== null && can(user, "run.read") ? (
            <Link to={`/runs/${run}`}>{t("forecast.run", { run })}</Link>
          ) : (
            <>
              {t("forecast.run-name")} <code>{forecast.run}</code>
            </>
          )}
        </>
      )}
      {" · "}
      <Link to={`/entities/${encodeURIComponent(forecast.forecast_id)}`}>{t("forecast.entity")}</Link>
      <Button
        size="small"
        type="link"
        icon={<FileSearchOutlined />}
        onClick={() => onMessage(forecast.position)}
      >
        {t("entity.provenance")}
      </Button>
      {keyOf("quality", forecast.quality) && <QualityTag quality={forecast.quality as Quality} hideGood />}
    </p>
  );
}

/** For each level of the chart: when the forecast and its upper end reach it. */
function Levels({
  forecast,
  levels,
  measured,
  now,
}: {
  forecast: EntityForecast;
  levels: Level[];
  measured: Measured | null;
  now: number;
}) {
  const { t } = useT();
  if (levels.length === 0) return null;
  const withInterval = hasInterval(forecast.points);
  const says = ({ title, value }: Level) => {
    const level = `${title} ${number(value)} ${symbolOf(forecast)}`.trim();
    const found = reaching(forecast.points, value, measured, now);
    const at = (moment: string) => shortTime(moment, now);
    if (found.isReached && measured) {
      const known = { level, measured: at(measured.at) };
      return found.below
        ? t("forecast.falls", { ...known, time: at(found.below) })
        : t("forecast.stays", known);
    }
    if (found.value && found.upper) {
      return t("forecast.reaches-both", { level, time: at(found.value), upper: at(found.upper) });
    }
    if (found.value) return t("forecast.reaches", { level, time: at(found.value) });
    if (found.upper) return t("forecast.upper-reaches", { level, upper: at(found.upper) });
    return t(withInterval ? "forecast.reaches-not-both" : "forecast.reaches-not", { level });
  };
  return (
    <ul className="forecast-levels" data-testid="forecast-levels">
      {levels.map((level) => (
        <li key={level.title}>{says(level)}</li>
      ))}
    </ul>
  );
}

/** The same as a table, for who cannot see the chart or wants the figures; on a phone in two columns and open. */
function Points({ forecast, now }: { forecast: EntityForecast; now: number }) {
  const { t } = useT();
  const phone = usePhone();
  const withInterval = hasInterval(forecast.points);
  const unit = symbolOf(forecast);
  const within = (title: string) => (unit ? `${title} (${unit})` : title);
  return (
    <details className="forecast-points" open={phone} key={String(phone)}>
      <summary>{t("forecast.table", { n: forecast.points.length })}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section className="forecast-scroll" tabIndex={0} aria-label={t("forecast.values")}>
        <table>
          <caption className="only-heard">
            {t("forecast.caption", { time: `${time(forecast.issued_at)} ${ZONE_LABEL}` })}
          </caption>
          <thead>
            <tr>
              <th scope="col">{`${t("forecast.at")} (${ZONE_LABEL})`}</th>
              <th scope="col">
                {within(phone && withInterval ? t("forecast.value-interval") : t("forecast.value"))}
              </th>
              {withInterval && !phone && <th scope="col">{t("forecast.lower")}</th>}
              {withInterval && !phone && <th scope="col">{t("forecast.upper")}</th>}
            </tr>
          </thead>
          <tbody>
            {forecast.points.map((point) => {
              const ends = intervalOf(point);
              return (
                <tr key={point.at}>
                  <th scope="row">
                    <time dateTime={point.at}>
                      {phone ? shortTime(point.at, now) : time(point.at).slice(0, 16)}
                    </time>
                  </th>
                  <td>
                    {number(point.value)}
                    {phone && ends && (
                      <span className="quiet">
                        {" "}
                        {number(ends[0])}–{number(ends[1])}
                      </span>
                    )}
                  </td>
                  {withInterval && !phone && <td>{point.lower === null ? "—" : number(point.lower)}</td>}
                  {withInterval && !phone && <td>{point.upper === null ? "—" : number(point.upper)}</td>}
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
    </details>
  );
}
