//! What is on the wire, in the standard's own terms: the body of a whole message (报文正文, 6.6), put together from its packets
//! when it came in several.

use crate::element::{Element, Identifier};
use crate::frame::{Direction, Encoding, Frame, Station};
use crate::time::{HourTime, ObservedTime, SentTime};

/// A message, up or down.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// How it is written.
    pub encoding: Encoding,
    /// Which way it goes.
    pub direction: Direction,
    /// Address of the centre.
    pub centre: u8,
    /// Address of the station, as the head says it.
    pub station: Station,
    /// The station's password.
    pub password: u16,
    /// What it is about (annex B).
    pub function: u8,
    /// How its last frame ends.
    pub end: u8,
    /// In how many packets it came, when it was cut into packets.
    pub packets: Option<u16>,
    /// Serial number (流水号), 1 to 65,535; 0 when the centre begins.
    pub serial: u16,
    /// When it was sent, by the sender's clock.
    pub sent: SentTime,
    /// What it says.
    pub body: Body,
}

/// What a message says beside its serial number and time.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Nothing more: 链路维持报, and what the centre confirms.
    Empty,
    /// Elements of one or several stations: 30H to 34H, 37H, 38H, 3AH, 44H, 46H, 4BH.
    Report(Vec<Section>),
    /// What a person typed in (人工置数), coded as SL 330 or otherwise agreed: 35H, 39H.
    Manual(Vec<u8>),
    /// A picture: 36H.
    Picture(Picture),
    /// Parameters of the station: 40H to 43H.
    Parameters {
        /// Whose.
        station: Station,
        /// The parameters (annex D).
        parameters: Vec<Element>,
    },
    /// The version of the station's software: 45H.
    Version {
        /// Whose.
        station: Station,
        /// The text.
        text: Vec<u8>,
    },
    /// A command was obeyed: 47H, 48H, 4AH; or the clock was asked for, which is the time of sending: 51H.
    Done {
        /// By whom.
        station: Station,
    },
    /// The password was changed: 49H.
    Password {
        /// Whose.
        station: Station,
        /// The new one.
        password: u16,
    },
    /// Pumps (4CH) or valves (4DH), on or off.
    Switches {
        /// Whose.
        station: Station,
        /// Eight in each byte, the first in bit 0 of the first.
        states: Vec<u8>,
    },
    /// Gates: 4EH.
    Gates {
        /// Whose.
        station: Station,
        /// The gates.
        gates: Gates,
    },
    /// Whether the quota of water is in force: 4FH.
    Quota {
        /// Whose.
        station: Station,
        /// In force.
        is_on: bool,
    },
    /// How often each event of table 82 has happened: 50H.
    Events {
        /// Where.
        station: Station,
        /// Counts, ERC1 first.
        counts: Vec<u16>,
    },
    /// What the centre asks or orders.
    Command(Command),
    /// A function that the standard leaves to others (E0H to FFH) or keeps for later.
    Unread(Vec<u8>),
}

/// What one station says in a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// Which station (地址标识符); `None` when the report does not say, and the head's is meant.
    pub station: Option<Station>,
    /// What kind of station (遥测站分类码, annex A).
    pub class: Option<u8>,
    /// Times and elements in their order: an element was observed at the time before it (6.6.2.11).
    pub entries: Vec<Entry>,
}

/// One entry of a section.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// When what follows was observed.
    Observed(ObservedTime),
    /// An element.
    Element(Element),
    /// Elements at equal intervals (均匀时段, 6.6.4.4), the first at the time before.
    Series {
        /// The interval.
        step: Element,
        /// What each row holds.
        columns: Vec<Element>,
        /// The rows, each with one value of each column.
        rows: Vec<Vec<Element>>,
    },
    /// What could not be read any more.
    Rest(Vec<u8>),
}

/// A picture and where it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Whose.
    pub station: Station,
    /// What kind of station.
    pub class: u8,
    /// When it was taken.
    pub observed: ObservedTime,
    /// The picture, JPEG.
    pub jpeg: Vec<u8>,
}

/// Gates (闸门, table 77).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gates {
    /// How many.
    pub count: u8,
    /// Open or closed, eight in each byte, the first in bit 0 of the first.
    pub states: Vec<u8>,
    /// How far each is open, centimetres.
    pub openings_cm: Vec<u16>,
}

