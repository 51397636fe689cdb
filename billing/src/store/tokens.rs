//! The tokens that callers authenticate with. A revoked one stays, so that the log can name it.

use intercom_wire::BoardName;

use super::column::parsed_or_null;
use super::engine::{Row, params};
use super::statement::statements;
use super::{Error, Result, Snapshot, Transaction};
use crate::principal::{Principal, Role, SecretDigest};

/// A token for people to look at.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its number, which `revoke` takes.
    pub number: i64,
    /// What it allows.
    pub role: Role,
    /// What its maker called it.
    pub name: Option<String>,
    /// When it was made, RFC 3339 in UTC.
    pub made_at: String,
    /// When it was revoked.
    pub revoked_at: Option<String>,
}

statements! {
    INSERT = "
        INSERT INTO tokens (digest, role, board, name, made_ms) VALUES (?1, ?2, ?3, ?4, ?5)
        RETURNING number";
    ANY = "SELECT EXISTS (SELECT 1 FROM tokens)";
    BY_DIGEST = "
        SELECT number, role, board, name FROM tokens WHERE digest = ?1 AND revoked_ms IS NULL";
    IN_FORCE = "
        SELECT EXISTS (SELECT 1 FROM tokens WHERE number = ?1 AND revoked_ms IS NULL)";
    LIST = "
        SELECT number, role, board, name,
            rfc_3339(made_ms) AS made_at,
            rfc_3339(revoked_ms) AS revoked_at
        FROM tokens ORDER BY number";
    REVOKE = "UPDATE tokens SET revoked_ms = ?2 WHERE number = ?1 AND revoked_ms IS NULL";
}

/// Keeps a new token; its number.
pub fn add(
    transaction: &Transaction<'_>,
    digest: SecretDigest,
    role: &Role,
    name: Option<&str>,
    now_ms: i64,
) -> Result<i64> {
    let board = role.board().map(BoardName::as_str);
    transaction.insert(INSERT, params![digest.bytes(), role.word(), board, name, now_ms])
}

/// Whether a token has ever been made. From then on callers need one, even if all are revoked.
pub fn any(snapshot: &Snapshot<'_>) -> Result<bool> {
    snapshot.one(ANY, (), |row| row.get(0))
}

/// Who sends this secret; `None` where a token is needed and this is none.
pub fn principal(
    snapshot: &Snapshot<'_>,
    digest: Option<SecretDigest>,
) -> Result<Option<Principal>> {
    if let Some(digest) = digest {
        let holder = snapshot.first(BY_DIGEST, [digest.bytes()], |row| {
            Ok(Principal::Holder {
                token: row.get("number")?,
                role: role(row)?,
                name: row.get("name")?,
            })
        })?;
        if holder.is_some() {
            return Ok(holder);
        }
    }
    Ok((!any(snapshot)?).then_some(Principal::Anybody))
}

/// Whether there is a token of this number and it is not revoked.
pub fn is_in_force(snapshot: &Snapshot<'_>, number: i64) -> Result<bool> {
    snapshot.one(IN_FORCE, [number], |row| row.get(0))
}

/// Every token, the oldest first.
pub fn list(snapshot: &Snapshot<'_>) -> Result<Vec<Listed>> {
    snapshot.all(LIST, (), |row| {
        Ok(Listed {
            number: row.get("number")?,
            role: role(row)?,
            name: row.get("name")?,
            made_at: row.get("made_at")?,
            revoked_at: row.get("revoked_at")?,
        })
    })
}

/// Revokes a token; false if there is none of that number, or it was revoked before.
pub fn revoke(transaction: &Transaction<'_>, number: i64, now_ms: i64) -> Result<bool> {
    Ok(transaction.execute(REVOKE, [number, now_ms])? > 0)
}

/// The role in the columns `role` and `board`.
pub(super) fn role(row: &Row<'_>) -> Result<Role> {
    let word: String = row.get("role")?;
    match (word.as_str(), parsed_or_null(row, "board")?) {
        ("operator", None) => Ok(Role::Operator),
        ("viewer", None) => Ok(Role::Viewer),
        ("camera", None) => Ok(Role::Camera),
        ("panel", Some(board)) => Ok(Role::Panel(board)),
        _ => Err(Error::column("role", format!("no role: {word}"))),
    }
}
