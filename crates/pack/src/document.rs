//! TOML with lines: reads a file into its type, and tells on which line a key stands.

use model::Problem;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

/// A file of the pack, with its name for messages.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// The path inside the pack.
    pub path: String,
    /// The path for messages.
    pub place: String,
    pub text: String,
}

impl Document {
    /// Reads the file into its type; unknown keys and wrong kinds are told with their line.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        toml::from_str(&self.text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            Problem::new(
                "pack-toml",
                error.message().trim().to_owned(),
                format!("{}:{}", self.place, line_at(&self.text, offset)),
                "mend the key or the value there",
            )
        })
    }

    /// The stem of the file's name: `rules/stage.toml` → `stage`.
    pub fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.split('.').next().unwrap_or(name)
    }

    /// `place:line` of a key; of the deepest part of the path that is there.
    pub fn at<S: AsRef<str>>(&self, keys: &[S]) -> String {
        let mut offset = 0;
        if let Ok(root) = DeTable::parse(&self.text) {
            let mut here: Option<&DeTable<'_>> = Some(root.get_ref());
            let mut items: Option<&[toml::Spanned<DeValue<'_>>]> = None;
            for key in keys {
                let key = key.as_ref();
                let value = if let Some(list) = items {
                    let Some(item) = key.parse::<usize>().ok().and_then(|n| list.get(n)) else {
                        break;
                    };
                    offset = item.span().start;
                    item
                } else if let Some(table) = here {
                    let Some((name, value)) = table
                        .iter()
                        .find(|(name, _)| name.get_ref().as_ref() == key)
                    else {
                        break;
                    };
                    offset = name.span().start;
                    value
                } else {
                    break;
                };
                here = value.get_ref().as_table();
                items = value.get_ref().as_array().map(|list| &list[..]);
            }
        }
        format!("{}:{}", self.place, line_at(&self.text, offset))
    }

    /// `place:line` of a dotted key.
    pub fn at_dotted(&self, key: &str) -> String {
        self.at(&key.split('.').collect::<Vec<_>>())
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    let end = offset.min(text.len());
    1 + text.as_bytes()[..end]
        .iter()
        .filter(|b| **b == b'\n')
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document {
            path: "rules/x.toml".into(),
            place: "p/rules/x.toml".into(),
            text: text.into(),
        }
    }

    #[test]
    fn keys_are_found() {
        let d = document("a = 1\n[b]\nc = 2\n[b.d]\ne = { f = 1 }\n[[g]]\nh = 1\n[[g]]\nh = 2\n");
        for (key, line) in [
            ("a", 1),
            ("b.c", 3),
            ("b.d", 4),
            ("b.d.e.f", 5),
            ("g.1.h", 9),
            ("b.missing", 2),
            ("none", 1),
        ] {
            assert_eq!(d.at_dotted(key), format!("p/rules/x.toml:{line}"), "{key}");
        }
        assert_eq!(d.stem(), "x");
    }

    #[test]
    fn an_unknown_key_has_its_line() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct T {
            #[expect(dead_code, reason = "only read")]
            a: i32,
        }
        assert_eq!(
            document("a = 1\n\nb = 2\n").parse::<T>().unwrap_err().place,
            "p/rules/x.toml:3"
        );
        assert_eq!(
            document("a = 1\na = = 2\n").parse::<T>().unwrap_err().place,
            "p/rules/x.toml:2"
        );
    }
}
