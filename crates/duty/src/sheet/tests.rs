//! Rosters as people write them, and what is told of each mistake.

use super::*;

fn zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

fn shift(id: i64, zh: &str, en: &str, from: i64, until: i64) -> Shift {
    Shift {
        id,
        title_zh: zh.to_owned(),
        title_en: en.to_owned(),
        from_minute: from * 60,
        until_minute: until * 60,
    }
}

fn shifts() -> Vec<Shift> {
    vec![
        shift(1, "白班", "Day", 8, 20),
        shift(2, "夜班", "Night", 20, 8),
    ]
}

fn people() -> Vec<Person> {
    [
        (7, "wang", "王敏"),
        (8, "li", "李芳"),
        (9, "zhang.a", "张伟"),
        (10, "zhang.b", "张伟"),
    ]
    .map(|(id, username, name)| Person {
        id,
        username: username.to_owned(),
        name: name.to_owned(),
    })
    .to_vec()
}

fn sheet(names: &[&str], rows: &[&[&str]]) -> Sheet {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    Sheet {
        name: "十二月".to_owned(),
        names: texts(names),
        rows: (2..).zip(rows.iter().map(|row| texts(row))).collect(),
    }
}

fn look(sheets: &[Sheet], shifts: &[Shift]) -> Read {
    let (people, zone) = (people(), zone());
    let known = Known {
        shifts,
        people: &people,
        zone: &zone,
        now: Timestamp::parse("2026-11-27T04:00:00Z").unwrap(),
    };
    read(sheets, known, &Limits::default())
}

fn codes(read: &Read) -> Vec<(Option<u64>, &str)> {
    let mistakes = read.mistakes.iter();
    mistakes.map(|m| (m.line, m.told.code.as_str())).collect()
}

#[test]
fn a_line_for_each_turn_is_read_as_people_write_it() {
    let found = look(
        &[sheet(
            &["日期*", "星期", "班次", "岗位", "值班人员", "电话"],
            &[
                &["2026-12-01", "二", "白班", "值班员", "王 敏、li", "1"],
                &["2026/12/2", "三", "night", "带班领导", "ZHANG.B", ""],
                &["2026年12月3日", "四", " 夜班 ", "值班员", "王敏"],
                &["2026-12-01", "二", "白班", "值班员", "王敏", ""],
            ],
        )],
        &shifts(),
    );
    assert_eq!(codes(&found), []);
    let turns: Vec<_> = found
        .turns
        .iter()
        .map(|t| {
            (
                t.line,
                t.day.as_str(),
                t.shift_id,
                t.post.as_str(),
                t.user_id,
            )
        })
        .collect();
    assert_eq!(
        turns,
        [
            (2, "2026-12-01", 1, "值班员", 7),
            (2, "2026-12-01", 1, "值班员", 8),
            (3, "2026-12-02", 2, "带班领导", 10),
            (4, "2026-12-03", 2, "值班员", 7),
        ],
        "the same turn twice is one"
    );
    assert_eq!(found.not_read, ["十二月：电话"]);
    let until = Timestamp::parse("2026-12-03T00:00:00Z").unwrap();
    assert_eq!(found.turns[2].span.1, until, "a night ends on the next day");
}

#[test]
fn a_line_for_each_day_with_a_column_for_each_post_is_read() {
    let found = look(
        &[sheet(
            &[
                "日期",
                "星期",
                "白班 值班员",
                "夜班/带班领导",
                "Night",
                "食堂",
            ],
            &[
                &["2026-12-01", "二", "王敏", "李芳", "zhang.a", "三号"],
                &["2026-12-02", "三", "", "", "", ""],
                &["制表：办公室", "", "", "", "", ""],
            ],
        )],
        &shifts(),
    );
    assert_eq!(codes(&found), []);
    let turns: Vec<_> = found
        .turns
        .iter()
        .map(|t| (t.shift_id, t.post.as_str(), t.user_id, t.column.as_str()))
        .collect();
    assert_eq!(
        turns,
        [
            (1, "值班员", 7, "白班 值班员"),
            (2, "带班领导", 8, "夜班/带班领导"),
            (2, "值班员", 9, "Night"),
        ]
    );
    assert_eq!(found.not_read, ["十二月：食堂"]);
    // With one shift alone a column is called by its post.
    let one = sheet(&["日期", "带班领导"], &[&["2026-12-01", "李芳"]]);
    let found = look(&[one], &shifts()[..1]);
    assert_eq!(found.turns[0].post, "带班领导");
    assert_eq!(found.turns[0].shift_id, 1);
}

