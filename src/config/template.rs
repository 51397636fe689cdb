//! Topics and paths with the panel's own values filled in.

use std::fmt;
use std::str::FromStr;

use intercom_wire::{BoardName, Mac, SerialNumber};

/// A topic or a path with placeholders, such as `intercoms/{mac}/patch`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    kind: Kind,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Topic,
    Path,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(Field),
}

/// What can be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Mac,
    SerialNumber,
    Id,
    Model,
    Board,
}

/// The values of one panel under one identity.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// `{mac}`.
    pub mac: Mac,
    /// `{serial_number}`.
    pub serial_number: Option<&'a SerialNumber>,
    /// `{id}`.
    pub id: Option<i64>,
    /// `{model}`.
    pub model: Option<&'a str>,
    /// `{board}`.
    pub board: &'a BoardName,
}

/// A placeholder that could not be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfilled {
    field: Field,
    /// The value, where there is one that does not fit.
    value: Option<String>,
}

impl Template {
    /// Reads an MQTT topic: no wildcards, since the agent adds its own.
    ///
    /// # Errors
    /// What is wrong with it and what would be right.
    pub fn topic(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.ends_with('/') || text.contains(['+', '#', '\0']) {
            return Err(format!(
                "`{text}` is not a topic such as intercoms/{{mac}}/patch: it is empty, ends with a slash, or has a `+` or `#` in it"
            ));
        }
        Self::read(Kind::Topic, text)
    }

    /// Reads the path of an HTTP request, from its first slash.
    ///
    /// # Errors
    /// What is wrong with it and what would be right.
    pub fn path(text: &str) -> Result<Self, String> {
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#');
        if !text.starts_with('/') || !text.bytes().all(plain) {
            // The text is not shown: a query may have a token in it.
            return Err(
                "it is not a path such as /api/v1/agent/pending: it begins with a slash and has no space, `?` or `#` in it"
                    .to_owned(),
            );
        }
        Self::read(Kind::Path, text)
    }

    fn read(kind: Kind, text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let push_text = |parts: &mut Vec<Part>, part: &str| {
            if part.contains('}') {
                return Err(format!("`{text}` has a `}}` without a `{{`"));
            }
            if !part.is_empty() {
                parts.push(Part::Text(part.to_owned()));
            }
            Ok(())
        };
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| format!("`{text}` has a `{{` without a `}}`"))?;
            push_text(&mut parts, before)?;
            parts.push(Part::Field(name.parse()?));
            rest = after;
        }
        push_text(&mut parts, rest)?;
        Ok(Template { kind, parts })
    }

    /// Whether it is the other one, or below it.
    pub fn is_within(&self, other: &Template) -> bool {
        let (own, other) = (self.to_string(), other.to_string());
        own.strip_prefix(&other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The topic or path of one panel.
    ///
    /// # Errors
    /// When a placeholder's value is not known, or would be more than one level of a topic.
    pub fn fill(&self, values: &Values<'_>) -> Result<String, Unfilled> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Field(field) => {
                    let value =
                        values.get(*field).ok_or(Unfilled { field: *field, value: None })?;
                    match self.kind {
                        Kind::Path => push_percent_encoded(&mut filled, &value),
                        Kind::Topic if value.contains(['/', '+', '#', '\0']) => {
                            return Err(Unfilled { field: *field, value: Some(value) });
                        }
                        Kind::Topic => filled.push_str(&value),
                    }
                }
            }
        }
        Ok(filled)
    }
}

/// Encodes what RFC 3986 does not allow as it is in one segment of a path.
fn push_percent_encoded(to: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            to.push(char::from(byte));
        } else {
            to.push_str(&format!("%{byte:02X}"));
        }
    }
}

impl Values<'_> {
    fn get(&self, field: Field) -> Option<String> {
        match field {
            Field::Mac => Some(self.mac.to_string()),
            Field::SerialNumber => self.serial_number.map(ToString::to_string),
            Field::Id => self.id.map(|id| id.to_string()),
            Field::Model => self.model.map(str::to_owned),
            Field::Board => Some(self.board.to_string()),
        }
    }
}

impl FromStr for Field {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Ok(match name {
            "mac" => Field::Mac,
            "serial_number" => Field::SerialNumber,
            "id" => Field::Id,
            "model" => Field::Model,
            "board" => Field::Board,
            _ => {
                return Err(format!(
                    "`{{{name}}}` is not known: use {{mac}}, {{serial_number}}, {{id}}, {{model}} or {{board}}"
                ));
            }
        })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::Mac => "{mac}",
            Field::SerialNumber => "{serial_number}",
            Field::Id => "{id}",
            Field::Model => "{model}",
            Field::Board => "{board}",
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Field(field) => field.fmt(f),
        })
    }
}

impl fmt::Display for Unfilled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field;
        match &self.value {
            None => write!(f, "{field} has no value on this board"),
            Some(value) => write!(
                f,
                "{field} is `{value}` on this board, and `/`, `+` and `#` mean something else in a topic"
            ),
        }
    }
}

impl std::error::Error for Unfilled {}
