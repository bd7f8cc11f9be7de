//! Limits of the desk.

use charging::Limits;

/// Limits of the desk, and the key of its pseudonyms.
#[derive(Clone)]
pub struct Settings {
    /// Most letters (calls) in one transaction (default 512).
    pub batch_max: usize,
    /// Most letters that wait for the writer; more are told to come again (default 20,000).
    pub waiting_max: usize,
    /// Most events of one call (default 1,000).
    pub events_max: usize,
    /// Most sessions held in memory between batches; beyond it they are read from the store again (default 20,000).
    pub live_max: usize,
    /// How long a session under a tariff with parking or occupancy fees waits to be told of leaving, in seconds (default 3,600).
    pub left_wait_s: i64,
    /// After how many seconds a session without a tariff is looked at again (default 3,600).
    pub unpriced_again_s: i64,
    /// Most sessions that one passing of time looks at (default 500).
    pub pass_max: usize,
    /// When a session is believed.
    pub limits: Limits,
    /// The key under which cards become pseudonyms; the same as long as the city keeps its rows.
    pub card_key: Vec<u8>,
}

impl Settings {
    /// The defaults, with the city's key.
    pub fn new(card_key: Vec<u8>) -> Self {
        Self {
            batch_max: 512,
            waiting_max: 20_000,
            events_max: 1_000,
            live_max: 20_000,
            left_wait_s: 3_600,
            unpriced_again_s: 3_600,
            pass_max: 500,
            limits: Limits::default(),
            card_key,
        }
    }

    /// The pseudonym of a card: HMAC-SM3 (GB/T 32905) of its lower-case text under the city's key, hexadecimal. Cards differ by more than
    /// their case (OCPP 2.0.1, `IdTokenType`: case-insensitive).
    pub fn pseudonym(&self, card: &str) -> String {
        hex::encode(gm::hmac_sm3(&self.card_key, card.to_lowercase().as_bytes()))
    }
}

impl std::fmt::Debug for Settings {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("batch_max", &self.batch_max)
            .field("waiting_max", &self.waiting_max)
            .field("live_max", &self.live_max)
            .finish_non_exhaustive()
    }
}
