//! Errors as RFC 9457 problem documents: what, where and how to mend it, under the right status.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::{Problem, Told};
use records::Failure;
use serde::Serialize;
use std::num::NonZeroU64;
use utoipa::ToSchema;

/// The body of every error (RFC 9457, `application/problem+json`).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProblemDocument)]
pub struct ProblemBody {
    /// A URI reference that names the kind of problem.
    pub r#type: String,
    /// The HTTP status' own words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Short stable code, e.g. `time-out-of-range`.
    pub code: String,
    /// What is wrong.
    pub detail: String,
    /// Where.
    pub place: String,
    /// How to mend it.
    pub mend: String,
    /// What is wrong, in Chinese, where the platform says it in both languages.
    pub detail_zh: Option<String>,
    /// Where, in Chinese.
    pub place_zh: Option<String>,
    /// How to mend it, in Chinese.
    pub mend_zh: Option<String>,
}

/// What a handler may fail with.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    problem: Problem,
    /// The same in Chinese.
    chinese: Option<Box<Chinese>>,
    retry_after_s: Option<NonZeroU64>,
}

#[derive(Debug)]
struct Chinese {
    what: String,
    place: String,
    mend: String,
}

/// A handler's answer.
pub type Answer<T> = Result<T, ApiError>;

impl ApiError {
    /// Any status with its problem.
    pub fn new(status: StatusCode, problem: Problem) -> Self {
        Self {
            status,
            problem,
            chinese: None,
            retry_after_s: None,
        }
    }
    /// Any status with what, where and how to mend it, each in Chinese and in English.
    pub fn both(
        status: StatusCode,
        code: &str,
        what: [&str; 2],
        place: [&str; 2],
        mend: [&str; 2],
    ) -> Self {
        let said = |[zh, en]: [&str; 2]| model::problem::both(zh, en);
        Self::told(status, Told::new(code, said(what), said(place), said(mend)))
    }

    /// A body above `http.body_mib_max`.
    pub fn too_large() -> Self {
        Self::both(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            [
                "请求正文超过上限",
                "the request's body is larger than is taken",
            ],
            ["请求正文", "body"],
            [
                "请少发一些，文件请压缩后再发，或由管理员调大 http.body_mib_max",
                "send less at once, or raise http.body_mib_max",
            ],
        )
    }

    /// Any status with its problem in both languages.
    pub fn told(status: StatusCode, told: Told) -> Self {
        let chinese = told.is_translated().then(|| {
            Box::new(Chinese {
                what: told.what.zh.clone(),
                place: told.place.zh.clone(),
                mend: told.mend.zh.clone(),
            })
        });
        Self {
            chinese,
            ..Self::new(status, told.into())
        }
    }
    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }
    /// What is wrong in both languages, for a page of its own; where nobody translated it, what is known of its code.
    pub fn in_both(&self) -> Told {
        let p = &self.problem;
        let (what, mend) = match (&self.chinese, p.code.as_str()) {
            (Some(chinese), _) => (chinese.what.clone(), chinese.mend.clone()),
            (None, "sign-in-too-often") => {
                let wait = self.retry_after_s.map_or(1, NonZeroU64::get);
                (
                    "登录尝试过于频繁".to_owned(),
                    format!("请等待 {wait} 秒再试"),
                )
            }
            _ => (
                "暂时无法完成".to_owned(),
                "请稍后再试；如果仍然不行，请告诉管理员".to_owned(),
            ),
        };
        Told::new(
            &p.code,
            model::problem::both(what, p.what.clone()),
            p.place.as_str(),
            model::problem::both(mend, p.mend.clone()),
        )
    }
    /// What is wrong, for a record of it.
    pub fn in_words(&self) -> String {
        format!("{}: {}", self.problem.code, self.problem.what)
    }
    /// 400.
    pub fn invalid(problem: Problem) -> Self {
        Self::new(StatusCode::BAD_REQUEST, problem)
    }
    /// A question to history: 400 for what it got wrong, 503 when history's own files are damaged or cannot be read.
    pub fn unanswered(problem: Problem) -> Self {
        if problem.code.starts_with("lake-") {
            tracing::error!(%problem, "history could not be asked");
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, problem);
        }
        Self::invalid(problem)
    }
    /// 404 of a kind of thing.
    pub fn not_found(kind: &str, id: impl std::fmt::Display) -> Self {
        let problem = Problem::new(
            "not-found",
            format!("no {kind} \"{id}\""),
            kind,
            "check the id; it may have been removed",
        );
        Self::new(StatusCode::NOT_FOUND, problem)
    }
    /// 401.
    pub fn signed_out() -> Self {
        let problem = Problem::new(
            "signed-out",
            "not signed in",
            "session",
            "sign in, or send Authorization: Bearer <token>",
        );
        Self::new(StatusCode::UNAUTHORIZED, problem)
    }
    /// 403 for want of a permission.
    pub fn forbidden(permission: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, forbidden(permission))
    }
    /// 503 with a time to wait: nothing was taken, the sender keeps it and tries again.
    pub fn busy(refusal: &admission::Refusal) -> Self {
        let status = match refusal {
            admission::Refusal::Busy => StatusCode::SERVICE_UNAVAILABLE,
            admission::Refusal::Full => StatusCode::INSUFFICIENT_STORAGE,
            admission::Refusal::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        let problem = Problem::new(
            "not-taken",
            refusal.to_string(),
            "journal",
            "nothing was written; send it again later",
        );
        Self {
            status,
            problem,
            chinese: None,
            retry_after_s: Some(NonZeroU64::MIN),
        }
    }
    /// 503: the platform is starting.
    pub fn not_ready() -> Self {
        let problem = Problem::new(
            "not-ready",
            "the platform is starting: the journal is replayed",
            "server",
            "ask again in a second",
        );
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            problem,
            chinese: None,
            retry_after_s: Some(NonZeroU64::MIN),
        }
    }
    /// 500: the cause goes to the log, not to the caller.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed inside");
        let problem = Problem::new(
            "internal",
            "the platform failed",
            "server",
            "try again; if it stays, give the administrator the time",
        );
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, problem)
    }
}

