//! What the handlers share, and the table of operations.

use crate::access::{Rules, enforce};
use crate::error::as_problem;
use crate::events::Events;
use crate::live_packs::LivePacks;
use crate::plan::Plan;
use crate::tables::CityTables;
use crate::{
    account, accounts, affected, alerts, approvals, audit, back_tests, bulletins, case_classes,
    case_figures, case_lists, case_pages, charging_drive, charging_exchange,
    charging_exchange_money, charging_figures, charging_invoice_export, charging_invoices,
    charging_my_invoices, charging_office, charging_pages, charging_places, charging_refunds,
    charging_reserve, charging_sellers, charging_settlement, charging_share, charging_stations,
    charging_subsidy, charging_supervision, city_pages, command_office, command_pages, corrections,
    dead_letters, device_questions, devices, doors, duty, duty_contacts, duty_hand_overs,
    duty_plans, duty_report, duty_resources, duty_sheets, duty_suggestions, entities,
    entity_forecasts, entity_types, entries, events, form_burden, form_disputes, form_returns,
    forms, health, import_progress, notice_rules, notices, notifications, oidc_clients,
    oidc_consent, oidc_door, open311, open311_links, organisation, outside, outside_provider,
    overview, pack_pages, pages, people, personal, personal_subjects, plan, plan_claims,
    plan_documents, plan_projects, plan_proof, plan_report_files, plan_reports, plan_towns, plans,
    policy_pages, portal, portal_packages, project_changes, project_history, project_office,
    project_packages, project_photos, project_tasks, projects, provenance, replay, roster,
    rule_pages, run_adopt, run_pages, runner, second_step, security, session, sql, told,
};
use admission::Ingest;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::serve::ListenerExt as _;
use cases::Cases;
use city::City;
use identity::Identity;
use lake::Lake;
use model::{Shared, Timestamp, WeakShared};
use records::Records;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::timeout::TimeoutLayer;
use twin::Twin;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest wait for what is on disk already to be shown.
const SHOWN_WAIT_MAX: Duration = Duration::from_secs(1);

/// What can be set of the API.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether demonstration data is played; the pages say so.
    pub demo: bool,
    /// Whether the session's cookie is for HTTPS only, however it is asked for.
    pub cookie_secure: bool,
    /// What answers tell the browser.
    pub headers: crate::headers::Options,
    /// Which proxies are believed on whose behalf they ask.
    pub proxies: crate::proxies::Options,
    /// Largest request body, bytes.
    pub body_bytes_max: usize,
    /// How much is read of a body that was refused.
    pub lingering: crate::lingering::Options,
    /// Longest time for one request.
    pub request_time_max: Duration,
    /// Limits of a query whose answer is JSON.
    pub sql_limits: lake::Limits,
    /// Limits of a query whose answer is sent as it is found.
    pub sql_stream_limits: lake::Limits,
    /// Limits of a file that is made a table.
    pub import_limits: imports::Limits,
    /// Largest such file, bytes.
    pub upload_bytes_max: u64,
    /// Where files lie while they are received or sent.
    pub passing_dir: PathBuf,
    /// What back-tests of rules may use.
    pub back_tests: back_tests::Options,
    /// The city at a glance.
    pub overview: overview::Options,
    /// Past hours played back.
    pub replay: replay::Options,
    /// The door of service requests.
    pub open311: open311::Options,
    /// What runs may take.
    pub runs: runner::Options,
    /// Most entities that the map is given.
    pub map_entities_max: usize,
    /// How figures of the plan are reported.
    pub reports: plan_reports::Options,
    /// The plan's progress for everybody.
    pub portal: portal::Options,
    /// Documents of the plan office.
    pub documents: plan_documents::Options,
    /// How the sources of reporting forms are read.
    pub forms: forms::Options,
}

/// Name, Prometheus type, help and value of a counter.
pub type MetricLine = (String, &'static str, &'static str, u64);

/// Gives the counters of the doors.
pub type DoorMetrics = Box<dyn Fn() -> Vec<MetricLine> + Send + Sync>;

/// When the last good backup was taken; `None` when there never was one.
pub type LastBackup = Box<dyn Fn() -> Option<Timestamp> + Send + Sync>;

/// What the last restore drill of the backup found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drilled {
    /// When it began.
    pub at: Timestamp,
    /// Whether all was as the backup says.
    pub is_good: bool,
}

