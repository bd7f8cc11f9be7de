//! Where an indicator goes, and what came of it.

use crate::app::App;
use crate::error::Answer;
use crate::words;
use indicators::forecast::{LEVEL, Outlook, POINTS_MIN, Reading, SPAN_DAYS_MIN};
use indicators::{Definition, Method};
use records::indicators::IndicatorValue;
use records::{PAGE_ITEMS_MAX, PageRequest};
use serde::Serialize;
use utoipa::ToSchema;

/// Where an indicator goes by the end of its target year: by a Brownian motion with drift; `docs/plan-office.md` says how.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IndicatorForecast)]
pub struct ForecastBody {
    /// For which day, `YYYY-MM-DD`.
    pub on: String,
    /// The value then.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
    /// The share of cases in which the interval holds the value, by the model: 0.8.
    pub level: f64,
    /// From how many days with a value it is made.
    pub points: usize,
    /// The first of them.
    pub from: String,
    /// The last of them.
    pub to: String,
    /// How the method did on the indicator's own past: how many held-out values were forecast.
    pub back_test_forecasts: usize,
    /// How far off those forecasts were in the mean, in the indicator's unit; null when nothing could be held out.
    pub back_test_mean_error: Option<f64>,
    /// How many of the held-out values lay in their interval.
    pub back_test_within: usize,
}

/// Why there is no forecast: too few values, or too short a time.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IndicatorForecastMissing)]
pub struct ForecastMissing {
    /// Days with a value.
    pub points: usize,
    /// How many are needed.
    pub points_min: usize,
    /// Days from the first to the last.
    pub span_days: i32,
    /// How many are needed.
    pub span_days_min: i32,
}

/// What came of an indicator when its target year was over (终期评估): by the last value at or before the year's end.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IndicatorAssessment)]
pub struct AssessmentBody {
    /// The judgement.
    pub outcome: words::IndicatorOutcome,
    /// By which day, `YYYY-MM-DD`.
    pub on: String,
    /// The last value at or before it.
    pub value: Option<f64>,
    /// The day of that value.
    pub value_on: Option<String>,
    /// The share of the way from baseline to target that was reached, 1 being the target; null without a baseline.
    pub share: Option<f64>,
    /// Since when it is met.
    pub met_since: Option<String>,
    /// When the target was reached after the year's end, if it was then.
    pub met_later_on: Option<String>,
}

impl From<indicators::Assessment> for AssessmentBody {
    fn from(a: indicators::Assessment) -> Self {
        Self {
            outcome: a.outcome.into(),
            on: a.on.to_string(),
            value: a.value,
            value_on: a.value_on.map(|day| day.to_string()),
            share: a.share,
            met_since: a.met_since.map(|day| day.to_string()),
            met_later_on: a.met_later_on.map(|day| day.to_string()),
        }
    }
}

/// Where it goes and what came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ahead {
    pub forecast: Option<ForecastBody>,
    pub missing: Option<ForecastMissing>,
    pub assessment: Option<AssessmentBody>,
}

impl App {
    /// The values of an indicator by the day of which they speak: of a reported one its reports, of a computed one what was measured.
    async fn readings(
        &self,
        d: &Definition,
        history: &[IndicatorValue],
        value: Option<f64>,
    ) -> Answer<Vec<Reading>> {
        if d.method == Method::Reported {
            let mut connection = self.records.read().await?;
            let page = PageRequest {
                after: None,
                limit: Some(PAGE_ITEMS_MAX),
            };
            let reports =
                records::indicators::list_reports(&mut connection, Some(&d.id), &page).await?;
            // Newest first: of several of one day the newest counts, and so comes last.
            let newest_last = reports.items.into_iter().rev();
            let readings = newest_last.filter_map(|report| {
                Some(Reading {
                    day: report.as_of.parse().ok()?,
                    value: report.value,
                })
            });
            return Ok(readings.collect());
        }
        let measured = history.iter().filter_map(|point| {
            Some(Reading {
                day: self.plan.day(point.at),
                value: point.value?,
            })
        });
        // History holds changes: what was measured last still stands today.
        let today = value.map(|value| Reading {
            day: self.plan.day(self.now()),
            value,
        });
        Ok(measured.chain(today).collect())
    }

    /// Where an indicator goes, or what came of it.
    pub(crate) async fn ahead(
        &self,
        d: &Definition,
        history: &[IndicatorValue],
        value: Option<f64>,
    ) -> Answer<Ahead> {
        let readings = self.readings(d, history, value).await?;
        let today = self.plan.day(self.now());
        let mut ahead = Ahead {
            assessment: d.assessment(&readings, today).map(Into::into),
            ..Ahead::default()
        };
        match d.outlook(&readings, today) {
            Outlook::Over => {}
            Outlook::TooFew { points, span_days } => {
                ahead.missing = Some(ForecastMissing {
                    points,
                    points_min: POINTS_MIN,
                    span_days,
                    span_days_min: SPAN_DAYS_MIN,
                });
            }
            Outlook::Forecast(f) => {
                let test = f.back_test;
                ahead.forecast = Some(ForecastBody {
                    on: f.on.to_string(),
                    value: f.value,
                    low: f.low,
                    high: f.high,
                    level: LEVEL,
                    points: f.points,
                    from: f.from.to_string(),
                    to: f.to.to_string(),
                    back_test_forecasts: test.map_or(0, |t| t.forecasts),
                    back_test_mean_error: test.map(|t| t.mean_error),
                    back_test_within: test.map_or(0, |t| t.within),
                });
            }
        }
        Ok(ahead)
    }
}
