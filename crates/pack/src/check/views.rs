//! What must fit together in a pack's views.

use super::Checker;
use crate::declare::{Board, CaseBoard, Choice, EntryField, EntryForm, View};
use crate::document::Document;
use cases::Workflow;
use cases::workflow::STANDARD;
use model::problem::quote;
use model::{EntityKind, ValueKind};
use std::collections::BTreeSet;

impl Checker<'_> {
    pub(super) fn views(&mut self) {
        for (view, document) in self.pack.views.iter().zip(self.under("views/")) {
            self.both_titles(document, &[], &view.title_zh, &view.title_en);
            if let Some(board) = &view.cases {
                self.case_board(board, view, document);
                continue;
            }
            let named = view.entity_type.as_deref().unwrap_or_default();
            let Some(kind) = self.pack.kinds.iter().find(|kind| kind.name == named) else {
                self.say(
                    document.at(&["entity_type"]),
                    "view-unknown-type",
                    format!("the pack declares no entity type {}", quote(named)),
                    "name one of the entities folder in entity_type, or show cases with [cases]",
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
                self.colour(&layer.colour, || document.at(&["layer", "colour"]));
                if let Some(isolines) = &layer.isolines {
                    self.isolines(isolines, kind, document);
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

    pub(super) fn colour(&mut self, colour: &str, place: impl Fn() -> String) {
        let good = colour
            .strip_prefix('#')
            .is_some_and(|hex| hex.len() == 6 && hex.chars().all(|c| c.is_ascii_hexdigit()));
        if !good {
            self.say(
                place(),
                "view-colour",
                format!("{} is no colour", quote(colour)),
                "write #rrggbb",
            );
        }
    }

    fn case_board(&mut self, board: &CaseBoard, view: &View, document: &Document) {
        let of_entities = [
            view.entity_type.is_some(),
            view.layer.is_some(),
            view.table.is_some(),
            view.chart.is_some(),
            view.form.is_some(),
            view.board.is_some(),
        ];
        if of_entities.contains(&true) {
            self.say(
                document.at(&["cases"]),
                "view-cases-alone",
                "a view is of cases or of an entity type".into(),
                "make two views of them",
            );
        }
        if let Some(code) = &board.category {
            let classes = self.pack.categories.iter();
            let mut known = classes.flat_map(|class| class.categories());
            if !known.any(|category| category.code == *code) {
                self.say(
                    document.at(&["cases", "category"]),
                    "view-unknown-class",
                    format!("the pack declares no class {}", quote(code)),
                    "name a code of the categories folder, such as B0102",
                );
            }
        }
        let mut own = self.pack.workflows.iter();
        let own = own.find(|workflow| workflow.name == board.workflow);
        let standard = (board.workflow == STANDARD).then(Workflow::standard);
        let standard = standard.and_then(Result::ok);
        let Some(workflow) = own.or(standard.as_ref()) else {
            self.say(
                document.at(&["cases", "workflow"]),
                "view-unknown-workflow",
                format!("the pack has no workflow {}", quote(&board.workflow)),
                "name one of the workflows folder, or city-case, which every city has",
            );
            return;
        };
        let mut seen = BTreeSet::new();
        for (n, column) in board.columns.iter().enumerate() {
            let at = || document.at(&["cases", "columns", &n.to_string()]);
            if !seen.insert(column) {
                self.say(
                    at(),
                    "view-twice",
                    format!("{} stands there twice", quote(column)),
                    "take one away",
                );
            }
            if workflow.state(column).is_none_or(|state| state.r#final) {
                self.say(
                    at(),
                    "view-unknown-state",
                    format!(
                        "{} is no state of {} in which a case has not ended",
                        quote(column),
                        workflow.name
                    ),
                    "name a state without `final`: a board shows what is to be done",
                );
            }
        }
    }

    fn view_attributes(&mut self, view: &View, kind: &EntityKind, document: &Document) {
        let mut named: Vec<(String, &str)> = Vec::new();
        if let Some(attribute) = view.layer.as_ref().and_then(|l| l.attribute.as_ref()) {
            named.push(("layer.attribute".into(), attribute));
        }
        if let Some(isolines) = view.layer.as_ref().and_then(|l| l.isolines.as_ref()) {
            named.push(("layer.isolines.attribute".into(), &isolines.attribute));
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
        if let Some(of) = view.form.as_ref().and_then(|form| form.of.as_ref()) {
            named.push(("form.of".into(), of));
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
        if let Some(of) = &form.of {
            // Who could change it could give the entity to any organisation.
            let is_field = form.fields.iter().any(|field| &field.attribute == of);
            let is_text = kind
                .attributes
                .get(of)
                .is_none_or(|declared| declared.value == ValueKind::Text);
            if is_field || !is_text {
                self.say(
                    document.at_dotted("form.of"),
                    "view-form-of",
                    format!(
                        "{} cannot say whose the entity is: it is no text, or the form itself changes it",
                        quote(of)
                    ),
                    "name a text that holds an organisation's id and that no field of the form fills in",
                );
            }
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
            if declared.value == ValueKind::Json && !field.list {
                self.say(
                    at("attribute"),
                    "view-form-kind",
                    format!("{} cannot be filled in", quote(&field.attribute)),
                    "ask for a number, a text, a yes or no, a place, another entity, or with `list = true` a list of texts",
                );
            }
            if field.list && declared.value != ValueKind::Json {
                self.say(
                    at("list"),
                    "view-form-kind",
                    format!("{} holds no list", quote(&field.attribute)),
                    "take `list` away, or name an attribute that holds JSON",
                );
            }
            self.form_from(field, declared.value, &at("from"));
            if !field.choices.is_empty() {
                let words = self.pack.words(&kind.name, &field.attribute);
                let key = format!("form.fields.{n}.choices");
                self.choices(&field.choices, &key, declared.value, &words, document);
            }
        }
    }

    /// Of which types another entity may be.
    fn form_from(&mut self, field: &EntryField, value: ValueKind, place: &str) {
        if !field.from.is_empty() && value != ValueKind::Relationship {
            self.say(
                place.to_owned(),
                "view-form-from",
                format!("{} is no other entity", quote(&field.attribute)),
                "take `from` away, or name a relationship",
            );
        }
        for name in &field.from {
            if !self.pack.kinds.iter().any(|kind| kind.name == *name) {
                self.say(
                    place.to_owned(),
                    "view-form-from",
                    format!("the pack declares no entity type {}", quote(name)),
                    "name types of the entities folder",
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
            let words = self.pack.words(&kind.name, &board.attribute);
            let key = "board.columns";
            self.choices(&board.columns, key, declared.value, &words, document);
        }
    }

    /// Values to choose from, each with what it is called, by itself or by the attribute's words.
    fn choices(
        &mut self,
        choices: &[Choice],
        key: &str,
        kind: ValueKind,
        words: &[Choice],
        document: &Document,
    ) {
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
            if !choice.is_untitled() {
                self.both_titles(document, &keys, &choice.title_zh, &choice.title_en);
            } else if !words.iter().any(|word| word.value == choice.value) {
                self.say(
                    document.at_dotted(&format!("{at}.value")),
                    "view-word",
                    format!("nothing says what {} is called", quote(&choice.value)),
                    "give it title_zh and title_en here, or a word in strings/ under [Type.attribute]",
                );
            }
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
