//! The way from a figure to what proves it: a column of the rows behind a figure leads further by its name, to the stored message, the
//! thing, or the record that a person made. A query that asks for rows gives at least one such column.

/// What a cell of the rows behind a figure leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lead {
    /// The message as it was received, by its place in the journal.
    Message,
    /// A thing of the city, with where each of its values comes from.
    Entity,
    /// A device, with what it said.
    Device,
    /// A reported figure, with who reported and approved it and the files that prove it. Nobody sent a message.
    Report,
    /// A case, with its history and files. It has no message: people open and handle it.
    Case,
    /// A key project, with who kept what of it. It has no message either.
    Project,
    /// An alert, with the reading that raised it.
    Alert,
    /// A form that was handed in, with where each of its values came from.
    Form,
}

/// The columns that lead further. `form_return` is a form's id, the code of the town or village and the period, with slashes between.
pub const LEADS: [(&str, Lead); 8] = [
    ("journal_position", Lead::Message),
    ("entity_id", Lead::Entity),
    ("device_id", Lead::Device),
    ("filing_id", Lead::Report),
    ("case_id", Lead::Case),
    ("project_id", Lead::Project),
    ("alert_id", Lead::Alert),
    ("form_return", Lead::Form),
];

impl Lead {
    /// What a column leads to.
    pub fn of(column: &str) -> Option<Self> {
        let found = LEADS.iter().find(|(name, _)| *name == column);
        found.map(|(_, lead)| *lead)
    }

    /// Whether a message in the journal lies behind it: what people wrote down has none.
    pub const fn has_message(self) -> bool {
        matches!(
            self,
            Self::Message | Self::Entity | Self::Device | Self::Alert
        )
    }
}
