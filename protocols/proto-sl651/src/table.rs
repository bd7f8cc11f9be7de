//! The elements of annex C, table C.1: code, ASCII identifier, Chinese name, unit, and the attribute under which the city
//! knows it. Attribute names are those of Smart Data Models where one exists.

/// An element that is one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// Code (标识符引导符).
    pub code: u8,
    /// ASCII identifier.
    pub ascii: &'static str,
    /// Name (编码要素).
    pub name_zh: &'static str,
    /// UN/CEFACT code of the unit in which the city has it; empty when it has none or none is known.
    pub unit: &'static str,
    /// What the number on the wire is multiplied with to be in that unit.
    pub scale: f64,
    /// Name of the attribute.
    pub attribute: &'static str,
    /// Digits on the wire that the standard gives it, without the point.
    pub digits: u8,
    /// How many of them stand behind the point.
    pub decimals: u8,
}

#[expect(clippy::too_many_arguments, reason = "a row of the standard's table")]
const fn number(
    code: u8,
    ascii: &'static str,
    name_zh: &'static str,
    unit: &'static str,
    scale: f64,
    attribute: &'static str,
    digits: u8,
    decimals: u8,
) -> Known {
    Known {
        code,
        ascii,
        name_zh,
        unit,
        scale,
        attribute,
        digits,
        decimals,
    }
}

