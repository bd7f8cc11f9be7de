//! A text of statements cut at its semicolons, those inside quotes and comments aside.

/// The statements of a text, without those that are empty, each with the byte where it begins.
pub fn split(text: &str) -> Vec<(usize, &str)> {
    let bytes = text.as_bytes();
    let mut statements = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < bytes.len() {
        if bytes[at] == b';' {
            push(&mut statements, text, start, at);
            start = at + 1;
        }
        at = after(bytes, at);
    }
    push(&mut statements, text, start, bytes.len());
    statements
}

/// The greatest number of a parameter (`$1`, `$2`, …) in a statement; 0 when there is none.
pub fn parameters(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut most, mut at) = (0, 0);
    while at < bytes.len() {
        let next = after(bytes, at);
        let stands_alone = at == 0 || !is_word(bytes[at - 1]);
        if bytes[at] == b'$' && next == at + 1 && stands_alone {
            let digits = bytes[next..].iter().take_while(|b| b.is_ascii_digit());
            let number = text[next..next + digits.count()].parse().unwrap_or(0);
            most = most.max(number);
        }
        at = next;
    }
    most
}

/// After the quotation or comment that begins at `at`, or after the one byte there.
fn after(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    match rest {
        [b'\'', ..] => {
            let escapes = at > 0
                && matches!(bytes[at - 1], b'e' | b'E')
                && (at == 1 || !is_word(bytes[at - 2]));
            quoted(bytes, at, b'\'', escapes)
        }
        [b'"', ..] => quoted(bytes, at, b'"', false),
        [b'-', b'-', ..] => find(bytes, at, b"\n"),
        [b'/', b'*', ..] => comment(bytes, at),
        [b'$', ..] if at == 0 || !is_word(bytes[at - 1]) => match tag(rest) {
            Some(tag) => find(bytes, at + tag.len(), tag),
            None => at + 1,
        },
        _ => at + 1,
    }
}

fn push<'a>(statements: &mut Vec<(usize, &'a str)>, text: &'a str, start: usize, end: usize) {
    let statement = &text[start..end.min(text.len())];
    if first_word(statement).is_some() || !bare(statement).is_empty() {
        statements.push((start, statement));
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// After the closing quote; two quotes in a row are one inside.
fn quoted(bytes: &[u8], start: usize, quote: u8, escapes: bool) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        if escapes && bytes[at] == b'\\' {
            at += 2;
        } else if bytes[at] == quote {
            if bytes.get(at + 1) != Some(&quote) {
                return at + 1;
            }
            at += 2;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// After the next `end`, or at the end of all.
fn find(bytes: &[u8], start: usize, end: &[u8]) -> usize {
    bytes[start..]
        .windows(end.len())
        .position(|window| window == end)
        .map_or(bytes.len(), |at| start + at + end.len())
}

/// After a comment, which may hold others.
fn comment(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

/// `$tag$` at the start, which opens a quotation; `$1` is a parameter.
fn tag(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes[1..].iter().position(|b| !is_word(*b))? + 1;
    (bytes[end] == b'$' && !bytes[1].is_ascii_digit()).then(|| &bytes[..=end])
}

/// A statement without the blanks and comments before it.
pub fn bare(statement: &str) -> &str {
    let mut rest = statement.trim_start();
    loop {
        let bytes = rest.as_bytes();
        let skip = match bytes {
            [b'-', b'-', ..] => find(bytes, 0, b"\n"),
            [b'/', b'*', ..] => comment(bytes, 0),
            _ => return rest,
        };
        rest = rest[skip..].trim_start();
    }
}

/// The word that a statement begins with, in upper case.
pub fn first_word(statement: &str) -> Option<String> {
    let bare = bare(statement);
    let end = bare
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(bare.len());
    (end > 0).then(|| bare[..end].to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str) -> Vec<&str> {
        split(text).into_iter().map(|(_, s)| s).collect()
    }

    #[test]
    fn semicolons_part_statements() {
        assert_eq!(parts("SELECT 1; SELECT 2;\n"), ["SELECT 1", " SELECT 2"]);
        assert_eq!(parts(" ;; -- nothing\n;"), Vec::<&str>::new());
        assert_eq!(split("a;b"), [(0, "a"), (2, "b")]);
    }

    #[test]
    fn quotes_and_comments_keep_theirs() {
        for whole in [
            "SELECT ';'",
            "SELECT 'it''s;'",
            "SELECT E'\\';'",
            "SELECT \"a;\"\"b\"",
            "SELECT 1 -- ;\n + 1",
            "SELECT /* ; /* ; */ ; */ 1",
            "SELECT $$;$$, $x$;$$;$x$, $1",
            "SELECT '水;'",
        ] {
            assert_eq!(parts(whole), [whole]);
        }
        assert_eq!(
            parts("SELECT name'a\\';SELECT 2"),
            ["SELECT name'a\\'", "SELECT 2"]
        );
        assert_eq!(parameters("SELECT $1, '$7', \"$8\", $2 -- $9"), 2);
        assert_eq!(parameters("SELECT a$3, $$ $4 $$, $"), 0);
        assert_eq!(
            first_word(" /* x */ -- y\n select 1").as_deref(),
            Some("SELECT")
        );
        assert_eq!(first_word("(SELECT 1)"), None);
        assert_eq!(parts("(SELECT 1)"), ["(SELECT 1)"]);
    }

    proptest! {
        #[test]
        fn any_text_is_cut_in_order(text in "[a-zA-Z0-9 ;'\"$\\\\/*水\n-]{0,60}") {
            let mut end = 0;
            for (start, statement) in split(&text) {
                prop_assert!(start >= end);
                prop_assert_eq!(&text[start..start + statement.len()], statement);
                end = start + statement.len();
            }
        }
    }
}
