//! What organisations, posts and people may be called and carry: ids, codes, telephone numbers. Pure; each answers the
//! text as it is kept, or what is wrong with it in Chinese and in English.

use model::problem::{both, quote};
use model::{Both, Told};

/// Longest id of an organisation or a post, in bytes.
pub const SLUG_BYTES_MAX: usize = 64;
/// The signs of a unified social credit code (GB 32100-2015), each worth its place.
const CREDIT_SIGNS: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// Signs of a unified social credit code, the check character included.
const CREDIT_CHARS: usize = 18;
/// Lengths of a division code: county (县), town (乡镇), village (村).
const DIVISION_DIGITS: [usize; 3] = [6, 9, 12];
/// Digits of a telephone number: a city's short number has 3 (such as 110), one with a country's code at most 15 (E.164).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 3..=15;
/// Digits at a number's beginning and end that are shown of it.
const PHONE_SHOWN: (usize, usize) = (3, 4);

/// An id of an organisation or a post.
///
/// # Errors
/// `organisation-id` or `post-id`, as `code` says.
pub fn slug(code: &str, text: &str) -> Result<String, Told> {
    let text = text.trim();
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !text.is_empty() && text.len() <= SLUG_BYTES_MAX && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    Err(Told::new(
        code,
        both(
            format!("“{}”不能用作编号", quote(text)),
            format!("\"{}\" is not an id", quote(text)),
        ),
        both("编号", "id"),
        both(
            format!("编号用小写字母、数字和 -，最多 {SLUG_BYTES_MAX} 个"),
            format!("use lower-case letters, digits and -, at most {SLUG_BYTES_MAX}"),
        ),
    ))
}

/// A unified social credit code (统一社会信用代码, GB 32100-2015): 18 signs, the last of them computed from the others.
///
/// # Errors
/// `credit-code`.
pub fn credit_code(text: &str) -> Result<String, Told> {
    let code: String = text.split_whitespace().collect::<String>().to_uppercase();
    let wrong = |what: Both| {
        Err(Told::new(
            "credit-code",
            what,
            both("统一社会信用代码", "credit_code"),
            both(
                "请对照营业执照或法人证书上的 18 位代码；字母中没有 I、O、S、V、Z",
                "compare it with the licence: 18 signs, none of them I, O, S, V or Z",
            ),
        ))
    };
    let values: Option<Vec<usize>> = code
        .bytes()
        .map(|sign| CREDIT_SIGNS.iter().position(|s| *s == sign))
        .collect();
    let Some(values) = values.filter(|v| v.len() == CREDIT_CHARS) else {
        return wrong(both(
            format!("“{}”不是统一社会信用代码", quote(text)),
            format!("\"{}\" is not a unified social credit code", quote(text)),
        ));
    };
    // The weight of a place is 3 to its power, modulo 31.
    let (mut sum, mut weight) = (0, 1);
    for value in &values[..CREDIT_CHARS - 1] {
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    if values[CREDIT_CHARS - 1] != (31 - sum % 31) % 31 {
        return wrong(both(
            format!("“{code}”的校验位不对，可能抄错了一位"),
            format!("the check character of \"{code}\" is wrong: a sign may be miscopied"),
        ));
    }
    Ok(code)
}

/// A division code (统计用区划代码): of the county, of a town or of a village.
///
/// # Errors
/// `division-code`.
pub fn division(text: &str) -> Result<String, Told> {
    let code = text.trim();
    if DIVISION_DIGITS.contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(code.to_owned());
    }
    Err(Told::new(
        "division-code",
        both(
            format!("“{}”不是区划代码", quote(text)),
            format!("\"{}\" is not a division code", quote(text)),
        ),
        both("区划代码", "division"),
        both(
            "请填 6 位（县市）、9 位（乡镇）或 12 位（村）数字",
            "write 6 (county), 9 (town) or 12 (village) digits",
        ),
    ))
}

