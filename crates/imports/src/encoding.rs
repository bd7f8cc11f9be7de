//! UTF-8, GB18030 or UTF-16, the first two told apart line by line. A file has one of them; a line in the other
//! is a mistake of whoever put two files together, and is told rather than read as nonsense.

use encoding_rs::{GB18030, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// Bytes at the start of a file in which zeros are looked for.
const ZEROS_LOOKED_FOR: usize = 4_096;

/// What a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    /// UTF-8 with the mark that Excel writes and looks for.
    Utf8Bom,
    Gb18030,
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf8Bom => "UTF-8 BOM",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Gb18030 => "GB18030",
        }
    }
}

/// What one line can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// The same in both.
    Ascii,
    Utf8 {
        /// Whether nothing else can read it.
        only: bool,
    },
    Gb18030 {
        /// Whether nothing else can read it.
        only: bool,
    },
    Neither,
}

fn line(bytes: &[u8]) -> Line {
    if bytes.is_ascii() {
        return Line::Ascii;
    }
    let as_utf8 = std::str::from_utf8(bytes).ok();
    let as_gb18030 = GB18030.decode_without_bom_handling_and_without_replacement(bytes);
    match (as_utf8, as_gb18030) {
        (Some(text), Some(_)) => {
            // Both can read it. Chinese in UTF-8 has three bytes a character; two bytes of GB18030 that
            // happen to be UTF-8 come out as Latin, Greek or Arabic letters.
            match text.chars().any(|c| c >= '\u{800}') {
                true => Line::Utf8 { only: false },
                false => Line::Gb18030 { only: false },
            }
        }
        (Some(_), None) => Line::Utf8 { only: true },
        (None, Some(_)) => Line::Gb18030 { only: true },
        (None, None) => Line::Neither,
    }
}

/// A text, what it was written in, and its lines (from 1) that are not.
pub(crate) struct Decoded<'a> {
    pub text: Cow<'a, str>,
    pub encoding: Encoding,
    pub foreign_lines: Vec<u64>,
}

/// Decodes a text; `None` when the bytes are no text in any of the encodings known.
pub(crate) fn decode(bytes: &[u8]) -> Option<Decoded<'_>> {
    if let Some(encoding) = utf_16(bytes) {
        return Some(decode_utf_16(bytes, encoding));
    }
    let head = &bytes[..bytes.len().min(ZEROS_LOOKED_FOR)];
    if head.contains(&0) {
        return None;
    }
    let (bytes, utf_8) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => (rest, Encoding::Utf8Bom),
        None => (bytes, Encoding::Utf8),
    };
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(Decoded {
            text: Cow::Borrowed(text),
            encoding: utf_8,
            foreign_lines: Vec::new(),
        });
    }
    // Each line is read once here, and what it can be is remembered for the count and for the foreign ones.
    let lines: Vec<Line> = bytes.split(|b| *b == b'\n').map(line).collect();
    // When as many lines speak for one as for the other, those decide that only one of them can read.
    let (mut for_gb18030, mut for_utf_8) = ((0_usize, 0_usize), (0_usize, 0_usize));
    for line in &lines {
        let (votes, only) = match line {
            Line::Gb18030 { only } => (&mut for_gb18030, *only),
            Line::Utf8 { only } => (&mut for_utf_8, *only),
            Line::Ascii | Line::Neither => continue,
        };
        votes.0 += 1;
        votes.1 += usize::from(only);
    }
    let encoding = if utf_8 == Encoding::Utf8 && for_gb18030 > for_utf_8 {
        Encoding::Gb18030
    } else {
        utf_8
    };
    let is_own = |line: &Line| match (line, encoding) {
        (Line::Ascii, _) => true,
        (Line::Gb18030 { .. }, encoding) => encoding == Encoding::Gb18030,
        (Line::Utf8 { .. }, encoding) => encoding != Encoding::Gb18030,
        (Line::Neither, _) => false,
    };
    let foreign = (1..).zip(&lines).filter(|(_, line)| !is_own(line));
    let foreign_lines = foreign.map(|(n, _)| n).collect();
    let text = match encoding {
        Encoding::Gb18030 => {
            // Line by line, so that a foreign line does not swallow the end of its own.
            let lines = bytes.split(|b| *b == b'\n');
            let texts = lines.map(|l| GB18030.decode_without_bom_handling(l).0);
            Cow::Owned(texts.collect::<Vec<_>>().join("\n"))
        }
        _ => String::from_utf8_lossy(bytes),
    };
    Some(Decoded {
        text,
        encoding,
        foreign_lines,
    })
}

/// UTF-16 by its mark, or, without one, by zeros in every other byte: what ASCII is made of there.
fn utf_16(bytes: &[u8]) -> Option<Encoding> {
    match bytes {
        [0xff, 0xfe, ..] => return Some(Encoding::Utf16Le),
        [0xfe, 0xff, ..] => return Some(Encoding::Utf16Be),
        _ => {}
    }
    let head = &bytes[..bytes.len().min(ZEROS_LOOKED_FOR)];
    let zeros = |from: usize| {
        head.iter()
            .skip(from)
            .step_by(2)
            .filter(|b| **b == 0)
            .count()
    };
    let (even, odd, quarter) = (zeros(0), zeros(1), head.len() / 8);
    if head.len() < 4 || even.max(odd) <= quarter {
        None
    } else if even == 0 {
        Some(Encoding::Utf16Le)
    } else if odd == 0 {
        Some(Encoding::Utf16Be)
    } else {
        None
    }
}

