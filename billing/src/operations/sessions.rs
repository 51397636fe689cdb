//! Signing in on the page with a token, and out again.

use super::{Billing, Refusal};
use crate::principal::{Principal, Role, Secret, SecretDigest};
use crate::store::{sessions, tokens};

/// How long a session lasts, in milliseconds: a working day.
pub(crate) const SESSION_MS: i64 = 12 * 3_600_000;

impl Billing {
    /// Begins a session for the holder of a token; the secret that names it. `None` if the token is
    /// wrong or revoked, or a panel's, which has nothing to do on the page.
    ///
    /// # Errors
    /// The database fails, or the system has no random bytes.
    pub async fn sign_in(&self, token: SecretDigest) -> Result<Option<Secret>, Refusal> {
        let secret = Secret::random()?;
        let session = SecretDigest::of(secret.expose().as_bytes());
        self.store
            .write(move |transaction| {
                let number = match tokens::principal(transaction, Some(token))? {
                    Some(Principal::Holder {
                        token, role: Role::Operator | Role::Viewer, ..
                    }) => token,
                    Some(
                        Principal::Holder { role: Role::Panel(_) | Role::Camera, .. }
                        | Principal::Anybody,
                    )
                    | None => return Ok(None),
                };
                let now = transaction.now_ms();
                sessions::add(transaction, session, number, now + SESSION_MS, now)?;
                tracing::info!("token {number} has signed in on the page");
                Ok(Some(secret))
            })
            .await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The database fails.
    pub async fn sign_out(&self, session: SecretDigest) -> Result<(), Refusal> {
        self.store.write(move |transaction| Ok(sessions::delete(transaction, session)?)).await
    }

    /// Who reads the page: the holder of this session, or anybody where there are no tokens.
    ///
    /// # Errors
    /// The database fails.
    pub async fn signed_in(
        &self,
        session: Option<SecretDigest>,
    ) -> Result<Option<Principal>, Refusal> {
        self.store
            .read(move |snapshot| {
                let holder = session
                    .map(|session| sessions::principal(snapshot, session, snapshot.now_ms()))
                    .transpose()?
                    .flatten();
                Ok(match holder {
                    Some(holder) => Some(holder),
                    None => tokens::principal(snapshot, None)?,
                })
            })
            .await
    }
}
