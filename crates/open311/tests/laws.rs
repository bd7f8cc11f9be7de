//! What is written is read back, in both formats; no bytes make a reader panic; and what other servers are known to answer.

use model::Timestamp;
use open311::{
    Contact, Created, Draft, Fault, Format, Limits, Request, Status, created, read_created,
    read_faults, read_requests, requests_answer,
};
use proptest::prelude::*;

fn text() -> impl Strategy<Value = Option<String>> {
    // What XML can say, and no space around, which readers take off.
    proptest::option::of("[a-zA-Z0-9<>&\"'井盖 é]{0,20}[a-z]")
        .prop_map(|text| text.map(|text| text.trim().to_owned()))
}

/// Places to a centimetre: the JSON reader may miss the last bit of a number of seventeen digits.
fn place() -> impl Strategy<Value = Option<[f64; 2]>> {
    let degrees = |n: i32| f64::from(n) / 1e7;
    let both = (-1_800_000_000..=1_800_000_000, -900_000_000..=900_000_000);
    proptest::option::of(both.prop_map(move |(long, lat)| [degrees(long), degrees(lat)]))
}

fn moment() -> impl Strategy<Value = Option<Timestamp>> {
    proptest::option::of((0..4_000_000_000_i64).prop_map(Timestamp::from_seconds))
}

prop_compose! {
    fn request()(
        id in "[A-Z]{2}-[0-9]{8}-[0-9]{4}",
        closed in any::<bool>(),
        texts in proptest::collection::vec(text(), 8),
        code in "[BS][0-9]{4}",
        times in proptest::collection::vec(moment(), 3),
        place in place(),
    ) -> Request {
        Request {
            service_request_id: id,
            status: if closed { Status::Closed } else { Status::Open },
            status_notes: texts[0].clone(),
            service_name: "井盖".to_owned(),
            service_code: code,
            description: texts[1].clone(),
            agency_responsible: texts[2].clone(),
            service_notice: texts[3].clone(),
            requested_at: times[0],
            updated_at: times[1],
            expected_at: times[2],
            address: texts[4].clone(),
            address_id: texts[5].clone(),
            zipcode: texts[6].clone(),
            place,
            media_url: texts[7].clone(),
        }
    }
}

prop_compose! {
    fn draft()(
        texts in proptest::collection::vec(text(), 9),
        place in (-180.0..=180.0_f64, -90.0..=90.0_f64),
        code in "[BS][0-9]{4}",
        attributes in proptest::collection::btree_map("[A-Z]{1,6}", proptest::collection::vec("[a-z<&= 井]{0,8}[a-z]", 1..4), 0..3),
    ) -> Draft {
        let trimmed = |(code, values): (String, Vec<String>)| {
            (code, values.into_iter().map(|value| value.trim().to_owned()).collect())
        };
        Draft {
            attributes: attributes.into_iter().map(trimmed).collect(),
            jurisdiction_id: texts[0].clone(),
            api_key: None,
            service_code: code,
            place: Some([place.0, place.1]),
            address: texts[1].clone(),
            address_id: texts[2].clone(),
            zipcode: texts[3].clone(),
            description: texts[4].clone(),
            media_url: None,
            contact: Contact {
                email: texts[5].clone(),
                first_name: texts[6].clone(),
                last_name: texts[7].clone(),
                phone: texts[8].clone(),
                device_id: None,
                account_id: None,
            },
        }
    }
}

proptest! {
    #[test]
    fn requests_are_read_back(requests in proptest::collection::vec(request(), 0..5)) {
        for format in [Format::Json, Format::Xml] {
            let body = requests_answer(&requests, format);
            let (read, without) = read_requests(body.as_bytes()).unwrap();
            prop_assert_eq!(&read, &requests, "{}", body);
            prop_assert_eq!(without, 0);
        }
    }

    #[test]
    fn drafts_are_read_back(draft in draft()) {
        prop_assert_eq!(Draft::parse(draft.form().as_bytes(), Limits::default()).unwrap(), draft);
    }

    #[test]
    fn nothing_makes_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), tail in ".{0,80}") {
        for body in [bytes.clone(), [b"<a>".to_vec(), bytes.clone()].concat(), tail.clone().into_bytes(), format!("<a><b>{tail}").into_bytes(), format!("[{tail}").into_bytes()] {
            let _ = read_requests(&body);
            let _ = read_created(&body);
            let _ = read_faults(&body);
            let _ = Draft::parse(&body, Limits::default());
        }
    }
}

