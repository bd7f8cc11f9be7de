//! What an outcome says to the city: the engine's table as a forecast.

use crate::definition::{Definition, ForecastOf};
use engine::{Engine, Mistakes, Output, Table, wrong};
use model::forecast::{Forecast, ForecastPoint};
use model::problem::quote;
use model::{
    AttributeName, AttributeUpdate, EntityId, ForecastKind, Problem, Quality, Timestamp, TypeName,
    Update, Value,
};

/// A run as forecasts name it: `run-17`.
pub fn name(id: i64) -> String {
    format!("run-{id}")
}

/// The entity that holds the forecasts of a target: [`id_like`] its type.
///
/// # Errors
/// When that is no id.
pub fn forecast_id(of: &ForecastOf, target: &EntityId) -> Result<EntityId, Problem> {
    id_like(&of.entity_type, target)
}

/// The id of an entity beside a target: the type's name, then what the target's id ends with.
///
/// # Errors
/// When that is no id.
pub fn id_like(entity_type: &str, target: &EntityId) -> Result<EntityId, Problem> {
    let last = target.as_str().rsplit(':').next().unwrap_or_default();
    EntityId::new(format!("urn:ngsi-ld:{entity_type}:{last}"))
}

/// Of which run an outcome is.
#[derive(Clone, Copy)]
pub struct Made<'a> {
    /// The run's number.
    pub id: i64,
    /// The moment for which it was due.
    pub due: Timestamp,
    /// Its target.
    pub target: &'a EntityId,
    /// The engine that reckoned.
    pub engine: &'a Engine,
    /// What it read.
    pub input: &'a Table,
}

/// How good what was read is: the worst of the input's column `quality`, good where there is none. A forecast is no better.
pub fn quality(input: &Table) -> Quality {
    let known = |cell: &str| {
        Quality::ALL
            .into_iter()
            .find(|quality| quality.as_str() == cell)
    };
    let told = input.cells("quality").filter_map(known);
    // A person put these right.
    let told = told.filter(|quality| *quality != Quality::Corrected);
    told.max().unwrap_or_default()
}

/// The engine's outcome as what the city is told: one forecast, issued at the moment for which the run was due. Rows of that moment and of those before
/// it foretell nothing and are left out.
///
/// # Errors
/// A column that is missing, a cell that cannot be read (each with its line), an outcome that says nothing of what comes, what
/// [`Forecast::to_value`] refuses.
pub fn forecast(
    definition: &Definition,
    kind: &ForecastKind,
    run: Made<'_>,
    output: &Output,
) -> Result<Option<Update>, Vec<Problem>> {
    let Some(of) = &definition.forecast else {
        return Ok(None);
    };
    let mut points = points(of, &output.table)?;
    points.retain(|point| point.at > run.due);
    if points.is_empty() {
        return Err(vec![Problem::new(
            "run-nothing-ahead",
            format!("the outcome says nothing of what comes after {}", run.due),
            "outcome",
            "see how old what was read is, or raise the leads of the engine",
        )]);
    }
    let said = |key: &str| output.report.get(key);
    let method = said("method").and_then(|m| m.as_str());
    let forecast = Forecast {
        method: method.unwrap_or(run.engine.description.name).to_owned(),
        version: run.engine.description.version.to_string(),
        run: Some(name(run.id)),
        unit: Some(of.unit.clone()),
        certainty: said("certainty").and_then(serde_json::Value::as_f64),
        points,
    };
    let one = |problem: Problem| vec![problem];
    let value = |name: &str, value: Value| -> Result<AttributeUpdate, Vec<Problem>> {
        Ok(AttributeUpdate {
            name: AttributeName::new(name).map_err(one)?,
            value,
            unit: None,
            observed_at: run.due,
            quality: quality(run.input),
        })
    };
    let series = forecast.to_value().map_err(one)?;
    Ok(Some(Update {
        entity_id: forecast_id(of, run.target).map_err(one)?,
        entity_type: TypeName::new(&of.entity_type).map_err(one)?,
        attributes: vec![
            value(&kind.relation, Value::Relationship(run.target.clone()))?,
            value(&kind.series, series)?,
        ],
    }))
}

