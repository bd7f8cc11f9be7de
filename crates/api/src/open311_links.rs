//! Cases that are also requests of other Open311 endpoints (docs/open311.md): how each stands there, what a person decides where the
//! platform cannot, and what is told of a case that is sent. Sending and following itself is the binary's, which has the addresses
//! and keys.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::case_pages::announce_row;
use crate::error::{Answer, ApiError};
use crate::open311::contact_of;
use crate::personal::Look;
use crate::sight::Seeing;
use ::open311::Draft;
use ::open311::forward::marked;
use axum::Json;
use axum::extract::{Path, State};
use cases::{Outside, note_outside};
use model::{Problem, Timestamp};
use records::cases::Case;
use records::open311 as rows;
use records::open311_links::{self as links, Link};
use records::{Event, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// Longest id of another endpoint, in characters.
const REMOTE_ID_CHARS: usize = 200;

/// A case that is also a request of another endpoint.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseOpen311Link)]
pub struct LinkBody {
    /// Its id.
    pub id: i64,
    /// The endpoint's name in the settings.
    pub peer: String,
    /// `to`: the case is sent there; `from`: the request was taken from there.
    pub way: String,
    /// `waiting` to be sent; `unsure` whether it was taken; `token`: taken, without an id so far; `open` or `closed` there; `done`:
    /// not asked for any more; `held` or `refused`: a person decides; `dropped`.
    pub state: String,
    /// The service there; of a request that was taken, the class here.
    pub service_code: String,
    /// What marks it there as this city's.
    pub reference: Option<String>,
    /// When it was asked for, or taken.
    pub made_at: String,
    /// How often it was sent.
    pub attempts: i64,
    /// When it was last sent.
    pub posted_at: Option<String>,
    /// Its id there.
    pub remote_id: Option<String>,
    /// `open` or `closed`, as it was last told.
    pub remote_status: Option<String>,
    /// What was last told of it.
    pub remote_notes: Option<String>,
    /// When the other side last told.
    pub asked_at: Option<String>,
    /// What is wrong; none when it goes as it should.
    pub problem: Option<String>,
    /// What a person may decide now.
    pub decisions: Vec<Decision>,
}

/// The links of a case.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseOpen311Links)]
pub struct LinksBody {
    /// Oldest first.
    pub items: Vec<LinkBody>,
}

fn body_of(look: &Look, link: Link) -> LinkBody {
    let at = |moment: Option<Timestamp>| moment.map(|m| m.to_string());
    let of = format!("case:{}", link.case_id);
    let written = |text: Option<String>| text.map(|text| look.written(&of, "open311_notes", text));
    LinkBody {
        decisions: Decision::ALL
            .into_iter()
            .filter(|decision| decision.fits(&link))
            .collect(),
        id: link.id,
        peer: link.peer,
        way: link.way,
        state: link.state,
        service_code: link.service_code,
        reference: Some(link.reference).filter(|text| !text.is_empty()),
        made_at: link.made_at.to_string(),
        attempts: link.attempts,
        posted_at: at(link.posted_at),
        remote_id: link.remote_id,
        remote_status: link.remote_status,
        remote_notes: written(link.remote_notes),
        asked_at: at(link.asked_at),
        problem: written(link.problem),
    }
}

/// Which other endpoints have this case as a request of theirs, and how it stands there.
#[utoipa::path(get, path = "/api/v1/cases/{id}/open311", tag = "cases", security(("session" = ["case.read"])), params(("id" = i64, Path)),
    responses((status = 200, body = LinksBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Path(id): Path<i64>,
) -> Answer<Json<LinksBody>> {
    sight.must_see(&app.cases.case(id, &peer.acting(&caller)).await?.case)?;
    let found = links::of_case(&mut *app.records.read().await?, id).await?;
    let look = Look::masked(&app.personal);
    let items = found.into_iter().map(|link| body_of(&look, link)).collect();
    Ok(Json(LinksBody { items }))
}

/// What a person decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CaseOpen311Decision)]
pub enum Decision {
    /// It is not there: send it again.
    Send,
    /// It is there, under this id.
    Found,
    /// Leave it.
    Drop,
}

impl Decision {
    const ALL: [Self; 3] = [Self::Send, Self::Found, Self::Drop];

    const fn word(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Found => "found",
            Self::Drop => "drop",
        }
    }

    fn fits(self, link: &Link) -> bool {
        let waits = links::FOR_PEOPLE.contains(&link.state.as_str());
        let is_under_way = matches!(link.state.as_str(), links::UNSURE | links::TOKEN);
        link.way == links::TO
            && match self {
                Self::Send => waits,
                Self::Found => waits || is_under_way,
                Self::Drop => waits || is_under_way || link.state == links::WAITING,
            }
    }

    /// How the link stands after it.
    fn done(self, link: &Link, remote_id: Option<String>, now: Timestamp) -> Link {
        let mut link = Link {
            problem: None,
            next_at: now,
            ..link.clone()
        };
        match self {
            Self::Send => {
                links::WAITING.clone_into(&mut link.state);
                link.attempts = 0;
            }
            Self::Found => {
                links::OPEN.clone_into(&mut link.state);
                link.remote_id = remote_id;
            }
            Self::Drop => links::DROPPED.clone_into(&mut link.state),
        }
        link
    }
}

/// A decision.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CaseOpen311Decide)]
pub struct DecideRequest {
    /// What is to become of it.
    pub act: Decision,
    /// The id that it has there; needed to say that it is there.
    pub remote_id: Option<String>,
}

/// Decides what becomes of a case that could not be sent, or of which it is not known whether it is there.
#[utoipa::path(post, path = "/api/v1/cases/{id}/open311/{link}", tag = "cases", security(("session" = ["case.dispatch"])),
    params(("id" = i64, Path), ("link" = i64, Path)), request_body = DecideRequest,
    responses((status = 200, body = LinksBody), (status = 404, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn decide(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Path((id, link)): Path<(i64, i64)>,
    Json(request): Json<DecideRequest>,
) -> Answer<Json<LinksBody>> {
    let acting = peer.acting(&caller);
    let case = app.cases.case(id, &acting).await?.case;
    sight.must_see(&case)?;
    let remote_id = remote_id(request.act, request.remote_id)?;
    let now = app.now();
    let mut write = app.records.write().await?;
    let found = links::get(&mut write, link).await?;
    let before = found
        .filter(|found| found.case_id == id)
        .ok_or_else(|| ApiError::not_found("open311 link", link))?;
    let after = request.act.done(&before, remote_id, now);
    let is_possible = request.act.fits(&before) && links::put(&mut write, &before, &after).await?;
    if !is_possible {
        return Err(ApiError::from(records::Failure::Conflict(Problem::new(
            "open311-link-state",
            format!("{} is {} at {}", case.number, before.state, before.peer),
            "act",
            "load the case again: it may have gone on",
        ))));
    }
    let mut detail = json!({"number": case.number, "peer": before.peer, "act": request.act.word()});
    if let Some(id) = &after.remote_id {
        detail["remote_id"] = json!(id);
    }
    let target = format!("case:{id}");
    let event = Event::Open311Decide;
    audit::insert(&mut write, now, &acting.actor, event, &target, &detail).await?;
    let said = Outside {
        actor: &acting.actor,
        action: "forward-decided",
        note: None,
        detail: Some(detail),
    };
    let row = note_outside(&mut write, id, said, now).await?;
    write.commit().await?;
    if let Some(row) = row {
        announce_row(&app, &row);
    }
    let found = links::of_case(&mut *app.records.read().await?, id).await?;
    let look = Look::masked(&app.personal);
    let items = found.into_iter().map(|link| body_of(&look, link)).collect();
    Ok(Json(LinksBody { items }))
}

fn remote_id(act: Decision, said: Option<String>) -> Answer<Option<String>> {
    if act != Decision::Found {
        return Ok(None);
    }
    let id = said.unwrap_or_default().trim().to_owned();
    let is_good = !id.is_empty()
        && id.chars().count() <= REMOTE_ID_CHARS
        && !id
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || c == ',');
    match is_good {
        true => Ok(Some(id)),
        false => Err(ApiError::invalid(Problem::new(
            "open311-remote-id",
            "that is no id of a request",
            "remote_id",
            "write the id that the other platform gave the request",
        ))),
    }
}

/// How a case is told to another endpoint.
#[derive(Clone, Debug)]
pub struct Telling<'a> {
    /// The service there.
    pub service_code: &'a str,
    /// Whether what the reporter said of themselves goes with it, and words that look personal go whole.
    pub is_personal: bool,
    /// What marks it there as ours.
    pub mark: &'a str,
    /// Longest description, in characters.
    pub description_chars_max: usize,
}

/// A case as it is sent to another endpoint; no key and no jurisdiction is in it. The second value is what it says without the mark.
///
/// # Errors
/// The store's own.
pub async fn draft_of(app: &App, case: &Case, telling: &Telling<'_>) -> Answer<(Draft, String)> {
    let row = rows::of_case(&mut *app.records.read().await?, case.id).await?;
    let look = Look::masked(&app.personal);
    let of = format!("case:{}", case.id);
    let written = |field: &str, text: String| match telling.is_personal {
        true => text,
        false => look.written(&of, field, text),
    };
    let words = match case.description.trim() {
        "" => case.title.as_str(),
        said => said,
    };
    let words = written("description", words.to_owned());
    let contact = row.as_ref().filter(|_| telling.is_personal);
    let draft = Draft {
        service_code: telling.service_code.to_owned(),
        place: case.lon.zip(case.lat).map(|(lon, lat)| [lon, lat]),
        description: Some(marked(&words, telling.mark, telling.description_chars_max)),
        contact: contact
            .and_then(|row| contact_of(app, row))
            .unwrap_or_default(),
        address: row
            .as_ref()
            .and_then(|row| Some(written("address", row.address.clone()?))),
        address_id: row.as_ref().and_then(|row| row.address_id.clone()),
        zipcode: row.as_ref().and_then(|row| row.zipcode.clone()),
        media_url: row.and_then(|row| row.media_url),
        ..Draft::default()
    };
    Ok((draft, words))
}

/// Tells the pages that a case's history has more.
pub fn tell_pages(app: &App, case: &Case) {
    announce_row(app, case);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(way: &str, state: &str) -> Link {
        Link {
            id: 1,
            case_id: 1,
            peer: "province".to_owned(),
            way: way.to_owned(),
            state: state.to_owned(),
            service_code: "002".to_owned(),
            reference: "[ref:tianmen/TM-1]".to_owned(),
            made_at: Timestamp::default(),
            attempts: 12,
            next_at: Timestamp::default(),
            posted_at: None,
            token: None,
            remote_id: None,
            remote_status: None,
            remote_notes: None,
            asked_at: None,
            problem: Some("it took too long".to_owned()),
        }
    }

    #[test]
    fn a_person_decides_only_what_the_platform_cannot() {
        let words = |way, state| -> Vec<&str> {
            let link = link(way, state);
            let fitting = Decision::ALL.into_iter().filter(|d| d.fits(&link));
            fitting.map(Decision::word).collect()
        };
        assert_eq!(words(links::TO, links::HELD), ["send", "found", "drop"]);
        assert_eq!(words(links::TO, links::REFUSED), ["send", "found", "drop"]);
        assert_eq!(words(links::TO, links::UNSURE), ["found", "drop"]);
        assert_eq!(words(links::TO, links::WAITING), ["drop"]);
        for state in [links::OPEN, links::CLOSED, links::DROPPED] {
            assert!(words(links::TO, state).is_empty(), "{state}");
        }
        assert!(words(links::FROM, links::HELD).is_empty(), "it is theirs");
    }

    #[test]
    fn what_becomes_of_it() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let held = link(links::TO, links::HELD);
        let sent = Decision::Send.done(&held, None, now);
        assert_eq!(
            (sent.state.as_str(), sent.attempts, sent.problem),
            (links::WAITING, 0, None)
        );
        let found = Decision::Found.done(&held, Some("7".to_owned()), now);
        assert_eq!(
            (found.state.as_str(), found.remote_id.as_deref()),
            (links::OPEN, Some("7"))
        );
        assert_eq!(Decision::Drop.done(&held, None, now).state, links::DROPPED);
        for bad in [None, Some(" "), Some("a,b"), Some("a b")] {
            let said = bad.map(str::to_owned);
            assert!(remote_id(Decision::Found, said).is_err(), "{bad:?}");
        }
    }
}
