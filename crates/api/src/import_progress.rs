//! How far an import is, for whoever waits for it: a file is sent under a name of the sender's own choice (`job`),
//! and while the answer is not there, the sender asks under that name. Nothing is kept once the import is over: its
//! own answer says what came of it.

use crate::access::Caller;
use crate::app::App;
use crate::error::{Answer, ApiError};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use identity::{Principal, PrincipalId};
use model::Told;
use model::problem::both;
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use utoipa::ToSchema;

/// Longest name of a job, in characters.
const JOB_CHARS_MAX: usize = 64;
/// Imports that are told of at the same time; those beyond go on, untold.
const JOBS_MAX: usize = 256;

/// What an import does now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportStep {
    /// The file is arriving.
    #[default]
    Receiving,
    /// Another file is being read: one at a time.
    Waiting,
    /// The file is read, found out and checked, line by line.
    Reading,
    /// The rows are written.
    Writing,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportProgress {
    /// What it does now.
    pub step: ImportStep,
    /// How much of this step is done: bytes while it arrives, rows while it is written, parts of the file's own
    /// measure while it is read.
    pub done: u64,
    /// How much there is; 0 while that is not known.
    pub total: u64,
}

/// Whose import, under which name.
type Key = (PrincipalId, String);

/// The imports that are under way.
#[derive(Debug, Default)]
pub struct Imports(Mutex<HashMap<Key, Arc<Mutex<ImportProgress>>>>);

/// One import under way; forgotten when it is dropped.
#[derive(Debug)]
pub struct Job {
    imports: Arc<Imports>,
    key: Option<Key>,
    progress: Arc<Mutex<ImportProgress>>,
    is_left: Arc<AtomicBool>,
}

/// Held by whoever waits for an import's answer.
#[derive(Debug)]
pub struct Waits(Arc<AtomicBool>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Imports {
    /// Begins to tell of an import. Without a name, and when there are too many, nobody can ask.
    ///
    /// # Errors
    /// `import-job` when the name cannot be one, or is another import's of the same caller.
    pub fn begin(self: &Arc<Self>, who: &Principal, name: Option<&str>) -> Answer<Job> {
        let progress = Arc::default();
        let mut key = None;
        if let Some(name) = name {
            let wanted = (who.id, checked(name)?);
            let mut known = self.0.lock();
            if known.contains_key(&wanted) {
                return Err(ApiError::told(
                    StatusCode::CONFLICT,
                    Told::new(
                        "import-job",
                        both("同名的导入正在进行", "an import of that name is under way"),
                        "job",
                        both("请换一个名称", "take another name"),
                    ),
                ));
            }
            if known.len() < JOBS_MAX {
                known.insert(wanted.clone(), Arc::clone(&progress));
                key = Some(wanted);
            }
        }
        Ok(Job {
            imports: Arc::clone(self),
            key,
            progress,
            is_left: Arc::default(),
        })
    }

    fn of(&self, who: PrincipalId, name: &str) -> Option<ImportProgress> {
        let known = self.0.lock();
        let progress = known.get(&(who, name.to_owned()))?;
        let now = *progress.lock();
        Some(now)
    }
}

fn checked(name: &str) -> Answer<String> {
    let is_good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.len() <= JOB_CHARS_MAX && name.chars().all(is_good) {
        return Ok(name.to_owned());
    }
    Err(ApiError::told(
        StatusCode::BAD_REQUEST,
        Told::new(
            "import-job",
            both("导入的名称不合要求", "the job's name is not allowed"),
            "job",
            both(
                format!("请用 1 至 {JOB_CHARS_MAX} 个英文字母、数字、- 和 _"),
                format!("use 1 to {JOB_CHARS_MAX} ASCII letters, digits, - and _"),
            ),
        ),
    ))
}

impl Job {
    /// Somebody waits for the answer, until what is given here is dropped.
    pub fn waits(&self) -> Waits {
        Waits(Arc::clone(&self.is_left))
    }

    /// Whether nobody waits for the answer any more.
    pub fn is_left(&self) -> bool {
        self.is_left.load(Ordering::Acquire)
    }

    /// Tells how far it is.
    pub fn tell(&self, step: ImportStep, done: u64, total: u64) {
        *self.progress.lock() = ImportProgress { step, done, total };
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.imports.0.lock().remove(&key);
        }
    }
}

/// How far an import of the caller's own is, by the `job` that it was sent under; 404 before it began and once it is
/// over.
#[utoipa::path(get, path = "/api/v1/imports/{job}", tag = "data", security(("session" = [])), params(("job" = String, Path)),
    responses((status = 200, body = ImportProgress), (status = 404, body = crate::error::ProblemBody)))]
pub async fn one(
    State(app): State<App>,
    Caller(caller): Caller,
    Path(job): Path<String>,
) -> Answer<Json<ImportProgress>> {
    let found = app.imports.of(caller.id, &job);
    found.map(Json).ok_or_else(|| {
        let job = model::problem::quote(&job);
        ApiError::told(
            StatusCode::NOT_FOUND,
            Told::new(
                "not-found",
                both(
                    format!("没有正在进行的导入“{job}”"),
                    format!("no import \"{job}\" is under way"),
                ),
                "job",
                both(
                    "它还没有开始，或已经结束；结果在导入请求自己的应答里",
                    "it has not begun or is over; the answer to the import itself says what came of it",
                ),
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::Role;

    fn person(id: i64) -> Principal {
        Principal {
            id: PrincipalId::User(id),
            username: "wang".to_owned(),
            name: "王敏".to_owned(),
            role: Role::Analyst,
            organisation_id: None,
            posts: Vec::new(),
            permissions: Role::Analyst.permissions().to_vec(),
        }
    }

    #[test]
    fn an_import_is_told_of_while_it_runs_and_to_its_sender_alone() {
        let imports = Arc::new(Imports::default());
        let job = imports.begin(&person(1), Some("a-1")).unwrap();
        job.tell(ImportStep::Reading, 3, 10);
        let waits = job.waits();
        assert!(!job.is_left());
        drop(waits);
        assert!(job.is_left());
        let told = ImportProgress {
            step: ImportStep::Reading,
            done: 3,
            total: 10,
        };
        assert_eq!(imports.of(PrincipalId::User(1), "a-1"), Some(told));
        assert_eq!(imports.of(PrincipalId::User(2), "a-1"), None);
        assert!(imports.begin(&person(1), Some("a-1")).is_err());
        let other = imports.begin(&person(2), Some("a-1")).unwrap();
        drop(job);
        assert_eq!(imports.of(PrincipalId::User(1), "a-1"), None);
        assert!(imports.of(PrincipalId::User(2), "a-1").is_some());
        drop(other);
        assert!(imports.0.lock().is_empty());
    }

    #[test]
    fn names_are_plain_and_their_number_is_bounded() {
        let imports = Arc::new(Imports::default());
        for bad in ["", "a b", "a/b", "名", &"x".repeat(65)] {
            assert!(imports.begin(&person(1), Some(bad)).is_err(), "{bad}");
        }
        let jobs: Vec<Job> = (0..JOBS_MAX + 2)
            .map(|n| imports.begin(&person(1), Some(&n.to_string())).unwrap())
            .collect();
        assert_eq!(imports.0.lock().len(), JOBS_MAX);
        drop(jobs);
        drop(imports.begin(&person(1), None).unwrap());
        assert!(imports.0.lock().is_empty());
    }
}
