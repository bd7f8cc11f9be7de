//! What the crate `notice` asks of the city: towns, words, who may see what, and where people are reached.

use api::notifications::may_see;
use api::{App, WeakApp};
use async_trait::async_trait;
use model::{EntityId, Timestamp};
use notice::{Affected, Doubting, Event};
use records::alerts::Alert;
use records::notices::Message;
use records::users::User;

/// The city that runs. Weak, because the city holds the office.
pub struct Asked(pub WeakApp);

impl Asked {
    fn app(&self) -> Option<App> {
        self.0.upgrade()
    }
}

#[async_trait]
impl notice::City for Asked {
    fn division_of(&self, entity_id: &str, place: Option<[f64; 2]>) -> Option<String> {
        let app = self.app()?;
        let entity = EntityId::new(entity_id)
            .ok()
            .and_then(|id| app.twin.get(&id));
        entity
            .and_then(|entity| api::sight::town_of(&app.city, &entity))
            .or_else(|| app.city.town_of(place?).map(str::to_owned))
    }

    fn state_title(&self, workflow: &str, state: &str) -> Option<(String, String)> {
        let app = self.app()?;
        let packs = app.packs.now();
        let workflow = packs.workflows.iter().find(|w| w.name == workflow)?;
        let state = workflow.state(state)?;
        Some((state.title_zh.clone(), state.title_en.clone()))
    }

    async fn may_see(&self, user: &User, event: &Event, now: Timestamp) -> bool {
        let Some(app) = self.app() else { return false };
        match app.identity.person(&user.username, now).await {
            Ok(person) => may_see(&app, &person, event),
            Err(error) => {
                tracing::error!(user = user.id, %error, "whether a person may see what they are told could not be found out: they are not told");
                false
            }
        }
    }

    fn doubting(&self, alert_rule: &str) -> Option<Doubting> {
        self.app()?.doubting(alert_rule)
    }

    fn affected(&self, alert: &Alert) -> Vec<Affected> {
        self.app()
            .map_or_else(Vec::new, |app| api::affected::told(&app, alert))
    }

    async fn seen(
        &self,
        user: &User,
        mut affected: Vec<Affected>,
        now: Timestamp,
    ) -> Vec<Affected> {
        let Some(app) = self.app() else {
            return Vec::new();
        };
        match app.identity.person(&user.username, now).await {
            Ok(person) => {
                api::affected::retain_seen(&app, &app.sight(&person, None), &mut affected);
                affected
            }
            Err(error) => {
                tracing::error!(user = user.id, %error, "what of those affected a person may see could not be found out: none is named");
                Vec::new()
            }
        }
    }

    async fn suggested(&self, now: Timestamp) -> Vec<Event> {
        let Some(app) = self.app() else {
            return Vec::new();
        };
        match api::duty_suggestions::events(&app, now).await {
            Ok(events) => events,
            // The next look takes it up.
            Err(error) => {
                tracing::error!(%error, "which plans are suggested could not be found out");
                Vec::new()
            }
        }
    }

    fn roles_of_every_duty(&self) -> Vec<String> {
        api::duty::roles_of_every_duty()
    }

    async fn address(&self, user_id: i64, kind: &str) -> Option<String> {
        self.app()?.contact_of(user_id, kind).await
    }

    fn link(&self, message: &Message, _event: &Event) -> Option<String> {
        self.app()?.notifications.get()?.links.make(message)
    }
}
