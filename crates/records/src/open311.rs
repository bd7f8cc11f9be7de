//! Tables `open311_requests` and `open311_endpoints`: what is kept of a service request of Open311 beside its case, and how far
//! other endpoints were read.

use crate::cases::{Case, CaseEvent};
use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use model::Timestamp;
use sqlx::{Any, AssertSqlSafe};

table_row! {
    /// A service request.
    pub struct ServiceRequest {
        /// Counts up from 1.
        pub id: i64,
        /// Its case.
        pub case_id: i64,
        /// What finds its id: nobody guesses it.
        pub token: String,
        /// The endpoint that it was taken from; empty when it came in through the door.
        pub endpoint: String,
        /// Its id there.
        pub remote_id: Option<String>,
        /// The service, as the client named it.
        pub service_code: String,
        /// Where, in words.
        pub address: Option<String>,
        /// The city's own id of the address.
        pub address_id: Option<String>,
        /// Postal code.
        pub zipcode: Option<String>,
        /// A picture.
        pub media_url: Option<String>,
        /// What the reporter said of themselves, sealed.
        pub contact: Option<String>,
        /// When it was taken.
        pub received_at: Timestamp,
        /// What the client said beside the standard's fields: a JSON object of lists of texts by code.
        pub attributes: Option<String>,
    }
}

/// Adds a request; one whose case has one already is left as it is.
pub async fn insert(connection: &mut Connection, new: &ServiceRequest) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO open311_requests (case_id, token, endpoint, remote_id, service_code, address, address_id, zipcode, \
         media_url, contact, received_at, attributes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT (case_id) DO NOTHING",
    )
    .bind(new.case_id)
    .bind(&new.token)
    .bind(&new.endpoint)
    .bind(&new.remote_id)
    .bind(&new.service_code)
    .bind(&new.address)
    .bind(&new.address_id)
    .bind(&new.zipcode)
    .bind(&new.media_url)
    .bind(&new.contact)
    .bind(new.received_at.micros())
    .bind(&new.attributes)
    .execute(connection)
    .await?;
    Ok(())
}

async fn one(
    connection: &mut Connection,
    clause: &'static str,
    value: &str,
) -> Result<Option<ServiceRequest>> {
    let sql = format!("SELECT * FROM open311_requests WHERE {clause} = $1");
    Ok(sqlx::query_as::<Any, ServiceRequest>(AssertSqlSafe(sql))
        .bind(value.to_owned())
        .fetch_optional(connection)
        .await?)
}

/// The request of a case.
pub async fn of_case(connection: &mut Connection, case_id: i64) -> Result<Option<ServiceRequest>> {
    Ok(
        sqlx::query_as::<Any, ServiceRequest>("SELECT * FROM open311_requests WHERE case_id = $1")
            .bind(case_id)
            .fetch_optional(connection)
            .await?,
    )
}

/// The request of a token.
pub async fn by_token(connection: &mut Connection, token: &str) -> Result<Option<ServiceRequest>> {
    one(connection, "token", token).await
}

/// The request that was taken from an endpoint under its id there.
pub async fn by_remote(
    connection: &mut Connection,
    endpoint: &str,
    remote_id: &str,
) -> Result<Option<ServiceRequest>> {
    Ok(sqlx::query_as::<Any, ServiceRequest>(
        "SELECT * FROM open311_requests WHERE endpoint = $1 AND remote_id = $2",
    )
    .bind(endpoint)
    .bind(remote_id)
    .fetch_optional(connection)
    .await?)
}

/// All requests whose reporter said something of themselves: for sealing it anew.
pub async fn with_contact(connection: &mut Connection) -> Result<Vec<ServiceRequest>> {
    Ok(sqlx::query_as::<Any, ServiceRequest>(
        "SELECT * FROM open311_requests WHERE contact IS NOT NULL ORDER BY id",
    )
    .fetch_all(connection)
    .await?)
}

/// Puts the same words under another key, where nobody changed them meanwhile.
pub async fn reseal_contact(
    connection: &mut Connection,
    id: i64,
    before: &str,
    after: &str,
) -> Result<()> {
    sqlx::query::<Any>("UPDATE open311_requests SET contact = $1 WHERE id = $2 AND contact = $3")
        .bind(after.to_owned())
        .bind(id)
        .bind(before.to_owned())
        .execute(connection)
        .await?;
    Ok(())
}