/// What the last restore drill found; `None` when there never was one.
pub type LastDrill = Box<dyn Fn() -> Option<Drilled> + Send + Sync>;

/// Ends connections, of whom the text names.
pub type Disconnect = Box<dyn Fn(&str) + Send + Sync>;

/// Everything the handlers share: [`AppParts`].
#[derive(Clone)]
pub struct App(Shared<AppParts>);

/// An [`App`] that this does not keep alive.
#[derive(Clone)]
pub struct WeakApp(WeakShared<AppParts>);

impl std::ops::Deref for App {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0
    }
}

impl WeakApp {
    /// The app, while it runs.
    pub fn upgrade(&self) -> Option<App> {
        self.0.upgrade().map(App)
    }
}

/// What the handlers share.
pub struct AppParts {
    /// What can be set.
    pub options: Options,
    /// The way in.
    pub ingest: Arc<Ingest>,
    /// The current state.
    pub twin: Arc<Twin>,
    /// History.
    pub lake: Arc<Lake>,
    /// People's records.
    pub records: Records,
    /// Who may do what.
    pub identity: Identity,
    /// Signing in to other systems.
    pub oidc: oidc_door::Door,
    /// Outside providers that people sign in with.
    pub outside: outside_provider::OutsideProviders,
    /// Cases.
    pub cases: Cases,
    /// What the packs declare.
    pub packs: LivePacks,
    /// The city.
    pub city: Arc<City>,
    /// The plan.
    pub plan: Arc<Plan>,
    /// Observations that are being corrected.
    pub corrections: corrections::UnderWay,
    /// The tables lent to SQL.
    pub tables: Arc<CityTables>,
    /// Personal data: who sees it, and how.
    pub personal: Arc<personal::Personal>,
    /// What the pages hear.
    pub events: Events,
    /// The NGSI-LD decoder.
    pub ngsi_ld: proto_ngsild::NgsiLd,
    /// The line-protocol decoder.
    pub line_protocol: Arc<parking_lot::RwLock<Arc<proto_influx::Influx>>>,
    /// The clock.
    pub clock: fn() -> Timestamp,
    /// What is wrong with what is stored.
    pub notices: Arc<notices::Notices>,
    /// Telling people, set once when the city runs.
    pub notifications: OnceLock<notifications::Desk>,
    /// Whether the projections have caught up since the start.
    pub is_ready: AtomicBool,
    /// The rule of every operation.
    pub rules: Rules,
    /// The API's description.
    pub description: utoipa::openapi::OpenApi,
    /// Counters of the doors.
    pub door_metrics: OnceLock<DoorMetrics>,
    /// Ends the connection of a client, by its client id.
    pub disconnect: OnceLock<Disconnect>,
    /// Ends the connections of a service token, by its name.
    pub disconnect_token: OnceLock<Disconnect>,
    /// When the last good backup was taken.
    pub last_backup: OnceLock<LastBackup>,
    /// What the last restore drill found.
    pub last_drill: OnceLock<LastDrill>,
    /// The position behind what the current state and history show.
    pub shown: OnceLock<watch::Receiver<u64>>,
    /// How far the files are that are being made tables.
    pub imports: Arc<import_progress::Imports>,
    /// What is kept of the audit chain between requests.
    pub audit: audit::Chain,
    /// Who tells what of security that is not in the records.
    pub security: security::Sources,
    /// Back-tests of rules, at work and done.
    pub back_tests: back_tests::BackTests,
    /// Overviews that are kept for a moment.
    pub overviews: overview::Cache,
    /// The engines that there are.
    pub engines: Arc<Vec<engine::Engine>>,
    /// What is remembered of runs.
    pub runner: runner::Runner,
    /// The way out to devices, set once when the doors are open.
    pub outlet: OnceLock<Arc<dyn command_office::Outlet>>,
    /// Charging, set once when its writer works.
    pub charging: OnceLock<charging_office::Office>,
    /// The exchange with other charging platforms, set once where the settings open it.
    pub exchange: OnceLock<Arc<dyn charging_exchange::Exchange>>,
    /// The commands whose answer is waited for.
    pub commands: command_office::UnderWay,
    /// Held while a file is made a table.
    pub importing: Arc<tokio::sync::Mutex<()>>,
    /// Held while a case is made of a claim.
    pub opening_claim_cases: Arc<tokio::sync::Mutex<()>>,
    /// The plan's progress for everybody, as it was put together last.
    pub portal: portal::Desk,
}

