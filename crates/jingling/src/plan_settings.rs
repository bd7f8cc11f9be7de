//! What the settings of the plan office's documents and of reporting forms mean to the API.

use crate::settings::{FormSettings, PlanOfficeSettings};
use anyhow::{Result, bail};

impl PlanOfficeSettings {
    /// What the documents are told.
    pub fn options(&self, public_url: &str) -> api::plan_documents::Options {
        api::plan_documents::Options {
            issuer_zh: self.issuer_zh.clone(),
            issuer_en: self.issuer_en.clone(),
            number_prefix: self.number_prefix.clone(),
            to_zh: self.to_zh.clone(),
            to_en: self.to_en.clone(),
            copies_zh: self.copies_zh.clone(),
            copies_en: self.copies_en.clone(),
            public_url: public_url.trim_end_matches('/').to_owned(),
        }
    }
}

impl FormSettings {
    /// How the sources of forms are read.
    pub const fn options(&self) -> api::forms::Options {
        api::forms::Options {
            sources_at_once: self.sources_at_once,
            source_time_max: std::time::Duration::from_secs(self.source_seconds),
        }
    }

    /// Refuses limits under which nothing could be read.
    ///
    /// # Errors
    /// Which keys, and what they must be.
    pub fn check(&self) -> Result<()> {
        if self.sources_at_once < 1 || self.source_seconds < 1 {
            bail!("forms.sources_at_once and forms.source_seconds must be 1 at least");
        }
        Ok(())
    }
}
