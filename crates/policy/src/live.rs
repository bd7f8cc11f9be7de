//! The policies that hold now, and the views made of them. A change makes new views; what was decided before it is forgotten.

use crate::Limits;
use crate::documents::Document;
use crate::engine::Engine;
use crate::facts::{Facts, Moment, Who};
use crate::view::View;
use model::{Problem, Shared};
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::sync::Arc;

/// Who asks, for which purpose, in which hour.
type Asker = (Who, Option<String>, Moment);

/// The policies that hold now. Shared by all doors.
#[derive(Debug)]
pub struct Live {
    limits: Limits,
    engine: RwLock<Shared<Engine>>,
    views: Mutex<HashMap<Asker, Arc<View>>>,
}

impl Live {
    /// Starts with these policies.
    ///
    /// # Errors
    /// Every mistake, with line and column.
    pub fn new(
        documents: Vec<Document>,
        facts: Facts,
        limits: Limits,
    ) -> Result<Self, Vec<Problem>> {
        let engine = Engine::new(documents, facts, &limits)?;
        Ok(Self {
            limits,
            engine: RwLock::new(Shared::new(engine)),
            views: Mutex::default(),
        })
    }

    /// The limits in force.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The policies that hold now.
    pub fn engine(&self) -> Shared<Engine> {
        self.engine.read().clone()
    }

    /// Lets other policies hold from now on.
    pub fn replace(&self, engine: Engine) {
        *self.engine.write() = Shared::new(engine);
        self.views.lock().clear();
    }

    /// Lets the same policies hold over other facts: an organisation, a post or an entity type has come or gone.
    ///
    /// # Errors
    /// When the policies do not fit them; the former facts then stay.
    pub fn replace_facts(&self, facts: Facts) -> Result<(), Vec<Problem>> {
        let before = self.engine();
        if *before.facts() == facts {
            return Ok(());
        }
        let engine = Engine::new(before.documents().to_vec(), facts, &self.limits)?;
        self.replace(engine);
        Ok(())
    }

    /// What a caller may see at a moment.
    pub fn view(&self, who: &Who, purpose: Option<&str>, moment: Moment) -> Arc<View> {
        let key = (who.clone(), purpose.map(str::to_owned), moment);
        let engine = {
            let views = self.views.lock();
            if let Some(view) = views.get(&key) {
                return Arc::clone(view);
            }
            self.engine()
        };
        let view = Arc::new(View::new(
            engine.clone(),
            key.0.clone(),
            key.1.clone(),
            moment,
        ));
        let mut views = self.views.lock();
        // Policies that changed meanwhile have emptied the views; this one is of those before and is not kept.
        if engine.ptr_eq(&self.engine.read()) {
            if views.len() >= self.limits.views_max {
                views.clear();
            }
            views.insert(key, Arc::clone(&view));
        }
        view
    }
}
