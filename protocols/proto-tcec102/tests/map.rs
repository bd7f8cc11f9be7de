//! What a partner says of the city, what the city answers, and orders to the fen and the watt-hour.

use model::{EntityId, Geometry, Timestamp, Update, Value};
use proptest::prelude::*;
use proto_tcec102::city::{self, Point, Running, Station};
use proto_tcec102::map::{self, Source};
use proto_tcec102::message::*;
use proto_tcec102::order::{
    DISPUTE_ENERGY, DISPUTE_MISSING, DISPUTE_MONEY, Doubt, SettledOrder, SettledPeriod, compare,
    comparison,
};
use proto_tcec102::time::Moment;
use proto_tcec102::{Call, Fixed, Limits, Reply, gcj};

fn t(seconds: i64) -> Timestamp {
    Timestamp::parse("2026-11-23T16:00:00+08:00")
        .unwrap()
        .plus_seconds(seconds)
}

/// One station is registered, the rest is named after the partner.
fn whose(kind: &str, id: &str) -> Option<EntityId> {
    ((kind, id) == (map::STATION, "s1"))
        .then(|| EntityId::new("urn:ngsi-ld:EVChargingStation:CS001").unwrap())
}

fn source() -> Source<'static> {
    Source {
        operator_id: "123456789",
        operator_name: "天门充电",
        whose: &whose,
        received_at: t(3_600),
    }
}

/// An update as text: entity, then `name=value unit`.
fn said(update: &Update) -> (String, Vec<String>) {
    let attributes = update.attributes.iter().map(|it| {
        let unit = it.unit.as_deref().unwrap_or_default();
        format!("{}={} {unit}", it.name, it.value.to_json())
            .trim_end()
            .to_owned()
    });
    (update.entity_id.to_string(), attributes.collect())
}

const STATIONS: &str = r#"{"PageNo":1,"PageCount":1,"ItemSize":1,"StationInfos":[{"StationID":"s1","OperatorID":"123456789","EquipmentOwnerID":"123456789",
"StationName":"竟陵站","CountryCode":"CN","AreaCode":"429006","Address":"天门","ServiceTel":"95598","StationType":1,"StationStatus":50,"ParkNums":4,
"StationLng":116.38404722455657,"StationLat":39.91334545536069,"Construction":1,"EquipmentInfos":[{"EquipmentID":"e1","EquipmentType":1,"Power":60.5,
"ManufacturerName":"厂","EquipmentModel":"M","EquipmentName":"一号桩","ConnectorInfos":[
{"ConnectorID":"c1","ConnectorName":"A枪","ConnectorType":4,"VoltageUpperLimits":750,"VoltageLowerLimits":200,"Current":250,"Power":60.5,"NationalStandard":2},
{"ConnectorID":"c2","ConnectorType":6,"VoltageUpperLimits":750,"VoltageLowerLimits":200,"Current":250,"Power":60.5,"NationalStandard":2}]}]}]}"#;

fn station_infos(json: &str) -> Vec<StationInfo> {
    let Reply::QueryStationsInfo(reply) = Reply::read("query_stations_info", json).unwrap() else {
        panic!()
    };
    reply.station_infos
}

#[test]
fn stations_become_entities() {
    let payload = map::stations(&station_infos(STATIONS), &source());
    assert_eq!(payload.problems, []);
    let [station, first, second] = payload.updates.as_slice() else {
        panic!("{:?}", payload.updates)
    };
    let Value::Geometry(Geometry::Point { lon, lat }) = station.attributes[1].value else {
        panic!()
    };
    // The pair of places that maps in use give for one spot.
    assert!((lon - 116.377_817).abs() < 1e-6 && (lat - 39.911_954).abs() < 1e-6);
    let (id, mut attributes) = said(station);
    attributes.remove(1);
    assert_eq!(id, "urn:ngsi-ld:EVChargingStation:CS001");
    assert_eq!(
        attributes,
        [
            "name=\"竟陵站\"",
            "operator=\"天门充电\"",
            "capacity=2.0 C62",
            "status=\"working\""
        ]
    );
    let (id, mut attributes) = said(first);
    attributes.remove(2);
    assert_eq!(id, "urn:ngsi-ld:ChargePoint:123456789:c1");
    assert_eq!(
        attributes,
        [
            "name=\"A枪\"",
            "refStation=\"urn:ngsi-ld:EVChargingStation:CS001\"",
            "connectorType=\"GBT_DC\"",
            "ratedPower=60.5 KWT",
            "manufacturerName=\"厂\"",
            "modelName=\"M\""
        ]
    );
    // Without a name of its own it has its pile's; a connector of another kind has no word.
    let (_, attributes) = said(second);
    assert_eq!(attributes[0], "name=\"一号桩\"");
    assert!(!attributes.iter().any(|it| it.starts_with("connectorType")));
    assert!(payload.updates.iter().all(|update| {
        update
            .attributes
            .iter()
            .all(|it| it.observed_at == t(3_600))
    }));
}