/// Table C.1, elements that are one number, by code.
#[rustfmt::skip]
pub static KNOWN: &[Known] = &[
    number(0x01, "AC", "断面面积", "", 1.0, "crossSectionArea", 8, 2),
    number(0x02, "AI", "瞬时气温", "CEL", 1.0, "temperature", 3, 1),
    number(0x03, "C", "瞬时水温", "CEL", 1.0, "waterTemperature", 3, 1),
    number(0x05, "DT", "时段长", "", 1.0, "periodLength", 4, 2),
    number(0x06, "ED", "日蒸发量", "MMT", 1.0, "evaporationDay", 5, 1),
    number(0x07, "EJ", "当前蒸发", "MMT", 1.0, "evaporation", 5, 1),
    number(0x08, "FL", "气压", "A97", 1.0, "atmosphericPressure", 5, 0),
    number(0x09, "GH", "闸门开启高度", "MTR", 1.0, "gateOpening", 5, 2),
    number(0x0A, "GN", "输水设备、闸门编号", "", 1.0, "gateNumber", 3, 0),
    number(0x0B, "GS", "输水设备类别", "", 1.0, "gateKind", 1, 0),
    number(0x0C, "GT", "闸门开启孔数", "", 1.0, "gatesOpen", 3, 0),
    number(0x0D, "GTP", "地温", "CEL", 1.0, "soilTemperature", 3, 1),
    number(0x0E, "H", "地下水瞬时埋深", "MTR", 1.0, "groundwaterDepth", 6, 2),
    number(0x0F, "HW", "波浪高度", "MTR", 1.0, "waveHeight", 5, 2),
    number(0x10, "M10", "10 厘米处土壤含水量", "P1", 1.0, "soilMoisture10cm", 4, 1),
    number(0x11, "M20", "20 厘米处土壤含水量", "P1", 1.0, "soilMoisture20cm", 4, 1),
    number(0x12, "M30", "30 厘米处土壤含水量", "P1", 1.0, "soilMoisture30cm", 4, 1),
    number(0x13, "M40", "40 厘米处土壤含水量", "P1", 1.0, "soilMoisture40cm", 4, 1),
    number(0x14, "M50", "50 厘米处土壤含水量", "P1", 1.0, "soilMoisture50cm", 4, 1),
    number(0x15, "M60", "60 厘米处土壤含水量", "P1", 1.0, "soilMoisture60cm", 4, 1),
    number(0x16, "M80", "80 厘米处土壤含水量", "P1", 1.0, "soilMoisture80cm", 4, 1),
    number(0x17, "M100", "100 厘米处土壤含水量", "P1", 1.0, "soilMoisture100cm", 4, 1),
    number(0x18, "MST", "湿度", "P1", 1.0, "relativeHumidity", 4, 1),
    number(0x19, "NS", "开机台数", "", 1.0, "pumpsRunning", 2, 0),
    number(0x1A, "P1", "1 小时时段降水量", "MMT", 1.0, "precipitation1h", 5, 1),
    number(0x1B, "P2", "2 小时时段降水量", "MMT", 1.0, "precipitation2h", 5, 1),
    number(0x1C, "P3", "3 小时时段降水量", "MMT", 1.0, "precipitation3h", 5, 1),
    number(0x1D, "P6", "6 小时时段降水量", "MMT", 1.0, "precipitation6h", 5, 1),
    number(0x1E, "P12", "12 小时时段降水量", "MMT", 1.0, "precipitation12h", 5, 1),
    number(0x1F, "PD", "日降水量", "MMT", 1.0, "precipitationDay", 5, 1),
    number(0x20, "PJ", "当前降水量", "MMT", 1.0, "precipitation", 5, 1),
    number(0x21, "PN01", "1 分钟时段降水量", "MMT", 1.0, "precipitation1min", 5, 1),
    number(0x22, "PN05", "5 分钟时段降水量", "MMT", 1.0, "precipitation5min", 5, 1),
    number(0x23, "PN10", "10 分钟时段降水量", "MMT", 1.0, "precipitation10min", 5, 1),
    number(0x24, "PN30", "30 分钟时段降水量", "MMT", 1.0, "precipitation30min", 5, 1),
    number(0x25, "PR", "暴雨量", "MMT", 1.0, "rainstorm", 5, 1),
    number(0x26, "PT", "降水量累计值", "MMT", 1.0, "precipitationTotal", 6, 1),
    number(0x27, "Q", "瞬时流量、抽水流量", "MQS", 1.0, "flow", 9, 3),
    number(0x28, "Q1", "取(排)水口流量 1", "MQS", 1.0, "outletFlow1", 9, 3),
    number(0x29, "Q2", "取(排)水口流量 2", "MQS", 1.0, "outletFlow2", 9, 3),
    number(0x2A, "Q3", "取(排)水口流量 3", "MQS", 1.0, "outletFlow3", 9, 3),
    number(0x2B, "Q4", "取(排)水口流量 4", "MQS", 1.0, "outletFlow4", 9, 3),
    number(0x2C, "Q5", "取(排)水口流量 5", "MQS", 1.0, "outletFlow5", 9, 3),
    number(0x2D, "Q6", "取(排)水口流量 6", "MQS", 1.0, "outletFlow6", 9, 3),
    number(0x2E, "Q7", "取(排)水口流量 7", "MQS", 1.0, "outletFlow7", 9, 3),
    number(0x2F, "Q8", "取(排)水口流量 8", "MQS", 1.0, "outletFlow8", 9, 3),
    number(0x30, "QA", "总出库流量、过闸总流量", "MQS", 1.0, "outflow", 9, 3),
    number(0x31, "QZ", "输水设备流量、过闸(组)流量", "MQS", 1.0, "gateFlow", 9, 3),
    number(0x32, "SW", "输沙量", "", 1.0, "sedimentLoad", 11, 3),
    number(0x33, "UC", "风向", "DD", 22.5, "windDirection", 2, 0),
    number(0x34, "UE", "风力(级)", "", 1.0, "windForce", 2, 0),
    number(0x35, "US", "风速", "MTS", 1.0, "windSpeed", 4, 1),
    number(0x36, "VA", "断面平均流速", "MTS", 1.0, "meanFlowVelocity", 5, 3),
    number(0x37, "VJ", "当前瞬时流速", "MTS", 1.0, "flowVelocity", 5, 3),
    number(0x38, "VT", "电源电压", "VLT", 1.0, "batteryVoltage", 4, 2),
    number(0x39, "Z", "瞬时河道水位、潮位", "MTR", 1.0, "waterLevel", 7, 3),
    number(0x3A, "ZB", "库(闸、站)下水位", "MTR", 1.0, "waterLevelDownstream", 7, 3),
    number(0x3B, "ZU", "库(闸、站)上水位", "MTR", 1.0, "waterLevelUpstream", 7, 3),
    number(0x3C, "Z1", "取(排)水口水位 1", "MTR", 1.0, "outletWaterLevel1", 7, 3),
    number(0x3D, "Z2", "取(排)水口水位 2", "MTR", 1.0, "outletWaterLevel2", 7, 3),
    number(0x3E, "Z3", "取(排)水口水位 3", "MTR", 1.0, "outletWaterLevel3", 7, 3),
    number(0x3F, "Z4", "取(排)水口水位 4", "MTR", 1.0, "outletWaterLevel4", 7, 3),
    number(0x40, "Z5", "取(排)水口水位 5", "MTR", 1.0, "outletWaterLevel5", 7, 3),
    number(0x41, "Z6", "取(排)水口水位 6", "MTR", 1.0, "outletWaterLevel6", 7, 3),
    number(0x42, "Z7", "取(排)水口水位 7", "MTR", 1.0, "outletWaterLevel7", 7, 3),
    number(0x43, "Z8", "取(排)水口水位 8", "MTR", 1.0, "outletWaterLevel8", 7, 3),
    number(0x44, "SQ", "含沙量", "", 1.0, "sedimentConcentration", 9, 3),
    number(0x46, "PH", "pH 值", "Q30", 1.0, "pH", 4, 2),
    number(0x47, "DO", "溶解氧", "M1", 1.0, "O2", 4, 1),
    number(0x48, "COND", "电导率", "D10", 1e-4, "conductivity", 5, 0),
    number(0x49, "TURB", "浊度", "NTU", 1.0, "turbidity", 3, 0),
    number(0x4A, "CODMN", "高锰酸盐指数", "M1", 1.0, "CODMn", 4, 1),
    number(0x4B, "REDOX", "氧化还原电位", "VLT", 1e-3, "redoxPotential", 5, 1),
    number(0x4C, "NH4N", "氨氮", "M1", 1.0, "NH4N", 6, 2),
    number(0x4D, "TP", "总磷", "M1", 1.0, "totalPhosphorus", 5, 3),
    number(0x4E, "TN", "总氮", "M1", 1.0, "totalNitrogen", 5, 2),
    number(0x4F, "TOC", "总有机碳", "M1", 1.0, "TOC", 4, 2),
    number(0x50, "CU", "铜", "M1", 1.0, "copper", 7, 4),
    number(0x51, "ZN", "锌", "M1", 1.0, "zinc", 6, 4),
    number(0x52, "SE", "硒", "M1", 1.0, "selenium", 7, 5),
    number(0x53, "AS", "砷", "M1", 1.0, "arsenic", 7, 5),
    number(0x54, "THG", "总汞", "M1", 1.0, "mercury", 7, 5),
    number(0x55, "CD", "镉", "M1", 1.0, "cadmium", 7, 5),
    number(0x56, "PB", "铅", "M1", 1.0, "lead", 7, 5),
    number(0x57, "CHLA", "叶绿素 a", "M1", 1.0, "chlorophyllA", 4, 2),
    number(0x58, "WP1", "水压 1", "KPA", 1.0, "waterPressure1", 5, 2),
    number(0x59, "WP2", "水压 2", "KPA", 1.0, "waterPressure2", 5, 2),
    number(0x5A, "WP3", "水压 3", "KPA", 1.0, "waterPressure3", 5, 2),
    number(0x5B, "WP4", "水压 4", "KPA", 1.0, "waterPressure4", 5, 2),
    number(0x5C, "WP5", "水压 5", "KPA", 1.0, "waterPressure5", 5, 2),
    number(0x5D, "WP6", "水压 6", "KPA", 1.0, "waterPressure6", 5, 2),
    number(0x5E, "WP7", "水压 7", "KPA", 1.0, "waterPressure7", 5, 2),
    number(0x5F, "WP8", "水压 8", "KPA", 1.0, "waterPressure8", 5, 2),
    number(0x60, "SYL1", "水表 1 剩余水量", "MTQ", 1.0, "meterRemaining1", 11, 3),
    number(0x61, "SYL2", "水表 2 剩余水量", "MTQ", 1.0, "meterRemaining2", 11, 3),
    number(0x62, "SYL3", "水表 3 剩余水量", "MTQ", 1.0, "meterRemaining3", 11, 3),
    number(0x63, "SYL4", "水表 4 剩余水量", "MTQ", 1.0, "meterRemaining4", 11, 3),
    number(0x64, "SYL5", "水表 5 剩余水量", "MTQ", 1.0, "meterRemaining5", 11, 3),
    number(0x65, "SYL6", "水表 6 剩余水量", "MTQ", 1.0, "meterRemaining6", 11, 3),
    number(0x66, "SYL7", "水表 7 剩余水量", "MTQ", 1.0, "meterRemaining7", 11, 3),
    number(0x67, "SYL8", "水表 8 剩余水量", "MTQ", 1.0, "meterRemaining8", 11, 3),
    number(0x68, "SBL1", "水表 1 每小时水量", "MQH", 1.0, "meterHourly1", 10, 2),
    number(0x69, "SBL2", "水表 2 每小时水量", "MQH", 1.0, "meterHourly2", 10, 2),
    number(0x6A, "SBL3", "水表 3 每小时水量", "MQH", 1.0, "meterHourly3", 10, 2),
    number(0x6B, "SBL4", "水表 4 每小时水量", "MQH", 1.0, "meterHourly4", 10, 2),
    number(0x6C, "SBL5", "水表 5 每小时水量", "MQH", 1.0, "meterHourly5", 10, 2),
    number(0x6D, "SBL6", "水表 6 每小时水量", "MQH", 1.0, "meterHourly6", 10, 2),
    number(0x6E, "SBL7", "水表 7 每小时水量", "MQH", 1.0, "meterHourly7", 10, 2),
    number(0x6F, "SBL8", "水表 8 每小时水量", "MQH", 1.0, "meterHourly8", 10, 2),
    number(0x70, "VTA", "交流 A 相电压", "VLT", 1.0, "voltagePhaseA", 4, 1),
    number(0x71, "VTB", "交流 B 相电压", "VLT", 1.0, "voltagePhaseB", 4, 1),
    number(0x72, "VTC", "交流 C 相电压", "VLT", 1.0, "voltagePhaseC", 4, 1),
    number(0x73, "VIA", "交流 A 相电流", "AMP", 1.0, "currentPhaseA", 4, 1),
    number(0x74, "VIB", "交流 B 相电流", "AMP", 1.0, "currentPhaseB", 4, 1),
    number(0x75, "VIC", "交流 C 相电流", "AMP", 1.0, "currentPhaseC", 4, 1),
];