/// The rows of an outcome as points.
fn points(of: &ForecastOf, table: &Table) -> Result<Vec<ForecastPoint>, Vec<Problem>> {
    const PLACE: &str = "outcome";
    let mut mistakes = Mistakes::new(PLACE);
    for column in [&of.at, &of.value] {
        if !table.has(column) {
            let what = format!("the outcome has no column {}", quote(column));
            mistakes.of_table(what, "name a column of the engine under [forecast]");
        }
    }
    let values = table.numbers(&of.value, f64::MIN, f64::MAX, &mut mistakes);
    let mut bounds =
        |column: &str| table.numbers_or_gaps(column, f64::MIN, f64::MAX, &mut mistakes);
    let (lower, upper) = (bounds(&of.lower), bounds(&of.upper));
    let mut points = Vec::with_capacity(values.len());
    for (n, cell) in table.cells(&of.at).enumerate() {
        match Timestamp::parse(cell) {
            Ok(at) => points.push(ForecastPoint {
                at,
                value: values[n],
                lower: lower[n],
                upper: upper[n],
            }),
            Err(problem) => mistakes.add(n, wrong(problem.what, "write times as RFC 3339")),
        }
    }
    mistakes.end()?;
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{Column, Description};
    use serde_json::json;

    fn engine() -> Engine {
        let description = Description {
            name: "line",
            pack: "none",
            title_zh: "",
            title_en: "",
            method: "",
            reference: "",
            version: 3,
            input: &[],
            output: &[
                Column {
                    name: "at",
                    what: "",
                },
                Column {
                    name: "value",
                    what: "",
                },
            ],
            parameters: &[],
        };
        Engine::new(
            description,
            Box::new(|table, _, _| {
                Ok(Output {
                    table: table.clone(),
                    ..Output::default()
                })
            }),
        )
    }

    fn definition() -> Definition {
        serde_json::from_value(json!({
            "id": "stage", "version": 1, "title_zh": "水位", "title_en": "Stage", "engine": "line", "every_minutes": 60,
            "window_hours": 24, "targets": {"entity_type": "WaterObserved", "sql": "SELECT 1"}, "input": {"sql": "SELECT 1"},
            "forecast": {"entity_type": "WaterLevelForecast", "unit": "MTR"}
        }))
        .unwrap()
    }

    fn kind() -> ForecastKind {
        ForecastKind {
            entity_type: "WaterObserved".to_owned(),
            attribute: "waterLevel".to_owned(),
            relation: "refStation".to_owned(),
            series: "waterLevelSeries".to_owned(),
        }
    }

    fn table(columns: &[&str], rows: &[&[&str]]) -> Table {
        let row = |row: &&[&str]| row.iter().map(|cell| (*cell).to_owned()).collect();
        Table {
            rows: rows.iter().map(row).collect(),
            ..Table::of(columns)
        }
    }

    fn told(output: Table) -> Result<Update, Vec<Problem>> {
        let engine = engine();
        let target = EntityId::new("urn:ngsi-ld:WaterObserved:62206900").unwrap();
        let input = table(
            &["stage_m", "quality"],
            &[
                &["28.5", "good"],
                &["28.6", "simulated"],
                &["28.6", "corrected"],
            ],
        );
        let run = Made {
            id: 17,
            due: Timestamp::parse("2026-07-01T08:00:00Z").unwrap(),
            target: &target,
            engine: &engine,
            input: &input,
        };
        let output = Output {
            table: output,
            report: json!({"certainty": 0.9}).as_object().cloned().unwrap(),
        };
        forecast(&definition(), &kind(), run, &output).map(Option::unwrap)
    }

    #[test]
    fn an_outcome_is_a_forecast_that_names_its_run_and_is_no_better_than_what_was_read() {
        let columns = ["at", "value", "lower", "upper"];
        let rows: [&[&str]; 2] = [
            &["2026-07-01T09:00:00Z", "28.7", "28.6", "28.8"],
            &["2026-07-01T10:00:00Z", "28.8", "", ""],
        ];
        let update = told(table(&columns, &rows)).unwrap();
        assert_eq!(
            update.entity_id.as_str(),
            "urn:ngsi-ld:WaterLevelForecast:62206900"
        );
        let [relation, series] = update.attributes.as_slice() else {
            panic!("{update:?}")
        };
        assert_eq!(relation.name.as_str(), "refStation");
        assert_eq!(
            (series.quality, series.observed_at.to_string()),
            (Quality::Simulated, "2026-07-01T08:00:00Z".to_owned())
        );
        let forecast = Forecast::from_value(&series.value).unwrap();
        assert_eq!(
            (forecast.run.as_deref(), forecast.version.as_str()),
            (Some("run-17"), "3")
        );
        assert_eq!((forecast.certainty, forecast.points.len()), (Some(0.9), 2));
        assert_eq!(
            (forecast.points[0].upper, forecast.points[1].upper),
            (Some(28.8), None)
        );
    }

    #[test]
    fn what_has_passed_is_not_foretold() {
        let columns = ["at", "value"];
        let rows: [&[&str]; 3] = [
            &["2026-07-01T07:00:00Z", "28.7"],
            &["2026-07-01T08:00:00Z", "28.8"],
            &["2026-07-01T08:00:00.000001Z", "28.9"],
        ];
        let update = told(table(&columns, &rows)).unwrap();
        let forecast = Forecast::from_value(&update.attributes[1].value).unwrap();
        let values: Vec<f64> = forecast.points.iter().map(|point| point.value).collect();
        assert_eq!(values, [28.9]);
        let problems = told(table(&columns, &rows[..2])).unwrap_err();
        assert_eq!(problems[0].code, "run-nothing-ahead");
    }

    #[test]
    fn what_cannot_be_read_of_an_outcome_is_told_with_its_line() {
        let problems =
            told(table(&["at", "level"], &[&["2026-07-01T09:00:00Z", "1"]])).unwrap_err();
        assert!(problems[0].what.contains("no column value"), "{problems:?}");
        let problems = told(table(&["at", "value"], &[&["tomorrow", "1"]])).unwrap_err();
        assert_eq!(problems[0].place, "outcome:2");
        let rows: [&[&str]; 2] = [
            &["2026-07-01T10:00:00Z", "1"],
            &["2026-07-01T09:00:00Z", "1"],
        ];
        let problems = told(table(&["at", "value"], &rows)).unwrap_err();
        assert_eq!(problems[0].code, "forecast-points");
    }
}
