//! Tells systems that a session ended (Back-Channel Logout 1.0): one POST to an address that somebody registered, by
//! [`crate::outgoing`]; nothing of the answer is used but its status.

use crate::app::App;
use crate::outgoing::{Ask, Outgoing};
use oidc::Notice;
use std::time::Duration;
use url::Url;

/// Longest time for one notice.
const TIME_MAX: Duration = Duration::from_secs(5);
/// How often it is asked whether somebody is to be told again.
const EVERY: Duration = Duration::from_secs(5);

/// Tells who is to be told, for as long as the city runs.
pub async fn run(app: App, outgoing: Outgoing) {
    loop {
        // Woken by whoever ends a session; the clock is for those that could not be told at once.
        let _ = tokio::time::timeout(EVERY, app.oidc.wake.notified()).await;
        if let Err(failure) = round(&app, &outgoing).await {
            tracing::error!(%failure, "systems could not be told of ended sessions");
        }
    }
}

async fn round(app: &App, outgoing: &Outgoing) -> records::Result<()> {
    let provider = &app.oidc.provider;
    for notice in provider.notices(app.now()).await? {
        let told = tell(&notice, outgoing).await;
        let given_up = provider.noticed(&notice, told.is_ok(), app.now()).await?;
        if let Err(why) = told {
            tracing::warn!(
                client = notice.client_id,
                why,
                given_up,
                "a system was not told that a session ended"
            );
        }
    }
    Ok(())
}

async fn tell(notice: &Notice, outgoing: &Outgoing) -> Result<(), String> {
    let url = Url::parse(&notice.uri).map_err(|_| "it has no address to be told at".to_owned())?;
    // A JWT has nothing that a form would write otherwise.
    let form = format!("logout_token={}", notice.token);
    let ask = Ask::read(&url, None, TIME_MAX).with_form(form, None);
    let (status, _) = outgoing.ask(ask).await?;
    if status.is_success() {
        Ok(())
    } else {
        Err(format!("it answered {status}"))
    }
}
