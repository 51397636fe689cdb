//! The record's form on disk, which every later version has to read.

use intercom_wire::json::read;

use super::Record;

/// Every word and every key at least once.
const RECORD: &str = r#"{
"format":1,"board":"die-0123","factory":{"mac":"AA:BB:CC:DD:EE:FE","serial_number":"F-1"},
"current":{"mac":"22:0D:CE:38:E7:15","serial_number":null,"mac_origin":"placeholder","serial_origin":null},
"interface":"eth0",
"link_kept_in":"0b5fd1a8-7f60-4d0e-a4f6-3dc9a0b4e1f2",
"learnt_id":7,
"change":{
"cause":{"request_id":"r-2","issuer":"billing-1","hash":"e3b0","seq":4,"target":{"id":7,"mac":"22:0D:CE:38:E7:15","board":"die-0123"},
"model":"3516EV200","log_extra":{"some":["information",1.5,null]},"routes":["mqtt","http","billing"]},
"goal":"go_back","offline":false,
"from":{"mac":"22:0D:CE:38:E7:15","serial_number":"S-1","mac_origin":"random","serial_origin":"board"},
"to":{"mac":"AA:BB:CC:DD:EE:FE","serial_number":"F-1","mac_origin":"request","serial_origin":"request"},
"boot_id":"0b5fd1a8-7f60-4d0e-a4f6-3dc9a0b4e1f2","deadline":181000,"attempts":2},
"outbox":[{"number":3,"report":{"id":7,"external_id":"e","department":"d","title":"t","mac":"22:0D:CE:38:E7:15",
"model":"3516EV200","serial_number":"S-1","status":"rolled_back","flat_from":1,"flat_to":9,"source":"auto-replace",
"group":{"id":1,"name":"g","external_id":null,"has_items":true},
"request_id":"r-1","issuer":"billing-1","board":"die-0123","target":{"id":7},
"outcome_identity":{"mac":"22:0D:CE:38:E7:15","serial_number":"S-1"},"previous":{"mac":"AA:BB:CC:DD:EE:FE","serial_number":"F-1"},
"factory":"unknown","reason":"why","log_extra":"x","message":"m","errors":{"new_mac":["one","two"]},
"outcomes_not_told":{"count":2,"first":"r-0","last":null}},"routes":["http"]}],
"next_parcel":4,
"ledger":{"entries":[{"request_id":null,"hash":"e3b0","at":1769860800,"report":{"id":null,"external_id":null,"department":null,
"title":null,"mac":null,"model":null,"serial_number":null,"status":null,"flat_from":null,"flat_to":null,"source":null,
"group":null,"request_id":null,"board":"die-0123","previous":{"mac":"AA:BB:CC:DD:EE:FE","serial_number":null},
"factory":{"mac":"AA:BB:CC:DD:EE:FE","serial_number":null}},"previous_mac_origin":"board"}],
"seq_marks":[{"issuer":"billing-1","intercom":{"id":7},"seq":4},
{"issuer":null,"intercom":{"mac":"22:0D:CE:38:E7:15"},"seq":9}]},
"recent_changes":[{"boot_id":"0b5fd1a8-7f60-4d0e-a4f6-3dc9a0b4e1f2","at":1000}],
"counters":{"delivered":1,"ignored":2,"repeated":3,"rejected":4,"confirmed":5,"begun":6,"installed":7,
"rolled_back":8,"failed":9,"reported":10,"unreported":11,"unclean_ends":12},
"last_good_time":1769860800,"outcomes_not_told":{"count":1,"first":null,"last":"r-0"}}"#;

#[test]
fn what_is_on_the_disk_is_read_and_written_as_it_is() {
    for record in [RECORD.replace('\n', ""), RECORD.replace('\n', "").replace("go_back", "install")]
    {
        let read: Record = read(record.as_bytes()).expect("a record");
        assert_eq!(serde_json::to_string(&read).expect("JSON"), record);
    }
}

#[test]
fn what_an_earlier_version_did_not_write_may_be_missing() {
    let end = RECORD.find("\n\"last_good_time\"").expect("there");
    let earlier = format!("{}}}", RECORD[..end].trim_end_matches(','));
    let record: Record = read(earlier.as_bytes()).expect("a record");
    assert_eq!((record.last_good_time, record.outcomes_not_told), (None, None));
    let earlier = RECORD.replace("\"at\":1769860800,", "");
    let record: Record = read(earlier.as_bytes()).expect("a record");
    assert_eq!(record.ledger.entries()[0].at, None);
}

/// It would be another board to whoever knew it: a name never changes.
#[test]
fn a_record_whose_board_name_has_a_dot_is_damaged() {
    let dotted = RECORD
        .replace("\"format\":1,\"board\":\"die-0123\"", "\"format\":1,\"board\":\"die.0123\"");
    let why = read::<Record>(dotted.as_bytes()).expect_err("no name").to_string();
    assert!(why.contains("board") && why.contains("letters, digits"), "{why}");
}

#[test]
fn marks_without_issuers_are_forgotten() {
    let (before, marks) = RECORD.split_once("\"seq_marks\":").expect("there");
    let after = marks.split_once("]},").expect("there").1;
    let earlier = format!("{before}\"highest_seq\":[[{{\"id\":7}},4]]}},{after}");
    let read: Record = read(earlier.as_bytes()).expect("a record");
    assert_eq!(read.ledger.marks.all(), []);
    assert_eq!(read.ledger.entries().len(), 1, "the outcomes are kept");
}