/// Which cases are told as service requests.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of these classes; none when empty.
    pub categories: Vec<String>,
    /// With these numbers, whatever else is said; any when empty.
    pub numbers: Vec<String>,
    /// Opened at or after.
    pub from: Timestamp,
    /// Opened before.
    pub until: Timestamp,
    /// Only those not ended (`true`) or ended (`false`).
    pub open: Option<bool>,
    /// How many are passed over.
    pub offset: u64,
    /// Most that are given.
    pub limit: u32,
}

fn marks(first: usize, count: usize) -> String {
    let marks: Vec<String> = (first..first + count).map(|n| format!("${n}")).collect();
    marks.join(", ")
}

/// Cases as service requests are told of, newest first; parts of cases are left out.
pub async fn cases(connection: &mut Connection, wanted: &Wanted) -> Result<Vec<Case>> {
    if wanted.categories.is_empty() {
        return Ok(Vec::new());
    }
    let mut texts: Vec<&String> = wanted.categories.iter().collect();
    let classes = marks(1, texts.len());
    let mut times = Vec::new();
    let which = if wanted.numbers.is_empty() {
        let n = texts.len();
        times.extend([wanted.from.micros(), wanted.until.micros()]);
        let open = match wanted.open {
            None => "",
            Some(true) => " AND closed_at IS NULL",
            Some(false) => " AND closed_at IS NOT NULL",
        };
        format!("created_at >= ${} AND created_at < ${}{open}", n + 1, n + 2)
    } else {
        let numbers = marks(texts.len() + 1, wanted.numbers.len());
        texts.extend(&wanted.numbers);
        format!("number IN ({numbers})")
    };
    let sql = format!(
        "SELECT * FROM cases WHERE category IN ({classes}) AND parent_id IS NULL AND {which} \
         ORDER BY created_at DESC, id DESC LIMIT {} OFFSET {}",
        wanted.limit, wanted.offset
    );
    let mut query = sqlx::query_as::<Any, Case>(AssertSqlSafe(sql));
    for text in texts {
        query = query.bind(text.clone());
    }
    for time in times {
        query = query.bind(time);
    }
    Ok(query.fetch_all(connection).await?)
}

/// What is kept of the requests of these cases.
pub async fn of_cases(connection: &mut Connection, ids: &[i64]) -> Result<Vec<ServiceRequest>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT * FROM open311_requests WHERE case_id IN ({})",
        marks(1, ids.len())
    );
    let mut query = sqlx::query_as::<Any, ServiceRequest>(AssertSqlSafe(sql));
    for id in ids {
        query = query.bind(*id);
    }
    Ok(query.fetch_all(connection).await?)
}

/// The steps of these cases that moved them or ended work, oldest first.
pub async fn steps_of(connection: &mut Connection, ids: &[i64]) -> Result<Vec<CaseEvent>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT * FROM case_events WHERE case_id IN ({}) AND (from_state IS NULL OR from_state <> to_state) \
         ORDER BY case_id, id",
        marks(1, ids.len())
    );
    let mut query = sqlx::query_as::<Any, CaseEvent>(AssertSqlSafe(sql));
    for id in ids {
        query = query.bind(*id);
    }
    Ok(query.fetch_all(connection).await?)
}

table_row! {
    /// Another endpoint, as far as it was read.
    pub struct Endpoint {
        /// Its name in the settings.
        pub name: String,
        /// Requests made before this moment were read.
        pub bookmark: Timestamp,
        /// When it was last asked.
        pub tried_at: Option<Timestamp>,
        /// Why the last try failed; none when it went well.
        pub problem: Option<String>,
    }
}

/// How far an endpoint was read.
pub async fn endpoint(connection: &mut Connection, name: &str) -> Result<Option<Endpoint>> {
    Ok(
        sqlx::query_as::<Any, Endpoint>("SELECT * FROM open311_endpoints WHERE name = $1")
            .bind(name.to_owned())
            .fetch_optional(connection)
            .await?,
    )
}

/// All endpoints that were ever asked, by name.
pub async fn endpoints(connection: &mut Connection) -> Result<Vec<Endpoint>> {
    Ok(
        sqlx::query_as::<Any, Endpoint>("SELECT * FROM open311_endpoints ORDER BY name")
            .fetch_all(connection)
            .await?,
    )
}

/// Notes how far an endpoint was read.
pub async fn put_endpoint(connection: &mut Connection, row: &Endpoint) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO open311_endpoints (name, bookmark, tried_at, problem) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (name) DO UPDATE SET bookmark = $2, tried_at = $3, problem = $4",
    )
    .bind(&row.name)
    .bind(row.bookmark.micros())
    .bind(row.tried_at.map(Timestamp::micros))
    .bind(&row.problem)
    .execute(connection)
    .await?;
    Ok(())
}
