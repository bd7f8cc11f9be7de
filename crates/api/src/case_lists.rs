//! Lists of cases: filtered, the board, and what may be the same.

use crate::access::Caller;
use crate::access::Peer;
use crate::app::App;
use crate::case_bodies::{
    BoardBody, BoardColumnBody, BoardState, CasePage, CaseSummary, SimilarBody, SimilarList, Step,
    WorkflowName,
};
use crate::case_pages::{moment, organisation_of};
use crate::error::Answer;
use crate::personal::{Look, Looking, LookingQuery};
use crate::sight::{Seeing, Sight};
use axum::Json;
use axum::extract::{Path, Query, State};
use cases::{Like, Similar};
use identity::Principal;
use model::Timestamp;
use records::cases::{CaseFilter, Mine, Order, Seen};
use records::{PageRequest, organisations};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which cases.
#[derive(Debug, Deserialize, IntoParams)]
pub struct CasesQuery {
    /// In this state.
    pub state: Option<String>,
    /// Of this workflow.
    pub workflow: Option<String>,
    /// In a state of this step, whatever the workflow.
    pub step: Option<Step>,
    /// Only those that have not ended (`true`) or have (`false`).
    pub open: Option<bool>,
    /// Only what is mine: given to me, or to my organisation and nobody yet.
    #[serde(default)]
    pub mine: bool,
    /// Of this organisation.
    pub organisation: Option<String>,
    /// In this town, by its code.
    pub town: Option<String>,
    /// In this unit grid, by its code.
    pub grid: Option<String>,
    /// Of this kind, by its code.
    pub category: Option<String>,
    /// Of this severity.
    pub severity: Option<String>,
    /// Only open ones whose present step is overdue (`true`), the longest overdue first.
    #[serde(default)]
    pub overdue: bool,
    /// Only those with these words in number, title or description.
    pub text: Option<String>,
    /// Opened at or after (RFC 3339).
    pub from: Option<String>,
    /// Opened before (RFC 3339).
    pub until: Option<String>,
    /// Parts of this case.
    pub parent: Option<i64>,
    /// `newest` (default), or `urgent`: open ones, those due first first and those without a clock last.
    #[param(value_type = Option<String>)]
    pub order: Option<ListOrder>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

/// The order of a list of cases.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListOrder {
    /// Newest first.
    Newest,
    /// Due first first.
    Urgent,
}

impl CasesQuery {
    async fn filter(
        &self,
        app: &App,
        sight: &Sight,
        caller: &Principal,
        now: Timestamp,
    ) -> Answer<CaseFilter> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let mine = match (self.mine, caller.user_id()) {
            (true, Some(user_id)) => Some(Mine {
                user_id,
                organisation_id: caller.organisation_id.clone(),
            }),
            _ => None,
        };
        let urgent = self.overdue || matches!(self.order, Some(ListOrder::Urgent));
        let time =
            |text: &Option<String>, place| given(text).map(|text| moment(&text, place)).transpose();
        Ok(CaseFilter {
            state: given(&self.state),
            workflow: given(&self.workflow),
            places: match self.step {
                Some(step) => Some(app.cases.places_of(step.into()).await?),
                None => None,
            },
            open: self.open,
            organisation_id: given(&self.organisation),
            mine,
            town: given(&self.town),
            grid: given(&self.grid),
            category: given(&self.category),
            severity: given(&self.severity),
            overdue_at: self.overdue.then_some(now),
            text: given(&self.text),
            from: time(&self.from, "from")?,
            until: time(&self.until, "until")?,
            parent_id: self.parent,
            seen: seen(app, sight).await?,
            order: if urgent { Order::Urgent } else { Order::Newest },
        })
    }
}

/// The departments whose cases the caller may read; `None` when it is all of them.
async fn seen(app: &App, sight: &Sight) -> Answer<Option<Seen>> {
    let mut read = app.records.read().await?;
    let all = organisations::list(&mut read).await?;
    let count = all.len();
    let without = sight.sees_case(None);
    let organisations: Vec<String> = all
        .into_iter()
        .map(|o| o.id)
        .filter(|id| sight.sees_case(Some(id)))
        .collect();
    let everything = without && organisations.len() == count;
    Ok((!everything).then_some(Seen {
        organisations,
        without,
    }))
}

