//! The optional token: `Authorization: Bearer …`, or as the password that a browser asks for.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::digest::{Digest, SHA256, digest};
use subtle::ConstantTimeEq;

use super::answer;

/// The secret that callers must send. Only its digest is kept, and it is never shown.
#[derive(Clone)]
pub struct Token(Digest);

impl Token {
    /// Takes a token as a file holds it, without the white space around it. `None` if it is empty.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Token(digest(&SHA256, text.as_bytes())))
    }

    /// Takes the same time for every guess of any length.
    fn is(&self, guess: &[u8]) -> bool {
        let guess = digest(&SHA256, guess);
        self.0.as_ref().ct_eq(guess.as_ref()).into()
    }
}

pub(super) async fn require(
    State(token): State<Arc<Option<Token>>>,
    request: Request,
    next: Next,
) -> Response {
    let allowed = match token.as_ref() {
        None => true,
        Some(token) => given(&request).is_some_and(|guess| token.is(&guess)),
    };
    if allowed {
        return next.run(request).await;
    }
    let mut refusal = answer::message(StatusCode::UNAUTHORIZED, "Unauthenticated.");
    // A browser asks for a password on `Basic`, which makes sense only for the page.
    let scheme = match request.uri().path() {
        "/" => "Basic realm=\"intercom-billing: any name, the token as password\"",
        _ => "Bearer",
    };
    refusal.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
    refusal
}

fn given(request: &Request) -> Option<Vec<u8>> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().as_bytes().to_vec());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = BASE64_STANDARD.decode(rest.trim()).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    Some(pair.get(colon + 1..)?.to_vec())
}
