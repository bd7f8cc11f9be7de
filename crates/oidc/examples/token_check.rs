//! What checking an access token costs in this process: signature, issuer and times, as `/oauth2/userinfo` and introspection
//! do first. `bench/oidc/run` builds it for release and reads its figures.

use model::Timestamp;
use oidc::form::Form;
use oidc::{ClientDraft, Keys, Options, Provider};
use records::{Actor, Records};
use std::hint::black_box;
use std::time::Instant;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const CHECKS: usize = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure())
}

async fn measure() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let records = Records::open(&dir.path().join("records.sqlite")).await?;
    let began = Instant::now();
    let keys = Keys::generate(&mut rand::rng(), NOW)?;
    let key_ms = began.elapsed().as_millis();
    let provider = Provider::shut(records, Options::default(), rand::random).opened(
        "https://city.example",
        keys,
        Box::new(|_| Ok(())),
    )?;
    let draft = ClientDraft {
        name: "measure".to_owned(),
        grants: vec!["client_credentials".to_owned()],
        scopes: vec!["role".to_owned()],
        ..ClientDraft::default()
    };
    let client = provider
        .add_client(&draft, &Actor::command_line(), NOW)
        .await?
        .client;
    let form =
        Form::parse(b"grant_type=client_credentials&scope=role").map_err(|f| f.description)?;
    let began = Instant::now();
    let signed = 200;
    let mut token = String::new();
    for _ in 0..signed {
        let answer = provider.exchange(&client, &form, "", NOW).await;
        token = answer.map_err(|f| f.description)?.access_token;
    }
    let sign_us = began.elapsed().as_secs_f64() * 1e6 / f64::from(signed);
    let mut times = Vec::with_capacity(CHECKS);
    for _ in 0..CHECKS {
        let began = Instant::now();
        let claims = provider.check_access_token(black_box(&token), NOW);
        times.push(began.elapsed().as_secs_f64() * 1e6);
        black_box(claims).map_err(|bad| bad.as_str())?;
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    let figures = serde_json::json!({"checks": CHECKS, "token_bytes": token.len(), "check_us_mean": mean,
        "check_us_median": at(0.5), "check_us_p99": at(0.99), "sign_us_mean": sign_us, "key_ms": key_ms});
    #[allow(clippy::print_stdout, reason = "its figures are what it is for")]
    {
        println!("{figures}");
    }
    Ok(())
}
