//! Who calls, and the tokens that say so.

use super::{Billing, Refusal};
use crate::audit::{Action, Actor, Subject};
use crate::principal::{Principal, Role, Secret, SecretDigest};
use crate::store::tokens::{self, Listed};
use crate::store::{Store, Transaction, audit};

/// Keeps a new token; its number.
pub(crate) fn add(
    transaction: &Transaction<'_>,
    digest: SecretDigest,
    role: &Role,
    name: Option<&str>,
    by: &Actor,
) -> Result<i64, Refusal> {
    let number = tokens::add(transaction, digest, role, name, transaction.now_ms())?;
    let detail = match name {
        Some(name) => format!("{}, {name:?}", role.word()),
        None => role.word().to_owned(),
    };
    let subject = Subject {
        token: Some(number),
        board: role.board(),
        detail: Some(&detail),
        ..Subject::default()
    };
    audit::add(transaction, by, Action::AddToken, &subject)?;
    Ok(number)
}

/// Revokes a token, and with it its sessions.
///
/// # Errors
/// No token of this number is in force, or the database fails.
pub async fn revoke_token(store: &Store, number: i64, by: Actor) -> Result<(), Refusal> {
    store
        .write(move |transaction| {
            if !tokens::revoke(transaction, number, transaction.now_ms())? {
                return Err(Refusal::NotFound);
            }
            let subject = Subject { token: Some(number), ..Subject::default() };
            Ok(audit::add(transaction, &by, Action::RevokeToken, &subject)?)
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

    /// Makes a token. It is not kept: whoever it is for must be told now.
    ///
    /// # Errors
    /// The database fails, or the system has no random bytes.
    pub async fn add_token(
        &self,
        role: Role,
        name: Option<String>,
        by: Actor,
    ) -> Result<Secret, Refusal> {
        let secret = Secret::random()?;
        let digest = SecretDigest::of(secret.expose().as_bytes());
        self.store
            .write(move |transaction| {
                add(transaction, digest, &role, name.as_deref(), &by)?;
                Ok(secret)
            })
            .await
    }

    /// The first token, an operator's; `None` if another process that began at the same time has made one.
    ///
    /// # Errors
    /// The database fails, or there are no random bytes.
    pub async fn add_first_token(
        &self,
        name: String,
        by: Actor,
    ) -> Result<Option<Secret>, Refusal> {
        let secret = Secret::random()?;
        let digest = SecretDigest::of(secret.expose().as_bytes());
        self.store
            .write(move |transaction| {
                if tokens::any(transaction)? {
                    return Ok(None);
                }
                add(transaction, digest, &Role::Operator, Some(&name), &by)?;
                Ok(Some(secret))
            })
            .await
    }

    /// Every token, the oldest first, without the secrets.
    ///
    /// # Errors
    /// The database fails.
    pub async fn tokens(&self) -> Result<Vec<Listed>, Refusal> {
        self.store.read(|snapshot| Ok(tokens::list(snapshot)?)).await
    }

    /// Revokes a token, as [`revoke_token`].
    ///
    /// # Errors
    /// As there.
    pub async fn revoke_token(&self, number: i64, by: Actor) -> Result<(), Refusal> {
        revoke_token(&self.store, number, by).await
    }
}