#[test]
fn what_does_not_fit_is_named_with_its_place() {
    let damaged = RECORD.replace("\"rolled_back\",\"flat", "7,\"flat");
    let error = read::<Record>(damaged.as_bytes()).expect_err("not a record");
    assert_eq!(error.to_string(), "`outbox.0.report.status` must be a text");
}

mod size {
    use std::time::Duration;

    use intercom_wire::{FactoryIdentity, Identity, MAX_TEXT_CHARS, Request};
    use proptest::prelude::*;
    use serde_json::json;

    use crate::clock::{BootId, Moment, WallTime};
    use crate::record::{Begun, Cause, Change, Current, Goal, MacOrigin, Record, Route};
    use crate::storage::seal;

    const MAX_RECORD_BYTES: usize = 64 * 1024;

    /// One of the longest texts that a field takes, of characters that JSON writes in one to six bytes.
    fn longest(characters: &str, count: usize) -> String {
        characters.chars().cycle().take(count).collect()
    }

    fn any_characters() -> impl Strategy<Value = String> {
        prop_oneof![Just("\u{1}".to_owned()), Just("\"".to_owned()), "[^ ]", Just("a".to_owned())]
    }

    /// What a request with the longest texts leaves in the record.
    fn cause(number: u64, characters: &str) -> Cause {
        let model = format!("m{}m", longest(characters, MAX_TEXT_CHARS - 2));
        let id = format!("{number:064}");
        let body = json!({
            "request_id": id, "id": i64::MAX, "model": model, "seq": number, "issuer": "i".repeat(64), "new_mac": "22:0D:CE:38:E7:15",
            "target": {"id": i64::MAX, "mac": "22:0D:CE:38:E7:15", "board": "b".repeat(64)},
        });
        let request = Request::read(body.to_string().as_bytes()).expect("readable");
        Cause {
            request_id: request.id,
            issuer: request.issuer,
            hash: request.hash,
            seq: request.seq,
            target: request.target,
            model: request.content.expect("valid").model,
            log_extra: Some("x".repeat(2046).into()),
            routes: vec![Route::Mqtt, Route::Http, Route::Billing],
        }
    }

    fn identity(last: usize) -> Identity {
        Identity {
            mac: format!("22:0D:CE:38:{:02X}:{:02X}", last / 256, last % 256)
                .parse()
                .expect("a MAC"),
            serial_number: "ä".repeat(64).parse().ok(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_record_with_everything_at_its_largest_is_at_most_64_kib(
            ends in prop::collection::vec((0..3_u8, any_characters()), 1..120),
        ) {
            let boot_id: BootId = "0b5fd1a8-7f60-4d0e-a4f6-3dc9a0b4e1f2".parse().expect("a boot ID");
            let current = Current {
                identity: identity(0),
                mac_origin: MacOrigin::Placeholder,
                serial_origin: None,
            };
            let factory = Some(FactoryIdentity::Known(identity(0)));
            let mut record = Record::new("b".repeat(64).parse().expect("a name"), factory, current);
            for (number, (end, characters)) in ends.into_iter().enumerate() {
                let at = Moment::from_millis(u64::MAX / 4) + Duration::from_secs(36 * number as u64);
                let then = WallTime::from_unix_seconds(u64::MAX);
                let cause = cause(u64::MAX - number as u64, &characters);
                let (from, boot) = (record.current.clone(), boot_id.clone());
                let to = Current { identity: identity(number), ..from.clone() };
                let begun = Begun { boot_id: boot_id.clone(), at };
                record.begin(
                    Change {
                        cause: cause.clone(),
                        goal: Goal::Install,
                        offline: false,
                        from,
                        to,
                        boot_id: boot,
                        deadline: at,
                        attempts: 1,
                    },
                    begun,
                );
                let size = seal(&record).expect("written").len();
                prop_assert!(size <= MAX_RECORD_BYTES, "{size} bytes");
                match end {
                    0 => record.install(then),
                    1 => record.roll_back(longest(&characters, 5000), then),
                    _ => {
                        record.change = None;
                        record.already_installed(&cause, then);
                    }
                }
                let size = seal(&record).expect("written").len();
                prop_assert!(size <= MAX_RECORD_BYTES, "{size} bytes");
            }
            prop_assert!(!record.ledger.entries().is_empty() && !record.outbox.is_empty());
        }
    }
}

#[test]
fn changes_of_more_than_an_hour_ago_are_not_kept() {
    use crate::clock::{BootId, Moment};
    use crate::record::Begun;
    use std::time::Duration;

    let boot_id: BootId = "boot-1".parse().expect("a boot ID");
    let mut record: Record = read(RECORD.as_bytes()).expect("a record");
    let change = record.change.clone().expect("one");
    for minute in 0..240 {
        let at = Moment::from_millis(0) + Duration::from_secs(60 * minute);
        record.begin(change.clone(), Begun { boot_id: boot_id.clone(), at });
        assert!(record.recent_changes.len() <= 60);
        assert_eq!(record.changes_lately(&boot_id, at), record.recent_changes.len());
    }
}
