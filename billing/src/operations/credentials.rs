//! `onvif_credentials`: kept encrypted for the cameras' software, and given to nobody else.

use intercom_wire::Errors;
use serde_json::{Map, Value};

use super::{Billing, Failure, Refusal, find};
use crate::credentials::CredentialKey;
use crate::principal::Principal;
use crate::store::Transaction;
use crate::store::credentials;
use crate::store::intercoms::Name;

/// The longest list, as JSON in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// What a PATCH says about them, ready to be kept.
pub(super) enum Given {
    /// Nothing.
    Nothing,
    /// Some, which cannot be kept: there is no key.
    NotKept,
    /// There are none any more.
    None,
    /// These, encrypted.
    Sealed(Vec<u8>),
}

impl Given {
    /// What the audit log tells of them.
    pub(super) fn told(&self) -> Option<&'static str> {
        match self {
            Given::Nothing => None,
            Given::NotKept => Some("onvif_credentials (not kept)"),
            Given::None => Some("onvif_credentials (none)"),
            Given::Sealed(_) => Some("onvif_credentials"),
        }
    }
}

/// Encrypts what a PATCH has. Without a key it is let go, and the log says so.
pub(super) fn read(
    body: &Map<String, Value>,
    key: Option<&CredentialKey>,
) -> Result<Given, Refusal> {
    let list = body.get("onvif_credentials").and_then(Value::as_array);
    match (list, key) {
        (None, _) => Ok(Given::Nothing),
        (Some(list), _) if list.is_empty() => Ok(Given::None),
        (Some(_), None) => {
            tracing::warn!(
                "onvif_credentials of a PATCH were not kept: there is no --credentials-key"
            );
            Ok(Given::NotKept)
        }
        (Some(list), Some(key)) => {
            let text = serde_json::to_string(list)?;
            if text.len() > MAX_BYTES {
                let text = format!(
                    "The onvif credentials field must not be greater than {MAX_BYTES} bytes."
                );
                return Err(Errors::on("onvif_credentials", text).into());
            }
            let sealed =
                key.seal(&text).map_err(|why| Refusal::Failed(Failure::Credentials(why)))?;
            Ok(Given::Sealed(sealed))
        }
    }
}

/// Keeps them for an intercom.
pub(super) fn keep(
    transaction: &Transaction<'_>,
    intercom_id: i64,
    given: &Given,
) -> Result<(), Refusal> {
    match given {
        Given::Nothing | Given::NotKept => {}
        Given::None => credentials::forget(transaction, intercom_id)?,
        Given::Sealed(sealed) => {
            credentials::keep(transaction, intercom_id, sealed)?;
            tracing::info!("intercom {intercom_id}: its onvif_credentials are kept");
        }
    }
    Ok(())
}

impl Billing {
    /// The same, which keeps credentials under this key.
    ///
    /// # Errors
    /// The database has credentials that this key does not read, or fails.
    pub async fn with_credential_key(mut self, key: CredentialKey) -> Result<Self, Refusal> {
        if let Some(sealed) = self.store.read(credentials::any).await? {
            key.open(&sealed).map_err(|why| Refusal::Failed(Failure::Credentials(why)))?;
        }
        self.credential_key = Some(key);
        Ok(self)
    }

    /// The credentials of an intercom, for this caller.
    ///
    /// # Errors
    /// There is no such intercom or it has none, they cannot be read, or the database fails.
    pub async fn credentials(&self, name: Name, caller: &Principal) -> Result<Kept, Refusal> {
        let key = self.credential_key.clone().ok_or(Refusal::NotFound)?;
        let kept = self.store.read(move |snapshot| {
            let id = find(snapshot, &name)?.id;
            let sealed = credentials::of(snapshot, id)?.ok_or(Refusal::NotFound)?;
            Ok::<_, Refusal>((id, sealed))
        });
        let (intercom_id, sealed) = kept.await?;
        let text = key.open(&sealed).map_err(|why| Refusal::Failed(Failure::Credentials(why)))?;
        tracing::info!("{caller} has read the onvif_credentials of intercom {intercom_id}");
        Ok(Kept { intercom_id, onvif_credentials: serde_json::from_str(&text)? })
    }
}

/// The credentials of an intercom. Not to be shown or logged.
#[derive(serde::Serialize)]
pub struct Kept {
    intercom_id: i64,
    onvif_credentials: Vec<Value>,
}