/// The element with this code.
pub fn by_code(code: u8) -> Option<&'static Known> {
    let at = KNOWN.binary_search_by_key(&code, |known| known.code).ok()?;
    KNOWN.get(at)
}

/// The element with this ASCII identifier, in any case.
pub fn by_ascii(identifier: &str) -> Option<&'static Known> {
    KNOWN
        .iter()
        .find(|known| known.ascii.eq_ignore_ascii_case(identifier))
}

/// Name of a parameter of a station (annex D, tables D.1 and D.4) and its unit as text.
pub fn parameter(code: u8) -> (String, &'static str) {
    let nth = |from: u8| code - from + 1;
    let (name, unit) = match code {
        0x01 => ("中心站地址".to_owned(), ""),
        0x02 => ("遥测站地址".to_owned(), ""),
        0x03 => ("密码".to_owned(), ""),
        0x04..=0x0B => {
            let which = if code.is_multiple_of(2) {
                "主"
            } else {
                "备用"
            };
            (
                format!("中心站 {} {which}信道类型及地址", (code - 0x04) / 2 + 1),
                "",
            )
        }
        0x0C => ("工作方式".to_owned(), ""),
        0x0D => ("遥测站采集要素设置".to_owned(), ""),
        0x0E => ("中继站服务地址范围".to_owned(), ""),
        0x0F => ("遥测站通信设备识别号".to_owned(), ""),
        0x20 => ("定时报时间间隔".to_owned(), "h"),
        0x21 => ("加报时间间隔".to_owned(), "min"),
        0x22 => ("降水量日起始时间".to_owned(), "h"),
        0x23 => ("采样间隔".to_owned(), "s"),
        0x24 => ("水位数据存储间隔".to_owned(), "min"),
        0x25 => ("雨量计分辨力".to_owned(), "mm"),
        0x26 => ("水位计分辨力".to_owned(), "cm"),
        0x27 => ("雨量加报阈值".to_owned(), "mm"),
        0x28..=0x2F => (format!("水位基值 {}", nth(0x28)), "m"),
        0x30..=0x37 => (format!("水位修正基值 {}", nth(0x30)), "m"),
        0x38..=0x3F => (format!("加报水位 {}", nth(0x38)), "m"),
        0x40 => ("加报水位以上加报阈值".to_owned(), "m"),
        0x41 => ("加报水位以下加报阈值".to_owned(), "m"),
        0x42 => ("流量加报阈值".to_owned(), "m³/s"),
        0x43 => ("流速加报阈值".to_owned(), "m/s"),
        0x44 => ("闸位加报阈值".to_owned(), "m"),
        0x97 => ("固态存储数据初始化".to_owned(), ""),
        0x98 => ("遥测终端参数恢复出厂设置".to_owned(), ""),
        _ => ("其他参数".to_owned(), ""),
    };
    (name, unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::unit;

    #[test]
    fn the_table_is_sorted_and_its_words_are_good() {
        assert!(KNOWN.windows(2).all(|pair| pair[0].code < pair[1].code));
        for known in KNOWN {
            model::AttributeName::new(known.attribute).unwrap();
            assert_eq!(by_ascii(known.ascii), Some(known), "{}", known.ascii);
            assert!(
                known.unit.is_empty() || unit::find(known.unit).is_some(),
                "{}",
                known.unit
            );
        }
        assert_eq!(by_code(0x39).unwrap().attribute, "waterLevel");
        assert_eq!(by_code(0x45), None);
    }
}