/// What the centre asks or orders, beside serial number and time.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// The function code says it all: 36H, 37H, 39H, 44H, 45H, 46H, 4AH, 50H, 51H.
    Plain,
    /// Data of a period: 38H.
    Period {
        /// From.
        from: HourTime,
        /// To.
        to: HourTime,
        /// Interval.
        step: Element,
        /// What.
        elements: Vec<Identifier>,
    },
    /// The newest value of these elements (3AH), or these parameters (41H, 43H).
    Ask(Vec<Identifier>),
    /// These parameters to be set: 40H, 42H.
    Set(Vec<Element>),
    /// The stored data to be cleared: 47H.
    ClearStore,
    /// The parameters to be those of the factory: 48H.
    FactoryReset,
    /// Another password: 49H.
    Password {
        /// The present one.
        old: u16,
        /// The one to come.
        new: u16,
    },
    /// The IC card's bit of the state (table 58): 4BH.
    IcCard(u32),
    /// Pumps (4CH) or valves (4DH), on or off, eight in each byte.
    Switches(Vec<u8>),
    /// Gates: 4EH.
    Gates(Gates),
    /// The quota of water, in force or not: 4FH.
    Quota(bool),
    /// Not read, as it came.
    Other(Vec<u8>),
}

/// Function codes with a name of their own here (annex B).
pub mod function {
    /// 链路维持报: is not answered.
    pub const KEEP_ALIVE: u8 = 0x2F;
    /// 测试报.
    pub const TEST: u8 = 0x30;
    /// 均匀时段水文信息报.
    pub const UNIFORM: u8 = 0x31;
    /// 定时报.
    pub const TIMED: u8 = 0x32;
    /// 加报报.
    pub const ADDED: u8 = 0x33;
    /// 小时报.
    pub const HOURLY: u8 = 0x34;
    /// 人工置数报.
    pub const MANUAL: u8 = 0x35;
    /// 图片报.
    pub const PICTURE: u8 = 0x36;
    /// 查询实时数据.
    pub const ASK_NOW: u8 = 0x37;
    /// 查询时段数据.
    pub const ASK_PERIOD: u8 = 0x38;
    /// 查询人工置数.
    pub const ASK_MANUAL: u8 = 0x39;
    /// 查询指定要素.
    pub const ASK_ELEMENTS: u8 = 0x3A;
    /// 修改基本配置.
    pub const SET_BASIC: u8 = 0x40;
    /// 读取基本配置.
    pub const READ_BASIC: u8 = 0x41;
    /// 修改运行参数.
    pub const SET_RUNNING: u8 = 0x42;
    /// 读取运行参数.
    pub const READ_RUNNING: u8 = 0x43;
    /// 查询水泵电机数据.
    pub const ASK_PUMP: u8 = 0x44;
    /// 查询软件版本.
    pub const ASK_VERSION: u8 = 0x45;
    /// 查询状态和报警.
    pub const ASK_STATUS: u8 = 0x46;
    /// 初始化固态存储.
    pub const CLEAR_STORE: u8 = 0x47;
    /// 恢复出厂设置.
    pub const FACTORY_RESET: u8 = 0x48;
    /// 修改密码.
    pub const SET_PASSWORD: u8 = 0x49;
    /// 设置时钟.
    pub const SET_CLOCK: u8 = 0x4A;
    /// 设置 IC 卡状态.
    pub const SET_IC_CARD: u8 = 0x4B;
    /// 控制水泵.
    pub const PUMPS: u8 = 0x4C;
    /// 控制阀门.
    pub const VALVES: u8 = 0x4D;
    /// 控制闸门.
    pub const GATES: u8 = 0x4E;
    /// 水量定值控制.
    pub const QUOTA: u8 = 0x4F;
    /// 查询事件记录.
    pub const ASK_EVENTS: u8 = 0x50;
    /// 查询时钟.
    pub const ASK_CLOCK: u8 = 0x51;

