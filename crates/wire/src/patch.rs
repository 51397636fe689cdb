//! The body of `PATCH /api/v1/billing/intercoms`.

use serde_json::{Map, Value};

use super::fields::Fields;
use super::{Errors, Mac, SerialNumber};

/// The largest `log_extra`, in bytes of JSON: a request with it still fits where a panel reads it.
pub const MAX_LOG_EXTRA_BYTES: usize = 16 * 1024;

/// A valid PATCH body.
///
/// `onvif_credentials` are checked to be an array and then let go: nothing here can hold, log or
/// echo them.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    /// Which intercom is meant.
    pub named_by: NamedBy,
    /// The intercom's name; `name` is accepted for it, since the page's example says so.
    pub title: Option<String>,
    /// The first flat that the panel serves.
    pub flat_from: Option<i64>,
    /// The last flat that the panel serves, not below `flat_from`.
    pub flat_to: Option<i64>,
    /// The department's number.
    pub department: Option<i64>,
    /// The group (address) by its ID.
    pub group_id: Option<i64>,
    /// The group (address) by its ID in an external system.
    pub group_external_id: Option<String>,
    /// The MAC address that the panel shall have.
    pub new_mac: Option<Mac>,
    /// The serial number that the panel shall have.
    pub new_serial_number: Option<SerialNumber>,
    /// The panel's model; there whenever a new identity is.
    pub model: Option<String>,
    /// What an external system wants passed through: a string, an array or an object.
    pub log_extra: Option<Value>,
}

/// An intercom is named by its ID or by its MAC address, never by both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// By ID.
    Id(i64),
    /// By MAC address.
    Mac(Mac),
}

/// Who reads the body, since one rule binds only one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The billing service: a group is required.
    Service,
    /// A panel: an identity change is not refused for want of a group.
    Panel,
}

impl Patch {
    /// Reads a body.
    ///
    /// # Errors
    /// Every rule that the body breaks, at once.
    pub fn read(body: &Map<String, Value>, reader: Reader) -> Result<Self, Errors> {
        let mut fields = Fields::new(body);
        let named_by = named_by(&mut fields);
        let title = ["title", "name"].map(|field| fields.string(field));
        let [flat_from, flat_to] = flats(&mut fields);
        let department = fields.integer("department");
        let group_id = fields.id("group_id");
        let group_external_id = fields.string("group_external_id");
        if reader == Reader::Service && !fields.has("group_id") && !fields.has("group_external_id")
        {
            fields.error(
                "group_id",
                "The group id field is required when group external id is not present.",
            );
        }
        let new_mac = fields.mac("new_mac");
        let new_serial_number = fields.serial_number("new_serial_number");
        let model = model(&mut fields);
        let log_extra = log_extra(&mut fields);
        if fields.get("onvif_credentials").is_some_and(|value| !value.is_array()) {
            fields.error("onvif_credentials", "The onvif credentials field must be an array.");
        }
        let patch = named_by.map(|named_by| Patch {
            named_by,
            title: title.into_iter().flatten().next().map(str::to_owned),
            flat_from,
            flat_to,
            department,
            group_id,
            group_external_id: group_external_id.map(str::to_owned),
            new_mac,
            new_serial_number,
            model: model.map(str::to_owned),
            log_extra,
        });
        fields.finish(patch)
    }

    /// Whether it asks for another identity, and not only for other billing data.
    pub fn changes_identity(&self) -> bool {
        self.new_mac.is_some() || self.new_serial_number.is_some()
    }
}

fn named_by(fields: &mut Fields<'_>) -> Option<NamedBy> {
    let (id, mac) = (fields.id("id"), fields.mac("mac"));
    match (fields.has("id"), fields.has("mac")) {
        (true, true) => {
            fields.error("id", "The id field prohibits mac from being present.");
            fields.error("mac", "The mac field prohibits id from being present.");
            None
        }
        (false, false) => {
            fields.error("id", "The id field is required when mac is not present.");
            fields.error("mac", "The mac field is required when id is not present.");
            None
        }
        _ => id.map(NamedBy::Id).or(mac.map(NamedBy::Mac)),
    }
}

fn flats(fields: &mut Fields<'_>) -> [Option<i64>; 2] {
    let flats = [fields.integer("flat_from"), fields.integer("flat_to")];
    if let [Some(from), Some(to)] = flats
        && from > to
    {
        fields
            .error("flat_from", format!("The flat from field must be less than or equal to {to}."));
    }
    flats
}

fn model<'a>(fields: &mut Fields<'a>) -> Option<&'a str> {
    let model = fields.string("model");
    let changes: Vec<_> = ["new_mac", "new_serial_number"]
        .into_iter()
        .filter(|field| fields.has(field))
        .map(super::fields::spoken)
        .collect();
    if !fields.has("model") && !changes.is_empty() {
        let changes = changes.join(" / ");
        fields.error("model", format!("The model field is required when {changes} is present."));
    }
    model
}

fn log_extra(fields: &mut Fields<'_>) -> Option<Value> {
    match fields.untouched("log_extra") {
        Some(value @ (Value::String(_) | Value::Array(_) | Value::Object(_))) => {
            if value.to_string().len() > MAX_LOG_EXTRA_BYTES {
                let text = format!(
                    "The log extra field must not be greater than {MAX_LOG_EXTRA_BYTES} bytes."
                );
                fields.error("log_extra", text);
                return None;
            }
            Some(value.clone())
        }
        Some(_) => {
            fields.error("log_extra", "The log extra field must be a string or an array.");
            None
        }
        None => None,
    }
}
