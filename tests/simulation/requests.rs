//! Requests as billing would send them, and the identities that they are about.

use std::fmt;

use intercom_wire::{
    Identity, MAX_TEXT_CHARS, Mac, Report, Request, RequestId, SerialNumber, Unreadable,
};
use serde_json::{Map, Value, json};

pub const MODEL: &str = "M-1";
/// As long as a name may be.
pub const BOARD: &str = "die-1-of-a-board-whose-name-is-as-long-as-a-name-may-be-64-chars";
pub const ID: i64 = 7;

/// JSON writes it as six bytes, and no model differs by it.
const PADDING: char = '\u{1}';

/// The MAC address of the identity with this letter.
pub fn mac(letter: char) -> Mac {
    let octet = u8::try_from(letter).expect("an ASCII letter");
    Mac::try_from([0x02, 0, 0, 0, 0, octet]).expect("a MAC")
}

/// The identity with this letter.
pub fn identity(letter: char) -> Identity {
    Identity {
        mac: mac(letter),
        serial_number: Some(serial(letter).parse().expect("a serial number")),
    }
}

pub fn serial(letter: char) -> String {
    format!("SN-{letter}")
}

/// The model, as long as this; JSON writes it as long as it can.
pub fn model_of(chars: usize) -> String {
    format!("{MODEL:\u{1}<chars$}")
}

/// The same serial number, as long as one may be.
pub fn longest_serial(serial: &str) -> String {
    format!("{serial:\"<width$}", width = SerialNumber::MAX_CHARS)
}

/// Where a request is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    Mac(Mac),
    Board,
    /// The list of pending requests.
    List,
}

/// A request and how it is sent.
#[derive(Clone)]
pub struct Asked {
    /// Tells it from the others; comes back in its report.
    pub tag: String,
    pub request: Result<Request, Unreadable>,
    pub topic: Topic,
    pub retained: bool,
    /// It names a board that this one may no longer be.
    pub may_be_ignored: bool,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let retained = if self.retained { "retained" } else { "live" };
        write!(f, "{} {retained} on {:?}", self.tag, self.topic)?;
        let Ok(Request { id, seq, target, content: Ok(patch), .. }) = &self.request else {
            return Ok(());
        };
        let id = id.as_ref().map(|id| id.as_str());
        let serial = patch.new_serial_number.as_ref().map(|serial| serial.as_str());
        write!(f, " {id:?} {seq:?} {target:?}: {:?} {serial:?} {:?}", patch.new_mac, patch.model)
    }
}

/// A request in the making.
#[derive(Debug, Clone)]
pub struct Ask {
    tag: String,
    body: Map<String, Value>,
    topic: Topic,
    retained: bool,
}

/// A request to the intercom of this board, by its ID, retained on the board's topic.
pub fn ask(tag: &str) -> Ask {
    let body = json!({
        "id": ID, "model": MODEL, "log_extra": tag, "request_id": tag, "target": {"id": ID},
    });
    let Value::Object(body) = body else { unreachable!("an object") };
    Ask { tag: tag.to_owned(), body, topic: Topic::Board, retained: true }
}

impl Ask {
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.body.insert(field.to_owned(), value.into());
        self
    }

    pub fn without(mut self, field: &str) -> Self {
        self.body.remove(field);
        self
    }

    /// Both halves of the identity with this letter.
    pub fn to(self, letter: char) -> Self {
        self.new_mac(letter).new_serial(letter)
    }

    pub fn new_mac(self, letter: char) -> Self {
        self.with("new_mac", mac(letter).to_string())
    }

    pub fn new_serial(self, letter: char) -> Self {
        self.with("new_serial_number", serial(letter))
    }

    /// Each text as long as it may be, of characters that JSON writes as long as it can.
    pub fn at_bounds(mut self) -> Self {
        let padding = |filled: usize, most: usize, with: char| -> String {
            std::iter::repeat_n(with, most - filled).collect()
        };
        let fill = |text: &str, most, with| text.to_owned() + &padding(text.len(), most, with);
        if let Some(Value::String(serial)) = self.body.get("new_serial_number").cloned() {
            self = self.with("new_serial_number", longest_serial(&serial));
        }
        let id = fill(&self.tag, RequestId::MAX_CHARS, '-');
        // Each is written as six bytes, and two are quotes.
        let log_extra = fill(&self.tag, self.tag.len() + (2046 - self.tag.len()) / 6, PADDING);
        self.with("model", model_of(MAX_TEXT_CHARS))
            .with("request_id", id)
            .with("log_extra", log_extra)
            .with("target", json!({"id": ID, "board": BOARD}))
    }

    pub fn on(mut self, topic: Topic) -> Self {
        self.topic = topic;
        self
    }

    /// Sent once, to whoever is subscribed.
    pub fn live(mut self) -> Self {
        self.retained = false;
        self
    }

    pub fn made(self) -> Asked {
        let Ask { tag, body, topic, retained } = self;
        let may_be_ignored = !body.contains_key("id");
        Asked { tag, request: Request::from_object(&body), topic, retained, may_be_ignored }
    }
}

/// Whether a request passed this through.
pub fn is_tagged(log_extra: &Value, tag: &str) -> bool {
    log_extra.as_str().is_some_and(|text| text.trim_end_matches(PADDING) == tag)
}

/// Which request a report is about.
pub fn tag(report: &Report) -> String {
    match (&report.log_extra, &report.request_id) {
        (Some(Value::String(tag)), _) => tag.trim_end_matches(PADDING).to_owned(),
        (_, Some(id)) => id.as_str().to_owned(),
        _ => String::new(),
    }
}