#[test]
fn what_is_no_place_or_no_id_is_told_and_the_rest_goes_on() {
    let json = STATIONS
        .replace("39.91334545536069", "390")
        .replace("\"c1\"", "\"c 1\"");
    let payload = map::stations(&station_infos(&json), &source());
    assert_eq!(payload.problems[0].code, "tcec102-place");
    assert_eq!(payload.problems.len(), 2, "{:?}", payload.problems);
    assert_eq!(payload.updates.len(), 2);
}

#[test]
fn every_state_of_a_connector_goes_there_and_back() {
    let all = [0, 1, 2, 3, 4, 255].map(|code| ConnectorStatus::try_from(code).unwrap());
    for status in all {
        assert_eq!(city::connector_status(map::status_word(status)), status);
    }
    for word in ["Preparing", "Finishing", "SuspendedEV", "SuspendedEVSE"] {
        assert_eq!(city::connector_status(word), ConnectorStatus::Occupied);
    }
    assert_eq!(city::connector_status("Dancing"), ConnectorStatus::Offline);
    let one = ConnectorStatusInfo {
        connector_id: "c1".into(),
        status: ConnectorStatus::Fault,
        park_status: None,
        lock_status: None,
    };
    let payload = map::statuses([&one], &source());
    assert_eq!(
        said(&payload.updates[0]),
        (
            "urn:ngsi-ld:ChargePoint:123456789:c1".into(),
            vec!["status=\"Faulted\"".into()]
        )
    );
}

const ORDER: &str = "123456789202611231600000001";

fn order_no(n: u32) -> String {
    format!("1234567892026112316{n:08}")
}

fn info_json() -> String {
    format!(
        r#"{{"StartChargeSeq":"{ORDER}","ConnectorID":"c1","StartTime":"2026-11-23 16:00:00","EndTime":"2026-11-23 16:40:00","TotalPower":30.02,
"TotalElecMoney":"18.70","TotalSeviceMoney":12.01,"TotalMoney":30.71,"StopReason":4,"SumPeriod":2,"ChargeDetails":[
{{"DetailStartTime":"2026-11-23 16:00:00","DetailEndTime":"2026-11-23 16:20:00","ElecPrice":0.6234,"SevicePrice":0.4,"DetailPower":15.01,"DetailElecMoney":9.36,"DetailSeviceMoney":6.01}},
{{"DetailStartTime":"2026-11-23 16:20:00","DetailEndTime":"2026-11-23 16:40:00","ElecPrice":0.6234,"SevicePrice":0.4,"DetailPower":15.01,"DetailElecMoney":9.34,"DetailSeviceMoney":6.0}}]}}"#
    )
}

fn info(json: &str) -> NotificationChargeOrderInfo {
    let call = Call::read("notification_charge_order_info", json, &Limits::default());
    let Call::NotificationChargeOrderInfo(info) = call.unwrap() else {
        panic!()
    };
    info
}

fn settled() -> SettledOrder {
    SettledOrder::of(&info(&info_json())).unwrap()
}

#[test]
fn an_order_is_settled_to_the_fen_and_the_watt_hour() {
    let order = settled();
    assert_eq!(
        (
            order.energy_wh,
            order.electricity_fen,
            order.service_fen,
            order.total_fen()
        ),
        (30_020, 1_870, 1_201, 3_071)
    );
    assert_eq!(
        order.periods[1],
        SettledPeriod {
            from: t(1_200),
            to: t(2_400),
            energy_wh: 15_010,
            electricity_price: Some(6_234),
            service_price: Some(4_000),
            electricity_fen: Some(934),
            service_fen: Some(600),
        }
    );
    assert_eq!(order.doubts(), []);
    assert_eq!(order.confirmation().confirm_result, 0);
    assert_eq!(order.info().unwrap(), info(&info_json()));
    let payload = map::settled(&order, &source());
    assert_eq!(
        said(&payload.updates[0]),
        (
            format!("urn:ngsi-ld:ChargingSession:123456789:{ORDER}"),
            vec![
                format!("transactionId=\"{ORDER}\""),
                "refChargePoint=\"urn:ngsi-ld:ChargePoint:123456789:c1\"".into(),
                "sessionState=\"Ended\"".into(),
                format!("startedAt=\"{}\"", t(0)),
                format!("endedAt=\"{}\"", t(2_400)),
                "energy=30.02 KWH".into(),
                "stopReason=\"EVDisconnected\"".into(),
            ]
        )
    );
}