/// Masks what looks personal in the texts of a case.
pub(crate) fn masked(look: &Look, mut case: cases::CaseSummary) -> cases::CaseSummary {
    let of = format!("case:{}", case.id);
    let shown = |field, text: &mut String| {
        *text = look.written(&of, field, std::mem::take(text));
    };
    shown("title", &mut case.case.title);
    shown("description", &mut case.case.description);
    case
}

/// Cases, newest first. What looks like a number of a person in their texts is masked, unless a purpose is stated.
#[utoipa::path(get, path = "/api/v1/cases", tag = "cases", security(("session" = ["case.read"])), params(CasesQuery, LookingQuery),
    responses((status = 200, body = CasePage)))]
pub async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    Looking(look): Looking,
    Query(query): Query<CasesQuery>,
) -> Answer<Json<CasePage>> {
    let now = app.now();
    let filter = query.filter(&app, &sight, &caller, now).await?;
    let request = PageRequest {
        after: query.after,
        limit: query.limit,
    };
    let page = app.cases.list(&filter, &request).await?;
    let page = page.map(|case| CaseSummary::of(&app.cases, masked(&look, case), now));
    look.tell(&app.records, app.now(), "cases").await?;
    Ok(Json(CasePage {
        items: page.items,
        next: page.next,
    }))
}

/// The board: open cases in columns, each with the most urgent ones and bounded counts. The columns are the steps of digital
/// urban management, to which the states of every workflow belong; with `workflow`, the states of that one. Takes the filters
/// of the list; `state`, `step`, `open`, `order`, `after` and `limit` are not asked.
#[utoipa::path(get, path = "/api/v1/cases/board", tag = "cases", security(("session" = ["case.read"])), params(CasesQuery, LookingQuery),
    responses((status = 200, body = BoardBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn board(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    Looking(look): Looking,
    Query(query): Query<CasesQuery>,
) -> Answer<Json<BoardBody>> {
    let now = app.now();
    let query = CasesQuery {
        step: None,
        ..query
    };
    let filter = query.filter(&app, &sight, &caller, now).await?;
    let workflow = filter.workflow.as_deref();
    let columns = app.cases.board(workflow, &filter, now).await?;
    let columns = columns
        .into_iter()
        .map(|column| BoardColumnBody {
            step: column.step.into(),
            state: column.state.map(|state| BoardState {
                name: state.name,
                title_zh: state.title_zh,
                title_en: state.title_en,
            }),
            count: column.count,
            overdue: column.overdue,
            cases: column
                .cases
                .items
                .into_iter()
                .map(|case| CaseSummary::of(&app.cases, masked(&look, case), now))
                .collect(),
            next: column.cases.next,
        })
        .collect();
    look.tell(&app.records, app.now(), "cases").await?;
    let workflows = app.cases.workflows();
    Ok(Json(BoardBody {
        columns,
        count_max: app.cases.options().board_count_max,
        workflows: workflows
            .iter()
            .map(|workflow| WorkflowName {
                name: workflow.name.clone(),
                title_zh: workflow.title_zh.clone(),
                title_en: workflow.title_en.clone(),
            })
            .collect(),
    }))
}

/// A board of cases that a pack declares (专题包的案件看板). Its cases are those of `/api/v1/cases/board` with its workflow and class.
#[derive(Debug, Serialize, ToSchema)]
pub struct PackCaseBoard {
    /// Unique among the views of the city.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Place among all views; lower comes first.
    pub order: u32,
    /// The workflow whose cases it shows.
    pub workflow: String,
    /// The workflow's title in Chinese.
    pub workflow_zh: String,
    /// The same in English.
    pub workflow_en: String,
    /// Only cases of this class.
    pub category: Option<String>,
    /// Its columns, in order.
    pub columns: Vec<BoardState>,
}

/// The boards of cases that packs declare.
#[derive(Debug, Serialize, ToSchema)]
pub struct PackCaseBoards {
    /// In their order.
    pub items: Vec<PackCaseBoard>,
}

/// The boards of cases that packs declare in their views. One whose workflow is gone is left out.
#[utoipa::path(get, path = "/api/v1/cases/boards", tag = "cases", security(("session" = ["case.read"])),
    responses((status = 200, body = PackCaseBoards)))]
