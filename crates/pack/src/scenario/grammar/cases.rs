//! The sentences of cases: how one is opened, what is done to it, and how it stands. Their forms stand in [`super`].

use super::{Data, Line, Read, Sentence, Wrong, no_duration, wrong};
use model::Timestamp;

/// What a case is called when the step that opens it does not say.
pub const UNNAMED: &str = "case";

/// A person opens a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    /// Who.
    pub person: String,
    /// What other steps call it; [`UNNAMED`] when not said.
    pub called: Option<String>,
    /// The rule whose alert it comes from.
    pub rule: Option<String>,
    /// The workflow, when it comes from no alert and its class does not say.
    pub workflow: Option<String>,
    /// Its class: a code of the pack's `categories/`.
    pub category: Option<String>,
    /// Longitude and latitude, degrees.
    pub place: Option<[f64; 2]>,
    /// Its title.
    pub title: Option<String>,
}

/// A person does something to a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Doing {
    /// Who.
    pub person: String,
    /// Which case; the one that was opened last when not said.
    pub case: Option<String>,
    /// The action.
    pub action: String,
    /// The department it is given to.
    pub organisation: Option<String>,
    /// The person it is given to.
    pub assignee: Option<String>,
    /// What the person writes.
    pub note: Option<String>,
    /// The files that come with it.
    pub files: Vec<File>,
    /// How many minutes of working time are asked for.
    pub minutes: Option<u32>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// The case that it repeats.
    pub repeats: Option<String>,
    /// The departments of its parts.
    pub parts: Vec<String>,
}

/// A file that comes with an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    /// A photo (照片).
    Photo,
    /// A spoken note (录音).
    Voice,
    /// A document (文件).
    Document,
    /// A signature (签名), with the name of who signed.
    Signature(String),
}

/// How a case stands, or what time alone did to it.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// In a state.
    In(String),
    /// When its present step is due.
    Due(Timestamp),
    /// When the whole case is due.
    WholeDue(Timestamp),
    /// Working time until its present step is due, in seconds.
    Left(i64),
    /// Its present step is overdue, by so much working time in seconds when that is said.
    Overdue(Option<i64>),
    /// Its present step is not overdue.
    NotOverdue,
    /// The step that was done last left its state late (`true`) or in time.
    Late(bool),
    /// It was escalated to a level.
    Escalated(i64),
    /// Its clocks stand until a moment.
    SuspendedUntil(Timestamp),
    /// Its clocks run again without anybody having said so.
    RunsAgain,
    /// An answer is wanted by a moment; `None`: none is.
    SupervisedUntil(Option<Timestamp>),
    /// How many reported it.
    Reporters(i64),
    /// Another case is suggested as the one that it repeats; `None`: none is.
    MayRepeat(Option<String>),
}

impl Standing {
    /// It in English, behind the case's name.
    pub fn words(&self) -> String {
        match self {
            Self::In(state) => format!("is in {state}"),
            Self::Due(at) => format!("is due at {at}"),
            Self::WholeDue(at) => format!("is due as a whole at {at}"),
            Self::Left(seconds) => format!("has {seconds} s left"),
            Self::Overdue(None) => "is overdue".to_owned(),
            Self::Overdue(Some(seconds)) => format!("is overdue by {seconds} s"),
            Self::NotOverdue => "is not overdue".to_owned(),
            Self::Late(true) => "was moved late".to_owned(),
            Self::Late(false) => "was moved in time".to_owned(),
            Self::Escalated(level) => format!("is escalated to level {level}"),
            Self::SuspendedUntil(at) => format!("is suspended until {at}"),
            Self::RunsAgain => "runs again".to_owned(),
            Self::SupervisedUntil(Some(at)) => format!("is supervised until {at}"),
            Self::SupervisedUntil(None) => "is not supervised".to_owned(),
            Self::Reporters(count) => format!("has {count} reporters"),
            Self::MayRepeat(Some(other)) => format!("may repeat {other}"),
            Self::MayRepeat(None) => "may repeat none".to_owned(),
        }
    }
}