fn decode_utf_16(bytes: &[u8], encoding: Encoding) -> Decoded<'_> {
    let decoder = match encoding {
        Encoding::Utf16Be => UTF_16BE,
        _ => UTF_16LE,
    };
    let (text, is_damaged) = decoder.decode_with_bom_removal(bytes);
    let foreign_lines = if is_damaged {
        let lines = (1..).zip(text.split('\n'));
        lines
            .filter(|(_, line)| line.contains('\u{fffd}'))
            .map(|(n, _)| n)
            .collect()
    } else {
        Vec::new()
    };
    Decoded {
        text,
        encoding,
        foreign_lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gb(text: &str) -> Vec<u8> {
        GB18030.encode(text).0.into_owned()
    }

    fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn each_encoding_is_known() {
        for (bytes, encoding) in [
            ("名称,数\n竟陵,1\n".as_bytes().to_vec(), Encoding::Utf8),
            (
                [b"\xef\xbb\xbf".as_slice(), "名称\n".as_bytes()].concat(),
                Encoding::Utf8Bom,
            ),
            (gb("名称,数\n竟陵,1\n"), Encoding::Gb18030),
            (gb("名称\n𠀀㐂\n"), Encoding::Gb18030),
            (b"name\nx\n".to_vec(), Encoding::Utf8),
            ("naïve\n".as_bytes().to_vec(), Encoding::Utf8),
            (
                utf_16("\u{feff}名称\n竟陵\n", u16::to_le_bytes),
                Encoding::Utf16Le,
            ),
            (
                utf_16("\u{feff}名称\n竟陵\n", u16::to_be_bytes),
                Encoding::Utf16Be,
            ),
            (
                utf_16("name,数\njingling,1\n", u16::to_le_bytes),
                Encoding::Utf16Le,
            ),
            (
                utf_16("name,数\njingling,1\n", u16::to_be_bytes),
                Encoding::Utf16Be,
            ),
        ] {
            let decoded = decode(&bytes).unwrap();
            assert_eq!(
                (decoded.encoding, decoded.foreign_lines.len()),
                (encoding, 0),
                "{}",
                decoded.text
            );
            assert!(!decoded.text.contains(['\u{fffd}', '\u{feff}']));
        }
        for no_text in [&b"PK\x03\x04\x14\0\0\0\x08\0abc"[..], b"\0\0\0\0\0\0"] {
            assert!(decode(no_text).is_none());
        }
    }

    #[test]
    fn half_a_utf_16_character_is_told_with_its_line() {
        let mut bytes = utf_16("\u{feff}a\nb", u16::to_le_bytes);
        bytes.extend([0x00, 0xd8]);
        assert_eq!(decode(&bytes).unwrap().foreign_lines, [2]);
    }

    #[test]
    fn lines_of_the_other_encoding_are_named() {
        let mut bytes = gb("名称,数\n竟陵,1\n皂市,2\n");
        bytes.extend("岳口,3\n".as_bytes());
        bytes.extend(gb("张港,4\n"));
        let decoded = decode(&bytes).unwrap();
        assert_eq!(
            (decoded.encoding, decoded.foreign_lines),
            (Encoding::Gb18030, vec![4])
        );
        let mut bytes = "名称,数\n竟陵,1\n".as_bytes().to_vec();
        bytes.extend(gb("岳口,3\n"));
        bytes.extend(b"\xff\xff,4\n");
        let decoded = decode(&bytes).unwrap();
        assert_eq!(
            (decoded.encoding, decoded.foreign_lines),
            (Encoding::Utf8, vec![3, 4])
        );
    }

    #[test]
    fn a_line_that_only_one_can_read_decides() {
        // Its second line is readable as UTF-8 too.
        let text = "，一一\na鍊哠";
        let encoded = gb(text);
        let decoded = decode(&encoded).unwrap();
        assert_eq!(
            (decoded.text.as_ref(), decoded.encoding),
            (text, Encoding::Gb18030)
        );
    }

    proptest! {
        #[test]
        fn lines_stay_lines(bytes in proptest::collection::vec(1_u8.., 0..200)) {
            prop_assume!(super::utf_16(&bytes).is_none());
            let lines = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes).split(|b| *b == b'\n').count();
            prop_assert_eq!(decode(&bytes).unwrap().text.split('\n').count(), lines);
        }

        #[test]
        fn any_bytes_are_text_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }

        #[test]
        fn chinese_comes_back(text in "[\u{4e00}-\u{9fa5}，。]{3,30}\n[\u{4e00}-\u{9fa5}a-z,]{3,30}") {
            let encoded = gb(&text);
            let decoded = decode(&encoded).unwrap();
            prop_assert_eq!((decoded.text.as_ref(), decoded.encoding.name()), (text.as_str(), "GB18030"));
        }
    }
}
