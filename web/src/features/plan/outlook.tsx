/** Where an indicator goes by its target year, and what came of it when that is over. */
import { Card, Tag } from "antd";
import { useT } from "../../i18n/index.tsx";
import { number } from "../../lib/format.ts";
import type { IndicatorDetail } from "../../lib/types.ts";
import type { ChartOption } from "../../ui/chart.tsx";
import { STATUS_COLOURS } from "./list.ts";
import { dayScale } from "./progress.ts";

const OUTCOME_COLOURS = {
  met: STATUS_COLOURS.met,
  not_met: STATUS_COLOURS.behind,
  no_value: STATUS_COLOURS.unknown,
};
const FORECAST_COLOUR = "#7a4e9c";

/** The forecast as a chart draws it: from the last value to the target year, with the ends of its interval. */
export function forecastSeries(
  indicator: IndicatorDetail,
  names: { forecast: string; interval: string },
): NonNullable<Exclude<ChartOption["series"], undefined>> {
  const { forecast, value } = indicator;
  if (!forecast || value === null) return [];
  const [from, to] = [dayScale(forecast.to), dayScale(forecast.on)];
  const line = (name: string, end: number, dashes: "dashed" | "dotted", width: number) => ({
    name,
    type: "line" as const,
    data: [
      [from, value],
      [to, end],
    ],
    lineStyle: { type: dashes, color: FORECAST_COLOUR, width },
    itemStyle: { color: FORECAST_COLOUR },
    symbolSize: 6,
  });
  return [
    line(names.forecast, forecast.value, "dashed", 2),
    line(names.interval, forecast.low, "dotted", 1.2),
    line(names.interval, forecast.high, "dotted", 1.2),
  ];
}

export function Outlook({ indicator }: { indicator: IndicatorDetail }) {
  const { t, p } = useT();
  const unit = p(indicator.unit_zh, indicator.unit_en);
  const said = (value: number) => `${number(value)} ${unit}`.trim();
  const { assessment, forecast, forecast_missing: missing } = indicator;
  return (
    <>
      {assessment && (
        <Card size="small" title={t("plan.assessment")} data-testid="assessment">
          <p className="outlook-line">
            <Tag variant="solid" color={OUTCOME_COLOURS[assessment.outcome]}>
              {t(`plan.outcome-${assessment.outcome}`)}
            </Tag>{" "}
            {t("plan.assessed-on", { day: assessment.on })}
          </p>
          <p className="outlook-line">
            {assessment.value === null || assessment.value_on === null
              ? t("plan.assessed-nothing")
              : t("plan.assessed-value", { value: said(assessment.value), day: assessment.value_on })}
            {assessment.share !== null &&
              ` ${t("plan.assessed-share", { percent: number(Math.round(assessment.share * 1_000) / 10) })}`}
          </p>
          {assessment.met_since && (
            <p className="outlook-line">{t("plan.met-since", { day: assessment.met_since })}</p>
          )}
          {assessment.met_later_on && (
            <p className="outlook-line">{t("plan.met-later", { day: assessment.met_later_on })}</p>
          )}
          <p className="quiet outlook-line">{t("plan.assessment-rule")}</p>
        </Card>
      )}
      {(forecast || missing) && (
        <Card size="small" title={t("plan.forecast")} data-testid="forecast">
          {forecast && (
            <>
              <p className="outlook-line">
                <strong>{t("plan.forecast-value", { day: forecast.on, value: said(forecast.value) })}</strong>{" "}
                {t("plan.forecast-interval", {
                  percent: number(forecast.level * 100),
                  low: said(forecast.low),
                  high: said(forecast.high),
                })}
              </p>
              <p className="quiet outlook-line">
                {t("plan.forecast-from", { n: forecast.points, from: forecast.from, to: forecast.to })}{" "}
                {forecast.back_test_mean_error === null
                  ? t("plan.forecast-untested")
                  : t("plan.forecast-tested", {
                      n: forecast.back_test_forecasts,
                      error: said(forecast.back_test_mean_error),
                      within: forecast.back_test_within,
                    })}
              </p>
              <p className="quiet outlook-line">{t("plan.forecast-method")}</p>
            </>
          )}
          {missing && (
            <p className="quiet outlook-line">
              {t("plan.forecast-missing", {
                points: missing.points,
                points_min: missing.points_min,
                days: missing.span_days,
                days_min: missing.span_days_min,
              })}
            </p>
          )}
        </Card>
      )}
    </>
  );
}
