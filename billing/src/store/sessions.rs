//! Who is signed in on the page. A session ends with its token, at its time, or by a sign-out.

use super::engine::params;
use super::statement::statements;
use super::{Result, Snapshot, Transaction, tokens};
use crate::principal::{Principal, SecretDigest};

/// Upper bound on the sessions of one token; the one that ends first makes room.
const MAX_OF_A_TOKEN: i64 = 100;

statements! {
    PRINCIPAL = "
        SELECT t.number, t.role, t.board, t.name
        FROM sessions s JOIN tokens t ON t.number = s.token
        WHERE s.digest = ?1 AND s.ends_ms > ?2 AND t.revoked_ms IS NULL";
    ADD = "INSERT INTO sessions (digest, token, ends_ms) VALUES (?1, ?2, ?3)";
    DELETE = "DELETE FROM sessions WHERE digest = ?1";
    DELETE_ENDED = "DELETE FROM sessions WHERE ends_ms <= ?1";
    MAKE_ROOM = "
        DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions
            WHERE token = ?1 ORDER BY ends_ms DESC LIMIT 9223372036854775807 OFFSET ?2)";
}

/// Whose session this is, if it has not ended.
pub fn principal(
    snapshot: &Snapshot<'_>,
    digest: SecretDigest,
    now_ms: i64,
) -> Result<Option<Principal>> {
    snapshot.first(PRINCIPAL, params![digest.bytes(), now_ms], |row| {
        Ok(Principal::Holder {
            token: row.get("number")?,
            role: tokens::role(row)?,
            name: row.get("name")?,
        })
    })
}

/// Begins a session of the holder of this token.
pub fn add(
    transaction: &Transaction<'_>,
    digest: SecretDigest,
    token: i64,
    ends_ms: i64,
    now_ms: i64,
) -> Result<()> {
    transaction.execute(DELETE_ENDED, [now_ms])?;
    transaction.execute(MAKE_ROOM, [token, MAX_OF_A_TOKEN - 1])?;
    transaction.execute(ADD, params![digest.bytes(), token, ends_ms])?;
    Ok(())
}

/// Ends a session.
pub fn delete(transaction: &Transaction<'_>, digest: SecretDigest) -> Result<()> {
    transaction.execute(DELETE, [digest.bytes()])?;
    Ok(())
}
