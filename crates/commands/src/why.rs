//! Why something did not go, in both languages, as it is kept with a command.

use model::{Both, Told};
use serde::{Deserialize, Serialize};

/// Why a command did not go, or what is not known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// Stable short code for machines.
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

impl Why {
    /// Builds it from its code and its two sentences.
    pub fn new(code: &str, what: Both, mend: Both) -> Self {
        Self {
            code: code.to_owned(),
            what_zh: what.zh,
            what_en: what.en,
            mend_zh: mend.zh,
            mend_en: mend.en,
        }
    }

    /// As an answer tells it; `place` is where.
    pub fn told(self, place: &str) -> Told {
        let both = |zh, en| Both { zh, en };
        Told::new(
            &self.code,
            both(self.what_zh, self.what_en),
            place,
            both(self.mend_zh, self.mend_en),
        )
    }
}
