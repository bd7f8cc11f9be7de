//! What must fit together in a pack's classes of cases (`categories/*.toml`): codes, titles in both languages, limits, and the
//! workflows and rules that they name.

use crate::document::Document;
use crate::load::Read;
use model::Problem;
use model::problem::quote;

/// The calendars that packs may count on.
const CALENDARS: [&str; 2] = ["working-hours", model::calendar::ALWAYS];

/// Every mistake, each with file and line.
pub(crate) fn mistakes(read: &Read) -> Vec<Problem> {
    let pack = &read.pack;
    let documents = read
        .documents
        .values()
        .filter(|document| document.path.starts_with("categories/"));
    let mut found = Vec::new();
    for (class, document) in pack.categories.iter().zip(documents) {
        for mistake in class.mistakes() {
            let keys: Vec<&str> = mistake.keys.iter().map(String::as_str).collect();
            found.push(Problem::new(
                mistake.code,
                mistake.what,
                document.at(&keys),
                mistake.mend,
            ));
        }
        if let Some(workflow) = &class.workflow
            && !pack.workflows.iter().any(|own| own.name == *workflow)
        {
            found.push(Problem::new(
                "category-workflow",
                format!("there is no workflow {}", quote(workflow)),
                document.at(&["workflow"]),
                "name a file of the workflows folder, or leave it out for the city's own",
            ));
        }
        let titles = [("title_zh", &class.title_zh), ("title_en", &class.title_en)];
        found.extend(
            titles
                .iter()
                .filter_map(|(key, text)| empty(document, &[key], text)),
        );
        for (n, minor) in class.minors.iter().enumerate() {
            let n = n.to_string();
            let texts = [
                ("title_zh", &minor.title_zh),
                ("title_en", &minor.title_en),
                ("files_zh", &minor.files_zh),
                ("files_en", &minor.files_en),
                ("closes_zh", &minor.closes_zh),
                ("closes_en", &minor.closes_en),
            ];
            for (key, text) in texts {
                found.extend(empty(document, &["minor", &n, key], text));
            }
            if let Some(calendar) = &minor.calendar
                && !CALENDARS.contains(&calendar.as_str())
            {
                found.push(Problem::new(
                    "category-calendar",
                    format!("a pack may not count on the calendar {}", quote(calendar)),
                    document.at(&["minor", &n, "calendar"]),
                    "use working-hours or always",
                ));
            }
            for rule in &minor.rules {
                if !pack.rules.iter().any(|own| own.id == *rule) {
                    found.push(Problem::new(
                        "category-rule",
                        format!("there is no rule {}", quote(rule)),
                        document.at(&["minor", &n, "rules"]),
                        "name a rule of this pack",
                    ));
                }
            }
        }
    }
    found
}

fn empty(document: &Document, keys: &[&str], text: &str) -> Option<Problem> {
    text.trim().is_empty().then(|| {
        Problem::new(
            "title-missing",
            format!("{} is empty", keys.join(".")),
            document.at(keys),
            "write it in both languages",
        )
    })
}
