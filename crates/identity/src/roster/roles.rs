//! What of a file gives roles (角色和岗位), apart from the rest of it: the security administrator agrees to just that, after
//! whoever manages people imported the rest.

use super::apply::Roles;
use super::columns::Kind;
use super::plan::Plan;
use super::{Doing, Report, Sheet};
use crate::Identity;
use crate::approvals::Approved;
use model::{Problem, Timestamp};
use records::{Failure, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a second person is shown, and what is then done.
#[derive(Debug, Serialize, Deserialize)]
struct RolesAsked {
    file: String,
    sha256: String,
    posts: Vec<PostAsked>,
    people: Vec<PersonAsked>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PostAsked {
    id: String,
    organisation: String,
    title_zh: String,
    title_en: String,
    duty: String,
    role: String,
    division: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct PersonAsked {
    username: String,
    name: String,
    role: String,
    posts: Vec<String>,
}

impl RolesAsked {
    fn of(plan: &Plan, (file, sha256): (&str, &str)) -> Option<Self> {
        if !plan.gives_roles() {
            return None;
        }
        let posts = plan.posts.iter().filter(|(doing, _)| *doing != Doing::Same);
        let people = plan.people.iter().filter(|person| person.gives_role());
        Some(Self {
            file: file.to_owned(),
            sha256: sha256.to_owned(),
            posts: posts
                .map(|(_, post)| PostAsked {
                    id: post.id.clone(),
                    organisation: post.organisation_id.clone(),
                    title_zh: post.title_zh.clone(),
                    title_en: post.title_en.clone(),
                    duty: post.duty.clone(),
                    role: post.role.clone(),
                    division: post.division.clone().unwrap_or_default(),
                })
                .collect(),
            people: people
                .map(|person| PersonAsked {
                    username: person.username.clone(),
                    name: person.name.clone(),
                    role: person.role.as_str().to_owned(),
                    posts: person.gets.clone(),
                })
                .collect(),
        })
    }

    /// The same as sheets, so that there is one way in which a file's lines are judged and done.
    fn sheets(self) -> Vec<Sheet> {
        let posts = self.posts.into_iter().map(|post| {
            vec![
                post.id,
                post.organisation,
                post.title_zh,
                post.title_en,
                post.duty,
                post.role,
                post.division,
            ]
        });
        let columns = [
            "id",
            "organisation",
            "title_zh",
            "title_en",
            "duty",
            "role",
            "division",
        ];
        let posts = sheet(Kind::Posts, &columns, posts);
        let people = self.people.into_iter().map(|person| {
            vec![
                person.username,
                person.name,
                person.role,
                person.posts.join("、"),
            ]
        });
        let columns = ["username", "name", "role", "posts"];
        let people = sheet(Kind::People, &columns, people);
        [posts, people]
            .into_iter()
            .filter(|sheet| !sheet.rows.is_empty())
            .collect()
    }
}

fn sheet(kind: Kind, columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Sheet {
    Sheet {
        name: kind.sheet().to_owned(),
        names: columns.iter().map(|c| (*c).to_owned()).collect(),
        rows: (2..).zip(rows).collect(),
    }
}

impl Identity {
    /// What of a good file gives roles, as content of `DangerousAct::RosterRoles`; `None` when nothing does, or when something
    /// is wrong with the file, which the report tells.
    ///
    /// # Errors
    /// The store's own.
    pub async fn roster_roles(
        &self,
        sheets: &[Sheet],
        source: (&str, &str),
        now: Timestamp,
    ) -> Result<(Report, Option<Value>)> {
        let mut connection = self.records().read().await?;
        let plan = self.plan_roster(&mut connection, sheets, now).await?;
        let asked = match plan.report.mistakes_count {
            0 => RolesAsked::of(&plan, source),
            _ => None,
        };
        let asked = asked.map(serde_json::to_value).transpose();
        Ok((plan.report, asked.map_err(Failure::internal)?))
    }

    /// Gives the roles and posts of a file as two people agreed to it.
    ///
    /// # Errors
    /// [`Failure::Conflict`] `roster-changed` when somebody or something that it names is not there, or not any more as it was;
    /// otherwise the store's own.
    pub async fn give_roster_roles(&self, approved: &Approved, now: Timestamp) -> Result<Report> {
        let asked: RolesAsked =
            serde_json::from_value(approved.body().clone()).map_err(Failure::internal)?;
        let (file, sha256) = (asked.file.clone(), asked.sha256.clone());
        let sheets = asked.sheets();
        let looked = self.check_roster(&sheets, now).await?;
        let stranger = looked
            .lines
            .iter()
            .find(|line| line.kind == Kind::People && line.doing == Doing::Add);
        if let Some(line) = stranger {
            return Err(changed(format!("{} is not there", line.id)));
        }
        let by = (approved.actor(), Roles::Given(Some(approved)));
        let source = (file.as_str(), sha256.as_str());
        let (report, _) = self.apply_roster_as(&sheets, source, by, now).await?;
        match report.mistakes.first() {
            Some(mistake) => Err(changed(mistake.told.what.en.clone())),
            None => Ok(report),
        }
    }
}

fn changed(what: String) -> Failure {
    Failure::Conflict(Problem::new(
        "roster-changed",
        what,
        "people",
        "refuse it, and let the file be imported again",
    ))
}
