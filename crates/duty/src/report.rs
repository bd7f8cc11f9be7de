//! What a shift report (值班报告) says, in Chinese or in English. Whoever has the rows fills [`Report`], in the same language;
//! nothing is counted here but what is listed.

use crate::document::{Document, Language};

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
    /// The plan; drills are marked 演练, [Drill].
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

/// The report as a document in one language; what people wrote stays as they wrote it.
pub fn document(report: &Report, language: Language) -> Document {
    let say = |zh: &'static str, en: &'static str| language.pick(zh, en);
    let title = language.pick(
        format!("{}值班报告", report.city),
        format!("{}: shift report", report.city),
    );
    let mut document = Document::new(language, title);
    document.text(head(report, language));
    document.heading(say("一、概况", "1. Summary"));
    document.text(summary(report.figures, language));

    let count = report.alerts.len();
    document.heading(language.pick(
        format!("二、告警（{count} 条）"),
        format!("2. Alerts ({count})"),
    ));
    let rows = report.alerts.iter().take(ROWS_MAX).map(|a| {
        vec![
            a.raised.clone(),
            severity(&a.severity, language).to_owned(),
            a.title.clone(),
            a.answered.clone(),
            a.cleared.clone(),
        ]
    });
    document.table(
        &[
            (say("发生时间", "Raised"), 16),
            (say("级别", "Severity"), language.pick(8, 10)),
            (say("内容", "What"), language.pick(40, 38)),
            (say("确认", "Acknowledged"), 18),
            (say("解除时间", "Cleared"), 16),
        ],
        rows.collect(),
        say("本时段没有告警。", "No alerts in this period."),
    );

    let count = report.cases.len();
    document.heading(language.pick(
        format!("三、案件（{count} 件）"),
        format!("3. Cases ({count})"),
    ));
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
            (say("编号", "Number"), 18),
            (say("标题", "Title"), 34),
            (say("状态", "State"), 12),
            (say("立案时间", "Opened"), 16),
            (say("结案或时限", "Closed or due"), 18),
        ],
        rows.collect(),
        say(
            "本时段没有新立、办结或超期的案件。",
            "No case was opened or closed, or is overdue.",
        ),
    );

    let count = report.activations.len();
    document.heading(language.pick(
        format!("四、预案与演练（{count} 次）"),
        format!("4. Response plans and drills ({count})"),
    ));
    let rows = report.activations.iter().take(ROWS_MAX).map(|a| {
        vec![
            a.started.clone(),
            a.title.clone(),
            a.steps.clone(),
            a.ended.clone(),
        ]
    });
    document.table(
        &[
            (say("启动", "Started"), 22),
            (say("预案", "Plan"), 36),
            (say("步骤", "Steps"), 22),
            (say("结束", "Ended"), 18),
        ],
        rows.collect(),
        say("本时段没有启动预案。", "No response plan was started."),
    );

    document.heading(say("五、交接班", "5. Hand-overs"));
    if report.hand_overs.is_empty() {
        document.text(say("本时段没有交接班记录。", "No shift was handed over."));
    }
    for one in report.hand_overs.iter().take(ROWS_MAX) {
        let HandOverLine {
            outgoing,
            incoming,
            notes,
        } = one;
        document.text(language.pick(
            format!("交班：{outgoing}；接班：{incoming}\n{notes}"),
            format!("Handed over by {outgoing}; signed by: {incoming}\n{notes}"),
        ));
    }
    document
}

/// Whose shift it was, when, who was on duty, and who made the report.
fn head(report: &Report, language: Language) -> String {
    let Report {
        organisation,
        period,
        made,
        ..
    } = report;
    let shift = match report.shift.as_str() {
        "" => String::new(),
        shift => language.pick(format!("（{shift}）"), format!(" ({shift})")),
    };
    let people = match report.on_duty.is_empty() {
        true => language
            .pick("值班表上无人", "nobody on the roster")
            .to_owned(),
        false => report.on_duty.join(language.pick("、", ", ")),
    };
    language.pick(
        format!("值班单位：{organisation}\n时段：{period}{shift}\n值班人员：{people}\n编制：{made}"),
        format!("Organisation: {organisation}\nPeriod: {period}{shift}\nOn duty: {people}\nMade by: {made}"),
    )
}

fn summary(f: Figures, language: Language) -> String {
    let Figures {
        alerts_raised,
        alerts_cleared,
        alerts_answered,
        cases_opened,
        cases_closed,
        cases_overdue,
        activations,
        drills,
    } = f;
    language.pick(
        format!(
            "本时段新发告警 {alerts_raised} 条，解除 {alerts_cleared} 条，确认 {alerts_answered} 条；新立案件 {cases_opened} 件，结案 {cases_closed} 件，到时段结束仍超期 {cases_overdue} 件；启动预案 {activations} 次，演练 {drills} 次（演练不计入以上各数）。"
        ),
        format!(
            "Alerts: {alerts_raised} raised, {alerts_cleared} cleared, {alerts_answered} acknowledged. Cases: {cases_opened} opened, {cases_closed} closed, {cases_overdue} overdue at the end. Response plans started: {activations}. Drills: {drills}; they are in none of the other figures."
        ),
    )
}

/// The word of a severity, as the pages say it.
pub fn severity(severity: &str, language: Language) -> &str {
    match severity {
        "critical" => language.pick("紧急", "Critical"),
        "major" => language.pick("重要", "Major"),
        "minor" => language.pick("一般", "Minor"),
        "info" => language.pick("提示", "Info"),
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
        let document = document(&report, Language::Zh);
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
        let document = document(&report, Language::Zh);
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

    #[test]
    fn in_english_it_has_no_word_of_chinese_but_what_people_wrote() {
        let report = Report {
            city: "Tianmen".to_owned(),
            organisation: "City Operations Command Centre".to_owned(),
            shift: "Day shift".to_owned(),
            on_duty: vec!["值班员 王敏".to_owned(), "带班领导 李芳".to_owned()],
            figures: Figures {
                alerts_raised: 3,
                drills: 1,
                ..Figures::default()
            },
            alerts: vec![AlertLine {
                severity: "critical".to_owned(),
                ..AlertLine::default()
            }],
            ..Report::default()
        };
        let english = document(&report, Language::En);
        assert_eq!(english.title, "Tianmen: shift report");
        let all = format!("{:?}", english.blocks);
        for held in [
            "3 raised",
            "Drills: 1",
            "Critical",
            "On duty: 值班员 王敏, 带班领导 李芳",
            "No shift was handed over.",
        ] {
            assert!(all.contains(held), "{held} in {all}");
        }
        let without = all.replace("值班员 王敏", "").replace("带班领导 李芳", "");
        assert!(without.is_ascii(), "{without}");
        let parts = |document: &Document| document.blocks.len();
        assert_eq!(parts(&english), parts(&document(&report, Language::Zh)));
    }
}