impl App {
    /// Shares the parts.
    pub fn new(parts: AppParts) -> Self {
        Self(Shared::new(parts))
    }

    /// A pointer that does not keep the parts alive.
    pub fn downgrade(&self) -> WeakApp {
        WeakApp(self.0.downgrade())
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Seconds since the last good backup was taken; `None` when there never was one.
    pub fn backup_age_seconds(&self) -> Option<u64> {
        let taken_at = self.last_backup.get().and_then(|last| last())?;
        Some(self.seconds_since(taken_at))
    }

    /// Seconds since the last restore drill began, and whether it was good; `None` when there never was one.
    pub fn drill_age_seconds(&self) -> Option<(u64, bool)> {
        let drilled = self.last_drill.get().and_then(|last| last())?;
        Some((self.seconds_since(drilled.at), drilled.is_good))
    }

    fn seconds_since(&self, time: Timestamp) -> u64 {
        self.now().micros_since(time).max(0).unsigned_abs() / 1_000_000
    }

    /// Waits until a journal position is on disk.
    ///
    /// # Errors
    /// 503 when it could not be written: the caller must not be told "accepted".
    pub async fn durable(&self, position: u64) -> crate::Answer<()> {
        self.ingest
            .journal()
            .wait_durable(position)
            .await
            .map_err(|e| crate::ApiError::busy(&admission::Refusal::Unavailable(e.to_string())))
    }

    /// Waits until the current state and history show a journal position, for a little: whoever changed
    /// something and looks again sees it. What is not shown by then is shown later.
    pub async fn shown(&self, position: u64) {
        if let Some(shown) = self.shown.get() {
            let mut shown = shown.clone();
            let wait = shown.wait_for(|&behind| behind > position);
            let _ = tokio::time::timeout(SHOWN_WAIT_MAX, wait).await;
        }
    }

    /// The runbook of a rule in Chinese and English.
    pub fn runbook(&self, rule_id: &str) -> (Option<String>, Option<String>) {
        let packs = self.packs.now();
        let name = packs
            .rules
            .iter()
            .find(|r| r.id == rule_id)
            .and_then(|r| r.runbook.as_deref());
        match name.and_then(|name| packs.runbooks.get(name)) {
            Some(runbook) => (Some(runbook.zh.clone()), Some(runbook.en.clone())),
            None => (None, None),
        }
    }
}

#[derive(OpenApi)]
#[openapi(info(
    title = "Jingling 竟陵",
    description = "The operating platform of a county-level city.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Description;

/// Every operation with a time limit. In parts: unoptimised, one chain of all of them takes more stack than a thread has.
fn operations() -> OpenApiRouter<App> {
    let all = signing_in(OpenApiRouter::with_openapi(Description::openapi()));
    let all = organisation(all);
    let all = city(all);
    let all = work(all);
    let all = plan_office(all);
    ways_in(all)
}

/// Signing in, one's own account, and accounts.
fn signing_in(all: OpenApiRouter<App>) -> OpenApiRouter<App> {
    all.routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .routes(routes!(health::description))
        .routes(routes!(session::sign_in, session::who, session::sign_out))
        .routes(routes!(session::people))
        .routes(routes!(second_step::methods))
        .routes(routes!(second_step::code, outside::second))
        .routes(routes!(outside::begin_sign_in))
        .routes(routes!(outside::callback))
        .routes(routes!(second_step::passkey_question))
        .routes(routes!(second_step::passkey))
        .routes(routes!(second_step::enrol_totp))
        .routes(routes!(second_step::enrol_totp_confirm))
        .routes(routes!(second_step::enrol_passkey_question))
        .routes(routes!(second_step::enrol_passkey))
        .routes(routes!(account::account))
        .routes(routes!(account::password))
        .routes(routes!(account::begin_totp, account::remove_totp))
        .routes(routes!(account::confirm_totp))
        .routes(routes!(account::renew_recovery_codes))
        .routes(routes!(account::passkey_question))
        .routes(routes!(account::add_passkey))
        .routes(routes!(account::remove_passkey))
        .routes(routes!(account::end_session))
        .routes(routes!(outside::identities, outside::link))
        .routes(routes!(outside::unlink))
        .routes(routes!(outside::identities_of))
        .routes(routes!(outside::unlink_of))
        .routes(routes!(account::end_other_sessions))
        .routes(routes!(
            account::second_factors,
            account::reset_second_factors
        ))
        .routes(routes!(accounts::list))
        .routes(routes!(accounts::roles))
        .routes(routes!(accounts::grant))
        .routes(routes!(accounts::access))
        .routes(routes!(accounts::password))
}

/// Second people, the audit trail, single sign-on, the organisation and its people.
fn organisation(all: OpenApiRouter<App>) -> OpenApiRouter<App> {
    all.routes(routes!(approvals::list))
        .routes(routes!(approvals::one))
        .routes(routes!(approvals::approve))
        .routes(routes!(approvals::refuse))
        .routes(routes!(approvals::withdraw))
        .routes(routes!(approvals::collect))
        .routes(routes!(audit::list))
        .routes(routes!(audit::events))
        .routes(routes!(audit::chain))
        .routes(routes!(audit::export))
        .routes(routes!(security::view))
        .routes(routes!(oidc_door::configuration))
        .routes(routes!(oidc_door::metadata))
        .routes(routes!(oidc_door::jwks))
        .routes(routes!(oidc_door::authorize, oidc_door::authorize_by_post))
        .routes(routes!(oidc_door::token))
        .routes(routes!(oidc_door::revoke))
        .routes(routes!(oidc_door::introspect))
        .routes(routes!(oidc_door::device))
        .routes(routes!(oidc_door::user_info, oidc_door::user_info_by_post))
        .routes(routes!(oidc_door::logout, oidc_door::logout_by_post))
        .routes(routes!(oidc_consent::question, oidc_consent::answer))
        .routes(routes!(oidc_consent::refusal))
        .routes(routes!(oidc_consent::device, oidc_consent::answer_device))
        .routes(routes!(oidc_consent::logout_question, oidc_consent::logout))
        .routes(routes!(oidc_consent::own_grants))
        .routes(routes!(oidc_consent::end_own_grant))
        .routes(routes!(oidc_consent::grants))
        .routes(routes!(oidc_consent::end_grant))
        .routes(routes!(oidc_clients::list, oidc_clients::add))
        .routes(routes!(oidc_clients::change, oidc_clients::remove))
        .routes(routes!(oidc_clients::rotate_secret))
        .routes(routes!(oidc_clients::rotate_keys, oidc_clients::end_keys))
        .routes(routes!(city_pages::city))
        .routes(routes!(city_pages::layer))
        .routes(routes!(city_pages::organisations))
        .routes(routes!(organisation::tree))
        .routes(routes!(organisation::add))
        .routes(routes!(organisation::change))
        .routes(routes!(organisation::add_post))
        .routes(routes!(organisation::change_post))
        .routes(routes!(organisation::give_post))
        .routes(routes!(organisation::end_post))
        .routes(routes!(people::list, people::add))
        .routes(routes!(people::change))
        .routes(routes!(people::preview))
        .routes(routes!(people::do_hand_over))
        .routes(routes!(people::hand_overs))
        .routes(routes!(roster::export))
}

/// What is known of the city, who is told, its front page, alerts, and requests of residents.
fn city(all: OpenApiRouter<App>) -> OpenApiRouter<App> {
    all.routes(routes!(entities::list))
        .routes(routes!(entities::one))
        .routes(routes!(entities::history))
        .routes(routes!(entity_forecasts::forecasts))
        .routes(routes!(entities::map))
        .routes(routes!(corrections::list, corrections::correct))
        .routes(routes!(entity_types::types))
        .routes(routes!(pack_pages::type_schema))
        .routes(routes!(pack_pages::list))
        .routes(routes!(pack_pages::context))
        .routes(routes!(pack_pages::reload))
        .routes(routes!(provenance::one))
        .routes(routes!(notices::list))
        .routes(routes!(notifications::list))
        .routes(routes!(notifications::read))
        .routes(routes!(notifications::read_all))
        .routes(routes!(notifications::acknowledge))
        .routes(routes!(notifications::receipt))
        .routes(routes!(notifications::contacts))
        .routes(routes!(
            notifications::set_contact,
            notifications::remove_contact
        ))
        .routes(routes!(notifications::verify_contact))
        .routes(routes!(notifications::set_quiet_hours))
        .routes(routes!(notice_rules::list))
        .routes(routes!(notice_rules::put, notice_rules::remove))
        .routes(routes!(notice_rules::preview))
        .routes(routes!(notice_rules::messages))
        .routes(routes!(notice_rules::retry))
        .routes(routes!(overview::overview))
        .routes(routes!(overview::system))
        .routes(routes!(replay::replay))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::acknowledge))
        .routes(routes!(affected::affected))
        .routes(routes!(told::told))
        .routes(routes!(case_lists::list, case_pages::open))
        .routes(routes!(case_lists::board))
        .routes(routes!(case_lists::boards))
        .routes(routes!(case_classes::categories))
        .routes(routes!(case_classes::grids))
        .routes(routes!(open311::contact))
        .routes(routes!(open311_links::list))
        .routes(routes!(open311_links::decide))
        .routes(routes!(open311::read, open311::report))
        .routes(routes!(open311::service))
        .routes(routes!(open311::request))
        .routes(routes!(open311::token))
}

