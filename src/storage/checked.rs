//! A checksum around JSON, so that a damaged file is noticed and never taken for a good one.

use std::fmt;

use intercom_wire::json::{self, DecodeError, FromJson};
use ring::digest::{SHA256, digest};
use serde::Serialize;

// The envelope is written in this way alone, so that nothing but these bytes is one.
const BEFORE_CHECKSUM: &str = "{\"sha256\":\"";
const BEFORE_CONTENT: &str = "\",\"content\":";
const AFTER_CONTENT: &str = "}\n";

/// Why a file's bytes are not what was written.
#[derive(Debug)]
pub enum Damaged {
    /// Not the envelope: cut short, overwritten, or never ours.
    Envelope,
    /// The envelope is whole and the content is not what the checksum says.
    Checksum,
    /// The checksum is right and the content is not what this version understands.
    Content(DecodeError),
}

/// JSON text with the SHA-256 of its content in it.
///
/// # Errors
/// If the value cannot be written as JSON.
pub fn seal(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let content = serde_json::to_string(value)?;
    let checksum = hex_sha256(&content);
    let sealed = [BEFORE_CHECKSUM, &checksum, BEFORE_CONTENT, &content, AFTER_CONTENT].concat();
    Ok(sealed.into_bytes())
}

/// What [`seal`] was given.
///
/// # Errors
/// If the bytes are damaged in any way.
pub fn unseal<T: FromJson>(bytes: &[u8]) -> Result<T, Damaged> {
    let (checksum, content) = parts(bytes).ok_or(Damaged::Envelope)?;
    if hex_sha256(content) != checksum {
        return Err(Damaged::Checksum);
    }
    json::read(content.as_bytes()).map_err(Damaged::Content)
}

fn parts(bytes: &[u8]) -> Option<(&str, &str)> {
    str::from_utf8(bytes)
        .ok()?
        .strip_suffix(AFTER_CONTENT)?
        .strip_prefix(BEFORE_CHECKSUM)?
        .split_once(BEFORE_CONTENT)
}

fn hex_sha256(content: &str) -> String {
    digest(&SHA256, content.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damaged::Envelope => f.write_str("it is cut short, or was never a file of this agent"),
            Damaged::Checksum => f.write_str("its checksum does not fit its content"),
            Damaged::Content(why) => write!(f, "its content is not understood: {why}"),
        }
    }
}

impl std::error::Error for Damaged {}
