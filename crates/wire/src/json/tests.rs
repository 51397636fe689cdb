//! What is read is what was written; what does not fit is named with its place.

use proptest::prelude::*;
use serde::Serialize;
use serde_json::json;

use super::*;

#[derive(Debug, PartialEq, Serialize)]
struct Door {
    name: String,
    #[serde(flatten)]
    lock: Lock,
    opened: Vec<(String, u64)>,
    kind: Kind,
}

#[derive(Debug, PartialEq, Serialize)]
struct Lock {
    code: Option<u8>,
    closed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Front,
    Back,
}

from_object!(Door { name, opened, kind, ..lock });
from_object!(Lock { code, closed });
words!(Kind { Front = "front", Back = "back" });

fn unfit(value: Value) -> String {
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
        assert_eq!(unfit(bad), text);
    }
    assert_eq!(unfit(json!([])), "it must be an object");
    assert_eq!(unfit(json!({"code": 7, "closed": true})), "`name` is missing");
    assert!(read::<Door>(b"{").expect_err("half").to_string().starts_with("it is not JSON: "));
}

#[test]
fn what_may_be_absent_may_be_null() {
    for lock in [json!({"closed": false}), json!({"closed": false, "code": null})] {
        assert_eq!(Lock::from_json(&lock), Ok(Lock { code: None, closed: false }));
    }
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
