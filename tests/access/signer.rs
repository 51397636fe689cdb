//! Signs requests as billing does (JWS, EdDSA), with the key that counts or with another.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use intercom_test_support::{Board, MODEL};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

pub const KEY_ID: &str = "2026-1";

pub struct Signer(Ed25519KeyPair);

impl Signer {
    pub fn new(seed: u8) -> Self {
        Signer(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed"))
    }

    /// A panel's configuration that demands this signature.
    pub fn required_by(&self, board: &Board) {
        let public_key = URL_SAFE_NO_PAD.encode(self.0.public_key());
        board.configure(&format!(
            "[signature]\nrequired = true\nkeys = {{ \"{KEY_ID}\" = \"{public_key}\" }}"
        ));
    }

    /// What is published.
    pub fn sign(&self, request: &Value) -> String {
        let header = json!({"alg": "EdDSA", "kid": KEY_ID});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(&header), part(request));
        let signature = URL_SAFE_NO_PAD.encode(self.0.sign(input.as_bytes()));
        format!("\"{input}.{signature}\"")
    }
}

/// The request that makes `from` `to`, the `seq`th.
pub fn numbered(seq: u64, from: &str, to: &str) -> Value {
    json!({
        "request_id": format!("r-{seq}"), "seq": seq, "mac": from, "target": {"mac": from},
        "new_mac": to, "model": MODEL,
    })
}

/// The same as billing offers it, in answer to the presence with this nonce.
pub fn offered(seq: u64, nonce: &Value, from: &str, to: &str) -> Value {
    let mut request = numbered(seq, from, to);
    request["issuer"] = json!("billing-1");
    request["nonce"] = nonce.clone();
    request
}
