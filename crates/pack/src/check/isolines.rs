//! What must fit together in a view's lines of equal value.

use super::Checker;
use crate::document::Document;
use crate::isolines::{
    Isolines, LEVELS_MAX, MINUTES_MAX, POWERS, RADIUS_KM_MAX, STATIONS_LEAST, STATIONS_MOST,
};
use model::problem::quote;
use model::{EntityKind, ValueKind};

impl Checker<'_> {
    pub(super) fn isolines(&mut self, isolines: &Isolines, kind: &EntityKind, document: &Document) {
        let at = |key: &str| document.at_dotted(&format!("layer.isolines.{key}"));
        let declared = kind.attributes.get(&isolines.attribute);
        // What is sealed is shown masked: there is nothing to reckon with.
        if declared.is_some_and(|a| a.value != ValueKind::Number || a.personal.is_some()) {
            self.say(
                at("attribute"),
                "view-isolines-kind",
                format!(
                    "{} has no lines of equal value: it is no number, or a personal one",
                    quote(&isolines.attribute)
                ),
                "name an attribute that holds a number and says nothing of a person",
            );
        }
        let age = (1..=MINUTES_MAX).contains(&isolines.minutes_max);
        let far = isolines.radius_km_max > 0.0 && isolines.radius_km_max <= RADIUS_KM_MAX;
        let stations = (STATIONS_LEAST..=STATIONS_MOST).contains(&isolines.stations_min);
        let (powers_from, powers_to) = (POWERS.start(), POWERS.end());
        for (good, key, range) in [
            (age, "minutes_max", format!("1 to {MINUTES_MAX}")),
            (
                far,
                "radius_km_max",
                format!("above 0, at most {RADIUS_KM_MAX}"),
            ),
            (
                stations,
                "stations_min",
                format!("{STATIONS_LEAST} to {STATIONS_MOST}"),
            ),
            (
                POWERS.contains(&isolines.power),
                "power",
                format!("{powers_from} to {powers_to}"),
            ),
        ] {
            if !good {
                self.say(
                    at(key),
                    "view-isolines-limit",
                    format!("{key} is {range}"),
                    "write a number of that range",
                );
            }
        }
        self.levels(isolines, kind, document);
    }

    fn levels(&mut self, isolines: &Isolines, kind: &EntityKind, document: &Document) {
        if !(1..=LEVELS_MAX).contains(&isolines.levels.len()) {
            self.say(
                document.at_dotted("layer.isolines"),
                "view-isolines-levels",
                format!("there are 1 to {LEVELS_MAX} levels"),
                "write [[layer.isolines.levels]] with the value from which each band is filled",
            );
        }
        let ramp = isolines.ramp.map(|ramp| ramp.colours().len());
        if ramp.is_some_and(|colours| isolines.levels.len() > colours) {
            self.say(
                document.at_dotted("layer.isolines.ramp"),
                "view-isolines-colours",
                "the ramp has fewer colours than there are levels".into(),
                "take levels away, or give each its own colour in place of the ramp",
            );
        }
        let declared = kind.attributes.get(&isolines.attribute);
        let least = declared.and_then(|a| a.min).unwrap_or(f64::MIN);
        let most = declared.and_then(|a| a.max).unwrap_or(f64::MAX);
        let mut before = f64::NEG_INFINITY;
        for (n, level) in isolines.levels.iter().enumerate() {
            let path = format!("layer.isolines.levels.{n}");
            if level.value <= before || !(least..=most).contains(&level.value) {
                self.say(
                    document.at_dotted(&format!("{path}.value")),
                    "view-isolines-levels",
                    format!(
                        "{} is not above the level before it, or outside the attribute's range",
                        level.value
                    ),
                    "put the levels in ascending order, within the attribute's min and max",
                );
            }
            before = level.value;
            if !(level.title_zh.is_empty() && level.title_en.is_empty()) {
                let keys: Vec<&str> = path.split('.').collect();
                self.both_titles(document, &keys, &level.title_zh, &level.title_en);
            }
            let place = || document.at_dotted(&format!("{path}.colour"));
            match (&level.colour, ramp) {
                (Some(colour), None) => self.colour(colour, place),
                (None, Some(_)) => {}
                _ => self.say(
                    place(),
                    "view-isolines-colours",
                    "the bands have the colours of a ramp, or each its own".into(),
                    "name a ramp (rain, blues, reds), or give every level a colour; not both",
                ),
            }
        }
    }
}
