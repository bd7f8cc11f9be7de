//! Commands (控制指令) for people: what a thing can be told, asking, agreeing, refusing, withdrawing, and what came of it.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::command_office::{Asking, numbers};
use crate::duty::belongs;
use crate::entities::{entity_id, name_of};
use crate::error::{Answer, ApiError, ProblemBody};
use crate::sight::{Seeing, Sight};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use commands::{Step, Why, asked, is_another};
use identity::{Permission, Principal};
use model::problem::{both, quote};
use model::{CommandApproval, CommandKind, EntityId, Problem};
use records::PageRequest;
use records::commands::{Command, CommandStep, Filter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use twin::Entity;
use utoipa::{IntoParams, ToSchema};

/// Longest reason or note, in characters.
const NOTE_CHARS_MAX: usize = 500;

/// Why something did not go, in both languages.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommandWhy {
    /// Short stable code, e.g. `command-interlock-refuses`.
    pub code: String,
    /// What is wrong, in Chinese.
    pub what_zh: String,
    /// The same in English.
    pub what_en: String,
    /// What to do, in Chinese.
    pub mend_zh: String,
    /// The same in English.
    pub mend_en: String,
}

impl From<Why> for CommandWhy {
    fn from(why: Why) -> Self {
        Self {
            code: why.code,
            what_zh: why.what_zh,
            what_en: why.what_en,
            mend_zh: why.mend_zh,
            mend_en: why.mend_en,
        }
    }
}

/// A command.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Command)]
pub struct CommandBody {
    /// Its number.
    pub id: i64,
    /// The thing that is told.
    pub entity_id: String,
    /// Its type.
    pub entity_type: String,
    /// Its name.
    pub entity_name: Option<String>,
    /// The command's name, as the type declares it.
    pub command: String,
    /// Its title in Chinese; its name when it is declared no more.
    pub title_zh: String,
    /// Its title in English.
    pub title_en: String,
    /// What is asked: a number, true or false, or a word.
    pub value: Value,
    /// UN/CEFACT code of its unit.
    pub unit: Option<String>,
    /// Why, in the asker's words.
    pub reason: String,
    /// Who else must agree: `second-person` or `none`.
    pub approval: String,
    /// `asked`, `approved`, `sent`, `done`, `failed`, `refused`, `expired` or `withdrawn`.
    pub state: String,
    /// Who asked.
    pub asked_by: String,
    /// When it was asked.
    pub asked_at: String,
    /// Until when it can be approved.
    pub expires_at: String,
    /// When its state changed last.
    pub changed_at: String,
    /// Who approved or refused it.
    pub decided_by: Option<String>,
    /// Why it failed; empty otherwise.
    pub why: Vec<CommandWhy>,
    /// What the device answered.
    pub answer: Option<Value>,
    /// Whether the caller may approve or refuse it now.
    pub may_decide: bool,
    /// Whether the caller may withdraw it now.
    pub may_withdraw: bool,
}

/// A step of a command.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CommandStep)]
pub struct CommandStepBody {
    /// When.
    pub at: String,
    /// `ask`, `approve`, `refuse`, `withdraw`, `expire`, `send`, `answer` or `fail`.
    pub step: String,
    /// The state behind it.
    pub state: String,
    /// Who did it; `commands` is the platform itself.
    pub by: String,
    /// In their words.
    pub note: String,
    /// What was sent, what the device answered, or why not.
    pub detail: Option<Value>,
}

/// A command with its steps, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommandDetail {
    /// The command.
    #[serde(flatten)]
    pub command: CommandBody,
    /// Its steps.
    pub steps: Vec<CommandStepBody>,
}

/// A page of commands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Commands {
    /// The commands, newest first.
    pub items: Vec<CommandBody>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// Which commands.
#[derive(Debug, Deserialize, IntoParams)]
pub struct CommandsQuery {
    /// To a thing.
    pub entity_id: Option<String>,
    /// In a state: `asked`, `approved`, `sent`, `done`, `failed`, `refused`, `expired` or `withdrawn`.
    pub state: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

/// What is asked.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CommandRequest {
    /// The thing that is to be told.
    pub entity_id: String,
    /// The command's name, as the type declares it.
    pub command: String,
    /// A number, true or false, or a word.
    pub value: Value,
    /// Why: at most 500 characters.
    pub reason: String,
}

/// What is said with a decision.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CommandDecision {
    /// In one's own words, at most 500 characters; whoever refuses must say why.
    #[serde(default)]
    pub note: String,
}

/// A word that a command takes.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommandWordBody {
    /// The word.
    pub value: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
}