/// Cases, rules, commands, runs, duty, devices, SQL and policies.
fn work(all: OpenApiRouter<App>) -> OpenApiRouter<App> {
    all.routes(routes!(case_pages::limits))
        .routes(routes!(case_lists::similar_place))
        .routes(routes!(case_lists::similar))
        .routes(routes!(case_figures::figures))
        .routes(routes!(case_figures::rows))
        .routes(routes!(rule_pages::list))
        .routes(routes!(rule_pages::failures))
        .routes(routes!(rule_pages::dismiss))
        .routes(routes!(
            rule_pages::maintenance,
            rule_pages::add_maintenance
        ))
        .routes(routes!(rule_pages::end_maintenance))
        .routes(routes!(command_pages::list, command_pages::ask))
        .routes(routes!(command_pages::one))
        .routes(routes!(command_pages::approve))
        .routes(routes!(command_pages::refuse))
        .routes(routes!(command_pages::withdraw))
        .routes(routes!(command_pages::offers))
        .routes(routes!(run_pages::definitions))
        .routes(routes!(run_pages::list, run_pages::start))
        .routes(routes!(run_pages::one))
        .routes(routes!(run_pages::input))
        .routes(routes!(run_pages::output))
        .routes(routes!(run_pages::parameters))
        .routes(routes!(run_pages::repeat))
        .routes(routes!(run_adopt::adoption))
        .routes(routes!(run_adopt::adopt))
        .routes(routes!(back_tests::begin))
        .routes(routes!(back_tests::one, back_tests::end))
        .routes(routes!(duty::roster_of))
        .routes(routes!(duty::now))
        .routes(routes!(duty::put_pattern))
        .routes(routes!(duty::add_turns))
        .routes(routes!(duty_sheets::import))
        .routes(routes!(duty_sheets::export))
        .routes(routes!(duty::remove_turn))
        .routes(routes!(duty::swap))
        .routes(routes!(duty_hand_overs::list, duty_hand_overs::add))
        .routes(routes!(duty_hand_overs::sign))
        .routes(routes!(duty_plans::plans))
        .routes(routes!(duty_suggestions::suggestions))
        .routes(routes!(duty_plans::list, duty_plans::start))
        .routes(routes!(duty_plans::one))
        .routes(routes!(duty_plans::tick))
        .routes(routes!(duty_plans::end))
        .routes(routes!(duty_resources::nearest_to))
        .routes(routes!(duty_contacts::list, duty_contacts::add))
        .routes(routes!(duty_contacts::remove))
        .routes(routes!(duty_report::report))
        .routes(routes!(bulletins::list))
        .routes(routes!(bulletins::one))
        .routes(routes!(case_pages::one))
        .routes(routes!(case_pages::act))
        .routes(routes!(case_pages::attach))
        .routes(routes!(case_pages::attachment))
        .routes(routes!(devices::list, devices::add))
        .routes(routes!(device_questions::offers, device_questions::ask))
        .routes(routes!(devices::remove))
        .routes(routes!(devices::rotate))
        .routes(routes!(devices::credentials))
        .routes(routes!(devices::add_certificate))
        .routes(routes!(devices::remove_certificate))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::one))
        .routes(routes!(sql::run))
        .routes(routes!(sql::tables))
        .routes(routes!(personal_subjects::subject))
        .routes(routes!(personal_subjects::viewers))
        .routes(routes!(import_progress::one))
        .routes(routes!(policy_pages::policies, policy_pages::change))
        .routes(routes!(policy_pages::check))
        .routes(routes!(policy_pages::versions))
        .routes(routes!(policy_pages::why))
}