/// `` `NAME` … 开出事件 `CASE` …`` and `` `NAME` opens the case `CASE` …``.
pub(super) fn opens(line: &mut Line<'_>, _: &mut Data<'_>) -> Read<Option<Sentence>> {
    let Some(person) = line.code() else {
        return Ok(None);
    };
    let mut opening = Opening {
        person: person.to_owned(),
        called: None,
        rule: None,
        workflow: None,
        category: None,
        place: None,
        title: None,
    };
    if line.word(&["opens a case"]) {
        opening.read_origin(line, &["from the alert"], &["with"])?;
    } else if line.word(&["opens the case"]) {
        opening.called = Some(code(line, "the case's name")?);
        opening.read_origin(line, &["from the alert"], &["with"])?;
    } else {
        opening.read_origin(line, &["由告警"], &["按"])?;
        if !line.word(&["开出事件"]) {
            return Ok(None);
        }
        opening.called = line.code().map(str::to_owned);
    }
    loop {
        if line.word(&["类别", "of the class"]) {
            opening.category = Some(code(line, "the class")?);
        } else if line.word(&["地点", "at"]) {
            let (Some(lon), Some(lat)) = (line.number(), line.number()) else {
                return Err(wrong(
                    "no place stands there",
                    "write longitude and latitude in degrees, such as 113.165 30.655",
                ));
            };
            opening.place = Some([lon, lat]);
        } else if line.word(&["标题", "titled"]) {
            opening.title = Some(words(line, "title")?);
        } else {
            break;
        }
    }
    if opening.rule.is_none() && opening.workflow.is_none() && opening.category.is_none() {
        return Err(wrong(
            "it is not said what kind of case is opened",
            "name an alert (由告警, from the alert), a workflow (按, with) or a class (类别, of the class)",
        ));
    }
    Ok(Some(Sentence::Open(opening)))
}

impl Opening {
    fn read_origin(&mut self, line: &mut Line<'_>, alert: &[&str], workflow: &[&str]) -> Read<()> {
        if line.word(alert) {
            self.rule = Some(code(line, "the rule")?);
        } else if line.word(workflow) {
            self.workflow = Some(code(line, "the workflow")?);
        }
        Ok(())
    }
}

/// `` `NAME` 对事件 `ACTION` …``, `` `NAME` 对事件 `CASE` 做 `ACTION` …`` and `` `NAME` does `ACTION` to the case `CASE` …``.
pub(super) fn acts(line: &mut Line<'_>, _: &mut Data<'_>) -> Read<Option<Sentence>> {
    let Some(person) = line.code() else {
        return Ok(None);
    };
    let (case, action);
    if line.word(&["对事件"]) {
        let first = code(line, "the action")?;
        (case, action) = if line.word(&["做"]) {
            (Some(first), code(line, "the action")?)
        } else {
            (None, first)
        };
    } else if line.word(&["does"]) {
        action = code(line, "the action")?;
        case = line
            .word(&["to the case"])
            .then(|| line.code().map(str::to_owned))
            .flatten();
    } else {
        return Ok(None);
    }
    let mut doing = Doing {
        person: person.to_owned(),
        case,
        action,
        organisation: None,
        assignee: None,
        note: None,
        files: Vec::new(),
        minutes: None,
        until: None,
        repeats: None,
        parts: Vec::new(),
    };
    while doing.more(line)? {}
    Ok(Some(Sentence::Act(doing)))
}