/// An interlock, and what it says now.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommandInterlock {
    /// Why it refuses, in Chinese; with what is not known behind it.
    pub text_zh: String,
    /// The same in English.
    pub text_en: String,
    /// `free`, `idle` (not for this value), `refuses`, `missing`, `stale`, `doubtful` or `uncomputable`; null without a value.
    pub outcome: Option<String>,
    /// Whether the command may go for all that this interlock knows; null without a value.
    pub lets_go: Option<bool>,
    /// The input that is missing, too old or doubtful.
    pub attribute: Option<String>,
}

/// What a thing can be told.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommandOffer {
    /// The command's name.
    pub command: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// `number`, `boolean` or `word`.
    pub value: String,
    /// UN/CEFACT code of the unit of a number.
    pub unit: Option<String>,
    /// How the unit is written.
    pub unit_symbol: Option<String>,
    /// Least number that may be asked now.
    pub min: Option<f64>,
    /// Greatest number that may be asked now.
    pub max: Option<f64>,
    /// A number must be a multiple of it.
    pub step: Option<f64>,
    /// The words that may be asked.
    pub words: Vec<CommandWordBody>,
    /// Who else must agree: `second-person` or `none`.
    pub approval: String,
    /// Time within which it must be approved, in seconds.
    pub expires_seconds: u32,
    /// The interlocks, each with what it says of the value that was asked about.
    pub interlocks: Vec<CommandInterlock>,
    /// Whether the caller could ask for the value now; null without a value.
    pub may_ask: Option<bool>,
    /// Why not.
    pub why: Vec<CommandWhy>,
}

/// About which value it is asked what interlocks say.
#[derive(Debug, Deserialize, IntoParams)]
pub struct CommandOffersQuery {
    /// One command alone.
    pub command: Option<String>,
    /// The value: a number, `true` or `false`, or a word. Nothing is asked for by it.
    pub value: Option<String>,
}

/// The organisation that the entities of a type belong to.
fn owner_of(app: &App, entity_type: &str) -> Option<String> {
    let packs = app.packs.now();
    let declares = |pack: &&pack::Pack| pack.kinds.iter().any(|kind| kind.name == entity_type);
    let pack = packs.packs.iter().find(declares)?;
    pack.manifest.owner.clone()
}

/// Whether the caller is of the department of a type, or of the command centre.
fn is_theirs(app: &App, caller: &Principal, entity_type: &str) -> bool {
    owner_of(app, entity_type).is_none_or(|owner| belongs(caller, &owner))
}

fn not_theirs(app: &App, entity_type: &str) -> ApiError {
    let owner = owner_of(app, entity_type).unwrap_or_default();
    let why = Why::new(
        "command-organisation",
        both(
            format!("{entity_type} 属于 {owner}"),
            format!("{entity_type} belongs to {owner}"),
        ),
        both(
            "请该部门或指挥中心办理",
            "ask that department, or the command centre",
        ),
    );
    ApiError::told(StatusCode::FORBIDDEN, why.told("organisation"))
}

/// Commands are people's: a machine asks for none and agrees to none.
fn person(caller: &Principal) -> Answer<i64> {
    caller.user_id().ok_or_else(|| {
        let why = Why::new(
            "command-person",
            both(
                "控制指令只能由人申请和决定",
                "commands are asked for and decided by people",
            ),
            both("请登录后办理", "sign in as a person"),
        );
        ApiError::told(StatusCode::FORBIDDEN, why.told("caller"))
    })
}

fn note(text: &str, is_needed: bool, place: &str) -> Answer<String> {
    let text = text.trim();
    if (is_needed && text.is_empty()) || text.chars().count() > NOTE_CHARS_MAX {
        let why = Why::new(
            "command-reason",
            both(
                format!("理由要写，且不超过 {NOTE_CHARS_MAX} 字"),
                format!("a reason is needed, of at most {NOTE_CHARS_MAX} characters"),
            ),
            both("请写明为什么", "say why"),
        );
        return Err(ApiError::told(StatusCode::BAD_REQUEST, why.told(place)));
    }
    Ok(text.to_owned())
}

/// A thing that the caller may see.
fn seen(app: &App, sight: &Sight, id: &EntityId) -> Answer<Entity> {
    let entity = app.twin.get(id).filter(|entity| sight.sees(entity));
    entity.ok_or_else(|| ApiError::not_found("entity", id))
}

