//! Requests that are signed, on both routes.

use crate::common::board::Board;
use crate::common::{NEW, OLD, Running};
use intercom_wire::signature::{Keys, Signature, SigningKey};
use serde_json::Value;

#[test]
fn with_a_key_every_request_is_a_signed_string_that_the_panel_trusts() {
    let key = SigningKey::new(&[7; 32]).expect("a seed");
    let keys: Keys = [(key.key_id().to_owned(), key.public_key())].into_iter().collect();
    let billing = Running::start_with(|settings| settings.signing_key = Some(key));
    billing.old_intercom();
    let request_id = billing.ask();

    let poll = format!("mac={NEW}&board=die-1&nonce=n-0");
    let listed = billing.pending(&poll);
    let [Value::String(text)] = &listed.body.as_array().expect("an array")[..] else {
        panic!("not a string: {listed:?}")
    };
    let (payload, signature) = keys.open(text.as_bytes());
    assert_eq!(signature, Signature::Good);
    let request: Value = serde_json::from_slice(&payload).expect("JSON");
    assert_eq!(request["request_id"], request_id);
    assert_eq!(request["target"]["mac"], OLD);
    assert!(request["seq"].is_u64(), "it distinguishes an old one");
    assert_eq!(request["nonce"], "n-0", "so that it is worth something to this panel alone");

    let published = Board::connect(&billing, "die-1", NEW).payload(&request_id);
    let (payload, signature) = keys.open(&published);
    assert_eq!(signature, Signature::Good);
    let published: Value = serde_json::from_slice(&payload).expect("JSON");
    assert_eq!(published["request_id"], request_id);
    let again = billing.pending(&poll);
    assert_eq!(again.etag, listed.etag, "the same bytes as long as nothing changes");
}