#[test]
fn what_does_not_fit_is_refused_or_disputed_never_rounded() {
    // Parts of a fen and of a watt-hour.
    for (from, to, place) in [
        ("\"18.70\"", "18.7001", "TotalElecMoney"),
        ("30.02,", "30.0201,", "TotalPower"),
        ("9.36", "9.365", "DetailElecMoney"),
    ] {
        let json = info_json().replace(from, to).replace(
            "30.71",
            if place == "TotalElecMoney" {
                "30.7101"
            } else {
                "30.71"
            },
        );
        let told = SettledOrder::of(&info(&json)).unwrap_err();
        assert_eq!(told.code, "tcec102-inexact", "{place}");
        assert!(told.is_translated() && told.place.en == place, "{told:?}");
    }
    // Refused at the door.
    for (from, to) in [
        ("\"SumPeriod\":2", "\"SumPeriod\":3"),
        ("30.71", "30.72"),
        ("30.71", "3.071e1"),
        ("\"18.70\"", "-1.0"),
    ] {
        let json = info_json().replace(from, to);
        let read = Call::read("notification_charge_order_info", &json, &Limits::default());
        assert!(read.is_err(), "{to}");
    }
    // Disputed.
    for (from, to, doubt) in [
        ("30.02,", "30.01,", Doubt::PeriodEnergy),
        ("9.36", "9.37", Doubt::PeriodElectricity),
        ("6.01", "6.02", Doubt::PeriodService),
        (
            "16:40:00\",\"ElecPrice\"",
            "16:41:00\",\"ElecPrice\"",
            Doubt::PeriodTime,
        ),
        (
            "16:20:00\",\"ElecPrice\"",
            "16:20:01\",\"ElecPrice\"",
            Doubt::PeriodTime,
        ),
    ] {
        let json = info_json().replace(from, to);
        let order = SettledOrder::of(&info(&json)).unwrap();
        assert_eq!(order.doubts(), [doubt], "{from}");
        assert_eq!(order.confirmation().confirm_result, 1);
    }
}

fn order(n: u32, at: i64, energy_wh: i64, fen: i64) -> SettledOrder {
    SettledOrder {
        order: order_no(n),
        ended_at: t(at),
        energy_wh,
        electricity_fen: fen,
        service_fen: 1,
        periods: Vec::new(),
        ..settled()
    }
}

