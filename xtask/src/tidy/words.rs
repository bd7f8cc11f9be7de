//! Words that no source file may hold; the list is `xtask/forbidden-words.txt`.

use crate::{Finding, Tree};
use anyhow::Result;

const LIST: &str = "xtask/forbidden-words.txt";
/// Files that are looked at.
const ENDS: [&str; 9] = [
    ".rs", ".ts", ".tsx", ".css", ".html", ".md", ".toml", ".sh", ".mjs",
];

/// Looks for the words of the list.
///
/// # Errors
/// When a file cannot be read as text.
pub fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let list = tree.text(LIST)?;
    let words: Vec<&str> = list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let mut findings = Vec::new();
    for path in tree.ending(&ENDS) {
        findings.extend(forbidden(path, &tree.text(path)?, &words));
    }
    Ok(findings)
}

fn forbidden(path: &str, text: &str, words: &[&str]) -> Vec<Finding> {
    text.lines()
        .enumerate()
        .filter_map(|(n, line)| {
            let word = words.iter().find(|word| has_word(line, word))?;
            Some(Finding::new(
                format!("{path}:{}", n + 1),
                format!("the word {word}"),
                format!("do it now or open an issue; the list is {LIST}"),
            ))
        })
        .collect()
}

fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(part_of_word) && !line[at + word.len()..].starts_with(part_of_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_with_their_case() {
        let words = ["FIX\u{4d}E"];
        assert_eq!(forbidden("a", "// FIX\u{4d}E later\n", &words).len(), 1);
        assert_eq!(
            forbidden("a", "fixme PREFIX\u{4d}E FIX\u{4d}ES\n", &words),
            []
        );
    }
}
