//! What is read is what was written; what does not fit is named with its place.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{json_enum, json_object, string_enum};

json_object! {
    #[derive(Debug, PartialEq)]
    struct Door {
        name: String,
        #[serde(flatten)]
        lock: Lock,
        opened: Vec<(String, u64)>,
        kind: Kind,
    }
}

json_object! {
    #[derive(Debug, PartialEq)]
    struct Lock {
        code: Option<u8>,
        closed: bool,
    }
}

string_enum! {
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Kind {
        Front = "front",
        Back = "back",
    }
}

json_enum! {
    #[derive(Debug, PartialEq)]
    enum Event {
        Rang = "rang" { flat: u32 },
        Opened = "opened" (Kind),
        Ended = "ended",
    }
}

json_enum! {
    #[derive(Debug, PartialEq)]
    #[serde(tag = "event")]
    enum Tagged {
        Rang = "rang" { flat: u32 },
        Ended = "ended",
    }
}

fn error(value: Value) -> String {
    Door::from_json(&value).expect_err("it does not fit").to_string()
}

#[test]
fn what_does_not_fit_is_named_with_its_place() {
    let good =
        json!({"name": "a", "code": 7, "closed": true, "opened": [], "kind": "back", "x": 1});
    assert!(Door::from_json(&good).is_ok());
    for (field, value, text) in [
        ("name", Value::Null, "`name` must be a text"),
        ("code", json!(256), "`code` must be a whole number from 0 to 255"),
        ("code", json!(-1), "`code` must be a whole number from 0 to 255"),
        ("code", json!(1.5), "`code` must be a whole number from 0 to 255"),
        ("closed", json!("true"), "`closed` must be true or false"),
        ("kind", json!("side"), "`kind` must be one of: front back"),
        ("opened", json!({}), "`opened` must be a list"),
        ("opened", json!([["a", 1], ["b"]]), "`opened.1` must be a list of two"),
        (
            "opened",
            json!([["a", "b"]]),
            "`opened.0.1` must be a whole number from 0 to 18446744073709551615",
        ),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        assert_eq!(error(bad), text);
    }
    assert_eq!(error(json!([])), "it must be an object");
    assert_eq!(error(json!({"code": 7, "closed": true})), "`name` is missing");
    assert!(read::<Door>(b"{").expect_err("half").to_string().starts_with("it is not JSON: "));
}

#[test]
fn what_may_be_absent_may_be_null() {
    for lock in [json!({"closed": false}), json!({"closed": false, "code": null})] {
        assert_eq!(Lock::from_json(&lock), Ok(Lock { code: None, closed: false }));
    }
}

#[test]
fn a_variant_is_named_by_a_key_or_by_a_field() {
    for (event, text) in [
        (Event::Rang { flat: 7 }, r#"{"rang":{"flat":7}}"#),
        (Event::Opened(Kind::Back), r#"{"opened":"back"}"#),
        (Event::Ended, r#""ended""#),
    ] {
        assert_eq!(serde_json::to_string(&event).expect("JSON"), text);
        assert_eq!(read::<Event>(text.as_bytes()), Ok(event));
    }
    for (event, text) in [
        (Tagged::Rang { flat: 7 }, r#"{"event":"rang","flat":7}"#),
        (Tagged::Ended, r#"{"event":"ended"}"#),
    ] {
        assert_eq!(serde_json::to_string(&event).expect("JSON"), text);
        assert_eq!(read::<Tagged>(text.as_bytes()), Ok(event));
    }
    let error = |text: &str| read::<Event>(text.as_bytes()).expect_err("none").to_string();
    assert_eq!(error(r#"{"burnt":1}"#), "it must be one of: rang opened ended");
    assert_eq!(error(r#"{"rang":{},"ended":null}"#), "it must be an object with one key");
    assert_eq!(error(r#"{"rang":{}}"#), "`flat` is missing");
    assert_eq!(error("7"), "it must be an object");
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        name: String,
        opened: Vec<(String, u64)>,
        code: Option<u8>,
        closed: bool,
        front: bool,
    ) {
        let kind = if front { Kind::Front } else { Kind::Back };
        let door = Door { name, opened, lock: Lock { code, closed }, kind };
        let text = serde_json::to_vec(&door).expect("JSON");
        prop_assert_eq!(read::<Door>(&text), Ok(door));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read::<Door>(&bytes);
    }
}
