//! Messages of several packets (M3, 多包发送): kept until all packets are there, whatever their order, within limits.

use crate::config::Config;
use crate::error;
use crate::frame::{ETB, Frame, Part};
use model::Problem;

/// A message that is being put together.
#[derive(Debug)]
pub(crate) struct Assembly {
    /// Head of the packets; its body stays empty.
    pub head: Frame,
    total: u16,
    packets: Vec<Option<Packet>>,
    /// The first packet that came of a message whose packets are not kept: what is left to see what it was.
    evidence: Vec<u8>,
    bytes: usize,
    /// How often each packet was asked for.
    asked: Vec<u8>,
    /// When the last packet came, or was asked for.
    pub moved_ms: u64,
    /// Why the message is not kept; its packets are passed over.
    pub refused: Option<Problem>,
}

#[derive(Debug)]
struct Packet {
    body: Vec<u8>,
    raw: Vec<u8>,
}

/// What a packet brought about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More are to come.
    Waiting,
    /// The sender has sent its last one, and this one is missing.
    Missing(u16),
    /// All are there, or the message is refused and the sender is done.
    Done,
}

impl Assembly {
    /// Begins with any packet of a message.
    pub fn new(frame: &Frame, part: Part, config: &Config, now_ms: u64) -> Self {
        let refused = (part.total > config.packets_max).then(|| {
            error::limit(
                "sl651-packets",
                format!(
                    "the message has {} packets; {} are taken",
                    part.total, config.packets_max
                ),
                "frame, packet",
                "packets_max",
            )
        });
        let kept = match refused {
            Some(_) => 0,
            None => usize::from(part.total),
        };
        Self {
            head: Frame {
                body: Vec::new(),
                part: None,
                ..frame.clone()
            },
            total: part.total,
            packets: std::iter::repeat_with(|| None).take(kept).collect(),
            evidence: Vec::new(),
            bytes: 0,
            asked: vec![0; kept],
            moved_ms: now_ms,
            refused,
        }
    }

    /// Whether a packet belongs here: same station, function and total, and it is no other one than we have in its place.
    pub fn takes(&self, frame: &Frame, part: Part) -> bool {
        let place = self.packets.get(usize::from(part.index) - 1);
        let is_other = place
            .and_then(Option::as_ref)
            .is_some_and(|packet| packet.body != frame.body);
        self.is_of(frame) && self.total == part.total && !is_other
    }

    /// Whether it is a message of the same station and function.
    pub fn is_of(&self, frame: &Frame) -> bool {
        self.head.station == frame.station && self.head.function == frame.function
    }

    /// Takes a packet in. `raw` are the frame's bytes.
    pub fn take(
        &mut self,
        frame: Frame,
        part: Part,
        raw: &[u8],
        config: &Config,
        now_ms: u64,
    ) -> Progress {
        self.moved_ms = now_ms;
        let is_last = frame.end != ETB;
        if is_last {
            self.head.end = frame.end;
        }
        if self.packets.is_empty() && self.evidence.is_empty() {
            self.evidence = raw.to_vec();
        }
        if self.refused.is_none()
            && let Some(place) = self.packets.get_mut(usize::from(part.index) - 1)
            && place.is_none()
        {
            self.bytes += frame.body.len();
            *place = Some(Packet {
                body: frame.body,
                raw: raw.to_vec(),
            });
            if self.bytes > config.message_bytes_max {
                self.refused = Some(error::limit(
                    "sl651-message-too-large",
                    format!(
                        "the message has more than {} bytes in {} packets",
                        config.message_bytes_max, self.total
                    ),
                    "message",
                    "message_bytes_max",
                ));
                // The first packet stays as evidence of what it was; where it did not come, the first one that did.
                if let Some(None) = self.packets.first() {
                    let came = self.packets.iter_mut().find_map(Option::take);
                    self.evidence = came.map_or_else(Vec::new, |packet| packet.raw);
                }
                self.packets.truncate(1);
            }
        }
        match (&self.refused, self.missing(), is_last) {
            (Some(_), _, true) | (None, None, _) => Progress::Done,
            (None, Some(missing), true) => Progress::Missing(missing),
            (_, _, false) => Progress::Waiting,
        }
    }

    /// The first packet that is not there.
    pub fn missing(&self) -> Option<u16> {
        let at = self.packets.iter().position(Option::is_none)?;
        u16::try_from(at + 1).ok()
    }

    /// Notes that a packet is asked for; `false` when that was done as often as may be.
    pub fn ask(&mut self, index: u16, config: &Config, now_ms: u64) -> bool {
        self.moved_ms = now_ms;
        match self.asked.get_mut(usize::from(index) - 1) {
            Some(asked) if *asked < config.packet_requests_max => {
                *asked += 1;
                true
            }
            _ => false,
        }
    }

    /// How many packets there are to be.
    pub fn total(&self) -> u16 {
        self.total
    }

    /// How many packets are there.
    pub fn present(&self) -> usize {
        self.packets.iter().flatten().count()
    }

    /// The frame with the whole body (of what is there), and the bytes of all its frames in order.
    pub fn finish(self) -> (Frame, Vec<u8>) {
        let (mut body, mut raw) = (Vec::with_capacity(self.bytes), self.evidence);
        for packet in self.packets.into_iter().flatten() {
            body.extend(packet.body);
            raw.extend(packet.raw);
        }
        (Frame { body, ..self.head }, raw)
    }

    /// That packets were lost.
    pub fn incomplete(&self) -> Problem {
        error::frame(
            "sl651-packets-missing",
            format!(
                "of {} packets {} came, and the others did not when they were asked for",
                self.total,
                self.present()
            ),
            "message",
        )
    }
}
