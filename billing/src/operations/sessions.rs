//! Signing in on the page with a token, and out again. The audit log has both, and what failed, within
//! bounds: whoever has no token must not be able to fill it.

use std::net::IpAddr;

use uuid::Uuid;

use super::{Billing, Refusal};
use crate::audit::{Action, Actor, Subject};
use crate::principal::{Principal, Role, Secret, SecretDigest};
use crate::store::{Transaction, audit, sessions, tokens};

/// How long a session lasts, in milliseconds: a working day.
pub(crate) const SESSION_MS: i64 = 12 * 3_600_000;
/// For how long one failed attempt stands for all others from the same address, in milliseconds.
const FAILED_EVERY_MS: i64 = 3_600_000;
/// Upper bound on the failed attempts that are told in that time, from whatever addresses.
const MOST_FAILED: usize = 50;

/// From where, and by which call, somebody signs in.
#[derive(Debug, Clone, Copy)]
pub struct SignInCall {
    /// The address that the call comes from.
    pub address: Option<IpAddr>,
    /// The ID of the call.
    pub call: Option<Uuid>,
}

impl Billing {
    /// Begins a session for the holder of a token; the secret that names it. `None` if the token is
    /// wrong or revoked, or a panel's, which has nothing to do on the page.
    ///
    /// # Errors
    /// The database fails, or the system has no random bytes.
    pub async fn sign_in(
        &self,
        token: SecretDigest,
        from: SignInCall,
    ) -> Result<Option<Secret>, Refusal> {
        let secret = Secret::random()?;
        let session = SecretDigest::of(secret.expose().as_bytes());
        self.store
            .write(move |transaction| {
                let (principal, number) = match tokens::principal(transaction, Some(token))? {
                    Some(
                        principal @ Principal::Holder {
                            token: number,
                            role: Role::Operator | Role::Viewer,
                            ..
                        },
                    ) => (principal, number),
                    Some(
                        Principal::Holder { role: Role::Panel(_) | Role::Camera, .. }
                        | Principal::Anybody,
                    )
                    | None => {
                        tell_failed(transaction, from)?;
                        return Ok(None);
                    }
                };
                let now = transaction.now_ms();
                sessions::add(transaction, session, number, now + SESSION_MS, now)?;
                let by = Actor::Caller { principal, call: from.call };
                let detail = from.detail();
                let subject = Subject { detail: Some(&detail), ..Subject::default() };
                audit::add(transaction, &by, Action::SignIn, &subject)?;
                tracing::info!("token {number} has signed in on the page");
                Ok(Some(secret))
            })
            .await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The database fails.
    pub async fn sign_out(&self, session: SecretDigest, call: Option<Uuid>) -> Result<(), Refusal> {
        self.store
            .write(move |transaction| {
                let now_ms = transaction.now_ms();
                if let Some(principal) = sessions::principal(transaction, session, now_ms)? {
                    sessions::delete(transaction, session)?;
                    let by = Actor::Caller { principal, call };
                    audit::add(transaction, &by, Action::SignOut, &Subject::default())?;
                }
                Ok(())
            })
            .await
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

/// An attempt has failed. The audit log has one for each address and hour, and no more than the bound.
fn tell_failed(transaction: &Transaction<'_>, from: SignInCall) -> Result<(), Refusal> {
    let detail = from.detail();
    let since_ms = transaction.now_ms().saturating_sub(FAILED_EVERY_MS);
    let mut newest = audit::newest_of(transaction, Action::SignInFailed, MOST_FAILED)?;
    newest.retain(|(at_ms, _)| *at_ms > since_ms);
    let is_told = newest.iter().any(|(_, told)| told.as_ref() == Some(&detail));
    if is_told || newest.len() >= MOST_FAILED {
        return Ok(());
    }
    let by = Actor::Unknown { call: from.call };
    let subject = Subject { detail: Some(&detail), ..Subject::default() };
    Ok(audit::add(transaction, &by, Action::SignInFailed, &subject)?)
}

impl SignInCall {
    fn detail(self) -> String {
        match self.address {
            Some(address) => format!("from {address}"),
            None => "from an unknown address".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use intercom_test_support::Database;

    use super::*;
    use crate::host::tests::Clock;
    use crate::operations::AuditQuery;
    use crate::store::Store;
    use crate::store::audit::Filter;
    use crate::store::macs::Believed;

    const HOUR_MS: i64 = 3_600_000;

    async fn fails_from(billing: &Billing, last: u8) {
        let address = Some(IpAddr::from(Ipv4Addr::new(192, 0, 2, last)));
        let from = SignInCall { address, call: None };
        let session = billing.sign_in(SecretDigest::of(b"wrong"), from).await.expect("an answer");
        assert!(session.is_none());
    }

    #[tokio::test]
    async fn failed_attempts_are_told_once_an_hour_for_each_address_and_within_a_bound() {
        let database = Database::new();
        let clock = Arc::new(Clock(AtomicI64::new(1_800_000_000_000)));
        let store = Store::open_on(&database, clock.clone()).expect("a store");
        let billing = Billing::start(store, 0, Believed::FirstSight, None).await.expect("billing");
        let told = async || {
            let filter = Filter { actor: Some("unknown".to_owned()), ..Filter::default() };
            let query = AuditQuery { filter, cursor: None, limit: 200 };
            billing.audit(query).await.expect("the log").entries
        };
        for _ in 0..3 {
            fails_from(&billing, 1).await;
        }
        fails_from(&billing, 2).await;
        let details: Vec<_> = told().await.into_iter().map(|entry| entry.detail).collect();
        let from = |last: u8| Some(format!("from 192.0.2.{last}"));
        assert_eq!(details, [from(2), from(1)]);
        for last in 3..=255 {
            fails_from(&billing, last).await;
        }
        assert_eq!(told().await.len(), MOST_FAILED);
        clock.0.fetch_add(HOUR_MS, Ordering::Relaxed);
        fails_from(&billing, 1).await;
        assert_eq!(told().await.len(), MOST_FAILED + 1);
    }
}
