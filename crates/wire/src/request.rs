//! A request: one pending PATCH payload as it arrives on a route.

use std::str::FromStr;

use serde_json::{Map, Value};

use super::fields::{Fields, integer, spoken};
use super::{
    BoardName, ContentHash, Errors, Issuer, Mac, Nonce, Patch, Reader, RequestId, RequestKey,
    SerialNumber,
};
use crate::json::FromJson;
use crate::json_object;

/// The largest request that a panel reads, in bytes.
pub const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// The fields that ask a panel for another identity.
pub const IDENTITY_FIELDS: [&str; 2] = ["new_mac", "new_serial_number"];

/// The other fields that a request may have: those of the documented body, and those that billing adds.
pub const OTHER_FIELDS: [&str; 17] = [
    "id",
    "mac",
    "title",
    "name",
    "flat_from",
    "flat_to",
    "department",
    "group_id",
    "group_external_id",
    "model",
    "log_extra",
    "onvif_credentials",
    "request_id",
    "issuer",
    "nonce",
    "seq",
    "target",
];

/// A request whose target can be read. Its content may still be invalid: that is decided later,
/// after it is known whether the request is this board's business at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The ID that billing gave it; a bare PATCH body has none.
    pub id: Option<RequestId>,
    /// Rises with every change to that intercom's record; a bare PATCH body has none.
    pub seq: Option<u64>,
    /// The billing database that asks; a bare PATCH body has none.
    pub issuer: Option<Issuer>,
    /// The nonce of the panel's presence or poll that the request answers.
    pub nonce: Option<Nonce>,
    /// Which intercom it is for.
    pub target: Target,
    /// The hash of what it says.
    pub hash: ContentHash,
    /// What it says, or everything that is wrong with it.
    pub content: Result<Patch, Errors>,
}

json_object! {
    /// Which intercom a request is for; at least one of the three is there.
    #[derive(Debug, Clone, PartialEq, Eq, Default)]
    pub struct Target {
        /// The intercom's ID.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub id: Option<i64>,
        /// The intercom's confirmed MAC address.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub mac: Option<Mac>,
        /// The board's stable name.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub board: Option<BoardName>,
    }
}

json_object! {
    /// A request as billing writes it: the PATCH body reduced to what a panel needs, and what billing
    /// adds. [`Request::read`] reads it, and bodies from elsewhere.
    #[derive(Debug, Clone, PartialEq)]
    pub struct RequestBody {
        /// The intercom's ID, if the PATCH named it so.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub id: Option<i64>,
        /// The intercom's MAC address, if the PATCH named it so.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub mac: Option<Mac>,
        /// The MAC address that is asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub new_mac: Option<Mac>,
        /// The serial number that is asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub new_serial_number: Option<SerialNumber>,
        /// The model that the hardware must have.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub model: Option<String>,
        /// What the report passes through.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub log_extra: Option<Value>,
        /// The request's own name.
        pub request_id: RequestId,
        /// The billing database that asks.
        pub issuer: Issuer,
        /// The nonce of the panel's presence or poll that this answers.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub nonce: Option<Nonce>,
        /// Rises with every change to that intercom's record.
        pub seq: i64,
        /// The intercom, as billing resolved it.
        pub target: Target,
    }
}

/// A delivery that cannot be told whom it is for, with what a rejection of it can still say.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreadable {
    /// Its ID, where that much could be read.
    pub id: Option<RequestId>,
    /// What is wrong with it.
    pub errors: Errors,
}

impl Request {
    /// Reads a delivery: a PATCH body reduced to what a panel needs, with what billing adds, or a
    /// bare PATCH body.
    ///
    /// # Errors
    /// Not JSON, not an object, larger than [`MAX_REQUEST_BYTES`], nested deeper than 127 levels,
    /// or no target in it.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let unreadable = |text: String| Unreadable { id: None, errors: Errors::on("body", text) };
        if bytes.len() > MAX_REQUEST_BYTES {
            return Err(unreadable(format!(
                "The body is {} bytes long; a panel reads at most {MAX_REQUEST_BYTES}.",
                bytes.len()
            )));
        }
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(body)) => Self::from_object(&body),
            Ok(_) => Err(unreadable("The body must be a JSON object.".to_owned())),
            Err(why) => Err(unreadable(format!("The body must be valid JSON: {why}."))),
        }
    }

    /// Reads a delivery that is a JSON object already.
    ///
    /// # Errors
    /// No target in it.
    pub fn from_object(body: &Map<String, Value>) -> Result<Self, Unreadable> {
        let mut envelope = Fields::new(body);
        let id = word(&mut envelope, "request_id");
        let seq = seq(&mut envelope);
        let issuer = word(&mut envelope, "issuer");
        let nonce = word(&mut envelope, "nonce");
        let target = target(body, &mut envelope);
        let mut content = Patch::read(body, Reader::Panel);
        if let Err(wrong) = envelope.finish(Some(())) {
            content = Err(match content {
                Ok(_) => wrong,
                Err(errors) => errors.and(wrong),
            });
        }
        match (target, content) {
            (Some(target), content) => {
                Ok(Request { id, seq, issuer, nonce, target, hash: ContentHash::of(body), content })
            }
            (None, Err(errors)) => Err(Unreadable { id, errors }),
            // A valid body names an intercom, so it has a target.
            (None, Ok(_)) => Err(Unreadable {
                id,
                errors: Errors::on("target", "The target field is required."),
            }),
        }
    }

    /// What makes another delivery the same request.
    pub fn key(&self) -> RequestKey {
        match &self.id {
            Some(id) => RequestKey::Id(id.clone()),
            None => RequestKey::Hash(self.hash.clone()),
        }
    }
}

/// A text of the envelope that must be a plain word.
fn word<T: FromStr>(fields: &mut Fields<'_>, field: &str) -> Option<T> {
    let word = fields.string(field)?.parse().ok();
    if word.is_none() {
        fields.error(field, format!("The {} field format is invalid.", spoken(field)));
    }
    word
}

fn seq(fields: &mut Fields<'_>) -> Option<u64> {
    // Billing writes it, and nothing else: a string is not a spelling of it.
    let seq = fields.untouched("seq")?.as_u64();
    if seq.is_none() {
        fields.error("seq", "The seq field must be an integer of at least 0.");
    }
    seq
}

/// `target` as billing resolved it; a bare body's own `id` or `mac` otherwise.
fn target(body: &Map<String, Value>, fields: &mut Fields<'_>) -> Option<Target> {
    let target = match fields.get("target") {
        Some(value) => match Target::from_json(value) {
            Ok(target) => target,
            Err(_) => {
                fields.error("target", "The target field must hold an id, a mac or a board.");
                return None;
            }
        },
        // Read leniently: a body that is invalid may still tell whom it is for.
        None => Target {
            id: body.get("id").and_then(integer),
            mac: body.get("mac").and_then(Value::as_str).and_then(|mac| mac.trim().parse().ok()),
            board: None,
        },
    };
    (target != Target::default()).then_some(target)
}
