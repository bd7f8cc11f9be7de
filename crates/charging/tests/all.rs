//! The tests of charging, linked once.

mod bills;
mod collecting;
mod common;
mod ledger;
mod orders;
mod other_load;
mod sessions;
mod settling;
mod sharing;
mod supervision;
mod tariffs;