#[test]
fn every_mistake_is_told_with_its_line_and_its_column() {
    let found = look(
        &[sheet(
            &["日期", "班次", "值班岗", "人员"],
            &[
                &["12月1日", "白班", "值班员", "王敏"],
                &["2026-12-01", "早班", "值班员", "王敏"],
                &["2026-12-01", "白班", "", "王敏"],
                &["2026-12-01", "白班", "值班员", ""],
                &["2026-12-01", "白班", "值班员", "张伟、赵六"],
                &["2026-11-26", "白班", "值班员", "王敏"],
                &["2026-02-30", "白班", "值班员", "王敏"],
            ],
        )],
        &shifts(),
    );
    assert_eq!(
        codes(&found),
        [
            (Some(2), "duty-day"),
            (Some(3), "duty-pattern"),
            (Some(4), "duty-text"),
            (Some(5), "duty-person-missing"),
            (Some(6), "duty-person-many"),
            (Some(6), "duty-person-unknown"),
            (Some(7), "duty-past"),
            (Some(8), "duty-day"),
        ]
    );
    let unknown = &found.mistakes[5];
    assert_eq!(unknown.column.as_deref(), Some("人员"));
    assert_eq!(unknown.value.as_deref(), Some("赵六"));
    assert!(found.mistakes[1].told.mend.zh.contains("白班、夜班"));
    assert_eq!(found.mistakes_count, 8);
    // A shift that runs now may still be given to somebody.
    let running = sheet(
        &["日期", "班次", "值班岗", "人员"],
        &[&["2026-11-27", "白班", "值班员", "王敏"]],
    );
    assert_eq!(look(&[running], &shifts()).turns.len(), 1);
}

#[test]
fn what_is_no_roster_is_told_and_limits_hold() {
    let other = sheet(&["登录名", "姓名"], &[&["wang", "王敏"]]);
    let found = look(std::slice::from_ref(&other), &shifts());
    assert_eq!(codes(&found), [(None, "duty-sheet")]);
    assert_eq!(found.not_read, ["十二月"]);
    assert_eq!(codes(&look(&[], &shifts())), [(None, "duty-sheet")]);
    let (people, zone, shifts) = (people(), zone(), shifts());
    let known = Known {
        shifts: &shifts,
        people: &people,
        zone: &zone,
        now: Timestamp::parse("2026-11-27T04:00:00Z").unwrap(),
    };
    let limits = Limits {
        turns_max: 1,
        mistakes_max: 1,
        ..Limits::default()
    };
    let many = sheet(
        &["日期", "班次", "值班岗", "人员"],
        &[
            &["2026-12-01", "白班", "值班员", "王敏、李芳"],
            &["x", "白班", "值班员", "王敏"],
        ],
    );
    let found = read(&[many], known, &limits);
    assert_eq!((found.mistakes.len(), found.mistakes_count), (1, 2));
}

#[test]
fn nobody_is_in_two_shifts_at_once_in_the_file_or_with_the_roster() {
    let day_and_long = [
        shift(1, "白班", "Day", 8, 20),
        shift(3, "全天", "Whole day", 8, 8),
    ];
    let file = sheet(
        &["日期", "班次", "值班岗", "人员"],
        &[
            &["2026-12-01", "白班", "值班员", "王敏"],
            &["2026-12-01", "全天", "值班员", "王敏"],
            &["2026-12-01", "白班", "带班领导", "王敏"],
            &["2026-12-02", "白班", "值班员", "李芳"],
            &["2026-12-03", "白班", "值班员", "李芳"],
        ],
    );
    let mut found = look(&[file], &day_and_long);
    assert_eq!(
        codes(&found),
        [(Some(3), "duty-overlap")],
        "two posts of one shift may be one person's"
    );
    let taken = |shift_id: i64, n: usize| Taken {
        user_id: 8,
        shift_id,
        day: found.turns[n].day.clone(),
        post: "值班员".to_owned(),
        span: found.turns[n].span,
    };
    let taken = [taken(1, 2), taken(3, 3)];
    against(&mut found, &taken, &Limits::default());
    assert!(found.turns[2].is_there && !found.turns[3].is_there);
    assert_eq!(
        codes(&found),
        [(Some(3), "duty-overlap"), (Some(6), "duty-overlap")]
    );
}

#[test]
fn what_is_written_is_read_back_and_no_column_has_another_s_name() {
    let lines = [(7, "王敏"), (9, "张伟")].map(|(user_id, name)| Line {
        day: "2026-12-01".to_owned(),
        shift: "夜班".to_owned(),
        post: "值班员".to_owned(),
        user_id,
        name: name.to_owned(),
    });
    let written = write(&lines, &shifts(), &people());
    assert_eq!(written.len(), 2);
    let sheet = Sheet {
        name: written[0].name.clone(),
        names: written[0].names.clone(),
        rows: (2..).zip(written[0].rows.iter().cloned()).collect(),
    };
    let about = Sheet {
        name: written[1].name.clone(),
        names: written[1].names.clone(),
        ..Sheet::default()
    };
    let found = look(&[sheet, about], &shifts());
    assert_eq!((codes(&found), found.not_read.len()), (vec![], 0));
    let who: Vec<i64> = found.turns.iter().map(|turn| turn.user_id).collect();
    assert_eq!(who, [7, 9]);
    for one in &COLUMNS {
        for name in one.zh.iter().chain([&one.en]) {
            assert_eq!(column(name).map(|c| c.key), Some(one.key), "{name}");
        }
    }
}
