//! What must fit together in a pack's views.

use super::Checker;
use crate::declare::{Board, Choice, EntryForm, View};
use crate::document::Document;
use model::problem::quote;
use model::{EntityKind, ValueKind};
use std::collections::BTreeSet;

impl Checker<'_> {
    pub(super) fn views(&mut self) {
        for (view, document) in self.pack.views.iter().zip(self.under("views/")) {
            self.both_titles(document, &[], &view.title_zh, &view.title_en);
            let Some(kind) = self
                .pack
                .kinds
                .iter()
                .find(|kind| kind.name == view.entity_type)
            else {
                self.say(
                    document.at(&["entity_type"]),
                    "view-unknown-type",
                    format!(
                        "the pack declares no entity type {}",
                        quote(&view.entity_type)
                    ),
                    "name one of the entities folder",
                );
                continue;
            };
            self.view_attributes(view, kind, document);
            if let Some(form) = &view.form {
                self.form(form, kind, document);
            }
            if let Some(board) = &view.board {
                self.board(board, kind, document);
            }
            if let Some(layer) = &view.layer {
                let good = layer.colour.strip_prefix('#').is_some_and(|hex| {
                    hex.len() == 6 && hex.chars().all(|c| c.is_ascii_hexdigit())
                });
                if !good {
                    self.say(
                        document.at(&["layer", "colour"]),
                        "view-colour",
                        format!("{} is no colour", quote(&layer.colour)),
                        "write #rrggbb",
                    );
                }
                if layer.zoom_min > 22 {
                    self.say(
                        document.at(&["layer", "zoom_min"]),
                        "view-zoom",
                        format!("there is no zoom {}", layer.zoom_min),
                        "use 0 to 22",
                    );
                }
            }
        }
    }

    fn view_attributes(&mut self, view: &View, kind: &EntityKind, document: &Document) {
        let mut named: Vec<(String, &str)> = Vec::new();
        if let Some(attribute) = view.layer.as_ref().and_then(|l| l.attribute.as_ref()) {
            named.push(("layer.attribute".into(), attribute));
        }
        for (n, column) in view.table.iter().flat_map(|t| t.columns.iter().enumerate()) {
            named.push((format!("table.columns.{n}"), column));
        }
        for (n, attribute) in view
            .chart
            .iter()
            .flat_map(|c| c.attributes.iter().enumerate())
        {
            named.push((format!("chart.attributes.{n}"), attribute));
        }
        for (n, attribute) in view.chart.iter().flat_map(|c| c.limits.iter().enumerate()) {
            named.push((format!("chart.limits.{n}"), attribute));
        }
        let fields = view.form.iter().flat_map(|f| f.fields.iter().enumerate());
        for (n, field) in fields {
            named.push((format!("form.fields.{n}.attribute"), &field.attribute));
        }
        if let Some(board) = &view.board {
            named.push(("board.attribute".into(), &board.attribute));
            for (n, attribute) in board.card.iter().enumerate() {
                named.push((format!("board.card.{n}"), attribute));
            }
        }
        for (key, name) in named {
            if !kind.attributes.contains_key(name) {
                self.say(
                    document.at_dotted(&key),
                    "view-unknown-attribute",
                    format!("{} has no attribute {}", kind.name, quote(name)),
                    "name a declared attribute",
                );
            }
        }
        if let Some(chart) = &view.chart {
            let units: Vec<_> = chart
                .attributes
                .iter()
                .chain(&chart.limits)
                .filter_map(|name| kind.attributes.get(name))
                .map(|attribute| &attribute.unit)
                .collect();
            if units.windows(2).any(|pair| pair[0] != pair[1]) {
                self.say(
                    document.at(&["chart"]),
                    "view-units",
                    "the chart's attributes are not in one unit".into(),
                    "make two views of them",
                );
            }
        }
    }

    fn form(&mut self, form: &EntryForm, kind: &EntityKind, document: &Document) {
        if form.fields.is_empty() {
            self.say(
                document.at(&["form"]),
                "view-empty",
                "the form has no fields".into(),
                "write [[form.fields]] with the attribute that is filled in",
            );
        }
        let mut seen = BTreeSet::new();
        for (n, field) in form.fields.iter().enumerate() {
            let at = |key: &str| document.at_dotted(&format!("form.fields.{n}.{key}"));
            if !seen.insert(&field.attribute) {
                self.say(
                    at("attribute"),
                    "view-twice",
                    format!("the form asks for {} twice", quote(&field.attribute)),
                    "take one away",
                );
            }
            let Some(declared) = kind.attributes.get(&field.attribute) else {
                continue;
            };
            if declared.value == ValueKind::Json {
                self.say(
                    at("attribute"),
                    "view-form-kind",
                    format!("{} cannot be filled in", quote(&field.attribute)),
                    "ask for a number, a text, a yes or no, a place, or another entity",
                );
            }
            if !field.choices.is_empty() {
                self.choices(
                    &field.choices,
                    &format!("form.fields.{n}.choices"),
                    declared.value,
                    document,
                );
            }
        }
    }

    fn board(&mut self, board: &Board, kind: &EntityKind, document: &Document) {
        if board.columns.is_empty() {
            self.say(
                document.at(&["board"]),
                "view-empty",
                "the board has no columns".into(),
                "write [[board.columns]] with a value of the attribute",
            );
        }
        if let Some(declared) = kind.attributes.get(&board.attribute) {
            self.choices(&board.columns, "board.columns", declared.value, document);
        }
    }

    /// Values to choose from, each with what it is called.
    fn choices(&mut self, choices: &[Choice], key: &str, kind: ValueKind, document: &Document) {
        if kind != ValueKind::Text {
            self.say(
                document.at_dotted(key),
                "view-choices",
                "values to choose from are texts, and the attribute is none".into(),
                "name an attribute that holds text",
            );
        }
        let mut seen = BTreeSet::new();
        for (n, choice) in choices.iter().enumerate() {
            let at = format!("{key}.{n}");
            let keys: Vec<&str> = at.split('.').collect();
            self.both_titles(document, &keys, &choice.title_zh, &choice.title_en);
            if !seen.insert(&choice.value) {
                self.say(
                    document.at_dotted(&format!("{at}.value")),
                    "view-twice",
                    format!("{} stands there twice", quote(&choice.value)),
                    "take one away",
                );
            }
        }
    }
}