#[test]
fn what_was_created_is_read_back_in_both_formats() {
    for format in [Format::Json, Format::Xml] {
        let made = Created {
            service_request_id: Some("TM-20261126-0001".to_owned()),
            token: Some("t".to_owned()),
            service_notice: None,
        };
        assert_eq!(
            read_created(created(&made, format).as_bytes()).unwrap(),
            made
        );
        assert!(read_created(created(&Created::default(), format).as_bytes()).is_err());
        let faults = [Fault::key(), Fault::invalid("a & b")];
        assert_eq!(
            read_faults(Fault::answer(&faults, format).as_bytes()),
            faults
        );
    }
}

/// Forms seen at servers in the field: numbers as text, a single object, fields unknown to the standard, attributes on the root.
#[test]
fn other_servers_are_understood() {
    let json = br#"{"service_requests":[{"service_request_id":638344,"status":"closed","lat":"37.76","long":-122.4,
        "requested_datetime":"2010-04-19T06:37:38-08:00","extended":{"x":1},"address":""}]}"#;
    let (read, _) = read_requests(json).unwrap();
    assert_eq!(read[0].service_request_id, "638344");
    assert_eq!(read[0].place, Some([-122.4, 37.76]));
    assert_eq!(
        read[0].requested_at,
        Some(Timestamp::parse("2010-04-19T14:37:38Z").unwrap())
    );
    assert_eq!(read[0].address, None);
    let xml = br#"<?xml version="1.0" encoding="utf-8"?><service_requests type="array"><!-- x --><request><service_request_id>1</service_request_id>
        <description><![CDATA[a <b>]]> &amp; &#x4e95;</description><status/><media><url>no</url></media></request><request><status>open</status></request></service_requests>"#;
    let (read, without) = read_requests(xml).unwrap();
    assert_eq!(read[0].description.as_deref(), Some("a <b> & 井"));
    assert_eq!((read.len(), without), (1, 1));
    let bomb = br#"<!DOCTYPE a [<!ENTITY x "boom">]><a><b><service_request_id>&x;</service_request_id></b></a>"#;
    assert_eq!(read_requests(bomb).unwrap_err().code, "open311-answer");
    for bad in [&b"<a><b>"[..], b"7", b"\xff", b"<a></b>", b""] {
        assert_eq!(
            read_requests(bad).unwrap_err().code,
            "open311-answer",
            "{bad:?}"
        );
    }
}

#[test]
fn everything_wrong_with_a_draft_is_told_at_once() {
    let faults =
        Draft::parse(b"lat=91&long=x&media_url=javascript:1", Limits::default()).unwrap_err();
    assert_eq!(faults.len(), 4, "{faults:?}");
    assert!(faults.iter().all(|fault| fault.code == 400));
    let faults = Draft::parse(b"service_code=B0101&lat=30", Limits::default()).unwrap_err();
    assert_eq!(faults, [Fault::invalid("lat and long go together")]);
    let few = Limits {
        field_chars_max: 5,
        fields_max: 2,
    };
    let faults = Draft::parse(
        "service_code=B0101&description=井井井井井井&a=b".as_bytes(),
        few,
    )
    .unwrap_err();
    assert!(
        faults
            .iter()
            .any(|f| f.description.contains("longer than 5")),
        "{faults:?}"
    );
    assert!(
        faults
            .iter()
            .any(|f| f.description.contains("more than 2 fields")),
        "{faults:?}"
    );
}