fn body(app: &App, sight: &Sight, caller: &Principal, command: Command) -> CommandBody {
    let kind = app.command_kind(&command.entity_type, &command.command);
    let title = |of: fn(&CommandKind) -> &String| {
        let declared = kind.as_ref().map(|kind| of(kind).clone());
        declared.unwrap_or_else(|| command.command.clone())
    };
    let entity = EntityId::new(&command.entity_id).ok();
    let entity = entity.and_then(|id| app.twin.get(&id));
    let entity_name = entity.and_then(|entity| {
        let kind = entity.entity_type.as_str();
        name_of(&entity).filter(|_| sight.sees_series(entity.id.as_str(), kind, "name"))
    });
    let is_asked =
        command.state == commands::State::Asked.as_str() && command.expires_at > app.now();
    let is_own = caller.user_id().is_some() && caller.user_id() == command.asked_by_id;
    let why: Vec<Why> = command
        .why
        .and_then(|why| serde_json::from_value(why).ok())
        .unwrap_or_default();
    CommandBody {
        title_zh: title(|kind| &kind.title_zh),
        title_en: title(|kind| &kind.title_en),
        may_decide: is_asked
            && caller.may(Permission::CommandApprove)
            && is_another(command.asked_by_id, caller.user_id())
            && is_theirs(app, caller, &command.entity_type),
        may_withdraw: is_asked && is_own && caller.may(Permission::CommandAsk),
        id: command.id,
        entity_id: command.entity_id,
        entity_type: command.entity_type,
        entity_name,
        command: command.command,
        value: command.value,
        unit: command.unit,
        reason: command.reason,
        approval: command.approval,
        state: command.state,
        asked_by: command.asked_by,
        asked_at: command.asked_at.to_string(),
        expires_at: command.expires_at.to_string(),
        changed_at: command.changed_at.to_string(),
        decided_by: command.decided_by,
        why: why.into_iter().map(Into::into).collect(),
        answer: command.answer,
    }
}

fn step_body(step: CommandStep) -> CommandStepBody {
    CommandStepBody {
        at: step.at.to_string(),
        step: step.step,
        state: step.state,
        by: step.by_name,
        note: step.note,
        detail: step.detail,
    }
}

/// A command to a thing that the caller may see.
async fn found(app: &App, sight: &Sight, id: i64) -> Answer<(Command, Vec<CommandStep>)> {
    let mut read = app.records.read().await?;
    let command = records::commands::get(&mut read, id).await?;
    let command = command.filter(|command| sight.sees_id(&command.entity_id));
    let command = command.ok_or_else(|| ApiError::not_found("command", id))?;
    let steps = records::commands::steps(&mut read, id).await?;
    Ok((command, steps))
}

async fn detail(app: &App, sight: &Sight, caller: &Principal, id: i64) -> Answer<CommandDetail> {
    let (command, steps) = found(app, sight, id).await?;
    Ok(CommandDetail {
        command: body(app, sight, caller, command),
        steps: steps.into_iter().map(step_body).collect(),
    })
}

/// Commands to things that the caller may see, newest first. A page may hold fewer than were asked for where some may not be seen.
#[utoipa::path(get, path = "/api/v1/commands", tag = "commands", security(("session" = ["command.read"])), params(CommandsQuery),
    responses((status = 200, body = Commands), (status = 400, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    Query(query): Query<CommandsQuery>,
) -> Answer<Json<Commands>> {
    if let Some(state) = query.state.as_deref()
        && commands::State::from_word(state).is_none()
    {
        let known: Vec<&str> = commands::State::ALL.iter().map(|s| s.as_str()).collect();
        return Err(ApiError::invalid(Problem::new(
            "command-state",
            format!("there is no state {}", quote(state)),
            "state",
            format!("use one of {}", known.join(", ")),
        )));
    }
    let page = PageRequest {
        after: query.after,
        limit: query.limit,
    };
    let filter = Filter {
        entity_id: query.entity_id.as_deref(),
        state: query.state.as_deref(),
    };
    let mut read = app.records.read().await?;
    let page = records::commands::list(&mut read, &filter, &page).await?;
    drop(read);
    let items = page.items.into_iter();
    let items = items.filter(|command| sight.sees_id(&command.entity_id));
    Ok(Json(Commands {
        items: items
            .map(|command| body(&app, &sight, &caller, command))
            .collect(),
        next: page.next,
    }))
}

/// One command with its steps.
#[utoipa::path(get, path = "/api/v1/commands/{id}", tag = "commands", security(("session" = ["command.read"])), params(("id" = i64, Path)),
    responses((status = 200, body = CommandDetail), (status = 404, body = ProblemBody)))]
pub async fn one(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    Path(id): Path<i64>,
) -> Answer<Json<CommandDetail>> {
    Ok(Json(detail(&app, &sight, &caller, id).await?))
}

