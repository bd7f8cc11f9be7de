//! The pure core: what is sent when. Every tick's messages follow from the plan, the tick's number and the time alone;
//! no clock, no socket. One tick is one sample of the series (five minutes of theirs), five seconds at the normal speed.

use crate::payload::Entity;
use crate::plan::{Plan, Role};
use crate::point::Act;
use crate::scatter::Chance;
use crate::series::{AIR_BEFORE_HOURS, RIVER_BEFORE};
use crate::{charging, energy, fleet};
use model::Timestamp;
use serde_json::Value as Json;
use std::sync::Arc;

/// Seconds between two samples of the series.
const SAMPLE_SECONDS: i64 = 300;
/// Samples in a day.
const DAY_SAMPLES: u64 = 288;
/// The charging day begins here (10:30), when most points charge, some are free, and the first leave soon.
const CHARGING_FIRST_SAMPLE: u64 = 126;
/// Ticks between two reports of a thing that does not change.
const SLOW_TICKS: u64 = 12;
/// Ticks between two readings of transformers and buildings.
const ENERGY_TICKS: u64 = 6;

/// How the plan is played.
#[derive(Clone, Debug)]
pub struct Pace {
    /// How much faster than the series' own time; 60 means one sample every five seconds. 0.1 to 3,000. Default 60.
    pub speed: f64,
    /// Whether things go wrong on purpose: an outage, a value out of range, a silent device, a malformed message. Default yes.
    pub incidents: bool,
    /// After a pause (a laptop that slept) at most this many ticks are caught up; the rest are left out. Default 12.
    pub catch_up_ticks_max: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            speed: 60.0,
            incidents: true,
            catch_up_ticks_max: 12,
        }
    }
}

impl Pace {
    /// Microseconds of one tick.
    fn tick_micros(&self) -> i64 {
        let speed = if self.speed.is_finite() {
            self.speed.clamp(0.1, 3_000.0)
        } else {
            60.0
        };
        (SAMPLE_SECONDS as f64 * 1e6 / speed) as i64
    }
}

/// Something to be sent, or done, at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// When it is due; measured values carry this time.
    pub at: Timestamp,
    /// What, and through which door.
    pub via: Via,
}

/// What is sent, and through which door.
#[derive(Clone, Debug, PartialEq)]
pub enum Via {
    /// A message of the device of this index in [`Plan::devices`].
    Device {
        /// Index of the device.
        device: usize,
        /// The message.
        payload: Vec<u8>,
    },
    /// What the charge point of this index in [`Plan::devices`] does; it says so over OCPP.
    Station {
        /// Index of the device.
        device: usize,
        /// What it does.
        act: Act,
    },
    /// Entities of a department's system, over HTTP.
    Entities(Vec<Json>),
    /// Line protocol of a collector, over HTTP.
    Lines(String),
    /// The device's connection is cut without a word.
    Break(usize),
    /// The device comes back.
    Return(usize),
    /// Nothing is sent: what a person at the demo is told.
    Say(Scene),
}

/// What has just happened, for a person who watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// A plan being played from a start time.
#[derive(Clone, Debug)]
pub struct Schedule {
    plan: Arc<Plan>,
    pace: Pace,
    start: Timestamp,
    tick_micros: i64,
    /// The next tick to be played.
    next_tick: u64,
}

impl Schedule {
    /// Most hours of history that [`Schedule::backfill`] gives: what the series hold before their beginning.
    pub const BACKFILL_HOURS_MAX: u32 = 48;

    /// Begins at `start`; the first tick is due then.
    pub fn new(plan: Arc<Plan>, start: Timestamp, pace: Pace) -> Self {
        let tick_micros = pace.tick_micros();
        Self {
            plan,
            pace,
            start,
            tick_micros,
            next_tick: 0,
        }
    }

    /// When the next tick is due.
    pub fn due(&self) -> Timestamp {
        self.time_of(self.next_tick)
    }

