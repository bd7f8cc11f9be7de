//! Commands (控制指令) to things that can be controlled, decided: what may be asked, what holds it back, how a command lives. Pure: no
//! store, no socket, no clock. What a pack declares is [`model::command`]; who keeps rows and sends is `api`.
//!
//! Reading order: [`life`] (asked, approved, sent, done), [`asked`] (a value against its declaration), [`interlock`] (what refuses),
//! [`order`] (what a device is told), [`why`] (how a reason is kept).

pub mod asked;
pub mod interlock;
pub mod life;
pub mod order;
pub mod why;

pub use asked::{Asked, bounds, check};
pub use interlock::{Outcome, Reading, Verdict, judge};
pub use life::{State, Step, is_another};
pub use order::{Channels, Order, channels};
pub use why::Why;
