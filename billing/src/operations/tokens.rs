//! Who calls, and the tokens that say so.

use super::{Billing, Refusal};
use crate::principal::{Principal, Role, Secret, SecretDigest};
use crate::store::Store;
use crate::store::tokens::{self, Listed};

/// Makes a token. It is not kept: whoever it is for must be told now.
///
/// # Errors
/// The database fails, or the system has no random bytes.
pub async fn add_token(store: &Store, role: Role, name: Option<String>) -> Result<Secret, Refusal> {
    let secret = Secret::random()?;
    let digest = SecretDigest::of(secret.expose().as_bytes());
    store
        .write(move |transaction| {
            tokens::add(transaction, digest, &role, name.as_deref(), transaction.now_ms())?;
            Ok(secret)
        })
        .await
}

impl Billing {
    /// Who sends a secret; `None` where a token is needed and this is none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn principal(
        &self,
        digest: Option<SecretDigest>,
    ) -> Result<Option<Principal>, Refusal> {
        self.store.read(move |snapshot| Ok(tokens::principal(snapshot, digest)?)).await
    }

    /// Makes a token, as [`add_token`].
    ///
    /// # Errors
    /// As there.
    pub async fn add_token(&self, role: Role, name: Option<String>) -> Result<Secret, Refusal> {
        add_token(&self.store, role, name).await
    }

    /// Every token, the oldest first, without the secrets.
    ///
    /// # Errors
    /// The database fails.
    pub async fn tokens(&self) -> Result<Vec<Listed>, Refusal> {
        self.store.read(|snapshot| Ok(tokens::list(snapshot)?)).await
    }

    /// Revokes a token, and with it its sessions.
    ///
    /// # Errors
    /// No token of this number is in force, or the database fails.
    pub async fn revoke_token(&self, number: i64) -> Result<(), Refusal> {
        self.store
            .write(move |transaction| {
                match tokens::revoke(transaction, number, transaction.now_ms())? {
                    true => Ok(()),
                    false => Err(Refusal::NotFound),
                }
            })
            .await
    }
}
