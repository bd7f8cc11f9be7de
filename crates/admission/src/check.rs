//! The pure part: one update against the catalogue of entity types. Values in another unit of the same
//! dimension are converted, values out of the credible range are kept and marked, wrong types, times
//! and units are refused attribute by attribute, so that one bad attribute never takes its neighbours along.

use model::{
    AttributeKind, AttributeUpdate, Catalogue, EntityKind, Forecast, MissingUnit, Problem, Quality,
    Timestamp, Update, Value, ValueKind, problem::quote, unit,
};

/// Limits of what is believed.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Oldest observation accepted, in seconds before now. Default: ten years.
    pub observed_past_seconds_max: i64,
    /// Observations from the future are accepted up to this many seconds ahead (clocks differ). Default: 300.
    pub observed_future_seconds_max: i64,
    /// Most attributes in one update. Default: 500.
    pub attributes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            observed_past_seconds_max: 10 * 365 * 86_400,
            observed_future_seconds_max: 300,
            attributes_max: 500,
        }
    }
}

/// Checks one update. Gives what remains of it (nothing when no attribute is good) and a problem for
/// each attribute refused.
pub fn admit(
    update: Update,
    catalogue: &Catalogue,
    limits: &Limits,
    now: Timestamp,
) -> (Option<Update>, Vec<Problem>) {
    let kind = catalogue.kinds.get(update.entity_type.as_str());
    let checked = admit_as(update, kind, catalogue, limits, now);
    (checked.good, checked.bad)
}

/// What became of one update.
pub(crate) struct Checked {
    /// What remains of it.
    pub good: Option<Update>,
    /// Why the rest was refused.
    pub bad: Vec<Problem>,
    /// Whether it speaks of a personal attribute, good or bad.
    pub is_personal: bool,
}

/// [`admit`] with the entity type's declaration at hand.
pub(crate) fn admit_as(
    update: Update,
    kind: Option<&EntityKind>,
    catalogue: &Catalogue,
    limits: &Limits,
    now: Timestamp,
) -> Checked {
    let Update {
        entity_id,
        entity_type,
        mut attributes,
    } = update;
    if attributes.len() > limits.attributes_max {
        let problem = Problem::new(
            "too-many-attributes",
            format!("{} attributes in one update", attributes.len()),
            entity_id.as_str(),
            format!(
                "send at most {} (admission.attributes_max)",
                limits.attributes_max
            ),
        );
        return Checked {
            good: None,
            bad: vec![problem],
            is_personal: crate::seal::names_personal(kind, &attributes),
        };
    }
    let mut problems = Vec::new();
    let mut is_personal = false;
    attributes.retain_mut(|attribute| {
        let declared = kind.and_then(|k| k.attributes.get(attribute.name.as_str()));
        let closed = kind.is_some_and(|k| !k.open);
        is_personal |= declared.is_some_and(|d| d.personal.is_some());
        let checked = check_attribute(attribute, declared, closed, limits, now);
        match checked.and_then(|()| check_forecast(attribute, kind, catalogue)) {
            Ok(()) => true,
            Err(mut problem) => {
                problem.place = format!("{entity_id} {}", attribute.name);
                problems.push(problem);
                false
            }
        }
    });
    if attributes.is_empty() {
        if problems.is_empty() {
            problems.push(Problem::new(
                "no-attributes",
                "the update says nothing: it has no attributes",
                entity_id.as_str(),
                "send at least one attribute besides id and type",
            ));
        }
        return Checked {
            good: None,
            bad: problems,
            is_personal,
        };
    }
    Checked {
        good: Some(Update {
            entity_id,
            entity_type,
            attributes,
        }),
        bad: problems,
        is_personal,
    }
}

