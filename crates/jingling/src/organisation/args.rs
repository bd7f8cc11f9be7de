//! `jingling org …`: what can be said.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `jingling org …`.
#[derive(Debug, Subcommand)]
pub enum OrgCommand {
    /// Add and change organisations, posts and people from a workbook (.xlsx) or a sheet of it (.csv), whether the city runs or
    /// not. A file with a mistake is refused whole; it closes nobody's sign-in and takes no post back.
    #[command(
        after_help = "Examples:\n  jingling org import ./city 名册.xlsx --dry-run\n  jingling org import ./city 名册.xlsx --sign-ins 初始密码.csv\n\nExit status: 0 when nothing is wrong, 1 when something is and nothing was written."
    )]
    Import(OrgImport),
    /// Write organisations, posts and people to a workbook, with telephone numbers; of a new city, a template to fill.
    #[command(after_help = "Example: jingling org export ./city 名册.xlsx")]
    Export {
        /// The city's folder.
        dir: PathBuf,
        /// The file to write.
        file: PathBuf,
    },
    /// List the organisations.
    List {
        /// The city's folder.
        dir: PathBuf,
        /// One JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Hand over the work of a person who leaves: sign-in is closed or the person moves, sessions end, posts end or pass on,
    /// open cases go to the successor; all of it or nothing.
    #[command(
        after_help = "Examples:\n  jingling org handover ./city --from li.si --to wang.wu --dry-run\n  jingling org handover ./city --from li.si --to wang.wu --give-posts\n  jingling org handover ./city --from li.si --move-to yingji --to wang.wu"
    )]
    Handover(OrgHandover),
}

/// `jingling org import`.
#[derive(Debug, Args)]
pub struct OrgImport {
    /// The city's folder.
    pub dir: PathBuf,
    /// The file.
    pub file: PathBuf,
    /// Only tell what would be done and what is wrong.
    #[arg(long)]
    pub dry_run: bool,
    /// Write the passwords of new people to this file (CSV, readable by its owner alone) instead of printing them.
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub sign_ins: Option<PathBuf>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// `jingling org handover`.
#[derive(Debug, Args)]
pub struct OrgHandover {
    /// The city's folder.
    pub dir: PathBuf,
    /// Who leaves, by what is typed at sign-in.
    #[arg(long, value_name = "USERNAME")]
    pub from: String,
    /// Who goes on with the work.
    #[arg(long, value_name = "USERNAME")]
    pub to: Option<String>,
    /// The organisation that the person moves to; sign-in is closed without it.
    #[arg(long, value_name = "ID")]
    pub move_to: Option<String>,
    /// The person's role there.
    #[arg(long, requires = "move_to")]
    pub move_role: Option<String>,
    /// The successor holds the person's posts from now on; otherwise they end.
    #[arg(long, requires = "to")]
    pub give_posts: bool,
    /// The successor may be of another organisation.
    #[arg(long)]
    pub across: bool,
    /// What is said about it.
    #[arg(long, default_value = "")]
    pub note: String,
    /// Only tell what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}
