//! What a message says: Chinese first, English after it. Pure.

use crate::event::Event;

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

/// Writes it. `more` are the other events that it tells of: how many, and titles of the newest. `link` leads to where one
/// takes note of it.
pub fn compose(
    event: &Event,
    at: &str,
    more: (i64, &[(String, String)]),
    link: Option<&str>,
) -> Text {
    let (count, titles) = more;
    let severity = severity_zh(&event.severity);
    let mut subject = format!("【{severity}】{}", event.title_zh);
    let mut short = format!("【{severity}】{}（{at}）", event.title_zh);
    let mut body = format!(
        "{}\n{}\n\n时间 Time: {at}\n级别 Severity: {severity} {}\n",
        event.title_zh, event.title_en, event.severity
    );
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