fn check_attribute(
    attribute: &mut AttributeUpdate,
    declared: Option<&AttributeKind>,
    closed: bool,
    limits: &Limits,
    now: Timestamp,
) -> Result<(), Problem> {
    check_time(attribute.observed_at, limits, now)?;
    if let Value::Number(n) = attribute.value {
        Value::number(n)?;
    }
    let unit_could_be_told = attribute.quality != Quality::UnitAssumed;
    if !unit_could_be_told {
        // Set again below when a declared unit is assumed; nothing is assumed of a number that has none.
        attribute.quality = Quality::Good;
    }
    let is_personal = declared.is_some_and(|d| d.personal.is_some());
    if !is_personal
        && let Value::Text(text) = &attribute.value
        && personal::is_sealed(text)
    {
        // Whoever could store such a text would have the platform believe that it sealed it.
        return Err(Problem::new(
            "text-reserved",
            "the text begins as sealed personal values do",
            "",
            "begin it with another word",
        ));
    }
    let Some(declared) = declared else {
        if closed {
            return Err(Problem::new(
                "unknown-attribute",
                format!("{} is not declared for this type", attribute.name),
                "",
                "use a declared attribute, or declare it in the pack's entities/",
            ));
        }
        return normalise_unit(attribute);
    };
    if attribute.value == Value::Deleted {
        return Ok(());
    }
    let fits = matches!(
        (declared.value, &attribute.value),
        (ValueKind::Number, Value::Number(_))
            | (ValueKind::Text, Value::Text(_))
            | (ValueKind::Boolean, Value::Boolean(_))
            | (ValueKind::Geometry, Value::Geometry(_))
            | (ValueKind::Relationship, Value::Relationship(_))
            | (ValueKind::Json, _)
    );
    if !fits {
        // What a problem says is kept and shown; a personal value is not.
        let told = match is_personal {
            true => "of another type".to_owned(),
            false => shown(&attribute.value),
        };
        return Err(Problem::new(
            "wrong-type",
            format!("the value is {told}, not {:?}", declared.value),
            "",
            format!("send a value of type {:?}", declared.value).to_lowercase(),
        ));
    }
    if let Value::Number(n) = attribute.value {
        let number = to_declared_unit(n, attribute, declared, unit_could_be_told)?;
        attribute.value = Value::Number(number);
    }
    if let Value::Number(n) = attribute.value {
        let low = declared.min.is_some_and(|min| n < min);
        let high = declared.max.is_some_and(|max| n > max);
        if low || high {
            attribute.quality = attribute.quality.max(Quality::OutOfRange);
        }
    }
    Ok(())
}

/// A forecast run is read, and stored in the unit of what it forecasts; one that makes no sense is refused whole.
fn check_forecast(
    attribute: &mut AttributeUpdate,
    kind: Option<&EntityKind>,
    catalogue: &Catalogue,
) -> Result<(), Problem> {
    let Some(declared) = kind.and_then(|kind| kind.forecast.as_ref()) else {
        return Ok(());
    };
    if attribute.name.as_str() != declared.series || attribute.value == Value::Deleted {
        return Ok(());
    }
    let mut run = Forecast::from_value(&attribute.value)?;
    let Some(of) = catalogue.attribute(&declared.entity_type, &declared.attribute) else {
        return Ok(());
    };
    if let Some(wanted) = of.unit.as_deref().and_then(unit::find) {
        let given = match run.unit.as_deref() {
            Some(text) => unit::find(text).ok_or_else(|| {
                Problem::new(
                    "unknown-unit",
                    format!("\"{}\" is not a unit", quote(text)),
                    "",
                    format!("send the UN/CEFACT code \"{}\"", wanted.code),
                )
            })?,
            None if of.unit_missing == MissingUnit::Reject => {
                return Err(Problem::new(
                    "missing-unit",
                    "the run does not say in which unit its numbers are",
                    "",
                    format!("add \"unit\": \"{}\"", wanted.code),
                ));
            }
            None => {
                attribute.quality = attribute.quality.max(Quality::UnitAssumed);
                wanted
            }
        };
        if unit::convert(0.0, given, wanted).is_none() {
            return Err(Problem::new(
                "wrong-unit",
                format!(
                    "{} measures {}, not {}",
                    given.symbols[0], given.dimension, wanted.dimension
                ),
                "",
                format!("send the run in \"{}\"", wanted.code),
            ));
        }
        if given.code != wanted.code {
            run = run.mapped(|n| unit::convert(n, given, wanted).unwrap_or(n));
        }
        run.unit = Some(wanted.code.to_owned());
    }
    if run.leaves(of.min, of.max) {
        attribute.quality = attribute.quality.max(Quality::OutOfRange);
    }
    attribute.value = run.to_value()?;
    Ok(())
}

