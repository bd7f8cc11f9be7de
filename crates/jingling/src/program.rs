//! The command line from its words to its exit status. It lives in the library rather than in `main.rs`, because an
//! `async fn` is compiled anew in each program that waits for it, and this one waits for all of them.

use crate::args::{Cli, Command};
use crate::{
    audit, backup, check, commands, decode_command, demo, department, duty_commands,
    engine_commands, exchange, notice, oidc, organisation, output, outside, pack_commands,
    personal_commands, policies, query, rule_commands, security, settings,
};
use clap::Parser;
use std::io::IsTerminal as _;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Reads the words, does what they ask, and says what went wrong on standard error.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("jingling: {error}");
            return ExitCode::FAILURE;
        }
    };
    log(&cli.command);
    match runtime.block_on(obey(cli.command)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("jingling: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn log(command: &Command) {
    let (level, json) = match command {
        Command::Serve(args) => settings::Settings::load(&args.dir, &args.overrides.set)
            .map_or_else(
                |_| ("info".to_owned(), false),
                |s| (s.log.level, s.log.json),
            ),
        Command::Demo(_) | Command::Sim(_) => ("info".to_owned(), false),
        _ => ("warn".to_owned(), false),
    };
    let filter = EnvFilter::try_new(&level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    if json {
        builder.json().init()
    } else {
        builder.init()
    }
}

async fn obey(command: Command) -> anyhow::Result<bool> {
    match command {
        Command::Init(args) => {
            let made = commands::init(&args).await?;
            if args.json {
                output::print_json(&serde_json::json!(made))?;
            } else {
                let rows = made
                    .into_iter()
                    .map(|p| vec![p.role, p.username, p.password])
                    .collect();
                output::print_table(&["role", "username", "password"], rows);
                eprintln!(
                    "also in {}/secrets/first-sign-in.json; run it: jingling serve {}",
                    args.dir.display(),
                    args.dir.display()
                );
            }
        }
        Command::Serve(args) => demo::serve(args).await?,
        Command::Demo(args) => demo::demo(args).await?,
        Command::Sim(args) => demo::sim(args).await?,
        Command::Check(args) => return check::run(&args.dir, args.json, &args.chain).await,
        Command::Backup(args) => return backup::commands::backup(args).await,
        Command::Restore(args) => backup::commands::restore_one(args).await?,
        Command::Query(args) => query::query(args).await?,
        Command::Import(args) => return department::import(args).await,
        Command::Export(args) => department::export(args).await?,
        Command::Table(command) => department::table(command).await?,
        Command::Audit(command) => return audit::commands::audit(command).await,
        Command::Security(command) => return security::holes::command(command).await,
        Command::Token(command) => commands::token(command).await?,
        Command::Device(command) => commands::device(command).await?,
        Command::User(command) => commands::user(command).await?,
        Command::Policy(command) => return policies::command::run(command).await,
        Command::Org(command) => return organisation::commands::organisation(command).await,
        Command::Duty(command) => return duty_commands::command(command).await,
        Command::Notice(command) => return notice::command(command).await,
        Command::Oidc(command) => oidc::command(command).await?,
        Command::Provider(command) => return outside::command(command).await,
        Command::Exchange(command) => exchange::keys::command(command)?,
        Command::Keys(command) => personal_commands::keys(command).await?,
        Command::Personal(command) => personal_commands::personal(command).await?,
        Command::Engine(command) => engine_commands::engine(&command)?,
        Command::Decode(args) => return decode_command::decode(&args),
        Command::Pack(command) => return pack_commands::pack(&command).await,
        Command::Rule(command) => return rule_commands::rule(command).await,
        Command::Openapi => output::print_json(&api::description::json())?,
    }
    Ok(true)
}
