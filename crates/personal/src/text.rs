//! What people write may hold personal data that no entity type declares: numbers of identity cards (公民身份号码, GB 11643),
//! mobile numbers and bank cards in a case's text. What looks like one is masked; a number that only happens to look so is
//! masked too. Names and addresses are not found. Pure.

use crate::mask::{HIDDEN, mask};
use model::MaskKind;
use std::borrow::Cow;
use std::ops::Range;

/// Digits of a mobile number (手机号).
const PHONE_DIGITS: usize = 11;
/// Characters of an identity card's number.
const ID_CHARACTERS: usize = 18;
/// Digits of a bank card's number (GB/T 15694, ISO/IEC 7812) as banks here give them.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 16..=19;
/// Most groups that a number is written in, and bytes that it takes with what parts them, in either width.
const GROUPS_MAX: usize = 8;
const BYTES_MAX: usize = 128;
/// Weights of the first 17 digits of an identity card's number (GB 11643, ISO/IEC 7064 MOD 11-2).
const ID_WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// The check characters, by the remainder.
const ID_CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];

/// The text with what looks like such a number masked; borrowed when there is none.
pub fn masked(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut done = 0;
    for stretch in stretches(text) {
        for (range, shown) in found(text, stretch) {
            out.push_str(&text[done..range.start]);
            out.push_str(&shown);
            done = range.end;
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// Digits of both widths: forms are filled in with either.
fn digit(c: char) -> Option<char> {
    match c {
        '0'..='9' => Some(c),
        '０'..='９' => char::from_u32(c as u32 - '０' as u32 + '0' as u32),
        _ => None,
    }
}

/// Runs of digits, each with the X that may end an identity card's number. A run within a word of letters (`SN138…`) is one.
fn runs(text: &str) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let follows = runs.last().is_some_and(|run| run.end == at);
        let is_check = || {
            let run = runs.last().map(|run| text[run.clone()].chars());
            matches!(c, 'x' | 'X')
                && run.is_some_and(|mut run| {
                    run.by_ref().filter(|c| digit(*c).is_some()).count() == ID_CHARACTERS - 1
                })
        };
        match (digit(c).is_some(), follows) {
            (true, true) => runs.last_mut().into_iter().for_each(|run| run.end = end),
            (true, false) => runs.push(at..end),
            (false, true) if is_check() => {
                runs.last_mut().into_iter().for_each(|run| run.end = end);
            }
            _ => {}
        }
    }
    runs
}

/// Runs that only one blank or hyphen parts lie in one stretch: `138 0000 1234`.
fn stretches(text: &str) -> Vec<Vec<Range<usize>>> {
    let mut stretches: Vec<Vec<Range<usize>>> = Vec::new();
    for run in runs(text) {
        match stretches.last_mut() {
            Some(stretch)
                if stretch
                    .last()
                    .is_some_and(|last| is_parted(&text[last.end..run.start])) =>
            {
                stretch.push(run);
            }
            _ => stretches.push(vec![run]),
        }
    }
    stretches
}

fn is_parted(between: &str) -> bool {
    [" ", "-", "\u{3000}", "\u{a0}"].contains(&between)
}

/// What of a stretch is to be masked: neighbouring runs that are a number together, or single ones.
fn found(text: &str, runs: Vec<Range<usize>>) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let mut from = 0;
    while from < runs.len() {
        // The longest first: a card in groups of four is one number.
        let hit = (from..runs.len().min(from + GROUPS_MAX))
            .rev()
            .find_map(|to| {
                let range = runs[from].start..runs[to].end;
                if range.len() > BYTES_MAX {
                    return None;
                }
                let plain: String = text[range.clone()]
                    .chars()
                    .filter_map(|c| digit(c).or_else(|| matches!(c, 'x' | 'X').then_some('X')))
                    .collect();
                Some((to, range, shown(&plain)?))
            });
        match hit {
            Some((to, range, shown)) => {
                found.push((range, shown));
                from = to + 1;
            }
            None => from += 1,
        }
    }
    found
}