#[test]
fn a_day_is_compared() {
    let theirs = [
        order(1, 10, 5_000, 100),
        order(2, 20, 5_000, 100),
        order(3, 30, 5_000, 100),
        order(4, 40, 5_000, 100),
        order(9, 86_401, 1, 1),
    ];
    let ask = comparison("1", (t(0), t(86_400)), &theirs).unwrap();
    assert_eq!(ask.order_count, 4);
    assert_eq!(
        (
            ask.total_order_power.watt_hours(),
            ask.total_order_money.fen()
        ),
        (Some(20_000), Some(404))
    );
    // As it goes over the wire: totals are those of the list, and no order stands twice.
    let json = Call::CheckChargeOrders(ask.clone()).to_json();
    let read = |json: &str| Call::read("check_charge_orders", json, &Limits::default());
    assert_eq!(read(&json).unwrap(), Call::CheckChargeOrders(ask.clone()));
    for (from, to) in [
        ("\"OrderCount\":4", "\"OrderCount\":5"),
        ("\"TotalOrderPower\":20", "\"TotalOrderPower\":20.01"),
        ("\"TotalOrderMoney\":4.04", "\"TotalOrderMoney\":4.05"),
        (order_no(2).as_str(), order_no(1).as_str()),
    ] {
        let bad = json.replace(from, to);
        assert_ne!(bad, json);
        assert!(read(&bad).is_err(), "{to}");
    }
    let ours = [
        order(1, 10, 5_000, 100),
        order(2, 20, 5_000, 101),
        order(3, 30, 5_010, 100),
        order(5, 86_400, 7_000, 50),
        order(6, 86_401, 7_000, 50),
    ];
    let reply = compare(&ask, &ours).unwrap();
    let found: Vec<(&str, i64, Option<i64>)> = reply
        .dispute_orders
        .iter()
        .map(|it| {
            (
                &it.start_charge_seq[19..],
                it.dispute_reason,
                it.total_money.fen(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("00000002", DISPUTE_MONEY, Some(102)),
            ("00000003", DISPUTE_ENERGY, Some(101)),
            ("00000004", DISPUTE_MISSING, Some(0)),
            ("00000005", DISPUTE_MISSING, Some(51)),
        ]
    );
    assert_eq!(
        (reply.total_dispute_order, reply.total_dispute_money.fen()),
        (4, Some(254))
    );
    assert_eq!(compare(&ask, &theirs).unwrap().total_dispute_order, 0);
}

fn station(n: i64) -> Station {
    Station {
        id: format!("s{n:02}"),
        operator_id: "123456789".into(),
        owner_id: "123456789".into(),
        name: "站".into(),
        area_code: "429006".into(),
        address: "天门".into(),
        service_tel: "95598".into(),
        place: (113.16, 30.66),
        station_type: 1,
        construction: 255,
        parking: 2,
        status: "almostFull".into(),
        changed_at: t(n),
        points: vec![Point {
            id: format!("p{n:02}"),
            name: "桩".into(),
            manufacturer: None,
            model: None,
            is_dc: false,
            rated_w: 7_000,
            voltage: (220, 220),
            current: 32,
            status: "Charging".into(),
        }],
    }
}

#[test]
fn our_stations_are_told_page_by_page() {
    let stations: Vec<Station> = (0..23).rev().map(station).collect();
    let ask = |page_no, since: Option<i64>| {
        let ask = QueryStationsInfo {
            last_query_time: since.map(|it| Moment(t(it))),
            page_no,
            page_size: 10,
        };
        city::page(&stations, &ask)
    };
    let pages: Vec<_> = (1..=3).map(|n| ask(n, None)).collect();
    let ids: Vec<&str> = pages
        .iter()
        .flat_map(|page| &page.station_infos)
        .map(|it| it.station_id.as_str())
        .collect();
    let all: Vec<String> = (0..23).map(|n| format!("s{n:02}")).collect();
    assert_eq!(ids, all);
    assert!(
        pages
            .iter()
            .all(|it| (it.page_count, it.item_size) == (3, 23))
    );
    assert!(ask(4, None).station_infos.is_empty());
    assert!(ask(u32::MAX, None).station_infos.is_empty());
    assert_eq!(
        (ask(1, Some(20)).item_size, ask(1, Some(99)).page_count),
        (3, 0)
    );

    // What we tell, another city reads as it is here.
    let told = Reply::QueryStationsInfo(ask(1, None)).to_json();
    let payload = map::stations(&station_infos(&told), &source());
    assert_eq!(payload.problems, []);
    let Value::Geometry(Geometry::Point { lon, lat }) = payload.updates[0].attributes[1].value
    else {
        panic!()
    };
    assert!((lon - 113.16).abs() < 1e-8 && (lat - 30.66).abs() < 1e-8);
    let (_, point) = said(&payload.updates[1]);
    assert!(point.contains(&"connectorType=\"GBT_AC\"".to_owned()));
    assert!(point.contains(&"ratedPower=7.0 KWT".to_owned()));

    let ask = QueryStationStatus {
        station_ids: vec!["s03".into(), "s03".into(), "unknown".into()],
    };
    let reply = city::statuses(&stations, &ask);
    assert_eq!((reply.total, reply.station_status_infos.len()), (1, 1));
    let status = &reply.station_status_infos[0].connector_status_infos[0];
    assert_eq!(status.status, ConnectorStatus::Charging);
    assert_eq!(
        &station(3).points[0].notification().connector_status_info,
        status
    );
}

#[test]
fn a_charging_under_way_is_told_and_read() {
    let running = Running {
        order: ORDER.into(),
        state: ChargeState::Charging,
        point_id: "c1".into(),
        status: "Charging".into(),
        current: 125.5,
        voltage: 402.5,
        soc: Some(55.0),
        started_at: t(0),
        read_at: t(600),
        energy_wh: 12_345,
        fen: Some((770, 494)),
    };
    let status = city::progress(&running).unwrap();
    let json = Call::NotificationEquipChargeStatus(status).to_json();
    for part in [
        "\"TotalPower\":12.345",
        "\"SeviceMoney\":4.94",
        "\"TotalMoney\":12.64",
    ] {
        assert!(json.contains(part), "{part} in {json}");
    }
    let api = "notification_equip_charge_status";
    let Call::NotificationEquipChargeStatus(mut status) =
        Call::read(api, &json, &Limits::default()).unwrap()
    else {
        panic!()
    };
    let payload = map::charging(&status, &source());
    assert_eq!(
        said(&payload.updates[0]).1,
        [
            "status=\"Charging\"",
            "current=125.5 AMP",
            "voltage=402.5 VLT",
            "stateOfCharge=55.0 P1"
        ]
    );
    assert_eq!(said(&payload.updates[1]).1[4], "energy=12.345 KWH");
    assert_eq!(payload.updates[1].attributes[0].observed_at, t(600));
    // Of three phases no one is the connector's; a state of charge of 0 is none; a clock ahead is not believed.
    status.current_b = Some(1.0);
    status.soc = 0.0;
    status.end_time = Moment(t(9_999));
    let payload = map::charging(&status, &source());
    assert_eq!(said(&payload.updates[0]).1, ["status=\"Charging\""]);
    assert_eq!(payload.updates[0].attributes[0].observed_at, t(3_600));
    let too_much = Running {
        energy_wh: i64::MAX,
        ..running
    };
    assert_eq!(
        city::progress(&too_much).unwrap_err().code,
        "tcec102-inexact"
    );
}

#[test]
fn digits_are_read_as_they_stand() {
    for (text, read) in [
        ("0.1", Some(1_000)),
        ("9999999999.9999", Some(99_999_999_999_999)),
        ("1.2345000000000000000", Some(12_345)),
        // A double would hold 1.2345 here.
        ("1.23450000000000000001", None),
        ("1.5e0", None),
        ("-0", Some(0)),
    ] {
        let number = serde_json::from_str::<Fixed>(text).ok();
        assert_eq!(number.map(Fixed::ten_thousandths), read, "{text}");
    }
}

proptest! {
    #[test]
    fn an_order_is_told_and_read_to_the_last_digit(
        energy_wh in 0..9_000_000_000_000_i64, electricity_fen in 0..400_000_000_000_i64, service_fen in 0..400_000_000_000_i64,
        price in prop::option::of(0..1_000_000_i64), is_detailed: bool,
    ) {
        let period = SettledPeriod {
            from: t(0), to: t(5), energy_wh, electricity_price: price, service_price: price,
            electricity_fen: Some(electricity_fen), service_fen: None,
        };
        let order = SettledOrder {
            energy_wh, electricity_fen, service_fen,
            periods: if is_detailed { vec![period] } else { Vec::new() },
            ..settled()
        };
        prop_assert_eq!(order.doubts(), []);
        let json = Call::NotificationChargeOrderInfo(order.info().unwrap()).to_json();
        prop_assert_eq!(SettledOrder::of(&info(&json)).unwrap(), order);
    }

    #[test]
    fn places_come_back(lon in 73.0..135.0_f64, lat in 4.0..53.0_f64) {
        let (east, north) = gcj::from_wgs84(lon, lat);
        prop_assert!((east - lon).abs() < 0.02 && (north - lat).abs() < 0.02);
        let (back_lon, back_lat) = gcj::to_wgs84(east, north);
        prop_assert!((back_lon - lon).abs() < 1e-8 && (back_lat - lat).abs() < 1e-8, "{back_lon} {back_lat}");
    }

    #[test]
    fn whatever_a_station_is_called_nothing_breaks(id in "\\PC{0,40}", lon in any::<f64>(), lat in any::<f64>()) {
        let mut stations = station_infos(STATIONS);
        stations[0].station_id = id;
        stations[0].station_lng = lon;
        stations[0].station_lat = lat;
        let payload = map::stations(&stations, &source());
        prop_assert!(!payload.updates.is_empty() || !payload.problems.is_empty());
    }
}
