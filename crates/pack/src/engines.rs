//! The engines (计算引擎) over what packs declare: indicators' paths and alert rules, run over a table from a file instead of over the
//! city's data. Those of a pack's own mathematics are in its crate.

mod alerts;

use crate::packs::Packs;
use engine::{Column, Description, Engine, Mistakes, Output, Parameters, Table, wrong};
use model::Problem;
use model::problem::quote;

/// Takes the cells of one row after the other, as the input's columns are declared, and gives the engine's own.
type Rows<'a> = Box<dyn FnMut(&[&str]) -> Result<Vec<String>, Problem> + 'a>;

const PLAN_STATUS: Description = Description {
    name: "plan-status",
    pack: "pack-plan",
    title_zh: "规划指标对照路径的状态",
    title_en: "Where an indicator stands against its path",
    method: "The value expected on a day lies on the straight line through the plan's points (or stands still between them, as the \
                 indicator's path says); the status compares the value with it: crates/indicators/src/path.rs",
    reference: "",
    version: 1,
    input: &[
        Column {
            name: "indicator",
            what: "the indicator's id, such as charging-stations",
        },
        Column {
            name: "day",
            what: "a day of the city's calendar, YYYY-MM-DD",
        },
        Column {
            name: "value",
            what: "the value on that day, in the indicator's unit; empty when it is not known",
        },
    ],
    output: &[
        Column {
            name: "expected",
            what: "the value that the path expects, in the same unit; empty while nothing is expected",
        },
        Column {
            name: "status",
            what: "met, on_path, behind or unknown",
        },
    ],
    parameters: &[],
};

/// The engines over what packs declare.
pub fn engines() -> Vec<Engine> {
    vec![
        by_rows(PLAN_STATUS, plan_statuses),
        by_rows(alerts::DESCRIPTION, alerts::begin),
    ]
}

/// An engine that judges row by row by the packs that the binary carries: each row gets the engine's columns behind its own.
fn by_rows(
    description: Description,
    begin: fn(&Packs) -> Result<Rows<'_>, Vec<Problem>>,
) -> Engine {
    let run = move |table: &Table, _: &Parameters, place: &str| -> Result<Output, Vec<Problem>> {
        let packs = Packs::load_all(crate::embedded(), None)?;
        let mut rows = begin(&packs)?;
        let columns = description.input.iter();
        let columns: Vec<Option<usize>> = columns.map(|c| table.position(c.name)).collect();
        let mut out = table.clone();
        let names = description.output.iter().map(|c| c.name.to_owned());
        out.columns.extend(names);
        let mut mistakes = Mistakes::new(place);
        for (n, row) in out.rows.iter_mut().enumerate() {
            let cell = |at: &Option<usize>| at.and_then(|at| row.get(at)).map_or("", |c| c.trim());
            let cells: Vec<&str> = columns.iter().map(cell).collect();
            match rows(&cells) {
                Ok(more) => row.extend(more),
                Err(problem) => mistakes.add(n, problem),
            }
            if mistakes.is_full() {
                break;
            }
        }
        mistakes.end()?;
        Ok(Output {
            table: out,
            ..Output::default()
        })
    };
    Engine::new(description, Box::new(run))
}

fn plan_statuses(packs: &Packs) -> Result<Rows<'_>, Vec<Problem>> {
    Ok(Box::new(move |cells: &[&str]| plan_status(packs, cells)))
}

fn plan_status(packs: &Packs, cells: &[&str]) -> Result<Vec<String>, Problem> {
    let &[id, day, value] = cells else {
        return Err(wrong("the row is too short", "give it every column"));
    };
    let indicator = packs.indicators.iter().find(|i| i.id == id);
    let indicator = indicator.ok_or_else(|| {
        wrong(
            format!("there is no indicator {}", quote(id)),
            "take an id from the plan's page",
        )
    })?;
    let day = day.parse::<jiff::civil::Date>().map_err(|_| {
        wrong(
            format!("{} is no day", quote(day)),
            "write it as YYYY-MM-DD",
        )
    })?;
    let value = match value {
        "" => None,
        text => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Some(number),
            _ => {
                return Err(wrong(
                    format!("{} is no number", quote(text)),
                    "write a number without its unit, or leave it empty",
                ));
            }
        },
    };
    let expected = indicator.expected(day);
    let status = indicator.status(value, day);
    Ok(vec![
        expected
            .map(|number| number.to_string())
            .unwrap_or_default(),
        status.as_str().to_owned(),
    ])
}
