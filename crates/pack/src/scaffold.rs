//! A new pack with all its furniture, as text: it passes the check and its own scenario, and grows from there.

use model::Problem;
use model::problem::quote;

/// Path in the pack and text, with `NAME` (kebab case) and `TYPE` (its entity type) to fill in, in both.
const FURNITURE: [(&str, &str); 12] = [
    ("pack.toml", include_str!("../scaffold/pack.toml.txt")),
    ("quality.toml", include_str!("../scaffold/quality.toml.txt")),
    ("README.md", include_str!("../scaffold/README.md.txt")),
    (
        "entities/TYPE.toml",
        include_str!("../scaffold/entity.toml.txt"),
    ),
    (
        "rules/NAME-level-high.toml",
        include_str!("../scaffold/rule.toml.txt"),
    ),
    (
        "runbooks/NAME-level-high.zh.md",
        include_str!("../scaffold/runbook.zh.md.txt"),
    ),
    (
        "runbooks/NAME-level-high.en.md",
        include_str!("../scaffold/runbook.en.md.txt"),
    ),
    (
        "workflows/NAME-case.toml",
        include_str!("../scaffold/workflow.toml.txt"),
    ),
    (
        "views/NAME-points.toml",
        include_str!("../scaffold/view.toml.txt"),
    ),
    ("strings/zh.toml", include_str!("../scaffold/zh.toml.txt")),
    ("strings/en.toml", include_str!("../scaffold/en.toml.txt")),
    (
        "scenarios/level-high.md",
        include_str!("../scaffold/scenario.md.txt"),
    ),
];

/// The files of a new pack, by their path in its folder `pack-NAME`.
///
/// # Errors
/// `pack-name` when the name is not kebab case.
pub fn scaffold(name: &str) -> Result<Vec<(String, String)>, Problem> {
    let is_kebab = name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !is_kebab {
        return Err(Problem::new(
            "pack-name",
            format!("\"{}\" is not kebab case", quote(name)),
            "name",
            "use small letters, digits and -, a letter first, without the prefix pack-",
        ));
    }
    let fill = |text: &str| {
        text.replace("TYPE", &format!("{}Observed", camel(name)))
            .replace("NAME", name)
    };
    Ok(FURNITURE
        .iter()
        .map(|(path, text)| (fill(path), fill(text)))
        .collect())
}

fn camel(name: &str) -> String {
    name.split('-')
        .map(|word| {
            let mut chars = word.chars();
            chars
                .next()
                .map(|c| c.to_ascii_uppercase().to_string() + chars.as_str())
                .unwrap_or_default()
        })
        .collect()
}
