//! The cookie that has a session's secret.

use axum::http::{HeaderMap, header};

use crate::principal::SecretDigest;

const NAME: &str = "intercom_session";

/// The session that a browser names.
pub(super) fn session(headers: &HeaderMap) -> Option<SecretDigest> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|all| all.split(';')).filter_map(|one| one.split_once('='));
    let (_, secret) = pairs.find(|(name, _)| name.trim() == NAME)?;
    Some(SecretDigest::of(secret.trim().as_bytes()))
}

/// Scripts cannot read it, and no other site's page can make a browser send it. Where the browser
/// came over TLS, by a proxy's or our own, it never sends it without.
pub(super) fn set(value: &str, max_age_s: i64, headers: &HeaderMap) -> String {
    let origin = headers.get(header::ORIGIN).map_or(&b""[..], |origin| origin.as_bytes());
    let secure = if origin.starts_with(b"https://") { "; Secure" } else { "" };
    format!("{NAME}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{secure}")
}
