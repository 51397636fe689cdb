//! What billing and a panel say to each other: what a PATCH, its answers, a request, a report and a
//! presence look like, on which topics, and when they are wrong.
//!
//! Pure: bytes and values in, values out, no I/O and no clock. The agent and the billing service
//! use this one crate, so that both agree on what is valid and say it in the same words.
//!
//! ```text
//! PATCH body ──► Patch ──► Request (what a panel needs) ──► decision … outcome ──► Report ──► billing
//!       └──────► Errors (the 422 body, every error at once)
//! ```

pub mod json;
pub mod signature;
pub mod topics;

mod board_name;
mod errors;
mod fields;
mod identity;
mod intercom;
mod issuer;
mod mac;
mod model;
mod nonce;
mod outcome;
mod patch;
mod presence;
mod report;
mod request;
mod request_key;
mod serial_number;

pub use board_name::{BoardName, InvalidBoardName};
pub use errors::Errors;
pub use fields::{Fields, MAX_TEXT_CHARS};
pub use identity::{FactoryIdentity, Identity};
pub use intercom::{Group, IntercomBody, SOURCE_AUTO_REPLACE};
pub use issuer::{InvalidIssuer, Issuer};
pub use mac::{InvalidMac, Mac};
pub use model::comparable_model;
pub use nonce::{InvalidNonce, Nonce};
pub use outcome::Outcome;
pub use patch::{MAX_LOG_EXTRA_BYTES, NamedBy, Patch, Reader};
pub use presence::{Presence, PresenceState};
pub use report::{DEFERRED, NotTold, Report};
pub use request::{
    IDENTITY_FIELDS, MAX_REQUEST_BYTES, OTHER_FIELDS, Request, RequestBody, Target, Unreadable,
};
pub use request_key::{ContentHash, InvalidRequestId, RequestId, RequestKey};
pub use serial_number::{InvalidSerialNumber, SerialNumber};

#[cfg(test)]
mod tests;