/// The plan, its projects and forms, and what of them is everybody's.
fn plan_office(all: OpenApiRouter<App>) -> OpenApiRouter<App> {
    all.routes(routes!(projects::list, project_changes::add))
        .routes(routes!(projects::one, project_changes::change))
        .routes(routes!(project_changes::end))
        .routes(routes!(project_office::report))
        .routes(routes!(project_office::remind))
        .routes(routes!(project_office::month))
        .routes(routes!(project_office::assessment))
        .routes(routes!(charging_pages::sessions))
        .routes(routes!(charging_pages::session))
        .routes(routes!(charging_pages::decide))
        .routes(routes!(charging_pages::tariffs, charging_pages::add_tariff))
        .routes(routes!(charging_pages::cards, charging_pages::put_card))
        .routes(routes!(charging_stations::stations))
        .routes(routes!(charging_stations::order))
        .routes(routes!(charging_share::show))
        .routes(routes!(charging_figures::figures))
        .routes(routes!(
            charging_settlement::statements,
            charging_settlement::settle
        ))
        .routes(routes!(charging_settlement::table))
        .routes(routes!(charging_invoices::list))
        .routes(routes!(
            charging_sellers::sellers,
            charging_sellers::put_seller
        ))
        .routes(routes!(charging_invoice_export::export))
        .routes(routes!(charging_invoices::step))
        .routes(routes!(
            charging_my_invoices::list,
            charging_my_invoices::add
        ))
        .routes(routes!(charging_exchange_money::statements))
        .routes(routes!(charging_exchange_money::settle))
        .routes(routes!(charging_exchange_money::table))
        .routes(routes!(charging_refunds::payments))
        .routes(routes!(charging_refunds::refund))
        .routes(routes!(charging_places::places))
        .routes(routes!(charging_drive::list, charging_drive::start))
        .routes(routes!(charging_drive::detail))
        .routes(routes!(charging_drive::stop))
        .routes(routes!(charging_drive::pay))
        .routes(routes!(charging_drive::complain))
        .routes(routes!(charging_reserve::list, charging_reserve::reserve))
        .routes(routes!(charging_reserve::free))
        .routes(routes!(charging_reserve::cancel))
        .routes(routes!(charging_exchange::exchange))
        .routes(routes!(charging_exchange::orders))
        .routes(routes!(charging_supervision::supervision))
        .routes(routes!(charging_subsidy::table))
        .routes(routes!(project_packages::list, project_packages::add))
        .routes(routes!(project_packages::change))
        .routes(routes!(project_packages::publish))
        .routes(routes!(project_packages::withdraw))
        .routes(routes!(project_photos::list, project_photos::add))
        .routes(routes!(project_photos::one))
        .routes(routes!(project_photos::small))
        .routes(routes!(project_history::history))
        .routes(routes!(project_tasks::list))
        .routes(routes!(project_photos::remove))
        .routes(routes!(plan::plan))
        .routes(routes!(portal::plan))
        .routes(routes!(portal::plan_json))
        .routes(routes!(portal::plan_csv))
        .routes(routes!(portal::catalog))
        .routes(routes!(portal_packages::json))
        .routes(routes!(portal_packages::csv))
        .routes(routes!(plan::one))
        .routes(routes!(plan_towns::compare))
        .routes(routes!(plan_proof::one))
        .routes(routes!(plan_projects::parts))
        .routes(routes!(plans::list))
        .routes(routes!(
            plan_documents::document,
            plan_documents::numbers::give
        ))
        .routes(routes!(plan_documents::numbers::list))
        .routes(routes!(plan_documents::numbers::file))
        .routes(routes!(plan_documents::numbers::void))
        .routes(routes!(plan_reports::reporting))
        .routes(routes!(plan_reports::of_indicator, plan_reports::report))
        .routes(routes!(plan_reports::one, plan_reports::change))
        .routes(routes!(plan_reports::submit))
        .routes(routes!(plan_reports::approve))
        .routes(routes!(plan_reports::give_back))
        .routes(routes!(plan_reports::withdraw))
        .routes(routes!(plan_report_files::add))
        .routes(routes!(plan_report_files::one, plan_report_files::remove))
        .routes(routes!(plan_claims::lock))
        .routes(routes!(plan_claims::lift))
        .routes(routes!(plan_claims::claim_cases))
        .routes(routes!(plan_claims::make_case))
        .routes(routes!(forms::list))
        .routes(routes!(form_burden::burden))
        .routes(routes!(form_disputes::list))
        .routes(routes!(form_disputes::settle))
        .routes(routes!(forms::returns))
        .routes(routes!(forms::one, form_returns::save))
        .routes(routes!(form_returns::submit))
        .routes(routes!(form_returns::give_back))
        .routes(routes!(form_disputes::dispute))
}

