//! A request that a person writes. On the wire an unknown field is fine, since another platform may
//! need it; by hand it is a typing error.

use intercom_wire::{IDENTITY_FIELDS, OTHER_FIELDS, Request};
use serde_json::{Map, Value};

use super::args::Apply;
use super::exit::Failure;
use super::output;
use crate::panel::Panel;
use crate::spelling::nearest;

/// Warns of each field that the API does not have.
///
/// # Errors
/// When a valid request asks for nothing: to answer `installed` would hide the mistake.
pub(super) fn look_over(payload: &[u8]) -> Result<(), Failure> {
    // What is no object has no fields to look at; it is rejected for that.
    let Ok(Value::Object(body)) = serde_json::from_slice(payload) else { return Ok(()) };
    let known = [&IDENTITY_FIELDS[..], &OTHER_FIELDS].concat();
    let unknown: Vec<_> = body
        .keys()
        .filter(|field| !known.contains(&field.as_str()))
        .map(|field| match nearest(field, &known) {
            Some(meant) => format!("this API has no field `{field}`: did you mean `{meant}`?"),
            None => format!("this API has no field `{field}`"),
        })
        .collect();
    let asks_for_nothing = Request::read(payload)
        .is_ok_and(|request| request.content.is_ok_and(|patch| !patch.changes_identity()));
    if asks_for_nothing {
        let nothing = "the request asks for no new identity".to_owned();
        return Err(Failure::rejected([vec![nothing], unknown].concat().join("; ")));
    }
    unknown.iter().for_each(|text| output::complain(&format!("warning: {text}")));
    Ok(())
}

/// The request that the options make; `None` if there are none. What they do not say is this panel's.
///
/// # Errors
/// When a value was forgotten, or this panel's identity is needed and cannot be read.
pub(super) fn from_options(apply: &Apply, panel: &Panel) -> Result<Option<String>, Failure> {
    let mut body = Map::new();
    for (field, value) in [
        ("new_mac", &apply.new_mac),
        ("new_serial_number", &apply.new_serial_number),
        ("mac", &apply.mac),
        ("id", &apply.id),
        ("model", &apply.model),
    ] {
        let Some(value) = value else { continue };
        // The service takes an empty field for one that is not there: nothing would be asked for.
        let is_empty = IDENTITY_FIELDS.contains(&field) && value.trim().is_empty();
        // The next option stands where a value was forgotten.
        if is_empty || value.starts_with("--") {
            let option = field.replace('_', "-");
            return Err(Failure::usage(format!("--{option} needs a value, and has `{value}`")));
        }
        body.insert(field.to_owned(), value.as_str().into());
    }
    if body.is_empty() {
        return Ok(None);
    }
    if !IDENTITY_FIELDS.iter().any(|field| body.contains_key(*field)) {
        return Err(Failure::usage("the options need --new-mac, --new-serial-number or both"));
    }
    if apply.mac.is_none() && apply.id.is_none() {
        let own = panel.record().map_err(Failure::new)?.carried().identity.mac;
        body.insert("mac".to_owned(), own.to_string().into());
    }
    if let (None, Some(own)) = (&apply.model, panel.survey.models.first()) {
        body.insert("model".to_owned(), own.value.as_str().into());
    }
    Ok(Some(Value::Object(body).to_string()))
}

#[cfg(test)]
mod tests {
    use intercom_wire::{Patch, Reader};
    use serde_json::json;

    use super::super::exit::Exit;
    use super::*;

    /// Every field of which a wrong value is noticed is in one of the lists, and the other way round.
    #[test]
    fn the_known_fields_are_those_that_the_request_reads() {
        for field in IDENTITY_FIELDS.iter().chain(&OTHER_FIELDS) {
            let mut body = json!({"mac": "00:00:5E:00:53:01"});
            let field = *field;
            body[field] = json!(true);
            let body = body.as_object().expect("an object");
            let errors = match Request::from_object(body) {
                Ok(request) => request.content.expect_err(field),
                Err(unreadable) => unreadable.errors,
            };
            assert!(errors.fields().any(|(named, _)| named == field), "{field}: {errors}");
        }
    }

    #[test]
    fn the_page_s_own_example_has_only_known_fields() {
        let body = json!({
            "id": 1, "name": "Entrance 1", "flat_from": 1, "flat_to": 5, "department": 1,
            "group_id": 1, "group_external_id": "a", "new_mac": "00:00:5E:00:53:01",
            "new_serial_number": "A1", "model": "M", "log_extra": {}, "onvif_credentials": [],
        });
        let body = body.as_object().expect("an object");
        Patch::read(body, Reader::Service).expect("valid");
        let known: Vec<_> = IDENTITY_FIELDS.iter().chain(&OTHER_FIELDS).copied().collect();
        assert!(body.keys().all(|field| known.contains(&field.as_str())));
    }

    #[test]
    fn nothing_asked_for_but_a_typing_error_is_an_error_that_names_the_field() {
        let typed = br#"{"mac": "00:00:5E:00:53:01", "newmac": "00:00:5E:00:53:02"}"#;
        let failure = look_over(typed).expect_err("nothing is asked for");
        assert!(failure.message.contains("did you mean `new_mac`?"), "{}", failure.message);
    }

    #[test]
    fn a_request_that_asks_for_nothing_is_rejected() {
        for asked in [json!({}), json!({"new_mac": null}), json!({"new_mac": "", "newserial": "x"})]
        {
            let mut body = json!({"mac": "00:00:5E:00:53:01"});
            let fields = asked.as_object().expect("an object").clone();
            body.as_object_mut().expect("an object").extend(fields);
            let failure = look_over(body.to_string().as_bytes()).expect_err("nothing is asked for");
            assert_eq!(failure.exit, Exit::Rejected);
            assert!(failure.message.contains("no new identity"), "{}", failure.message);
        }
        let invalid = br#"{"mac": "00:00:5E:00:53:01", "new_mac": 7}"#;
        assert!(look_over(invalid).is_ok(), "it is rejected with its fields");
    }
}