    /// Everything that is due at `now` and was not given before, in order of time.
    pub fn next(&mut self, now: Timestamp) -> Vec<Outgoing> {
        let since = now.micros_since(self.start);
        if since < 0 {
            return Vec::new();
        }
        let last = u64::try_from(since / self.tick_micros).unwrap_or(0);
        self.next_tick = self
            .next_tick
            .max((last + 1).saturating_sub(self.pace.catch_up_ticks_max.max(1)));
        let mut out = Vec::new();
        while self.next_tick <= last {
            self.tick(self.next_tick, &mut out);
            self.next_tick += 1;
        }
        out
    }

    /// The history of the `hours` before the start (at most [`Schedule::BACKFILL_HOURS_MAX`]), at the series' own pace, in order of time.
    pub fn backfill(&self, hours: u32) -> Vec<Outgoing> {
        let samples = u64::from(hours.min(Self::BACKFILL_HOURS_MAX)) * 12;
        let mut out = Vec::new();
        for back in (1..=samples).rev() {
            let at = self.start.plus_seconds(-SAMPLE_SECONDS * back as i64);
            for (device, live) in self.plan.devices.iter().enumerate() {
                let payload = match live.role {
                    Role::Water(n) => self.water(n, -(back as i64), at, None),
                    Role::Section(n) if back % 3 == 0 => {
                        self.section(n, (samples - back) % DAY_SAMPLES, at)
                    }
                    Role::Air(n) if back % 12 == 0 => {
                        self.air(n, AIR_BEFORE_HOURS - (back / 12) as usize, at)
                    }
                    _ => continue,
                };
                out.push(Outgoing {
                    at,
                    via: Via::Device { device, payload },
                });
            }
            out.push(Outgoing {
                at,
                via: Via::Lines(self.power_line((DAY_SAMPLES * 2 - back) % DAY_SAMPLES, at)),
            });
        }
        out
    }

    /// What transformers, public buildings and backup power said before the start: two weeks of hours, two months of days, tests.
    pub fn past_energy(&self) -> Vec<Outgoing> {
        energy::past(&self.plan, self.start)
            .into_iter()
            .map(|(at, said)| Outgoing {
                at,
                via: Via::Entities(said),
            })
            .collect()
    }

    fn time_of(&self, tick: u64) -> Timestamp {
        self.start.plus_micros(
            self.tick_micros
                .saturating_mul(i64::try_from(tick).unwrap_or(i64::MAX)),
        )
    }

    /// Ticks of one flood.
    fn cycle_ticks(&self) -> u64 {
        (self.plan.series.river_m.len() - RIVER_BEFORE) as u64
    }

    fn tick(&self, tick: u64, out: &mut Vec<Outgoing>) {
        let at = self.time_of(tick);
        let in_cycle = tick % self.cycle_ticks();
        self.scenes(tick, in_cycle, at, out);
        for (device, live) in self.plan.devices.iter().enumerate() {
            let payload = match live.role {
                Role::Water(n) => Some(self.water(n, tick as i64, at, Some(in_cycle))),
                Role::Section(n) => {
                    is_turn(tick, n, 6).then(|| self.section(n, tick % DAY_SAMPLES, at))
                }
                Role::Air(n) => (is_turn(tick, 2 * n, SLOW_TICKS) && !self.is_silent(n, in_cycle))
                    .then(|| {
                        let hours = self.plan.series.air[n % self.plan.series.air.len()].len();
                        let live_hours = (hours - AIR_BEFORE_HOURS) as u64;
                        self.air(
                            n,
                            AIR_BEFORE_HOURS + (tick / SLOW_TICKS % live_hours) as usize,
                            at,
                        )
                    }),
                Role::ChargePoint(n) => {
                    let acts = self.charge_point(n, tick, in_cycle);
                    out.extend(acts.into_iter().map(|act| Outgoing {
                        at,
                        via: Via::Station { device, act },
                    }));
                    None
                }
                Role::BaseStation(n) => self.base_station(n, &live.id, tick, in_cycle, at),
                Role::Light(n) => {
                    is_turn(tick, n, SLOW_TICKS).then(|| self.light(&live.id, tick, at))
                }
            };
            if let Some(payload) = payload {
                out.push(Outgoing {
                    at,
                    via: Via::Device { device, payload },
                });
            }
            if live.role == Role::Light(0)
                && self.pace.incidents
                && self.plan.demo.incidents.malformed.contains(&in_cycle)
            {
                let mut payload = self.light(&live.id, tick, at);
                payload.truncate(payload.len() / 2);
                out.push(Outgoing {
                    at,
                    via: Via::Device { device, payload },
                });
            }
        }
        if tick.is_multiple_of(ENERGY_TICKS) {
            let said = energy::readings(&self.plan, at, 0, Self::charging_minute(tick));
            out.push(Outgoing {
                at,
                via: Via::Entities(said),
            });
        }
        if tick.is_multiple_of(2) {
            out.push(Outgoing {
                at,
                via: Via::Lines(self.power_line(tick % DAY_SAMPLES, at)),
            });
        }
    }

