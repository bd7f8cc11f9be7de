//! What a device is told, whatever the door.

use crate::asked::number_of;
use crate::why::Why;
use model::problem::both;
use model::{CommandAct, CommandKind, Meaning, NumberOf};

/// Most gates, pumps or valves of a device: what one byte counts (SL 651-2014, table 77).
pub const CHANNELS_MAX: u16 = 255;

/// Which of a device's gates, pumps or valves are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// How many it has.
    pub count: u16,
    /// The one that is meant, from 1; `None`: all of them.
    pub one: Option<u16>,
}

/// What a device is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// The registered device, by the id of its entity.
    pub device: String,
    /// What it is told.
    pub act: CommandAct,
    /// Which of its gates, pumps or valves.
    pub channels: Channels,
    /// On or off, or a number: metres of gates, how many of pumps.
    pub means: Meaning,
}

/// Which gates, pumps or valves a command means; `number` gives the entity's numbers.
///
/// # Errors
/// `command-channel` where the declared attribute holds no number that can be one.
pub fn channels(kind: &CommandKind, number: &dyn Fn(&str) -> Option<f64>) -> Result<Channels, Why> {
    let whole = |declared: &NumberOf, max: u16| {
        let found = number_of(declared, number).ok();
        let is_one = |n: &f64| n.fract() == 0.0 && (1.0..=f64::from(max)).contains(n);
        found.filter(is_one).map(|n| n as u16).ok_or_else(|| {
            let from = match declared {
                NumberOf::Attribute(name) => name.clone(),
                NumberOf::Number(number) => number.to_string(),
            };
            Why::new(
                "command-channel",
                both(
                    format!("{from} 不是 1 到 {max} 的整数，不知道该操作设备的哪一路"),
                    format!("{from} is no whole number from 1 to {max}: which of the device's channels is meant is not known"),
                ),
                both(
                    "请先在台账里填写孔数、台数或编号",
                    "enter how many there are, or the number, in the register first",
                ),
            )
        })
    };
    let count = whole(&kind.channels, CHANNELS_MAX)?;
    let one = kind.channel.as_ref().map(|one| whole(one, count));
    Ok(Channels {
        count,
        one: one.transpose()?,
    })
}
