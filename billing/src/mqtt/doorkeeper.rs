//! Whom the built-in broker lets in, and what for: our own link at once, and panels when it has
//! subscribed. Where there are tokens, a panel needs its own: its user name and its client ID are
//! its board.

use std::net::SocketAddr;
use std::pin::Pin;

use intercom_wire::BoardName;
use mqtt5::broker::auth::{AuthProvider, AuthResult};
use mqtt5::packet::connect::ConnectPacket;
use mqtt5::protocol::v5::reason_codes::ReasonCode;
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use super::rules::{may_publish, may_subscribe};
use crate::principal::{Principal, Role, SecretDigest};
use crate::store::{self, Store, tokens};

/// How our own connection is recognised. Without the password no client can take our session over.
#[derive(Clone)]
pub(super) struct Own {
    pub(super) client_id: String,
    pub(super) password: String,
}

pub(super) struct Doorkeeper {
    pub(super) own: Own,
    /// Whether our own link has subscribed.
    pub(super) open: watch::Receiver<bool>,
    pub(super) store: Store,
}

/// The type of the broker library's answers.
type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Doorkeeper {
    async fn admit(&self, connect: &ConnectPacket) -> AuthResult {
        let password = connect.password.as_deref().unwrap_or_default();
        if password.ct_eq(self.own.password.as_bytes()).into() {
            return AuthResult::success_with_user(&self.own.client_id);
        }
        if connect.client_id == self.own.client_id {
            return AuthResult::fail(ReasonCode::NotAuthorized);
        }
        if self.open.clone().wait_for(|open| *open).await.is_err() {
            // The service is ending.
            return AuthResult::fail(ReasonCode::ServerUnavailable);
        }
        let digest = connect.password.as_deref().map(SecretDigest::of);
        let principal = self.store.read(move |snapshot| tokens::principal(snapshot, digest)).await;
        match principal {
            // The same user as later with a token: a session only ever has one.
            Ok(Some(Principal::Anybody)) => AuthResult::success_with_user(&connect.client_id),
            Ok(Some(Principal::Holder { role: Role::Panel(board), .. }))
                if connect.username.as_deref() == Some(board.as_str())
                    && connect.client_id == board.as_str() =>
            {
                AuthResult::success_with_user(board.as_str())
            }
            Ok(holder) => {
                let holder = holder.map_or("no token".to_owned(), |holder| holder.to_string());
                log::warn!(
                    "MQTT: client {:?}, user {:?}, {holder}: refused; a panel's user name and \
                     client ID are the board of its token",
                    connect.client_id,
                    connect.username.as_deref().unwrap_or_default(),
                );
                AuthResult::fail(ReasonCode::BadUsernameOrPassword)
            }
            Err(why) => {
                log::error!("MQTT: the tokens cannot be read: {why}");
                AuthResult::fail(ReasonCode::ServerUnavailable)
            }
        }
    }

    /// Asked for each message and subscription, so that a token that was made or revoked counts at
    /// once.
    async fn allows(&self, user: Option<&str>, rule: impl FnOnce(&BoardName) -> bool) -> bool {
        if user == Some(&self.own.client_id) {
            return true;
        }
        let board = user.and_then(|user| user.parse().ok()).filter(rule);
        let allowed = self.store.read(move |snapshot| match board {
            _ if !tokens::any(snapshot)? => Ok(true),
            Some(board) => tokens::is_live_panel(snapshot, &board),
            None => Ok(false),
        });
        allowed.await.unwrap_or_else(|why: store::Error| {
            log::error!("MQTT: the tokens cannot be read: {why}");
            false
        })
    }
}

impl AuthProvider for Doorkeeper {
    fn authenticate<'a>(
        &'a self,
        connect: &'a ConnectPacket,
        _: SocketAddr,
    ) -> Answer<'a, mqtt5::Result<AuthResult>> {
        Box::pin(async move { Ok(self.admit(connect).await) })
    }

    fn authorize_publish<'a>(
        &'a self,
        _: &str,
        user: Option<&'a str>,
        topic: &'a str,
    ) -> Answer<'a, bool> {
        Box::pin(self.allows(user, move |board| may_publish(board, topic)))
    }

    fn authorize_subscribe<'a>(
        &'a self,
        _: &str,
        user: Option<&'a str>,
        filter: &'a str,
    ) -> Answer<'a, bool> {
        Box::pin(self.allows(user, move |board| may_subscribe(board, filter)))
    }
}