/// The masked form of a number that looks like one of a person's.
fn shown(plain: &str) -> Option<String> {
    if is_id(plain) {
        return Some(mask(MaskKind::IdNumber, plain));
    }
    if let Some(phone) = phone(plain) {
        return Some(mask(MaskKind::Phone, phone));
    }
    is_card(plain).then(|| {
        let (first, last) = (plain.get(..4), plain.get(plain.len() - 4..));
        match (first, last) {
            (Some(first), Some(last)) => format!("{first}********{last}"),
            _ => HIDDEN.to_owned(),
        }
    })
}

fn is_id(plain: &str) -> bool {
    let Some((digits, check)) = plain.split_at_checked(ID_CHARACTERS - 1) else {
        return false;
    };
    let sum: Option<u32> = (digits.chars().zip(ID_WEIGHTS))
        .map(|(c, weight)| Some(c.to_digit(10)? * weight))
        .sum();
    let wanted = sum.map(|sum| ID_CHECKS[(sum % 11) as usize]);
    // A number that begins with 0 is of no place.
    !digits.starts_with('0') && check.chars().eq(wanted)
}

/// A mobile number, also one with the country before it.
fn phone(plain: &str) -> Option<&str> {
    let own = match plain.len() {
        PHONE_DIGITS => plain,
        _ => plain
            .strip_prefix("0086")
            .or_else(|| plain.strip_prefix("86"))?,
    };
    let mut digits = own.chars();
    let is_mobile = own.len() == PHONE_DIGITS
        && digits.next() == Some('1')
        && matches!(digits.next(), Some('3'..='9'))
        && digits.all(|c| c.is_ascii_digit());
    is_mobile.then_some(own)
}

/// Luhn's sum (ISO/IEC 7812-1, annex B).
fn is_card(plain: &str) -> bool {
    let digits: Option<Vec<u32>> = plain.chars().map(|c| c.to_digit(10)).collect();
    let Some(digits) = digits.filter(|digits| CARD_DIGITS.contains(&digits.len())) else {
        return false;
    };
    let doubled = |(at, digit): (usize, &u32)| match at % 2 {
        1 if *digit > 4 => digit * 2 - 9,
        1 => digit * 2,
        _ => *digit,
    };
    let sum: u32 = digits.iter().rev().enumerate().map(doubled).sum();
    digits.first() != Some(&0) && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_persons_number_is_masked() {
        // The example of GB 11643-1999, and numbers of nobody.
        for (text, shown) in [
            (
                "身份证11010519491231002X，请核实",
                "身份证110105********002X，请核实",
            ),
            ("11010519491231002x", "110105********002X"),
            ("440524188001010014", "440524********0014"),
            (
                "请打13800001234或19911112222。",
                "请打138****1234或199****2222。",
            ),
            ("电话：138 0000 1234", "电话：138****1234"),
            ("138-0000-1234", "138****1234"),
            ("１３８００００１２３４", "138****1234"),
            ("+8613800001234", "+138****1234"),
            ("+86 138 0000 1234", "+138****1234"),
            ("2026-11-02 13800001234", "2026-11-02 138****1234"),
            ("卡号4111 1111 1111 1111，", "卡号4111********1111，"),
            ("6222021234567890128", "6222********0128"),
            ("SN13800001234", "SN138****1234"),
        ] {
            assert_eq!(masked(text), shown, "{text}");
            assert_eq!(masked(shown), shown, "masked once: {shown}");
        }
    }

    #[test]
    fn a_long_text_of_digits_takes_no_longer_than_its_length() {
        for text in [
            "1 ".repeat(200_000),
            "1".repeat(400_000),
            "13800001234 ".repeat(20_000),
        ] {
            let shown = masked(&text);
            assert_eq!(shown.contains("138****1234"), text.starts_with("138"));
        }
    }

    #[test]
    fn other_numbers_stay() {
        for text in [
            "",
            "井盖破损",
            "水位 28.35 米，流量 1380 立方米每秒",
            "110105194912310021",
            "2026-11-02T08:00:00Z",
            "case 20261102-0017",
            "12800001234",
            "138000012345",
            "4111 1111 1111 1112",
            "0000000000000000",
            "0728-5222222",
            "x",
            "1x2X",
        ] {
            assert!(
                matches!(masked(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }
}
