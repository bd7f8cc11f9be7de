//! What is shown of a personal value to whoever may not see it whole (脱敏). Pure: of every text, however short or odd,
//! at least a third is hidden, and of names and addresses at least half.

use model::MaskKind;

/// What stands for a value of which nothing is shown.
pub const HIDDEN: &str = "***";
/// What stands for a value whose key was destroyed: nobody can read it any more.
pub const RETIRED: &str = "密钥已销毁，不可读 (unreadable: key retired)";

/// The masked form of a plain value.
pub fn mask(kind: MaskKind, plain: &str) -> String {
    let text: Vec<char> = plain.trim().chars().collect();
    match kind {
        // The surname alone; of two-character surnames (欧阳) the first character, which is less.
        MaskKind::Name => ends(&text, 1, 0, 1),
        MaskKind::Phone => ends(&text, 3, 4, 4),
        MaskKind::IdNumber => ends(&text, 6, 4, 8),
        MaskKind::Address => address(&text),
        MaskKind::Plate => ends(&text, 2, 2, 3),
        MaskKind::Whole => HIDDEN.to_owned(),
    }
}

/// The first and last characters with stars between. Where these would be more than two thirds of the text, it is hidden
/// whole: it is not of the form that the mask is meant for.
fn ends(text: &[char], first: usize, last: usize, stars: usize) -> String {
    let given = first + last;
    // Of a name one of two characters is given; of the longer forms 7 of 11, 10 of 18, 4 of 7.
    let most = if last == 0 {
        text.len() / 2
    } else {
        text.len() * 2 / 3
    };
    if given > most {
        return HIDDEN.to_owned();
    }
    let head = text[..first].iter();
    let tail = text[text.len() - last..].iter();
    head.chain(std::iter::repeat_n(&'*', stars))
        .chain(tail)
        .collect()
}

/// Up to the last of province, city and district within the first half; no street, no number.
fn address(text: &[char]) -> String {
    let half = &text[..text.len() / 2];
    match half.iter().rposition(|c| "省市区县州盟旗".contains(*c)) {
        Some(at) => half[..=at].iter().chain(&['*'; 4]).collect(),
        None => HIDDEN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_forms() {
        for (kind, plain, shown) in [
            (MaskKind::Name, "张三", "张*"),
            (MaskKind::Name, "欧阳修远", "欧*"),
            (MaskKind::Phone, "13800001234", "138****1234"),
            (MaskKind::Phone, " 13800001234\n", "138****1234"),
            (
                MaskKind::IdNumber,
                "429006199001011234",
                "429006********1234",
            ),
            (MaskKind::Address, "天门市竟陵街道陆羽大道1号", "天门市****"),
            (
                MaskKind::Address,
                "湖北省天门市竟陵街道陆羽大道1号",
                "湖北省天门市****",
            ),
            (MaskKind::Plate, "鄂R12312", "鄂R***12"),
            (MaskKind::Whole, "anything", "***"),
        ] {
            assert_eq!(mask(kind, plain), shown, "{plain}");
        }
    }

    #[test]
    fn what_is_too_short_or_of_another_form_is_hidden_whole() {
        for (kind, plain) in [
            (MaskKind::Name, "张"),
            (MaskKind::Name, ""),
            (MaskKind::Phone, "12345"),
            (MaskKind::Phone, "123456789"),
            (MaskKind::IdNumber, "42900619900101"),
            (MaskKind::Address, "1 Lu Yu Avenue"),
            (MaskKind::Plate, "鄂R123"),
        ] {
            assert_eq!(mask(kind, plain), HIDDEN, "{plain}");
        }
    }
}