impl Doing {
    /// Takes one thing that comes with the action.
    fn more(&mut self, line: &mut Line<'_>) -> Read<bool> {
        if line.word(&["部门", "for the department"]) {
            self.organisation = Some(code(line, "the department")?);
        } else if line.word(&["人员", "for the person"]) {
            self.assignee = Some(code(line, "the person")?);
        } else if line.word(&["附言", "saying"]) {
            self.note = Some(words(line, "note")?);
        } else if line.word(&["附照片", "with a photo"]) {
            self.files.push(File::Photo);
        } else if line.word(&["附录音", "with a voice note"]) {
            self.files.push(File::Voice);
        } else if line.word(&["附文件", "with a document"]) {
            self.files.push(File::Document);
        } else if line.word(&["附签名", "with the signature of"]) {
            self.files
                .push(File::Signature(words(line, "name of who signed")?));
        } else if line.word(&["时长", "for"]) {
            let seconds = line.duration().ok_or_else(no_duration)?;
            let minutes = u32::try_from(seconds / 60).ok();
            let whole = minutes.filter(|_| seconds % 60 == 0);
            self.minutes = Some(whole.ok_or_else(|| {
                wrong(
                    "the time is not of whole minutes",
                    "write it in 分钟, 小时 or 天 (minutes, hours, days)",
                )
            })?);
        } else if line.word(&["直到", "until"]) {
            self.until = Some(moment(line)?);
        } else if line.word(&["重复", "repeating"]) {
            self.repeats = Some(code(line, "the case that was there first")?);
        } else if line.word(&["分给", "in parts for"]) {
            self.parts = line.codes();
            if self.parts.is_empty() {
                return Err(missing("the departments of the parts"));
            }
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

/// `` 事件 `CASE` …`` and `` the case `CASE` …``.
pub(super) fn stands(line: &mut Line<'_>, _: &mut Data<'_>) -> Read<Option<Sentence>> {
    if !line.word(&["事件", "the case"]) {
        return Ok(None);
    }
    let case = line.code().map(str::to_owned);
    let Some(is) = standing(line)? else {
        return Ok(None);
    };
    Ok(Some(Sentence::Case { case, is }))
}

fn standing(line: &mut Line<'_>) -> Read<Option<Standing>> {
    Ok(Some(if line.word(&["在", "is in"]) {
        Standing::In(code(line, "the state")?)
    } else if line.word(&["全案时限", "is due as a whole at"]) {
        Standing::WholeDue(moment(line)?)
    } else if line.word(&["时限", "is due at"]) {
        Standing::Due(moment(line)?)
    } else if line.word(&["还剩"]) {
        Standing::Left(line.duration().ok_or_else(no_duration)?)
    } else if line.word(&["未超期", "is not overdue"]) {
        Standing::NotOverdue
    } else if line.word(&["超期", "is overdue"]) {
        line.word(&["by"]);
        Standing::Overdue(line.duration())
    } else if line.word(&["上一步超时", "was moved late"]) {
        Standing::Late(true)
    } else if line.word(&["上一步按时", "was moved in time"]) {
        Standing::Late(false)
    } else if line.word(&["升级到第", "is escalated to level"]) {
        let level = count(line)?;
        line.word(&["级"]);
        Standing::Escalated(level)
    } else if line.word(&["挂账到", "is suspended until"]) {
        Standing::SuspendedUntil(moment(line)?)
    } else if line.word(&["恢复计时", "runs again"]) {
        Standing::RunsAgain
    } else if line.word(&["督办到", "is supervised until"]) {
        Standing::SupervisedUntil(Some(moment(line)?))
    } else if line.word(&["没有督办", "is not supervised"]) {
        Standing::SupervisedUntil(None)
    } else if line.word(&["没有疑似重复", "may repeat none"]) {
        Standing::MayRepeat(None)
    } else if line.word(&["疑似重复", "may repeat"]) {
        Standing::MayRepeat(Some(code(line, "the other case")?))
    } else if line.word(&["有"]) {
        let reporters = count(line)?;
        if !line.word(&["人反映"]) {
            return Ok(None);
        }
        Standing::Reporters(reporters)
    } else if line.word(&["has"]) {
        // Both begin with a number: the unit of a time tells them apart.
        if let Some(seconds) = line.duration() {
            if !line.word(&["left"]) {
                return Ok(None);
            }
            Standing::Left(seconds)
        } else {
            let reporters = count(line)?;
            if !line.word(&["reporters", "reporter"]) {
                return Ok(None);
            }
            Standing::Reporters(reporters)
        }
    } else {
        return Ok(None);
    }))
}

/// `被拒绝` and `it is refused`.
pub(super) fn refused(line: &mut Line<'_>, _: &mut Data<'_>) -> Read<Option<Sentence>> {
    if !line.word(&["被拒绝", "it is refused"]) {
        return Ok(None);
    }
    code(line, "the problem's code").map(|code| Some(Sentence::Refused(code)))
}

fn missing(what: &str) -> Wrong {
    wrong(format!("{what} is missing"), "write it in backticks")
}

fn code(line: &mut Line<'_>, what: &str) -> Read<String> {
    line.code().map(str::to_owned).ok_or_else(|| missing(what))
}

fn words(line: &mut Line<'_>, what: &str) -> Read<String> {
    line.quoted().map(str::to_owned).ok_or_else(|| {
        wrong(
            format!("no {what} stands there"),
            "write it in quotation marks",
        )
    })
}

fn moment(line: &mut Line<'_>) -> Read<Timestamp> {
    let text = code(line, "the time")?;
    Timestamp::parse(&text).map_err(|problem| wrong(problem.what, problem.mend))
}

fn count(line: &mut Line<'_>) -> Read<i64> {
    line.whole()
        .ok_or_else(|| wrong("no number stands there", "write a whole number"))
}

#[cfg(test)]
mod tests {
    use super::super::read;

    /// The same in both languages.
    #[test]
    fn both_languages_say_the_same() {
        for (zh, en) in [
            (
                "当 `a` 由告警 `r` 开出事件",
                "When `a` opens a case from the alert `r`",
            ),
            ("当 `a` 按 `w` 开出事件", "When `a` opens a case with `w`"),
            (
                "当 `a` 按 `w` 开出事件 `one`，类别 `B0102`，地点 113.165 30.655，标题 “井盖缺失”",
                "When `a` opens the case `one` with `w` of the class `B0102` at 113.165, 30.655 titled \"井盖缺失\"",
            ),
            (
                "当 `a` 开出事件，类别 `B0102`",
                "When `a` opens a case of the class `B0102`",
            ),
            (
                "当 `a` 对事件 `dispatch`，部门 `shuili`，附言 “去看”，附照片",
                "When `a` does `dispatch` to the case for the department `shuili` saying \"去看\" with a photo",
            ),
            (
                "当 `a` 对事件 `one` 做 `finish`，附录音，附文件，附签名 “张三”",
                "When `a` does `finish` to the case `one` with a voice note with a document with the signature of \"张三\"",
            ),
            (
                "当 `a` 对事件 `ask-extension`，时长 2 小时，附言 “等配件”",
                "When `a` does `ask-extension` to the case for 120 minutes saying \"等配件\"",
            ),
            (
                "当 `a` 对事件 `supervise`，直到 `2026-01-05T12:00:00+08:00`",
                "When `a` does `supervise` to the case until `2026-01-05T04:00:00Z`",
            ),
            (
                "当 `a` 对事件 `two` 做 `duplicate`，重复 `one`",
                "When `a` does `duplicate` to the case `two` repeating `one`",
            ),
            (
                "当 `a` 对事件 `split`，分给 `shuili`、`zhujian`",
                "When `a` does `split` to the case in parts for `shuili`, `zhujian`",
            ),
            ("则 事件在 `closed`", "Then the case is in `closed`"),
            (
                "则 事件 `one` 在 `closed`",
                "Then the case `one` is in `closed`",
            ),
            (
                "则 事件时限 `2026-01-05T12:00:00+08:00`",
                "Then the case is due at `2026-01-05T04:00:00Z`",
            ),
            (
                "则 事件 `one` 全案时限 `2026-01-05T12:00:00+08:00`",
                "Then the case `one` is due as a whole at `2026-01-05T04:00:00Z`",
            ),
            ("则 事件还剩 20 分钟", "Then the case has 20 minutes left"),
            (
                "则 事件超期 1 小时",
                "Then the case is overdue by 60 minutes",
            ),
            ("则 事件超期", "Then the case is overdue"),
            ("则 事件未超期", "Then the case is not overdue"),
            ("则 事件上一步超时", "Then the case was moved late"),
            ("则 事件上一步按时", "Then the case was moved in time"),
            (
                "则 事件升级到第 2 级",
                "Then the case is escalated to level 2",
            ),
            (
                "则 事件挂账到 `2026-01-05T12:00:00+08:00`",
                "Then the case is suspended until `2026-01-05T04:00:00Z`",
            ),
            ("则 事件恢复计时", "Then the case runs again"),
            (
                "则 事件督办到 `2026-01-05T12:00:00+08:00`",
                "Then the case is supervised until `2026-01-05T04:00:00Z`",
            ),
            ("则 事件没有督办", "Then the case is not supervised"),
            (
                "则 事件 `two` 疑似重复 `one`",
                "Then the case `two` may repeat `one`",
            ),
            ("则 事件没有疑似重复", "Then the case may repeat none"),
            (
                "则 事件 `one` 有 2 人反映",
                "Then the case `one` has 2 reporters",
            ),
            ("则 被拒绝 `case-state`", "Then it is refused: `case-state`"),
        ] {
            let read = |text| read(text, &[], None).unwrap_or_else(|e| panic!("{text}: {e:?}"));
            assert_eq!(read(zh), read(en));
        }
    }

    #[test]
    fn what_does_not_fit_says_what_is_missing() {
        for (text, what) in [
            ("当 `a` 开出事件", "what kind of case"),
            ("When `a` opens a case", "what kind of case"),
            ("当 `a` 按 开出事件", "the workflow is missing"),
            (
                "When `a` opens a case from the alert",
                "the rule is missing",
            ),
            ("当 `a` 按 `w` 开出事件，地点 113.1", "no place"),
            ("当 `a` 按 `w` 开出事件，标题 井盖", "no title"),
            ("当 `a` 对事件 做", "the action is missing"),
            ("当 `a` 对事件 `x`，附签名", "no name of who signed"),
            ("当 `a` 对事件 `x`，时长 30 秒", "whole minutes"),
            ("当 `a` 对事件 `x`，时长 很久", "no duration"),
            ("当 `a` 对事件 `x`，直到 `明天`", "明天"),
            (
                "When `a` does `split` to the case in parts for",
                "departments of the parts",
            ),
            ("则 事件在", "the state is missing"),
            ("则 事件升级到第 高 级", "no number"),
            (
                "Then the case `one` may repeat",
                "the other case is missing",
            ),
            ("则 被拒绝", "the problem's code is missing"),
        ] {
            let wrong = read(text, &[], None).unwrap_err();
            assert!(wrong.what.contains(what), "{text}: {wrong:?}");
            assert!(!wrong.mend.is_empty());
        }
    }
}