    /// Stage of station `n`, metres, `sample` samples after the start (negative: before it).
    fn stage_m(&self, n: usize, sample: i64) -> f64 {
        let (w, river) = (&self.plan.demo.water[n], &self.plan.series.river_m);
        let delayed = sample - w.delay_samples as i64;
        let index = if delayed < 0 {
            (RIVER_BEFORE as i64 + delayed).max(0) as usize
        } else {
            RIVER_BEFORE + (delayed as u64 % self.cycle_ticks()) as usize
        };
        w.level_at_zero_m + w.metres_per_metre * river[index]
    }

    fn water(&self, n: usize, sample: i64, at: Timestamp, in_cycle: Option<u64>) -> Vec<u8> {
        let w = &self.plan.demo.water[n];
        let wrong = &self.plan.demo.incidents.out_of_range;
        let is_wrong = self.pace.incidents && in_cycle == Some(wrong.at) && wrong.water == w.code;
        let level = if is_wrong {
            wrong.value_m
        } else {
            self.stage_m(n, sample)
        };
        Entity::new(&fleet::water_id(&w.code), "WaterObserved")
            .measure("waterLevel", (level * 1000.0).round() / 1000.0, "MTR", at)
            .bytes()
    }

    fn section(&self, n: usize, sample: u64, at: Timestamp) -> Vec<u8> {
        let (s, series) = (&self.plan.demo.section[n], &self.plan.series.quality);
        let q = &series[(sample as usize + s.delay_samples) % series.len()];
        Entity::new(&fleet::section_id(&s.code), "WaterQualityObserved")
            .measure("temperature", q.temperature_c, "CEL", at)
            .measure("conductivity", q.conductivity_s_m, "D10", at)
            .measure("turbidity", q.turbidity_fnu, "NTU", at)
            .bytes()
    }

    fn air(&self, n: usize, hour: usize, at: Timestamp) -> Vec<u8> {
        let series = &self.plan.series.air[n % self.plan.series.air.len()];
        let a = &series[hour.min(series.len() - 1)];
        let mut entity = Entity::new(
            &fleet::air_id(&self.plan.demo.air[n].code),
            "AirQualityObserved",
        );
        for (name, value) in [
            ("pm25", a.pm25),
            ("pm10", a.pm10),
            ("so2", a.so2),
            ("no2", a.no2),
            ("co", a.co),
            ("o3", a.o3),
        ] {
            entity = entity.measure_some(name, value, "GQ", at);
        }
        // A report without any pollutant still says that the station lives.
        entity
            .measure_some("temperature", a.temperature_c, "CEL", at)
            .state("reporting", true, at)
            .bytes()
    }

    fn is_silent(&self, air: usize, in_cycle: u64) -> bool {
        let silence = &self.plan.demo.incidents.silence;
        self.pace.incidents
            && self.plan.demo.air[air].code == silence.air
            && (silence.at..silence.until).contains(&in_cycle)
    }

