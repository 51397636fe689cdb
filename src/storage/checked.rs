//! A checksum around JSON, so that a damaged file is noticed and never taken for a good one.

use std::fmt;

use ring::digest::{SHA256, digest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Why a file's bytes are not what was written.
#[derive(Debug)]
pub enum Damaged {
    /// Not the envelope: cut short, overwritten, or never ours.
    Unreadable(serde_json::Error),
    /// The envelope is whole and the content is not what the checksum says.
    Checksum,
    /// The checksum is right and the content is not what this version understands.
    Content(serde_json::Error),
}

#[derive(Serialize, Deserialize)]
struct Envelope<'a> {
    sha256: String,
    #[serde(borrow)]
    content: &'a RawValue,
}

/// JSON text with the SHA-256 of its content in it.
///
/// # Errors
/// If the value cannot be written as JSON.
pub fn seal(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let content = serde_json::value::to_raw_value(value)?;
    let mut bytes =
        serde_json::to_vec(&Envelope { sha256: hex_sha256(&content), content: &content })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// What [`seal`] was given.
///
/// # Errors
/// If the bytes are damaged in any way.
pub fn unseal<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Damaged> {
    let envelope: Envelope<'_> = serde_json::from_slice(bytes).map_err(Damaged::Unreadable)?;
    if hex_sha256(envelope.content) != envelope.sha256 {
        return Err(Damaged::Checksum);
    }
    serde_json::from_slice(envelope.content.get().as_bytes()).map_err(Damaged::Content)
}

fn hex_sha256(content: &RawValue) -> String {
    digest(&SHA256, content.get().as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damaged::Unreadable(why) => write!(f, "it cannot be read: {why}"),
            Damaged::Checksum => f.write_str("its checksum does not fit its content"),
            Damaged::Content(why) => write!(f, "its content is not understood: {why}"),
        }
    }
}

impl std::error::Error for Damaged {}