/// What comes in.
fn ways_in(all: OpenApiRouter<App>) -> OpenApiRouter<App> {
    all.routes(routes!(entries::enter))
        .routes(routes!(charging_exchange::door))
        .routes(routes!(doors::upsert))
        .routes(routes!(doors::write_v2))
        .routes(routes!(doors::write_v1))
        .routes(routes!(entities::ngsi_one))
        .routes(routes!(entities::ngsi_list))
}

/// The live stream, the import and the removal of a table, which waits for one, stand apart: they have no time
/// limit. An import that was cut off would go on behind the answer that says so.
fn live() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(events::listen))
        .routes(routes!(crate::table_imports::import))
        .routes(routes!(crate::intake_pages::list))
        .routes(routes!(crate::intake_pages::take_in))
        // Passwords of many new people take long to hash.
        .routes(routes!(roster::import))
        .routes(routes!(crate::table_imports::remove))
}

/// The description of every operation, and the rules read from it.
///
/// # Panics
/// When an operation has no access rule: such a program must not start, and the test finds it first.
pub fn description() -> (utoipa::openapi::OpenApi, Rules) {
    let mut description = operations().merge(live()).into_openapi();
    let components = description.components.get_or_insert_default();
    components.add_security_scheme(
        "session",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(
            crate::access::SESSION_COOKIE,
        ))),
    );
    crate::description::complete(&mut description);
    let rules = match Rules::from_description(&description) {
        Ok(rules) => rules,
        Err(without) => panic!("operations without an access rule: {without:?}"),
    };
    (description, rules)
}