    /// The minute of the charging day that is played at a tick.
    fn charging_minute(tick: u64) -> u64 {
        (tick + CHARGING_FIRST_SAMPLE) % DAY_SAMPLES * 5
    }

    /// What a charge point does at a tick: charges of the series begin and end, and now and then one is faulty.
    fn charge_point(&self, n: usize, tick: u64, in_cycle: u64) -> Vec<Act> {
        let before = tick.checked_sub(1).map(Self::charging_minute);
        let mut acts = charging::acts(&self.plan, n, before, Self::charging_minute(tick));
        let wrong = &self.plan.demo.incidents.charge_fault;
        if self.pace.incidents && wrong.charge_point == n {
            if in_cycle == wrong.at {
                acts.push(Act::Fault(wrong.code.clone()));
            } else if in_cycle == wrong.until && tick > in_cycle.min(wrong.at) {
                acts.push(Act::Mend);
            }
        }
        acts
    }

    /// The charges of the `days` days before the start, and of its own day until then; as each charge point tells them from its memory.
    pub fn past_charges(&self, days: u32) -> Vec<Outgoing> {
        charging::past(&self.plan, self.start, self.local_midnight(), days)
            .into_iter()
            .map(|(device, act)| Outgoing {
                at: self.start,
                via: Via::Station { device, act },
            })
            .collect()
    }

    fn base_station(
        &self,
        n: usize,
        id: &str,
        tick: u64,
        in_cycle: u64,
        at: Timestamp,
    ) -> Option<Vec<u8>> {
        let outage = &self.plan.demo.incidents.outage;
        let out_now = |in_cycle| {
            self.pace.incidents && n == 0 && (outage.at..outage.until).contains(&in_cycle)
        };
        let edge =
            self.pace.incidents && n == 0 && (in_cycle == outage.at || in_cycle == outage.until);
        (edge || is_turn(tick, n, SLOW_TICKS)).then(|| {
            Entity::new(id, "TelecomBaseStation")
                .state("inService", !out_now(in_cycle), at)
                .bytes()
        })
    }

    fn light(&self, id: &str, tick: u64, at: Timestamp) -> Vec<u8> {
        let on = !(6.0..18.0).contains(&self.local_hours(at));
        let jitter = Chance::new(self.plan.demo.seed ^ tick, id).unit() - 0.5;
        let power = if on { 118.0 + 4.0 * jitter } else { 0.4 };
        Entity::new(id, "Streetlight")
            .state("powerState", if on { "on" } else { "off" }, at)
            .measure("power", (power * 10.0).round() / 10.0, "WTT", at)
            .bytes()
    }

    /// The data centre's power as line protocol, nanoseconds: measurement = type, tag `id` = last part of the URN.
    fn power_line(&self, sample: u64, at: Timestamp) -> String {
        let d = &self.plan.demo.data_centre;
        let load = &self.plan.series.load_percent;
        let percent = load[sample as usize % load.len()];
        let it_power = d.it_power_base_kw + d.it_power_kw_per_percent * percent;
        // Cooling is dearest in the afternoon.
        let pue = d.pue
            + d.pue_swing * ((self.local_hours(at) - 9.0) / 24.0 * std::f64::consts::TAU).sin();
        format!(
            "DataCentre,id={} itPower={:.2},totalPower={:.2},pue={:.3},temperature={:.1} {}\n",
            d.code,
            it_power,
            it_power * pue,
            pue,
            21.5 + percent / 8.0,
            at.micros().saturating_mul(1_000),
        )
    }

