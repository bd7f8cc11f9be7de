//! What a message says: Chinese first, English after it. Pure.

use crate::affected::{lines_en, lines_zh, short_zh};
use crate::event::Event;
use model::Timestamp;

/// Longest text for SMS and voice that names what is affected, characters without the link: some gateways take no more, and each
/// 67 are a message to pay. Where it does not fit it is told shorter, and then not at all.
pub const SHORT_CHARS_MAX: usize = 300;

/// Titles of other events that a message names; the rest is counted.
pub const TITLES_MAX: u32 = 10;

/// A message as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// One line.
    pub subject: String,
    /// All of it, in lines.
    pub body: String,
    /// The shortest: for SMS and voice, Chinese alone.
    pub short: String,
}

fn severity_zh(severity: &str) -> &'static str {
    match severity {
        "critical" => "特急",
        "major" => "重要",
        "minor" => "一般",
        _ => "提示",
    }
}

/// Writes it. `reader` is whom it is for, where that is a person: what they answer for is named first. `shown` writes a moment as the
/// city's clock has it. `more` are the other events that it tells of: how many, and titles of the newest. `link` leads to where one
/// takes note of it.
pub fn compose(
    event: &Event,
    reader: Option<i64>,
    shown: impl Fn(Timestamp) -> String,
    more: (i64, &[(String, String)]),
    link: Option<&str>,
) -> Text {
    let (count, titles) = more;
    let at = shown(event.at);
    let severity = severity_zh(&event.severity);
    let mut subject = format!("【{severity}】{}", event.title_zh);
    let mut short = format!("【{severity}】{}（{at}）", event.title_zh);
    let mut body = format!(
        "{}\n{}\n\n时间 Time: {at}\n级别 Severity: {severity} {}\n",
        event.title_zh, event.title_en, event.severity
    );
    if let Some(doubt) = &event.doubt {
        let since = shown(doubt.since);
        subject.push_str(&format!("（存疑：{}）", doubt.zh));
        short.push_str(&format!("；存疑：{}", doubt.zh));
        body.push_str(&format!(
            "存疑 Doubt: {}（{since} 起） · {} (since {since})\n",
            doubt.zh, doubt.en
        ));
    }
    let affected = &event.affected;
    let (zh, en) = (lines_zh(affected, reader), lines_en(affected, reader));
    if !zh.is_empty() {
        body.push_str(&format!("\n{}\n{}\n", zh.join("\n"), en.join("\n")));
    }
    let fits = |text: &String| short.chars().count() + text.chars().count() <= SHORT_CHARS_MAX;
    if let Some(text) = short_zh(affected, reader).into_iter().find(fits) {
        short.push_str(&text);
    }
    if count > 0 {
        subject.push_str(&format!("，另有 {count} 条"));
        short.push_str(&format!("，另有 {count} 条"));
        body.push_str(&format!("\n另有 {count} 条 · {count} more:\n"));
        for (zh, en) in titles {
            let line = if zh == en {
                zh.clone()
            } else {
                format!("{zh} · {en}")
            };
            body.push_str(&format!("- {line}\n"));
        }
        let named = i64::try_from(titles.len()).unwrap_or(i64::MAX);
        if count > named {
            body.push_str("- …\n");
        }
    }
    if let Some(link) = link {
        body.push_str(&format!("\n知道了 Take note: {link}\n"));
        short.push_str(&format!(" 知道了：{link}"));
    }
    Text {
        subject: one_line(&subject),
        body,
        short: one_line(&short),
    }
}

/// Without line breaks and other controls, which would end a header or a field.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