    /// Name of a function, Chinese and English.
    pub const fn name(code: u8) -> (&'static str, &'static str) {
        match code {
            KEEP_ALIVE => ("链路维持报", "link keep-alive"),
            TEST => ("测试报", "test report"),
            UNIFORM => ("均匀时段水文信息报", "uniform interval report"),
            TIMED => ("定时报", "timed report"),
            ADDED => ("加报报", "added report"),
            HOURLY => ("小时报", "hourly report"),
            MANUAL => ("人工置数报", "manual report"),
            PICTURE => ("图片报", "picture"),
            ASK_NOW => ("查询实时数据", "query of present data"),
            ASK_PERIOD => ("查询时段数据", "query of a period"),
            ASK_MANUAL => ("查询人工置数", "query of manual data"),
            ASK_ELEMENTS => ("查询指定要素", "query of elements"),
            SET_BASIC => ("修改基本配置", "set basic parameters"),
            READ_BASIC => ("读取基本配置", "read basic parameters"),
            SET_RUNNING => ("修改运行参数", "set running parameters"),
            READ_RUNNING => ("读取运行参数", "read running parameters"),
            ASK_PUMP => ("查询水泵电机数据", "query of pump motors"),
            ASK_VERSION => ("查询软件版本", "query of the version"),
            ASK_STATUS => ("查询状态和报警", "query of state and alarms"),
            CLEAR_STORE => ("初始化固态存储", "clear the store"),
            FACTORY_RESET => ("恢复出厂设置", "factory reset"),
            SET_PASSWORD => ("修改密码", "set the password"),
            SET_CLOCK => ("设置时钟", "set the clock"),
            SET_IC_CARD => ("设置 IC 卡状态", "set the IC card's state"),
            PUMPS => ("控制水泵", "pumps"),
            VALVES => ("控制阀门", "valves"),
            GATES => ("控制闸门", "gates"),
            QUOTA => ("水量定值控制", "quota of water"),
            ASK_EVENTS => ("查询事件记录", "query of events"),
            ASK_CLOCK => ("查询时钟", "query of the clock"),
            0xE0..=0xFF => ("用户自定义", "defined by others"),
            _ => ("保留", "reserved"),
        }
    }

    /// Whether a station's address is followed by its class in the bodies of this function.
    pub const fn has_class(code: u8) -> bool {
        matches!(code, TEST..=HOURLY | PICTURE..=ASK_PERIOD | ASK_ELEMENTS | ASK_PUMP)
    }
}

/// Name of a class of stations (annex A), Chinese and English.
pub const fn class_name(class: u8) -> (&'static str, &'static str) {
    match class {
        b'P' => ("降水", "rain"),
        b'H' => ("河道", "river"),
        b'K' => ("水库(湖泊)", "reservoir or lake"),
        b'Z' => ("闸坝", "gate or dam"),
        b'D' => ("泵站", "pumping station"),
        b'T' => ("潮汐", "tide"),
        b'M' => ("墒情", "soil moisture"),
        b'G' => ("地下水", "groundwater"),
        b'Q' => ("水质", "water quality"),
        b'I' => ("取水口", "intake"),
        b'O' => ("排水口", "outlet"),
        _ => ("其他", "other"),
    }
}

impl Message {
    /// The stations that the body speaks of beside the head's; a relay speaks for several.
    pub fn others(&self) -> impl Iterator<Item = Station> + '_ {
        let sections = match &self.body {
            Body::Report(sections) => sections.as_slice(),
            _ => &[],
        };
        let of_body = match &self.body {
            Body::Picture(picture) => Some(picture.station),
            Body::Parameters { station, .. }
            | Body::Version { station, .. }
            | Body::Done { station }
            | Body::Password { station, .. }
            | Body::Switches { station, .. }
            | Body::Gates { station, .. }
            | Body::Quota { station, .. }
            | Body::Events { station, .. } => Some(*station),
            _ => None,
        };
        let named = sections.iter().filter_map(|section| section.station);
        named
            .chain(of_body)
            .filter(|station| *station != self.station)
    }

    /// A message with the head of a frame; for whoever makes one.
    pub fn with_head_of(
        frame: &Frame,
        packets: Option<u16>,
        serial: u16,
        sent: SentTime,
        body: Body,
    ) -> Self {
        Self {
            encoding: frame.encoding,
            direction: frame.direction,
            centre: frame.centre,
            station: frame.station,
            password: frame.password,
            function: frame.function,
            end: frame.end,
            packets,
            serial,
            sent,
            body,
        }
    }
}