/// What is said for want of a permission.
pub(crate) fn forbidden(permission: &str) -> Problem {
    Problem::new(
        "forbidden",
        format!("this needs the permission {permission}"),
        "role",
        "ask the administrator for a role that has it",
    )
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Invalid(p) => Self::invalid(p),
            Failure::Unauthenticated(p) => Self::new(StatusCode::UNAUTHORIZED, p),
            Failure::Forbidden(p) => Self::new(StatusCode::FORBIDDEN, p),
            Failure::NotFound(p) => Self::new(StatusCode::NOT_FOUND, p),
            Failure::Conflict(p) => Self::new(StatusCode::CONFLICT, p),
            Failure::TooMany {
                problem,
                retry_after_s,
            } => Self {
                status: StatusCode::TOO_MANY_REQUESTS,
                problem,
                chinese: None,
                retry_after_s: NonZeroU64::new(retry_after_s),
            },
            Failure::Unavailable(problem) => Self {
                status: match problem.code.as_str() {
                    records::RECORDS_FULL => StatusCode::INSUFFICIENT_STORAGE,
                    _ => StatusCode::SERVICE_UNAVAILABLE,
                },
                problem,
                chinese: None,
                retry_after_s: Some(NonZeroU64::MIN),
            },
            Failure::Internal(cause) => Self::internal(cause),
        }
    }
}

/// Most of the framework's own words that is told, bytes.
const REJECTION_BYTES_MAX: usize = 4_096;

/// Gives what the framework itself refuses (a body that is no JSON, a query that does not fit, a body too
/// large, a request out of time) the shape of every other error. It comes here as plain text or empty.
pub async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_text = match response.headers().get(header::CONTENT_TYPE) {
        Some(kind) => kind.as_bytes().starts_with(b"text/plain"),
        None => true,
    };
    // What is not found says so itself; pages are no business of a program's.
    if !is_error || !is_text || status == StatusCode::NOT_FOUND {
        return response;
    }
    let said = axum::body::to_bytes(response.into_body(), REJECTION_BYTES_MAX).await;
    let said = said.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    rejected(status, said.unwrap_or_default()).into_response()
}

fn rejected(status: StatusCode, mut said: String) -> ApiError {
    if said.trim().is_empty() {
        said = status.canonical_reason().unwrap_or("refused").to_owned();
    }
    let place = if said.starts_with("Failed to deserialize query") {
        "query"
    } else if said.starts_with("Invalid URL") {
        "path"
    } else {
        "body"
    };
    let described = "send what /api/openapi.json describes for this operation";
    let (code, place, what, mend) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => return ApiError::too_large(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (
            "content-type",
            "content-type",
            said,
            "send JSON with the header content-type: application/json",
        ),
        StatusCode::GATEWAY_TIMEOUT => (
            "time-out",
            "request",
            "the request took too long".to_owned(),
            "ask for less at once, or raise http.request_seconds_max",
        ),
        status if status.is_server_error() => return ApiError::internal(said),
        _ => ("request-shape", place, said, described),
    };
    ApiError::new(status, Problem::new(code, what, place, mend))
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (detail_zh, place_zh, mend_zh) = match self.chinese {
            Some(zh) => (Some(zh.what), Some(zh.place), Some(zh.mend)),
            None => (None, None, None),
        };
        let body = ProblemBody {
            r#type: format!("/problems/{}", self.problem.code),
            title: self
                .status
                .canonical_reason()
                .unwrap_or_default()
                .to_owned(),
            status: self.status.as_u16(),
            code: self.problem.code,
            detail: self.problem.what,
            place: self.problem.place,
            mend: self.problem.mend,
            detail_zh,
            place_zh,
            mend_zh,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.get()));
        }
        response
    }
}
