//! What `jingling org …` does.

use super::args::{OrgCommand, OrgHandover, OrgImport};
use crate::commands::open_identity;
use crate::files;
use crate::output::{print_json, print_table};
use crate::running::wall_clock;
use anyhow::{Context, Result, anyhow, bail};
use api::people::{HandOverReport, hand_over};
use api::roster::{self, RosterCounts, RosterReport, RosterSignIn};
use identity::roster::Mistake;
use identity::{HandOver, Role};
use records::Actor;
use std::io::Write as _;
use std::path::Path;

/// Mistakes that are printed for people; `--json` has them all up to the file's limit.
const MISTAKES_SHOWN_MAX: usize = 20;

/// Does it; gives whether nothing was wrong.
///
/// # Errors
/// What could not be read or written, or why it is refused.
pub async fn organisation(command: OrgCommand) -> Result<bool> {
    match command {
        OrgCommand::Import(args) => return import(args).await,
        OrgCommand::Export { dir, file } => export(&dir, &file).await?,
        OrgCommand::List { dir, json } => list(&dir, json).await?,
        OrgCommand::Handover(args) => handover(args).await?,
    }
    Ok(true)
}

async fn import(args: OrgImport) -> Result<bool> {
    let (records, identity) = open_identity(&args.dir).await?;
    let path = args.file.clone();
    let (sheets, mistakes, sha256) = tokio::task::spawn_blocking(move || {
        let name = path.display().to_string();
        let (sheets, mistakes) = roster::read(&path, &name, &imports::Limits::default())?;
        let sha256 = lake::department::sha256(&path)?;
        anyhow::Ok((sheets, mistakes, sha256))
    })
    .await??;
    let (actor, now) = (Actor::command_line(), wall_clock());
    let file = args.file.file_name().unwrap_or_default().to_string_lossy();
    let (report, made) = if args.dry_run || !mistakes.is_empty() {
        let report = identity.check_roster(&sheets, now).await?;
        (roster::with(report, mistakes), None)
    } else {
        let source = (&*file, sha256.as_str());
        let (report, made) = identity.apply_roster(&sheets, source, &actor, now).await?;
        let made = (report.mistakes_count == 0).then_some(made);
        (report, made)
    };
    records.close().await;
    let (good, shown) = (report.mistakes_count == 0, report.mistakes.clone());
    let mut report = RosterReport::new(report, made);
    if let Some(path) = args.sign_ins.as_deref().filter(|_| report.written) {
        let made = std::mem::take(&mut report.sign_ins);
        files::write_secret(path, as_csv(&made).as_bytes())
            .with_context(|| path.display().to_string())?;
    }
    if args.json {
        print_json(&serde_json::to_value(&report)?)?;
        return Ok(good);
    }
    tell(&report, &shown)?;
    Ok(good)
}

/// The passwords as a file to hand out.
fn as_csv(made: &[RosterSignIn]) -> String {
    // Names hold no quote and no line end (checked when they are taken); a comma may be in one.
    let mut text = String::from("\u{feff}姓名,登录名,单位,初始密码\r\n");
    for one in made {
        let organisation = one.organisation.as_deref().unwrap_or_default();
        let name = one.name.replace('"', "\"\"");
        let RosterSignIn {
            username, password, ..
        } = one;
        // A name that a spreadsheet would run is made a text.
        let name = match name.starts_with(['=', '+', '-', '@']) {
            true => format!("'{name}"),
            false => name,
        };
        text += &format!("\"{name}\",{username},{organisation},{password}\r\n");
    }
    text
}

fn tell(report: &RosterReport, mistakes: &[Mistake]) -> Result<()> {
    for mistake in mistakes.iter().take(MISTAKES_SHOWN_MAX) {
        let line = mistake
            .line
            .map(|n| format!(" 第 {n} 行"))
            .unwrap_or_default();
        let column = mistake.column.as_deref().unwrap_or_default();
        let told = &mistake.told;
        eprintln!(
            "{}{line} {column}：{}；{}",
            mistake.sheet, told.what.zh, told.mend.zh
        );
        eprintln!("    {}; {}", told.what.en, told.mend.en);
    }
    let more = report.mistakes_count.saturating_sub(MISTAKES_SHOWN_MAX);
    if more > 0 {
        eprintln!("…… and {more} more (--json has them)");
    }
    for name in &report.not_read {
        eprintln!("未读取 not read: {name}");
    }
    let row = |name: &str, counts: &RosterCounts| {
        let RosterCounts {
            added,
            changed,
            same,
        } = counts;
        vec![
            name.to_owned(),
            added.to_string(),
            changed.to_string(),
            same.to_string(),
        ]
    };
    print_table(
        &["", "新增 added", "修改 changed", "不变 same"],
        vec![
            row("单位 organisations", &report.organisations),
            row("岗位 posts", &report.posts),
            row("人员 people", &report.people),
            vec![
                "任职 posts given".to_owned(),
                report.holders.to_string(),
                String::new(),
                String::new(),
            ],
        ],
    );
    if !report.sign_ins.is_empty() {
        let rows = report.sign_ins.iter();
        let rows = rows.map(|s| vec![s.name.clone(), s.username.clone(), s.password.clone()]);
        print_table(
            &[
                "姓名 name",
                "登录名 username",
                "初始密码 password (shown once)",
            ],
            rows.collect(),
        );
    }
    let said = match (report.mistakes_count, report.written) {
        (0, true) => "已导入 imported".to_owned(),
        (0, false) => "没有错误，未写入 nothing is wrong; nothing was written".to_owned(),
        (n, _) => format!("{n} 处错误，未写入 {n} mistakes; nothing was written"),
    };
    writeln!(std::io::stdout(), "{said}")?;
    Ok(())
}