/// Everything that is served over HTTP.
pub fn router(app: App) -> Router {
    let (live, _) = live().split_for_parts();
    let (operations, _) = operations().split_for_parts();
    let timeout =
        TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, app.options.request_time_max);
    let compression = CompressionLayer::new()
        .compress_when(DefaultPredicate::new().and(NotForContentType::new("text/event-stream")));
    let headers = app.options.headers.clone();
    let proxies = app.options.proxies.clone();
    let lingering = app.options.lingering;
    operations
        .layer(timeout)
        .merge(live)
        .route_layer(from_fn_with_state(app.clone(), enforce))
        .route_layer(from_fn_with_state(app.clone(), open311::door))
        .fallback(pages::serve)
        .layer(DefaultBodyLimit::max(app.options.body_bytes_max))
        .layer(from_fn(move |request, next| {
            crate::lingering::read_on(lingering, request, next)
        }))
        .layer(CatchPanicLayer::new())
        .layer(map_response(as_problem))
        .layer(from_fn(move |request, next| {
            crate::headers::add(headers.clone(), request, next)
        }))
        .layer(compression)
        .layer(from_fn(move |request, next| {
            crate::proxies::believe(proxies.clone(), request, next)
        }))
        .with_state(app)
}

/// Serves until `stop` resolves, then lets requests under way finish.
pub async fn serve(
    listener: tokio::net::TcpListener,
    app: App,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, service)
        .with_graceful_shutdown(stop)
        .await
    {
        tracing::error!(%error, "the pages are no longer served");
    }
}

/// The same over TLS.
pub async fn serve_tls(
    listener: crate::secure::TlsListener,
    app: App,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let service = router(app)
        .layer(axum::Extension(crate::headers::OverTls))
        .into_make_service_with_connect_info::<SocketAddr>();
    // Tapped for its types alone: the address of a listener that is not axum's own is taken on this way only.
    if let Err(error) = axum::serve(listener.tap_io(|_| {}), service)
        .with_graceful_shutdown(stop)
        .await
    {
        tracing::error!(%error, "the pages are no longer served over TLS");
    }
}