pub async fn boards(State(app): State<App>) -> Json<PackCaseBoards> {
    let packs = app.packs.now();
    let items = packs.views.iter().filter_map(|view| {
        let board = view.cases.as_ref()?;
        let workflow = app.cases.workflow(&board.workflow).ok()?;
        let column = |state: &cases::workflow::State| BoardState {
            name: state.name.clone(),
            title_zh: state.title_zh.clone(),
            title_en: state.title_en.clone(),
        };
        let open = workflow.states.iter().filter(|state| !state.r#final);
        let columns = if board.columns.is_empty() {
            open.map(column).collect()
        } else {
            let named = board.columns.iter();
            let named = named.filter_map(|name| workflow.state(name));
            named.map(column).collect()
        };
        Some(PackCaseBoard {
            id: view.id.clone(),
            title_zh: view.title_zh.clone(),
            title_en: view.title_en.clone(),
            order: view.order,
            workflow: workflow.name.clone(),
            workflow_zh: workflow.title_zh.clone(),
            workflow_en: workflow.title_en.clone(),
            category: board.category.clone(),
            columns,
        })
    });
    Json(PackCaseBoards {
        items: items.collect(),
    })
}

fn seen_similar(app: &App, sight: &Sight, look: &Look, found: Vec<Similar>) -> Vec<SimilarBody> {
    found
        .into_iter()
        .filter(|similar| sight.sees_case(organisation_of(&similar.case)))
        .map(|similar| SimilarBody {
            case: CaseSummary::of(&app.cases, masked(look, similar.case), app.now()),
            metres: similar.metres,
        })
        .collect()
}

/// A place where a case is about to be opened.
#[derive(Debug, Deserialize, IntoParams)]
pub struct PlaceQuery {
    /// Longitude, WGS 84 degrees.
    pub lon: f64,
    /// Latitude, WGS 84 degrees.
    pub lat: f64,
    /// The kind; cases of other kinds are left out.
    pub category: Option<String>,
}

/// Cases near a place that a new one there may repeat, the nearest first.
#[utoipa::path(get, path = "/api/v1/cases/similar", tag = "cases", security(("session" = ["case.read"])), params(PlaceQuery, LookingQuery),
    responses((status = 200, body = SimilarList), (status = 400, body = crate::error::ProblemBody)))]
pub async fn similar_place(
    State(app): State<App>,
    Caller(_caller): Caller,
    Seeing(sight): Seeing,
    Looking(look): Looking,
    Query(query): Query<PlaceQuery>,
) -> Answer<Json<SimilarList>> {
    let like = Like {
        location: [query.lon, query.lat],
        category: query.category.filter(|c| !c.is_empty()),
        except: None,
        at: app.now(),
    };
    let items = seen_similar(&app, &sight, &look, app.cases.similar(&like).await?);
    look.tell(&app.records, app.now(), "cases").await?;
    Ok(Json(SimilarList { items }))
}

/// Cases that a case may repeat: near it in place and time and of its kind, the nearest first. Empty when it has no place.
#[utoipa::path(get, path = "/api/v1/cases/{id}/similar", tag = "cases", security(("session" = ["case.read"])), params(("id" = i64, Path), LookingQuery),
    responses((status = 200, body = SimilarList), (status = 404, body = crate::error::ProblemBody)))]
pub async fn similar(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    Looking(look): Looking,
    peer: Peer,
    Path(id): Path<i64>,
) -> Answer<Json<SimilarList>> {
    let case = app.cases.case(id, &peer.acting(&caller)).await?.case;
    sight.must_see(&case)?;
    let found = match case.location() {
        None => Vec::new(),
        Some(location) => {
            let like = Like {
                location,
                category: case.category.clone(),
                except: Some(case.id),
                at: case.created_at,
            };
            app.cases.similar(&like).await?
        }
    };
    let items = seen_similar(&app, &sight, &look, found);
    look.tell(&app.records, app.now(), "cases").await?;
    Ok(Json(SimilarList { items }))
}
