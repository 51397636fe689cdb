//! A key to sign with in tests: the one of RFC 8037, appendix A.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::Ed25519KeyPair;

use super::Keys;

/// The `kid` of the key that counts: its JWK thumbprint (RFC 8037, A.3).
pub(crate) const KEY_ID: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
/// Its `x` (A.2).
pub(crate) const PUBLIC_KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
/// Its `d` (A.1).
pub(crate) const SEED: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
/// Somebody else's.
pub(crate) const OTHER_SEED: [u8; 32] = [7; 32];

/// The key set with that one key.
pub(crate) fn keys() -> Keys {
    [(KEY_ID.to_owned(), PUBLIC_KEY.parse().expect("a public key"))].into_iter().collect()
}

/// A signed request that names the key that counts, whoever made it.
pub(crate) fn signed(seed: &[u8; 32], payload: &str) -> String {
    signed_with(seed, &format!(r#"{{"alg":"EdDSA","kid":"{KEY_ID}"}}"#), payload)
}

/// The same with a header of one's own.
pub(crate) fn signed_with(seed: &[u8; 32], header: &str, payload: &str) -> String {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let key = Ed25519KeyPair::from_seed_unchecked(seed).expect("a seed");
    let signature = URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()));
    format!("{input}.{signature}")
}