    /// Microseconds since local midnight.
    fn local_micros(&self, at: Timestamp) -> i64 {
        let instant =
            jiff::Timestamp::from_microsecond(at.micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let offset = i64::from(self.plan.zone.to_offset(instant).seconds());
        at.plus_seconds(offset).micros().rem_euclid(86_400_000_000)
    }

    /// Hours since local midnight, with fractions.
    fn local_hours(&self, at: Timestamp) -> f64 {
        self.local_micros(at) as f64 / 3.6e9
    }

    fn local_midnight(&self) -> Timestamp {
        self.start.plus_micros(-self.local_micros(self.start))
    }

    /// What a watching person is told, and the silent device's comings and goings.
    fn scenes(&self, tick: u64, in_cycle: u64, at: Timestamp, out: &mut Vec<Outgoing>) {
        let mut say = |zh: String, en: String| {
            out.push(Outgoing {
                at,
                via: Via::Say(Scene { zh, en }),
            })
        };
        let w = &self.plan.demo.water[0];
        let (before, now) = (
            self.stage_m(0, tick as i64 - 1),
            self.stage_m(0, tick as i64),
        );
        for (level, zh, en) in [
            (w.warning_m, "警戒", "warning"),
            (w.guarantee_m, "保证", "guarantee"),
        ] {
            let name = format!("{}·{}", w.river_zh, w.name_zh);
            if before <= level && now > level {
                say(
                    format!("{name}水位 {now:.2} m，超过{zh}水位 {level:.2} m"),
                    format!(
                        "{}, {}: stage {now:.2} m, above the {en} stage of {level:.2} m",
                        w.river_en, w.name_en
                    ),
                );
            } else if before > level && now <= level {
                say(
                    format!("{name}水位 {now:.2} m，退到{zh}水位 {level:.2} m 以下"),
                    format!(
                        "{}, {}: stage {now:.2} m, back below the {en} stage of {level:.2} m",
                        w.river_en, w.name_en
                    ),
                );
            }
        }
        if !self.pace.incidents {
            return;
        }
        let i = &self.plan.demo.incidents;
        if in_cycle == i.outage.at {
            say(
                "一座 5G 基站退服".to_owned(),
                "a 5G base station goes out of service".to_owned(),
            );
        }
        if in_cycle == i.outage.until {
            say(
                "5G 基站恢复服务".to_owned(),
                "the 5G base station is back in service".to_owned(),
            );
        }
        if in_cycle == i.charge_fault.at {
            say(
                format!("一台充电桩报故障（{}）", i.charge_fault.code),
                format!("a charge point is faulty ({})", i.charge_fault.code),
            );
        }
        if in_cycle == i.charge_fault.until {
            say(
                "充电桩恢复".to_owned(),
                "the charge point is mended".to_owned(),
            );
        }
        if in_cycle == i.out_of_range.at {
            say(
                format!(
                    "水文站 {} 报出 {} m：超出量程",
                    i.out_of_range.water, i.out_of_range.value_m
                ),
                format!(
                    "river station {} reports {} m: out of range",
                    i.out_of_range.water, i.out_of_range.value_m
                ),
            );
        }
        if i.malformed.contains(&in_cycle) {
            say(
                "一台路灯控制器发来残缺报文（进入死信）".to_owned(),
                "a street light sends half a message (a dead letter)".to_owned(),
            );
        }
        if in_cycle == i.silence.at {
            say(
                format!("空气站 {} 失联", i.silence.air),
                format!("air station {} falls silent", i.silence.air),
            );
        }
        if in_cycle == i.silence.until && tick > in_cycle.min(i.silence.at) {
            say(
                format!("空气站 {} 恢复上线", i.silence.air),
                format!("air station {} is back", i.silence.air),
            );
        }
        let silent = self.plan.devices.iter().position(
            |d| matches!(d.role, Role::Air(n) if self.plan.demo.air[n].code == i.silence.air),
        );
        if let Some(device) = silent {
            if in_cycle == i.silence.at {
                out.push(Outgoing {
                    at,
                    via: Via::Break(device),
                });
            } else if in_cycle == i.silence.until {
                out.push(Outgoing {
                    at,
                    via: Via::Return(device),
                });
            }
        }
    }
}

/// Whether it is the turn of thing `n` of those that report every `period` ticks; all report with the first tick.
fn is_turn(tick: u64, n: usize, period: u64) -> bool {
    tick == 0 || tick % period == n as u64 % period
}