/// Asks for a command. Where nobody else must agree (`approval` = `none`) it is sent at once. 409 `command-interlock` with every
/// interlock that refuses, `command-open` while another command to the thing has not ended; 400 `command-value`, `command-range` for
/// a value that may not be asked; 403 for a machine, and for who is not of the department that the type belongs to.
#[utoipa::path(post, path = "/api/v1/commands", tag = "commands", security(("session" = ["command.ask"])), request_body = CommandRequest,
    responses((status = 201, body = CommandDetail), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn ask(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Seeing(sight): Seeing,
    Json(request): Json<CommandRequest>,
) -> Answer<(StatusCode, Json<CommandDetail>)> {
    let id = entity_id(&request.entity_id)?;
    let entity = seen(&app, &sight, &id)?;
    let kind = app.command_kind(entity.entity_type.as_str(), &request.command);
    let kind = kind.ok_or_else(|| ApiError::not_found("command", quote(&request.command)))?;
    if !is_theirs(&app, &caller, entity.entity_type.as_str()) {
        return Err(not_theirs(&app, entity.entity_type.as_str()));
    }
    person(&caller)?;
    let asking = Asking {
        entity: id,
        command: request.command,
        value: request.value,
        reason: note(&request.reason, true, "reason")?,
    };
    let actor = peer.actor(&caller);
    // To its end even when the caller is gone: what is durable must be let go.
    let (work, office) = (app.clone(), actor);
    let asked = tokio::spawn(async move { work.ask_command(asking, entity, kind, office).await });
    let id = asked.await.map_err(ApiError::internal)??;
    let told = detail(&app, &sight, &caller, id).await?;
    Ok((StatusCode::CREATED, Json(told)))
}

/// A command that the caller decides on: one of the department's, asked for by somebody else.
async fn to_decide(app: &App, sight: &Sight, caller: &Principal, id: i64) -> Answer<()> {
    let (command, _) = found(app, sight, id).await?;
    if !is_theirs(app, caller, &command.entity_type) {
        return Err(not_theirs(app, &command.entity_type));
    }
    person(caller)?;
    if is_another(command.asked_by_id, caller.user_id()) {
        return Ok(());
    }
    let why = Why::new(
        "command-own",
        both(
            "自己申请的指令要由另一个人决定",
            "a command that one asked for oneself is decided by somebody else",
        ),
        both(
            "请同部门或指挥中心的另一位同事决定",
            "ask a colleague of the department or of the command centre",
        ),
    );
    Err(ApiError::told(StatusCode::FORBIDDEN, why.told("caller")))
}

/// Agrees to a command that somebody else asked for. Interlocks are judged again at this moment: when one refuses, nothing is sent and
/// the command is `failed` with why. Else it is sent once; the answer has `sent`, and what comes of it is asked for by its number.
#[utoipa::path(post, path = "/api/v1/commands/{id}/approve", tag = "commands", security(("session" = ["command.approve"])),
    params(("id" = i64, Path)), request_body = CommandDecision,
    responses((status = 200, body = CommandDetail), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn approve(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Seeing(sight): Seeing,
    Path(id): Path<i64>,
    Json(decision): Json<CommandDecision>,
) -> Answer<Json<CommandDetail>> {
    to_decide(&app, &sight, &caller, id).await?;
    let said = note(&decision.note, false, "note")?;
    let (work, actor) = (app.clone(), peer.actor(&caller));
    let approved = tokio::spawn(async move { work.approve_command(id, said, actor).await });
    approved.await.map_err(ApiError::internal)??;
    Ok(Json(detail(&app, &sight, &caller, id).await?))
}

/// Does not agree to a command that somebody else asked for; says why.
#[utoipa::path(post, path = "/api/v1/commands/{id}/refuse", tag = "commands", security(("session" = ["command.approve"])),
    params(("id" = i64, Path)), request_body = CommandDecision,
    responses((status = 200, body = CommandDetail), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn refuse(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Seeing(sight): Seeing,
    Path(id): Path<i64>,
    Json(decision): Json<CommandDecision>,
) -> Answer<Json<CommandDetail>> {
    to_decide(&app, &sight, &caller, id).await?;
    let said = note(&decision.note, true, "note")?;
    app.end_asked_command(id, Step::Refuse, &said, &peer.actor(&caller))
        .await?;
    Ok(Json(detail(&app, &sight, &caller, id).await?))
}

/// Takes back a command that one asked for oneself and that nobody has decided on yet.
#[utoipa::path(post, path = "/api/v1/commands/{id}/withdraw", tag = "commands", security(("session" = ["command.ask"])),
    params(("id" = i64, Path)),
    responses((status = 200, body = CommandDetail), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn withdraw(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Seeing(sight): Seeing,
    Path(id): Path<i64>,
) -> Answer<Json<CommandDetail>> {
    let (command, _) = found(&app, &sight, id).await?;
    if person(&caller)? != command.asked_by_id.unwrap_or_default() {
        let why = Why::new(
            "command-own",
            both("只有申请人能撤回", "only who asked for it takes it back"),
            both("请申请人撤回，或不批准", "ask them, or refuse it"),
        );
        return Err(ApiError::told(StatusCode::FORBIDDEN, why.told("caller")));
    }
    app.end_asked_command(id, Step::Withdraw, "", &peer.actor(&caller))
        .await?;
    Ok(Json(detail(&app, &sight, &caller, id).await?))
}

/// What a thing can be told, and, for a value, what each interlock says of it now. Nothing is asked for. Empty for what cannot be told
/// anything.
#[utoipa::path(get, path = "/api/v1/entities/{id}/commands", tag = "commands", security(("session" = ["command.read"])),
    params(("id" = String, Path), CommandOffersQuery),
    responses((status = 200, body = Vec<CommandOffer>), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn offers(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    Path(id): Path<String>,
    Query(query): Query<CommandOffersQuery>,
) -> Answer<Json<Vec<CommandOffer>>> {
    let id = entity_id(&id)?;
    let entity = seen(&app, &sight, &id)?;
    let catalogue = app.ingest.catalogue();
    let kind = catalogue.kinds.get(entity.entity_type.as_str());
    let all = kind.into_iter().flat_map(|kind| &kind.commands);
    let wanted = all.filter(|(name, _)| query.command.as_ref().is_none_or(|w| w == *name));
    let value = query.value.as_deref().map(|text| {
        serde_json::from_str::<Value>(text).unwrap_or_else(|_| Value::String(text.to_owned()))
    });
    let offers =
        wanted.map(|(name, kind)| offer(&app, &caller, &entity, name, kind, value.as_ref()));
    Ok(Json(offers.collect()))
}

fn offer(
    app: &App,
    caller: &Principal,
    entity: &Entity,
    name: &str,
    kind: &CommandKind,
    value: Option<&Value>,
) -> CommandOffer {
    let number = numbers(entity);
    let (min, max) = asked::bounds(kind, &number);
    let asked = value.and_then(|value| asked::check(kind, value, &number).ok());
    let verdicts = asked.map(|asked| app.judge_command(entity, kind, &asked.value));
    let interlocks = kind.interlocks.iter().enumerate().map(|(index, declared)| {
        let verdict = verdicts.as_ref().and_then(|all| all.get(index));
        CommandInterlock {
            text_zh: verdict.map_or(&declared.text_zh, |v| &v.text.zh).clone(),
            text_en: verdict.map_or(&declared.text_en, |v| &v.text.en).clone(),
            outcome: verdict.map(|v| v.outcome.as_str().to_owned()),
            lets_go: verdict.map(|v| v.outcome.lets_go()),
            attribute: verdict.and_then(|v| v.attribute.clone()),
        }
    });
    let why = match value.map(|value| app.command_order(entity, kind, value)) {
        Some(Err(reasons)) => reasons,
        _ => Vec::new(),
    };
    let is_allowed = caller.may(Permission::CommandAsk)
        && caller.user_id().is_some()
        && is_theirs(app, caller, entity.entity_type.as_str());
    let unit = kind.unit.as_deref().and_then(model::unit::find);
    CommandOffer {
        command: name.to_owned(),
        title_zh: kind.title_zh.clone(),
        title_en: kind.title_en.clone(),
        value: kind.value.as_str().to_owned(),
        unit: kind.unit.clone(),
        unit_symbol: unit.and_then(|unit| unit.symbols.first().map(|s| (*s).to_owned())),
        min,
        max,
        step: kind.step,
        words: kind
            .words
            .iter()
            .map(|word| CommandWordBody {
                value: word.value.clone(),
                title_zh: word.title_zh.clone(),
                title_en: word.title_en.clone(),
            })
            .collect(),
        approval: kind.approval.as_str().to_owned(),
        expires_seconds: match kind.approval {
            CommandApproval::SecondPerson => kind.expires_seconds,
            CommandApproval::None => 0,
        },
        interlocks: interlocks.collect(),
        may_ask: value.map(|_| is_allowed && why.is_empty()),
        why: why.into_iter().map(Into::into).collect(),
    }
}
