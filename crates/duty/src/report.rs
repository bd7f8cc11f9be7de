//! What a shift report (值班报告) says. Chinese only: it is a paper of the office. Whoever has the rows fills [`Report`];
//! nothing is counted here but what is listed.

use crate::document::Document;

/// Most rows of one table; how many there were stands above it.
pub const ROWS_MAX: usize = 1_000;

/// A shift and what happened in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The city's name.
    pub city: String,
    /// The organisation whose shift it was.
    pub organisation: String,
    /// The shift's name; empty for a period that is none.
    pub shift: String,
    /// From when until when, as people read it.
    pub period: String,
    /// Who was on duty, each as `post name`.
    pub on_duty: Vec<String>,
    /// When the report was made, and by whom.
    pub made: String,
    /// The figures.
    pub figures: Figures,
    /// Alerts that were raised, cleared or answered in the period.
    pub alerts: Vec<AlertLine>,
    /// Cases that were opened or closed in the period, or are overdue at its end.
    pub cases: Vec<CaseLine>,
    /// Plans that were started or ended in the period.
    pub activations: Vec<ActivationLine>,
    /// The hand-overs of the period.
    pub hand_overs: Vec<HandOverLine>,
}

/// How many. Drills are in none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Alerts raised.
    pub alerts_raised: usize,
    /// Alerts over.
    pub alerts_cleared: usize,
    /// Alerts that somebody took note of.
    pub alerts_answered: usize,
    /// Cases opened.
    pub cases_opened: usize,
    /// Cases closed.
    pub cases_closed: usize,
    /// Cases overdue at the end.
    pub cases_overdue: usize,
    /// Plans started.
    pub activations: usize,
    /// Drills started.
    pub drills: usize,
}

/// An alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertLine {
    /// When it was raised.
    pub raised: String,
    /// How grave.
    pub severity: String,
    /// What happened.
    pub title: String,
    /// When somebody took note, and who.
    pub answered: String,
    /// When it was over.
    pub cleared: String,
}

/// A case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseLine {
    /// Its number.
    pub number: String,
    /// One line.
    pub title: String,
    /// Where it stands.
    pub state: String,
    /// When it was opened.
    pub opened: String,
    /// When it was closed, or by when its step is due.
    pub ends: String,
}

/// An activation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivationLine {
    /// When it was started, and by whom.
    pub started: String,
    /// The plan; drills are marked 演练.
    pub title: String,
    /// Its steps: how many are done of how many, and how many late.
    pub steps: String,
    /// When it ended.
    pub ended: String,
}

/// A hand-over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandOverLine {
    /// Who handed over, and when.
    pub outgoing: String,
    /// Who signed, and when; that nobody did, when nobody did.
    pub incoming: String,
    /// What was written.
    pub notes: String,
}

/// The report as a document.
pub fn document(report: &Report) -> Document {
    let mut document = Document::new(format!("{}值班报告", report.city));
    let shift = match report.shift.is_empty() {
        true => String::new(),
        false => format!("（{}）", report.shift),
    };
    let people = match report.on_duty.is_empty() {
        true => "值班表上无人".to_owned(),
        false => report.on_duty.join("、"),
    };
    document.text(format!(
        "值班单位：{}\n时段：{}{shift}\n值班人员：{people}\n编制：{}",
        report.organisation, report.period, report.made
    ));
    let f = report.figures;
    document.heading("一、概况");
    document.text(format!(
        "本时段新发告警 {} 条，解除 {} 条，确认 {} 条；新立案件 {} 件，结案 {} 件，到时段结束仍超期 {} 件；启动预案 {} 次，演练 {} 次（演练不计入以上各数）。",
        f.alerts_raised,
        f.alerts_cleared,
        f.alerts_answered,
        f.cases_opened,
        f.cases_closed,
        f.cases_overdue,
        f.activations,
        f.drills
    ));
    document.heading(format!("二、告警（{} 条）", report.alerts.len()));
    let rows = report.alerts.iter().take(ROWS_MAX).map(|a| {
        vec![
            a.raised.clone(),
            severity_zh(&a.severity).to_owned(),
            a.title.clone(),
            a.answered.clone(),
            a.cleared.clone(),
        ]
    });
    document.table(
        &[
            ("发生时间", 16),
            ("级别", 8),
            ("内容", 40),
            ("确认", 18),
            ("解除时间", 16),
        ],
        rows.collect(),
        "本时段没有告警。",
    );
    document.heading(format!("三、案件（{} 件）", report.cases.len()));
    let rows = report.cases.iter().take(ROWS_MAX).map(|c| {
        vec![
            c.number.clone(),
            c.title.clone(),
            c.state.clone(),
            c.opened.clone(),
            c.ends.clone(),
        ]
    });
    document.table(
        &[
            ("编号", 18),
            ("标题", 34),
            ("状态", 12),
            ("立案时间", 16),
            ("结案或时限", 18),
        ],
        rows.collect(),
        "本时段没有新立、办结或超期的案件。",
    );
    document.heading(format!("四、预案与演练（{} 次）", report.activations.len()));
    let rows = report.activations.iter().take(ROWS_MAX).map(|a| {
        vec![
            a.started.clone(),
            a.title.clone(),
            a.steps.clone(),
            a.ended.clone(),
        ]
    });
    document.table(
        &[("启动", 22), ("预案", 36), ("步骤", 22), ("结束", 18)],
        rows.collect(),
        "本时段没有启动预案。",
    );
    document.heading("五、交接班");
    if report.hand_overs.is_empty() {
        document.text("本时段没有交接班记录。");
    }
    for one in report.hand_overs.iter().take(ROWS_MAX) {
        document.text(format!(
            "交班：{}；接班：{}\n{}",
            one.outgoing, one.incoming, one.notes
        ));
    }
    document
}

/// The Chinese word of a severity, as the pages say it.
pub fn severity_zh(severity: &str) -> &str {
    match severity {
        "critical" => "紧急",
        "major" => "重要",
        "minor" => "一般",
        "info" => "提示",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Block;

    #[test]
    fn an_empty_shift_says_that_nothing_happened_and_nobody_was_on_duty() {
        let report = Report {
            city: "天门市".to_owned(),
            ..Report::default()
        };
        let document = document(&report);
        assert_eq!(document.title, "天门市值班报告");
        let texts: Vec<&str> = document
            .blocks
            .iter()
            .filter_map(|block| match block {
                Block::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert!(texts[0].contains("值班表上无人"));
        assert!(texts.contains(&"本时段没有告警。"));
        assert!(texts.contains(&"本时段没有交接班记录。"));
        assert!(!document.blocks.iter().any(|b| matches!(b, Block::Table(_))));
    }

    #[test]
    fn what_happened_stands_in_its_table_with_its_words() {
        let report = Report {
            figures: Figures {
                alerts_raised: 3,
                drills: 1,
                ..Figures::default()
            },
            alerts: vec![AlertLine {
                severity: "major".to_owned(),
                title: "水位超警".to_owned(),
                ..AlertLine::default()
            }],
            hand_overs: vec![HandOverLine {
                outgoing: "李芳 2026-11-27 08:00".to_owned(),
                incoming: "尚未签收".to_owned(),
                notes: "三号泵检修中".to_owned(),
            }],
            ..Report::default()
        };
        let document = document(&report);
        let all = format!("{:?}", document.blocks);
        for held in [
            "新发告警 3 条",
            "演练 1 次",
            "重要",
            "水位超警",
            "尚未签收",
            "三号泵检修中",
        ] {
            assert!(all.contains(held), "{held}");
        }
    }
}
