//! Whom the built-in broker lets in, and what for: our own link at once, and panels when it has
//! subscribed. Where there are tokens, a panel needs its own: its user name and its client ID are
//! its board.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use intercom_wire::BoardName;
use mqtt5::broker::auth::{AuthProvider, AuthResult};
use mqtt5::broker::storage::{DynamicStorage, StorageBackend};
use mqtt5::packet::connect::ConnectPacket;
use mqtt5::protocol::v5::reason_codes::ReasonCode;
use mqtt5::types::WillMessage;
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use super::never_retained::is_between_panels;
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
    /// Where the broker keeps the sessions.
    pub(super) sessions: Option<Arc<DynamicStorage>>,
}

/// The user of a connection that the token of a panel has let in. What it says counts only while
/// this very token is in force, not another one of its board.
///
/// There are two other users: our own link's, which is its client ID, and none, of whoever came in
/// before the first token was made.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Holder {
    token: i64,
    board: BoardName,
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
        let is_refused = |will: &WillMessage| will.retain && is_between_panels(&will.topic);
        if connect.will.as_ref().is_some_and(is_refused) {
            return AuthResult::fail(ReasonCode::NotAuthorized);
        }
        if self.open.clone().wait_for(|open| *open).await.is_err() {
            // The service is ending.
            return AuthResult::fail(ReasonCode::ServerUnavailable);
        }
        let digest = connect.password.as_deref().map(SecretDigest::of);
        let principal = self.store.read(move |snapshot| tokens::principal(snapshot, digest)).await;
        match principal {
            Ok(Some(Principal::Anybody)) => AuthResult::success(),
            Ok(Some(Principal::Holder { role: Role::Panel(board), token, .. }))
                if connect.username.as_deref() == Some(board.as_str())
                    && connect.client_id == board.as_str() =>
            {
                self.let_in(&Holder { token, board }).await
            }
            Ok(holder) => {
                let holder = holder.map_or("no token".to_owned(), |holder| holder.to_string());
                tracing::warn!(
                    "MQTT: client {:?}, user {:?}, {holder}: refused; a panel's user name and \
                     client ID are the board of its token",
                    connect.client_id,
                    connect.username.as_deref().unwrap_or_default(),
                );
                AuthResult::fail(ReasonCode::BadUsernameOrPassword)
            }
            Err(why) => {
                tracing::error!("MQTT: the tokens cannot be read: {why}");
                AuthResult::fail(ReasonCode::ServerUnavailable)
            }
        }
    }

    /// The session of another user is forgotten: the broker would refuse its board for as long as it
    /// keeps that.
    async fn let_in(&self, holder: &Holder) -> AuthResult {
        let user = holder.to_string();
        if let Some(sessions) = &self.sessions {
            let board = holder.board.as_str();
            let is_anothers = match sessions.get_session(board).await {
                Ok(session) => {
                    session.is_some_and(|session| session.user_id.as_ref() != Some(&user))
                }
                Err(_) => true,
            };
            if is_anothers && let Err(why) = sessions.remove_session(board).await {
                tracing::error!("MQTT: the session of {board} cannot be forgotten: {why}");
                return AuthResult::fail(ReasonCode::ServerUnavailable);
            }
        }
        AuthResult::success_with_user(user)
    }

    /// Asked for each message and subscription, so that a token that was made or revoked counts at
    /// once.
    async fn allows(&self, user: Option<&str>, rule: impl FnOnce(&BoardName) -> bool) -> bool {
        if user == Some(&self.own.client_id) {
            return true;
        }
        let holder = user.and_then(Holder::read);
        if holder.as_ref().is_some_and(|holder| !rule(&holder.board)) {
            return false;
        }
        let allowed = self.store.read(move |snapshot| match holder {
            Some(holder) => tokens::is_in_force(snapshot, holder.token),
            None => Ok(!tokens::any(snapshot)?),
        });
        allowed.await.unwrap_or_else(|why: store::Error| {
            tracing::error!("MQTT: the tokens cannot be read: {why}");
            false
        })
    }
}

impl Holder {
    /// Reads what `Display` has written.
    fn read(user: &str) -> Option<Self> {
        let (token, board) = user.split_once('/')?;
        Some(Holder { token: token.parse().ok()?, board: board.parse().ok()? })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.token, self.board)
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
