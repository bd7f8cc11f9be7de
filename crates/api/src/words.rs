//! The closed lists of words that the API answers with, so that its description names each word and a
//! client's compiler knows them. Each list is made from the crate that owns it: a word more there does not
//! compile here until it is listed. (States and actions of cases are no such lists: workflows declare them.)

use indicators::assessment::Outcome as Outcomes;
use indicators::proof::Lead as Leads;
use indicators::{
    Direction as Directions, Method as Methods, Origin as Origins, Status as Statuses,
    Towns as TownsWords,
};
use lake::ColumnKind;
use model::{
    MissingUnit as MissingUnits, Personal as PersonalKinds, Quality as Qualities,
    ValueKind as ValueKinds,
};
use pack::IsolineMethod as IsolineMethods;
use pack::declare::ContradictionKind as Contradictions;
use serde::Serialize;
use utoipa::ToSchema;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident of $owner:ident { $($(#[$word_doc:meta])* $word:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$word_doc])* $word,)*
        }

        impl From<$owner> for $name {
            fn from(word: $owner) -> Self {
                match word {
                    $($owner::$word => Self::$word,)*
                }
            }
        }
    };
}

words! {
    /// How good a value is.
    Quality of Qualities {
        /// As measured, within the attribute's range.
        Good,
        /// The message gave no unit: the declared one was assumed.
        UnitAssumed,
        /// Reported by a person, not measured.
        Reported,
        /// Played by the simulator.
        Simulated,
        /// The device itself says that it is doubtful.
        Uncertain,
        /// Outside the declared range: kept and shown, but rules and indicators leave it out.
        OutOfRange,
        /// Put right by a person afterwards.
        Corrected,
    }
}

words! {
    /// What an attribute holds.
    ValueKind of ValueKinds {
        /// A finite number.
        Number,
        /// Text.
        Text,
        /// True or false.
        Boolean,
        /// A place.
        Geometry,
        /// Another entity.
        Relationship,
        /// Any JSON.
        Json,
    }
}

words! {
    /// What an attribute says of a person.
    Personal of PersonalKinds {
        /// Personal information.
        Personal,
        /// Sensitive personal information.
        Sensitive,
    }
}

words! {
    /// What is done with a number that comes without its unit.
    MissingUnit of MissingUnits {
        /// The declared unit is assumed.
        Assume,
        /// The message is refused.
        Reject,
    }
}

words! {
    /// How the value between stations is reckoned, where lines of equal value are drawn.
    IsolineMethod of IsolineMethods {
        /// The mean of the stations, each weighed by its distance to a power, upside down.
        InverseDistance,
    }
}

words! {
    /// The type of a column.
    ColumnType of ColumnKind {
        /// Text.
        Text,
        /// A 64-bit floating point number.
        Number,
        /// A whole number.
        Integer,
        /// True or false.
        Boolean,
        /// A moment, RFC 3339 text in UTC.
        Time,
        /// What a clock shows, text without a zone.
        Clock,
        /// JSON.
        Json,
    }
}

words! {
    /// Where a goal is from.
    Origin of Origins {
        /// A row of the plan's table.
        Table,
        /// A quantified goal of the plan's text.
        Text,
        /// The platform's own.
        Platform,
    }
}

words! {
    /// Whether more or less is better.
    Direction of Directions {
        /// More is better.
        More,
        /// Less is better.
        Less,
    }
}

words! {
    /// How an indicator's value comes about.
    Method of Methods {
        /// Computed from the platform's own data.
        Computed,
        /// Reported by a person with evidence.
        Reported,
    }
}

words! {
    /// How an indicator stands.
    IndicatorStatus of Statuses {
        /// The target is reached.
        Met,
        /// Not yet, but at or ahead of the path.
        OnPath,
        /// Worse than the path.
        Behind,
        /// No value, or nothing to compare it with.
        Unknown,
    }
}

words! {
    /// What came of an indicator when its target year was over.
    IndicatorOutcome of Outcomes {
        /// The target was reached at the year's end.
        Met,
        /// It was not.
        NotMet,
        /// There is no value at or before the year's end.
        NoValue,
    }
}

words! {
    /// How the city's value follows from those of its towns.
    TownAggregation of TownsWords {
        /// It is their sum.
        Sum,
        /// It is their mean.
        Mean,
        /// It does not follow from them.
        None,
    }
}

words! {
    /// What a cell of the rows behind a figure leads to.
    Lead of Leads {
        /// The message as it was received, by its place in the journal.
        Message,
        /// A thing of the city.
        Entity,
        /// A device.
        Device,
        /// A reported figure, with its way and its files.
        Report,
        /// A case.
        Case,
        /// A key project.
        Project,
        /// An alert.
        Alert,
        /// A form that was handed in: its id, the code of the town or village and the period, with slashes between.
        Form,
    }
}

words! {
    /// What is wrong with the plan there.
    ContradictionKind of Contradictions {
        /// Two places that cannot both hold.
        Contradiction,
        /// A figure that makes no sense for such a city.
        Implausible,
        /// Words that can be read in two ways, with different results.
        Ambiguous,
    }
}

/// How grave an alert or a case is, from least to worst: the words of [`cases::SEVERITIES`], which records
/// keep as text; it stands in the description for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// To know.
    Info,
    /// To mend soon.
    Minor,
    /// To mend now.
    Major,
    /// Danger.
    Critical,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_those_of_cases() {
        let words = [
            Severity::Info,
            Severity::Minor,
            Severity::Major,
            Severity::Critical,
        ];
        let words = words.map(|word| serde_json::json!(word));
        assert_eq!(
            serde_json::json!(words),
            serde_json::json!(cases::SEVERITIES)
        );
    }

    #[test]
    fn words_are_those_of_their_owners() {
        // Serde's names and the owners' `as_str` are written apart; what a client reads must be the same.
        for quality in Qualities::ALL {
            assert_eq!(serde_json::json!(Quality::from(quality)), quality.as_str());
        }
        for status in [
            Statuses::Met,
            Statuses::OnPath,
            Statuses::Behind,
            Statuses::Unknown,
        ] {
            assert_eq!(
                serde_json::json!(IndicatorStatus::from(status)),
                status.as_str()
            );
        }
    }
}
