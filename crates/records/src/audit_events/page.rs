//! The catalogue of acts as the page of the documents.

use super::Event;

/// The catalogue as a table for people, Chinese and English: what `docs/audit-events.md` holds.
pub fn as_markdown() -> String {
    use std::fmt::Write as _;
    let mut text = String::from(
        "# 审计事件目录 · Audit events\n\n\
         本页由程序中的目录（`crates/records/src/audit_events.rs`）生成，测试检查其是否最新；目录以外的事件写不进审计日志。\n\n\
         Written from the catalogue in the code and checked by a test; an act outside of it cannot be written. Each row of the trail also has its\n\
         number, time, actor (kind, id, name), network address and hash: [audit.md](audit.md). A field marked `?` may be absent.\n\n\
         | 事件 act | 名称 title | 对象 target | 内容 fields of the detail |\n\
         | --- | --- | --- | --- |\n",
    );
    for entry in Event::ALL.iter().map(|event| event.entry()) {
        let fields: Vec<String> = entry
            .fields
            .iter()
            .map(|f| {
                let mark = if f.optional { "?" } else { "" };
                format!("`{}`{mark} {} ({})", f.name, f.zh, f.en)
            })
            .collect();
        let fields = if fields.is_empty() {
            "—".to_owned()
        } else {
            fields.join("<br>")
        };
        let _ = writeln!(
            text,
            "| `{}` | {}<br>{} | `{}` | {fields} |",
            entry.action, entry.title_zh, entry.title_en, entry.target
        );
    }
    text
}