fn check_time(observed_at: Timestamp, limits: &Limits, now: Timestamp) -> Result<(), Problem> {
    let earliest = now.plus_seconds(-limits.observed_past_seconds_max);
    let latest = now.plus_seconds(limits.observed_future_seconds_max);
    if observed_at < earliest || observed_at > latest {
        return Err(Problem::new(
            "time-out-of-range",
            format!("observed at {observed_at}, which is not between {earliest} and {latest}"),
            "",
            "set the device's clock, or widen admission.observed_past_days_max / admission.observed_future_seconds_max",
        ));
    }
    Ok(())
}

/// An undeclared attribute keeps its unit as it came, as a common code where the unit is known.
fn normalise_unit(attribute: &mut AttributeUpdate) -> Result<(), Problem> {
    if let Some(given) = &attribute.unit
        && let Some(known) = unit::find(given)
        && known.code != given
    {
        attribute.unit = Some(known.code.to_owned());
    }
    Ok(())
}

fn to_declared_unit(
    number: f64,
    attribute: &mut AttributeUpdate,
    declared: &AttributeKind,
    unit_could_be_told: bool,
) -> Result<f64, Problem> {
    let Some(wanted_code) = &declared.unit else {
        normalise_unit(attribute)?;
        return Ok(number);
    };
    // The usual case: nothing to look up, nothing to convert.
    if attribute.unit.as_ref() == Some(wanted_code) {
        return Ok(number);
    }
    // The pack loader has checked that every declared unit is known.
    let Some(wanted) = unit::find(wanted_code) else {
        return Ok(number);
    };
    let Some(given_text) = &attribute.unit else {
        return match declared.unit_missing {
            MissingUnit::Reject if unit_could_be_told => Err(Problem::new(
                "missing-unit",
                format!("{} has no unit", model::problem::number(number)),
                "",
                format!(
                    "send unitCode \"{}\" ({}) or another unit of {}",
                    wanted.code, wanted.symbols[0], wanted.dimension
                ),
            )),
            MissingUnit::Assume | MissingUnit::Reject => {
                attribute.unit = Some(wanted.code.to_owned());
                attribute.quality = attribute.quality.max(Quality::UnitAssumed);
                Ok(number)
            }
        };
    };
    let Some(given) = unit::find(given_text) else {
        return Err(Problem::new(
            "unknown-unit",
            format!("\"{}\" is not a unit", quote(given_text)),
            "",
            format!(
                "send the UN/CEFACT code \"{}\" ({})",
                wanted.code, wanted.symbols[0]
            ),
        ));
    };
    let converted = unit::convert(number, given, wanted).ok_or_else(|| {
        Problem::new(
            "wrong-unit",
            format!(
                "{} measures {}, not {}",
                given.symbols[0], given.dimension, wanted.dimension
            ),
            "",
            format!(
                "send the value in {} (\"{}\")",
                wanted.symbols[0], wanted.code
            ),
        )
    })?;
    attribute.unit = Some(wanted.code.to_owned());
    Ok(converted)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Number(n) => format!("the number {}", model::problem::number(*n)),
        Value::Boolean(b) => format!("{b}"),
        Value::Text(t) => format!("the text \"{}\"", quote(t)),
        Value::Geometry(_) => "a geometry".to_owned(),
        Value::Relationship(id) => format!("the relationship {id}"),
        Value::Json(j) => format!("the JSON {}", quote(j)),
        Value::Deleted => "null".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{AttributeName, EntityId, TypeName};

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

    fn catalogue(missing: MissingUnit) -> Catalogue {
        let level = AttributeKind {
            value: ValueKind::Number,
            title_zh: "水位".into(),
            title_en: "Stage".into(),
            unit: Some("MTR".into()),
            unit_missing: missing,
            min: Some(0.0),
            max: Some(60.0),
            personal: None,
            mask: None,
        };
        let kind = EntityKind {
            name: "WaterObserved".into(),
            title_zh: "水情".into(),
            title_en: "Water".into(),
            source: None,
            standard: None,
            attributes: [("waterLevel".to_owned(), level)].into(),
            open: true,
            history: None,
            heard_within_seconds: None,
            data_subject: None,
            forecast: None,
            affected: None,
            commands: Default::default(),
        };
        Catalogue {
            kinds: [("WaterObserved".to_owned(), kind)].into(),
            ..Catalogue::default()
        }
    }

    fn update(value: Value, unit: Option<&str>, observed_at: Timestamp) -> Update {
        Update {
            entity_id: EntityId::new("urn:ngsi-ld:WaterObserved:1").unwrap(),
            entity_type: TypeName::new("WaterObserved").unwrap(),
            attributes: vec![AttributeUpdate {
                name: AttributeName::new("waterLevel").unwrap(),
                value,
                unit: unit.map(str::to_owned),
                observed_at,
                quality: Quality::Good,
            }],
        }
    }

    fn one(
        value: Value,
        unit: Option<&str>,
        at: Timestamp,
        missing: MissingUnit,
    ) -> Result<AttributeUpdate, Problem> {
        match admit(
            update(value, unit, at),
            &catalogue(missing),
            &Limits::default(),
            NOW,
        ) {
            (Some(mut u), _) => Ok(u.attributes.remove(0)),
            (None, mut problems) => Err(problems.remove(0)),
        }
    }

    #[test]
    fn a_unit_of_the_same_dimension_is_converted() {
        let a = one(Value::Number(2_931.0), Some("cm"), NOW, MissingUnit::Reject).unwrap();
        assert_eq!(a.unit.as_deref(), Some("MTR"));
        assert!((a.value.as_number().unwrap() - 29.31).abs() < 1e-9);
        assert_eq!(a.quality, Quality::Good);
    }

    #[test]
    fn a_missing_unit_is_assumed_or_refused_as_declared() {
        let assumed = one(Value::Number(29.0), None, NOW, MissingUnit::Assume).unwrap();
        assert_eq!(
            (assumed.unit.as_deref(), assumed.quality),
            (Some("MTR"), Quality::UnitAssumed)
        );
        let refused = one(Value::Number(29.0), None, NOW, MissingUnit::Reject).unwrap_err();
        assert_eq!(refused.code, "missing-unit");
        assert!(refused.mend.contains("MTR"), "{refused}");
        assert_eq!(refused.place, "urn:ngsi-ld:WaterObserved:1 waterLevel");
    }

    #[test]
    fn a_form_without_a_place_for_a_unit_is_not_refused() {
        let bare = |quality, kind: &Catalogue| {
            let mut u = update(Value::Number(29.0), None, NOW);
            u.attributes[0].quality = quality;
            let (kept, problems) = admit(u, kind, &Limits::default(), NOW);
            assert_eq!(problems, vec![]);
            let a = kept.unwrap().attributes.remove(0);
            (a.unit, a.quality)
        };
        let required = catalogue(MissingUnit::Reject);
        let assumed = (Some("MTR".to_owned()), Quality::UnitAssumed);
        assert_eq!(bare(Quality::UnitAssumed, &required), assumed);
        // Where no unit is declared, nothing is assumed.
        let mut unitless = required.clone();
        let kind = unitless.kinds.get_mut("WaterObserved").unwrap();
        kind.attributes.get_mut("waterLevel").unwrap().unit = None;
        let good = (None, Quality::Good);
        assert_eq!(bare(Quality::UnitAssumed, &unitless), good);
        assert_eq!(bare(Quality::UnitAssumed, &Catalogue::default()), good);
    }

    #[test]
    fn bad_units_types_numbers_and_times_are_told() {
        let at = |text| Timestamp::parse(text).unwrap();
        for (value, unit, time, code) in [
            (Value::Number(1.0), Some("parsec"), NOW, "unknown-unit"),
            (Value::Number(1.0), Some("kPa"), NOW, "wrong-unit"),
            (Value::Text("high".into()), Some("MTR"), NOW, "wrong-type"),
            (
                Value::Number(f64::NAN),
                Some("MTR"),
                NOW,
                "number-not-finite",
            ),
            (
                Value::Number(1.0),
                Some("MTR"),
                at("1970-01-01T00:00:00Z"),
                "time-out-of-range",
            ),
            (
                Value::Number(1.0),
                Some("MTR"),
                at("2099-01-01T00:00:00Z"),
                "time-out-of-range",
            ),
        ] {
            let problem = one(value, unit, time, MissingUnit::Assume).unwrap_err();
            assert_eq!(problem.code, code);
            assert!(!problem.mend.is_empty());
        }
    }

    #[test]
    fn out_of_range_is_kept_and_marked() {
        let a = one(Value::Number(812.0), Some("m"), NOW, MissingUnit::Reject).unwrap();
        assert_eq!(a.quality, Quality::OutOfRange);
        assert_eq!(a.value, Value::Number(812.0));
    }

    #[test]
    fn a_forecast_run_is_read_and_stored_in_the_unit_of_what_it_forecasts() {
        let mut declared = catalogue(MissingUnit::Reject);
        let run = model::ForecastKind {
            entity_type: "WaterObserved".into(),
            attribute: "waterLevel".into(),
            relation: "refStation".into(),
            series: "run".into(),
        };
        let kind = EntityKind {
            name: "WaterLevelForecast".into(),
            attributes: [].into(),
            forecast: Some(run),
            ..declared.kinds["WaterObserved"].clone()
        };
        declared.kinds.insert(kind.name.clone(), kind);
        let told = |unit: &str, value: &str| {
            let mut u = update(Value::Deleted, None, NOW);
            u.entity_type = TypeName::new("WaterLevelForecast").unwrap();
            u.attributes[0].name = AttributeName::new("run").unwrap();
            u.attributes[0].value = Value::Json(format!(
                r#"{{"method":"m","version":"1",{unit}"points":[{{"at":"2026-11-20T00:00:00Z",{value}}}]}}"#
            ));
            let (good, mut bad) = admit(u, &declared, &Limits::default(), NOW);
            match good {
                Some(mut good) => Ok(good.attributes.remove(0)),
                None => Err(bad.remove(0).code),
            }
        };
        let admitted = told(r#""unit":"cm","#, r#""value":2931"#).unwrap();
        let read = Forecast::from_value(&admitted.value).unwrap();
        assert_eq!(read.unit.as_deref(), Some("MTR"));
        assert!((read.points[0].value - 29.31).abs() < 1e-9);
        assert_eq!(admitted.quality, Quality::Good);
        let high = told(r#""unit":"MTR","#, r#""value":61"#).unwrap();
        assert_eq!(high.quality, Quality::OutOfRange);
        let wide = r#""value":59,"lower":58,"upper":61"#;
        assert_eq!(
            told(r#""unit":"MTR","#, wide).unwrap().quality,
            Quality::Good
        );
        for (unit, value, code) in [
            ("", r#""value":29"#, "missing-unit"),
            (r#""unit":"kPa","#, r#""value":29"#, "wrong-unit"),
            (r#""unit":"parsec","#, r#""value":29"#, "unknown-unit"),
            (r#""unit":"MTR","#, r#""value":"high""#, "forecast-shape"),
            (
                r#""unit":"MTR","#,
                r#""value":29,"lower":30,"upper":31"#,
                "forecast-interval",
            ),
        ] {
            assert_eq!(told(unit, value), Err(code.to_owned()), "{unit}{value}");
        }
    }

    #[test]
    fn a_bad_attribute_leaves_its_neighbour() {
        let mut u = update(Value::Text("x".into()), None, NOW);
        u.attributes.push(AttributeUpdate {
            name: AttributeName::new("battery").unwrap(),
            value: Value::Number(0.9),
            unit: None,
            observed_at: NOW,
            quality: Quality::Good,
        });
        let (kept, problems) = admit(u, &catalogue(MissingUnit::Assume), &Limits::default(), NOW);
        assert_eq!(kept.unwrap().attributes.len(), 1);
        assert_eq!(problems.len(), 1);
    }
}