async fn export(dir: &Path, file: &Path) -> Result<()> {
    if file
        .extension()
        .is_none_or(|e| !e.eq_ignore_ascii_case("xlsx"))
    {
        bail!("{}: name a file that ends in .xlsx", file.display());
    }
    let (records, identity) = open_identity(dir).await?;
    let sheets = identity
        .export_roster(&Actor::command_line(), wall_clock())
        .await?;
    records.close().await;
    let bytes = imports::book::write_texts(&sheets).map_err(|p| anyhow!("{p}"))?;
    // It holds telephone numbers: for its owner alone.
    files::write_secret(file, &bytes).with_context(|| file.display().to_string())?;
    Ok(())
}

async fn list(dir: &Path, json: bool) -> Result<()> {
    let (records, identity) = open_identity(dir).await?;
    let all = identity.organisations().await?;
    records.close().await;
    if json {
        return print_json(&serde_json::to_value(all)?);
    }
    let rows = all.into_iter().map(|o| {
        vec![
            o.id,
            o.name_zh,
            o.kind,
            o.parent.unwrap_or_default(),
            o.division.unwrap_or_default(),
            o.credit_code.unwrap_or_default(),
            (if o.disabled { "停用" } else { "" }).to_owned(),
        ]
    });
    print_table(
        &[
            "id",
            "名称",
            "kind",
            "parent",
            "division",
            "credit code",
            "",
        ],
        rows.collect(),
    );
    Ok(())
}

async fn handover(args: OrgHandover) -> Result<()> {
    let (records, identity) = open_identity(&args.dir).await?;
    let now = wall_clock();
    let from = identity.user_by_username(&args.from).await?;
    let to = match &args.to {
        Some(username) => Some(identity.user_by_username(username).await?.id),
        None => None,
    };
    let held = match args.give_posts {
        true => identity.holders(Some(from.id), now).await?,
        false => Vec::new(),
    };
    let role = args.move_role.as_deref().map(str::parse::<Role>);
    let asked = HandOver {
        from: from.id,
        to,
        move_to: args.move_to.clone(),
        move_role: role.transpose()?,
        give_posts: held.into_iter().map(|h| h.post_id).collect(),
        across: args.across,
        note: args.note.clone(),
    };
    let (plan, done) = if args.dry_run {
        let mut connection = records.read().await?;
        let plan = identity
            .plan_hand_over(&mut connection, &asked, now)
            .await?;
        (plan, None)
    } else {
        let stores = (&records, &identity);
        let (plan, done) = hand_over(stores, &asked, (&Actor::command_line(), None), now).await?;
        (plan, Some(done))
    };
    records.close().await;
    let report = HandOverReport::new(&asked, &plan, done.as_ref());
    if args.json {
        return print_json(&serde_json::to_value(&report)?);
    }
    let mut rows = Vec::new();
    for case in &report.cases {
        let to = report.to_name.clone().unwrap_or_default();
        rows.push(vec![
            "案件 case".to_owned(),
            case.number.clone(),
            case.title.clone(),
            to,
        ]);
    }
    for post in &report.posts {
        let to = match post.is_given {
            true => report.to_name.clone().unwrap_or_default(),
            false => "结束 ends".to_owned(),
        };
        rows.push(vec![
            "岗位 post".to_owned(),
            post.id.clone(),
            post.title_zh.clone(),
            to,
        ]);
    }
    print_table(&["", "", "", "→"], rows);
    let what = match report.closes {
        true => "停用账号 sign-in is closed",
        false => "调动 moves",
    };
    let (sessions, sign_ins, turns) = (report.sessions, report.sign_ins, report.turns);
    let state = match report.id {
        Some(id) => format!("已完成，第 {id} 号 done, number {id}"),
        None => "预览，未写入 a preview; nothing was written".to_owned(),
    };
    writeln!(
        std::io::stdout(),
        "{}：{what}；会话 sessions {sessions}；其他系统的登录 sign-ins {sign_ins}；须另排的班次 turns of duty for others {turns}。{state}",
        report.from_name
    )?;
    Ok(())
}