/// A telephone number as it is kept: digits, with `+` before a country's code, without white space and brackets; an
/// extension stays behind `-`.
///
/// # Errors
/// `phone`.
pub fn phone(text: &str) -> Result<String, Told> {
    let kept: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '（' | '）'))
        .map(|c| {
            if matches!(c, '－' | '—' | '–') {
                '-'
            } else {
                c
            }
        })
        .collect();
    let digits = kept.bytes().filter(u8::is_ascii_digit).count();
    let plain = kept.strip_prefix('+').unwrap_or(&kept);
    let good = PHONE_DIGITS.contains(&digits)
        && plain.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        && plain.bytes().next().is_some_and(|b| b.is_ascii_digit());
    if good {
        return Ok(kept);
    }
    Err(Told::new(
        "phone",
        // The number itself is not repeated: a refusal is logged and shown to others.
        both("这不是电话号码", "that is no telephone number"),
        both("电话", "phone"),
        both(
            "请填手机号或带区号的座机号，例如 13812345678、0728-5223456",
            "write a mobile number or one with its area code, such as 13812345678 or 0728-5223456",
        ),
    ))
}

/// A telephone number for who may not see it whole: `138****1234`.
pub fn masked(phone: &str) -> String {
    let signs: Vec<char> = phone.chars().collect();
    let (front, back) = PHONE_SHOWN;
    if signs.len() <= front + back {
        return "****".to_owned();
    }
    let mut out: String = signs[..front].iter().collect();
    out.push_str("****");
    out.extend(&signs[signs.len() - back..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_codes_of_real_companies_are_taken_and_any_single_miscopied_sign_is_not() {
        // Published codes of well-known companies.
        let real = [
            "9144030071526726XG",
            "914403001922038216",
            "91330100799655058B",
        ];
        for code in real {
            assert_eq!(credit_code(code).unwrap(), code);
            for place in 0..CREDIT_CHARS {
                for sign in CREDIT_SIGNS {
                    let mut other = code.as_bytes().to_vec();
                    if other[place] == *sign {
                        continue;
                    }
                    other[place] = *sign;
                    let other = String::from_utf8(other).unwrap();
                    assert_eq!(credit_code(&other).unwrap_err().code, "credit-code");
                }
            }
        }
        assert_eq!(
            credit_code(" 9144 0300 7152 6726 xg ").unwrap(),
            "9144030071526726XG"
        );
        for bad in [
            "",
            "91440300",
            "9144030071526726XGG",
            "914403OO71526726XG",
            "统一",
        ] {
            assert!(credit_code(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn divisions_ids_and_numbers_are_what_they_look_like() {
        for good in ["429006", "429006001", "429006001002"] {
            assert_eq!(division(good).unwrap(), good);
        }
        for bad in ["", "4290", "42900600", "42900a", "４２９００６"] {
            assert_eq!(division(bad).unwrap_err().code, "division-code", "{bad}");
        }
        assert_eq!(slug("post-id", " shuili-1 ").unwrap(), "shuili-1");
        for bad in ["", "Water", "a b", "水利", "a_b", &"a".repeat(65)] {
            assert_eq!(slug("post-id", bad).unwrap_err().code, "post-id", "{bad}");
        }
    }

    #[test]
    fn a_number_is_kept_plain_and_shown_in_part() {
        for (typed, kept, shown) in [
            ("138 1234 5678", "13812345678", "138****5678"),
            ("+86 13812345678", "+8613812345678", "+86****5678"),
            ("（0728）5223456－801", "07285223456-801", "072****-801"),
            ("110", "110", "****"),
        ] {
            assert_eq!(phone(typed).unwrap(), kept);
            assert_eq!(masked(kept), shown);
        }
        for bad in [
            "",
            "12",
            "电话",
            "1381234567890123456",
            "138-abc",
            "-12345",
            "=1+1",
        ] {
            let told = phone(bad).unwrap_err();
            assert!(!told.what.zh.contains("138"), "the number is not repeated");
        }
    }
}
