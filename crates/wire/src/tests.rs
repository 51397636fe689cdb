//! The contract as a specification: the page's own examples, each rule, and properties over all of them.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::json::{self, FromJson};
use crate::topics::{FromBoard, ToPanel};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

fn documented_example() -> Map<String, Value> {
    object(json!({
        "group_external_id": "00000000-0000-0000-0000-000000000001",
        "flat_from": 1,
        "flat_to": 15,
        "new_serial_number": "new_serial_number",
        "mac": "AA:BB:CC:DD:EE:FF",
        "new_mac": "22:0D:CE:38:E7:15",
        "model": "3516EV200",
        "name": "intercom name",
        "department": 1,
        "log_extra": {"some": "information"}
    }))
}

fn errors_of(body: Value) -> Vec<(String, Vec<String>)> {
    match Patch::read(&object(body), Reader::Service) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.fields().map(|(f, t)| (f.to_owned(), t.to_vec())).collect(),
    }
}

fn wrong_fields(body: Value) -> Vec<String> {
    errors_of(body).into_iter().map(|(field, _)| field).collect()
}

#[test]
fn the_documented_example_is_valid_as_printed() {
    let patch = Patch::read(&documented_example(), Reader::Service).expect("valid");
    assert_eq!(patch.named_by, NamedBy::Mac("AA:BB:CC:DD:EE:FF".parse().expect("a MAC")));
    assert_eq!(patch.new_mac.map(|mac| mac.to_string()).as_deref(), Some("22:0D:CE:38:E7:15"));
    assert_eq!(patch.title.as_deref(), Some("intercom name"));
}

#[test]
fn the_documented_curl_body_names_each_wrong_field() {
    let body = json!({
        "id": 0, "mac": "string", "title": "string", "flat_from": "integer", "flat_to": "integer",
        "group_id": "integer", "group_external_id": "string", "new_mac": "string",
        "new_serial_number": "string", "model": "string", "log_extra": "string|array",
        "onvif_credentials": []
    });
    assert_eq!(
        wrong_fields(body),
        ["id", "mac", "flat_from", "flat_to", "group_id", "new_mac"],
        "and no other"
    );
}

#[test]
fn an_intercom_is_named_by_id_or_by_mac_but_not_by_both_or_neither() {
    let both = json!({"id": 1, "mac": "AA:BB:CC:DD:EE:FF", "group_id": 1});
    assert_eq!(wrong_fields(both), ["id", "mac"]);
    assert_eq!(wrong_fields(json!({"group_id": 1})), ["id", "mac"]);
    assert_eq!(wrong_fields(json!({"id": 1, "mac": null, "group_id": 1})), [""; 0]);
}

#[test]
fn a_group_is_required_by_the_service_and_not_by_the_panel() {
    let body = json!({"id": 1});
    assert_eq!(
        errors_of(body.clone()),
        [(
            "group_id".to_owned(),
            vec![
                "The group id field is required when group external id is not present.".to_owned()
            ]
        )]
    );
    assert!(Patch::read(&object(body), Reader::Panel).is_ok());
}

#[test]
fn a_model_is_required_with_a_new_identity() {
    let of =
        |body: Value| errors_of(body).into_iter().flat_map(|(_, texts)| texts).collect::<Vec<_>>();
    assert_eq!(
        of(json!({"id": 1, "group_id": 1, "new_mac": "22:0D:CE:38:E7:15"})),
        ["The model field is required when new mac is present."]
    );
    assert_eq!(
        of(
            json!({"id": 1, "group_id": 1, "new_mac": "22:0D:CE:38:E7:15", "new_serial_number": "A"})
        ),
        ["The model field is required when new mac / new serial number is present."]
    );
    assert_eq!(of(json!({"id": 1, "group_id": 1, "model": null})), [""; 0]);
}

#[test]
fn flats_are_a_range() {
    let body = json!({"id": 1, "group_id": 1, "flat_from": 16, "flat_to": 15});
    assert_eq!(
        errors_of(body),
        [(
            "flat_from".to_owned(),
            vec!["The flat from field must be less than or equal to 15.".to_owned()]
        )]
    );
}

#[test]
fn log_extra_is_a_string_an_array_or_an_object() {
    for right in [json!("text"), json!(["a"]), json!({"a": 1}), json!(null)] {
        assert_eq!(wrong_fields(json!({"id": 1, "group_id": 1, "log_extra": right})), [""; 0]);
    }
    for wrong in [json!(1), json!(true)] {
        assert_eq!(
            wrong_fields(json!({"id": 1, "group_id": 1, "log_extra": wrong})),
            ["log_extra"]
        );
    }
}

#[test]
fn every_error_is_told_at_once_with_a_summary() {
    let body = object(json!({"mac": 7, "flat_from": "x", "onvif_credentials": "secret"}));
    let errors = Patch::read(&body, Reader::Service).expect_err("invalid");
    assert_eq!(errors.message(), "The mac field must be a string. (and 3 more errors)");
    assert!(!serde_json::to_string(&errors).expect("JSON").contains("secret"));
}

#[test]
fn unknown_fields_are_ignored() {
    assert_eq!(wrong_fields(json!({"id": 1, "group_id": 1, "colour": "red"})), [""; 0]);
}

#[test]
fn a_mac_is_read_in_four_notations_and_shown_in_one() {
    for text in ["22:0d:ce:38:e7:15", "22-0D-CE-38-E7-15", "220d.ce38.e715", "220DCE38E715"] {
        assert_eq!(text.parse::<Mac>().map(|mac| mac.to_string()), Ok("22:0D:CE:38:E7:15".into()));
    }
}

#[test]
fn malformed_macs_are_refused() {
    for text in [
        "",
        "+2:0D:CE:38:E7:15",
        "22:0D:CE:38:E7",
        "22:0D:CE:38:E7:15:00",
        "22:0D-CE:38:E7:15",
        "220d.ce38:e715",
        "22:0D:CE:38:E7:1G",
        "220DCE38E71",
        " 22:0D:CE:38:E7:15",
        "2:20D:CE:38:E7:15",
        "22.0D.CE.38.E7.15",
        "éé:0D:CE:38:E7:1",
    ] {
        assert_eq!(text.parse::<Mac>(), Err(InvalidMac::Malformed), "{text}");
    }
    assert_eq!("00:00:00:00:00:00".parse::<Mac>(), Err(InvalidMac::Zero));
    assert_eq!("FF:FF:FF:FF:FF:FF".parse::<Mac>(), Err(InvalidMac::Multicast));
    assert_eq!("01:00:5E:00:00:01".parse::<Mac>(), Err(InvalidMac::Multicast));
}

#[test]
fn a_request_is_known_by_its_id_or_else_by_what_it_says() {
    let mut body = documented_example();
    let bare = Request::from_object(&body).expect("readable");
    assert!(matches!(bare.key(), RequestKey::Hash(_)));
    body.insert("request_id".into(), json!("r-1"));
    body.insert("seq".into(), json!(4));
    body.insert("issuer".into(), json!("billing-1"));
    body.insert("nonce".into(), json!("0a1b"));
    body.insert("onvif_credentials".into(), json!(["secret"]));
    let named = Request::from_object(&body).expect("readable");
    assert_eq!(named.key().to_string(), "r-1");
    assert_eq!(named.seq, Some(4));
    assert_eq!(named.issuer, "billing-1".parse().ok());
    assert_eq!(named.nonce, "0a1b".parse().ok());
    assert_eq!(named.hash, bare.hash, "what only carries it does not count");
    body.insert("new_serial_number".into(), json!("other"));
    assert_ne!(Request::from_object(&body).expect("readable").hash, bare.hash);
}

#[test]
fn a_request_tells_its_target_even_when_it_is_invalid() {
    let body = json!({"id": 5, "mac": "AA:BB:CC:DD:EE:FF", "new_mac": "FF:FF:FF:FF:FF:FF"});
    let request = Request::from_object(&object(body)).expect("readable");
    assert_eq!(request.target.id, Some(5));
    assert_eq!(request.target.mac, "AA:BB:CC:DD:EE:FF".parse().ok());
    assert!(request.content.is_err());
}

#[test]
fn a_wrong_envelope_makes_the_content_invalid() {
    for (field, value) in [
        ("request_id", json!("a/b")),
        ("seq", json!(-1)),
        ("seq", json!("1")),
        ("issuer", json!("a b")),
        ("nonce", json!(7)),
    ] {
        let mut body = documented_example();
        body.insert(field.into(), value);
        let errors = Request::from_object(&body).expect("readable").content.expect_err("invalid");
        assert_eq!(errors.fields().map(|(f, _)| f.to_owned()).collect::<Vec<_>>(), [field]);
    }
    let mut body = documented_example();
    body.insert("target".into(), json!("everyone"));
    assert!(Request::from_object(&body).is_err(), "nobody can tell whom it is for");
}

#[test]
fn what_is_not_a_request_is_told_so() {
    let text = |bytes: &[u8]| Request::read(bytes).expect_err("unreadable").errors.message();
    assert!(text(b"hello").starts_with("The body must be valid JSON: "));
    assert_eq!(text(b"[]"), "The body must be a JSON object.");
    assert!(text("[".repeat(60_000).as_bytes()).contains("recursion limit"));
    assert!(text(&vec![b' '; MAX_REQUEST_BYTES + 1]).contains("at most 65536"));
    assert!(text(b"{}").starts_with("The id field is required when mac is not present."));
}

#[test]
fn a_report_is_the_documented_answer_and_more() {
    let report = Report {
        intercom: IntercomBody {
            id: Some(123),
            external_id: None,
            department: None,
            title: None,
            mac: "22:0D:CE:38:E7:15".parse().ok(),
            model: Some("3516EV200".into()),
            serial_number: "S1".parse().ok(),
            status: Some(Outcome::Installed.to_string()),
            flat_from: None,
            flat_to: None,
            source: Some(SOURCE_AUTO_REPLACE.into()),
            group: None,
        },
        request_id: "r-1".parse().ok(),
        issuer: "billing-1".parse().ok(),
        board: "die-1".parse().expect("a board name"),
        target: None,
        outcome_identity: Some(Identity {
            mac: "22:0D:CE:38:E7:15".parse().expect("a MAC"),
            serial_number: None,
        }),
        deferred_seconds: None,
        seq_mark: None,
        outcomes_not_told: None,
        unclean_ends: None,
        previous: Identity {
            mac: "AA:BB:CC:DD:EE:FF".parse().expect("a MAC"),
            serial_number: None,
        },
        factory: FactoryIdentity::Unknown,
        reason: None,
        log_extra: None,
        message: None,
        errors: None,
    };
    let wire = serde_json::to_value(&report).expect("JSON");
    assert_eq!(wire["source"], "auto-replace");
    assert_eq!(wire["status"], "installed");
    assert_eq!(wire["issuer"], "billing-1");
    assert_eq!(wire["outcome_identity"]["mac"], "22:0D:CE:38:E7:15");
    assert_eq!(wire["factory"], "unknown");
    assert_eq!(report.outcome(), Some(Outcome::Installed));
    assert_eq!(Report::from_json(&wire).expect("a report"), report);
}

/// Any JSON at all, with the fields of a PATCH likely in it.
fn any_body() -> impl Strategy<Value = Map<String, Value>> {
    let field = prop_oneof![
        prop::sample::select([&IDENTITY_FIELDS[..], &OTHER_FIELDS].concat())
            .prop_map(str::to_owned),
        ".{0,8}",
    ];
    let value = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (1..200_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,70}".prop_map(Value::from),
        "[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({"id": 1})),
    ];
    prop::collection::vec((field, value), 0..12).prop_map(|fields| fields.into_iter().collect())
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Request::read(&bytes);
        let _ = Presence::read(&bytes);
        let _ = json::read::<Report>(&bytes);
        let _ = json::read::<RequestBody>(&bytes);
    }

    #[test]
    fn a_report_survives_being_said_and_read(
        issuer in "[a-zA-Z0-9._-]{0,70}", nonce in "\\PC{0,20}", octets in any::<[u8; 6]>(),
        serial in "\\PC{0,20}", seconds in any::<u64>(), word in "\\PC{0,20}",
    ) {
        let identity = json!({"mac": octets.map(|octet| format!("{octet:02X}")).join(":"),
            "serial_number": serial});
        let report = json!({
            "id": null, "external_id": null, "department": null, "title": null, "mac": null,
            "model": word, "serial_number": null, "status": word, "flat_from": null,
            "flat_to": null, "source": null, "group": null, "request_id": word, "issuer": issuer,
            "nonce": nonce, "board": "gate-1", "outcome_identity": identity, "previous": identity,
            "factory": "unknown", "deferred_seconds": seconds, "seq_mark": seconds,
        });
        if let Ok(read) = Report::from_json(&report) {
            let said = serde_json::to_vec(&read).expect("JSON");
            prop_assert_eq!(read.identity().map(|identity| identity.mac.octets()), Some(octets));
            prop_assert_eq!(json::read::<Report>(&said).expect("a report"), read);
        }
    }

    #[test]
    fn a_request_names_its_issuer_and_nonce_or_is_unreadable(
        issuer in "\\PC{0,70}", nonce in "\\PC{0,70}",
    ) {
        let mut body = documented_example();
        body.insert("request_id".into(), json!("r-1"));
        body.insert("issuer".into(), json!(issuer));
        body.insert("nonce".into(), json!(nonce));
        let bytes = serde_json::to_vec(&body).expect("JSON");
        if let Ok(request) = Request::read(&bytes) {
            prop_assert_eq!(request.issuer, issuer.parse().ok());
            prop_assert_eq!(request.nonce, nonce.parse().ok());
        }
    }

    #[test]
    fn a_requests_topic_is_read_as_the_board_that_it_was_made_for(
        name in "[a-zA-Z0-9_-]{1,64}", id in "[a-zA-Z0-9_-]{1,40}",
    ) {
        if let (Ok(board), Ok(id)) = (name.parse::<BoardName>(), id.parse()) {
            let topic = topics::patch_by_board(&board, &id);
            prop_assert_eq!(ToPanel::read(&topic), Some(ToPanel::Board(board)));
        }
    }

    #[test]
    fn an_error_names_a_field_that_is_really_wrong(body in any_body()) {
        // Taking the wrong fields out, or putting right values in, leaves nothing to complain of.
        let Err(errors) = Patch::read(&body, Reader::Service) else { return Ok(()) };
        let mut mended = body;
        for (field, texts) in errors.fields() {
            prop_assert!(!texts.is_empty());
            mended.remove(field);
        }
        let is_blank = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
        mended.retain(|_, value| !value.is_null() && !is_blank(value));
        for (field, value) in [("group_id", json!(1)), ("model", json!("m"))] {
            mended.entry(field).or_insert(value);
        }
        if !mended.contains_key("mac") {
            mended.entry("id").or_insert(json!(1));
        }
        prop_assert_eq!(Patch::read(&mended, Reader::Service).err(), None);
    }

    #[test]
    fn a_valid_request_has_a_target(body in any_body()) {
        if let Ok(patch) = Patch::read(&body, Reader::Panel) && !body.contains_key("target") {
            let target = Request::from_object(&body).expect("readable").target;
            match patch.named_by {
                NamedBy::Id(id) => prop_assert_eq!(target.id, Some(id)),
                NamedBy::Mac(mac) => prop_assert_eq!(target.mac, Some(mac)),
            }
        }
    }

    #[test]
    fn a_mac_survives_being_shown_and_read(octets in any::<[u8; 6]>()) {
        if let Ok(mac) = Mac::try_from(octets) {
            prop_assert_eq!(mac.to_string().parse(), Ok(mac));
            prop_assert_eq!(mac.octets(), octets);
        }
    }

    #[test]
    fn no_text_makes_the_mac_parser_panic(text in "\\PC{0,20}") {
        let _ = text.parse::<Mac>();
        let _ = text.parse::<SerialNumber>();
        let _ = text.parse::<BoardName>();
    }

    #[test]
    fn a_presence_survives_being_said_and_read(
        board in "[a-z0-9_-]{1,64}", octets in any::<[u8; 6]>(), serial in "[ -~]{1,64}",
        nonce in any::<u64>(), flags in any::<[bool; 3]>(),
    ) {
        let [online, changing, new_record] = flags;
        let state = if online { PresenceState::Online } else { PresenceState::Offline };
        if let Ok(board) = board.parse() {
            let presence = Presence {
                mac: Mac::try_from(octets).ok(),
                serial_number: serial.parse().ok(),
                nonce: Some(Nonce::of(nonce)),
                changing,
                new_record,
                ..Presence::of(board, state)
            };
            prop_assert_eq!(Presence::read(&presence.payload()), Ok(Some(presence)));
        }
    }

    #[test]
    fn a_topic_is_read_as_the_board_that_it_was_made_for(name in "\\PC{0,20}") {
        let topics = [topics::BOARD_STATUS, topics::BOARD_PRESENCE];
        let [status, presence] = topics.map(|topic| topic.replace("{board}", &name));
        let board = name.parse::<BoardName>().ok();
        prop_assert_eq!(FromBoard::read(&status), board.clone().map(FromBoard::Status));
        prop_assert_eq!(FromBoard::read(&presence), board.map(FromBoard::Presence));
    }

    #[test]
    fn a_serial_number_survives_being_shown_and_read(text in "[ -~]{1,64}") {
        if let Ok(serial) = text.parse::<SerialNumber>() {
            prop_assert_eq!(serial.as_str(), text.as_str());
            let wire = serde_json::to_string(&serial).expect("JSON");
            prop_assert_eq!(json::read::<SerialNumber>(wire.as_bytes()).expect("a serial"), serial);
        }
    }
}

#[test]
fn what_billing_writes_is_what_a_panel_reads() {
    let body = RequestBody {
        id: None,
        mac: "AA:BB:CC:DD:EE:FF".parse().ok(),
        new_mac: "22:0D:CE:38:E7:15".parse().ok(),
        new_serial_number: "S1".parse().ok(),
        model: Some("3516EV200".to_owned()),
        log_extra: Some(json!({"some": "information"})),
        request_id: "r-1".parse().expect("a request id"),
        issuer: "billing-1".parse().expect("an issuer"),
        nonce: "0a1b".parse().ok(),
        seq: 7,
        target: Target { id: Some(123), mac: "AA:BB:CC:DD:EE:FF".parse().ok(), board: None },
    };
    let bytes = serde_json::to_vec(&body).expect("JSON");
    assert_eq!(json::read::<RequestBody>(&bytes).expect("a body"), body);
    let read = Request::read(&bytes).expect("a request");
    assert_eq!((read.id, read.seq, read.target), (Some(body.request_id), Some(7), body.target));
    assert_eq!((read.issuer, read.nonce), (Some(body.issuer), body.nonce));
    let patch = read.content.expect("valid");
    assert_eq!((patch.new_mac, patch.new_serial_number), (body.new_mac, body.new_serial_number));
    assert_eq!((patch.model, patch.log_extra), (body.model, body.log_extra));
}

#[test]
fn a_model_is_its_letters_and_digits_in_any_case() {
    for spelling in ["DKS20211-B", "dks 20211/b", "DKS\u{2013}20211\u{a0}B"] {
        assert_eq!(comparable_model(spelling), "dks20211b", "{spelling}");
    }
    assert_ne!(comparable_model("\u{414}\u{41a}\u{421}-1"), comparable_model("DKS-1"));
    assert_eq!(comparable_model(" \u{2013} "), "");
}

#[test]
fn texts_are_trimmed_and_blank_ones_are_absent() {
    let body = json!({
        "id": " 7 ", "mac": "", "title": "  Front door ", "group_id": "6", "group_external_id": " ",
        "department": "", "flat_from": "1", "flat_to": 15, "model": "\tX ", "new_serial_number": " S1 ",
        "log_extra": "",
    });
    let patch = Patch::read(&object(body), Reader::Service).expect("valid");
    assert_eq!(patch.named_by, NamedBy::Id(7));
    assert_eq!((patch.title.as_deref(), patch.model.as_deref()), (Some("Front door"), Some("X")));
    assert_eq!((patch.group_id, patch.group_external_id), (Some(6), None));
    assert_eq!((patch.department, patch.flat_from, patch.flat_to), (None, Some(1), Some(15)));
    assert_eq!(patch.new_serial_number, "S1".parse().ok());
    assert_eq!(patch.log_extra, Some(json!("")), "it passes through as it is");
}

#[test]
fn a_blank_group_is_no_group_and_a_blank_model_is_no_model() {
    let body =
        json!({"id": 1, "group_external_id": "", "new_mac": "22:0D:CE:38:E7:15", "model": " "});
    let errors = Patch::read(&object(body), Reader::Service).expect_err("invalid");
    assert_eq!(errors.fields().map(|(field, _)| field).collect::<Vec<_>>(), ["group_id", "model"]);
}

#[test]
fn a_text_has_a_bound() {
    for (chars, good) in [(MAX_TEXT_CHARS, true), (MAX_TEXT_CHARS + 1, false)] {
        for field in ["title", "name", "model", "group_external_id"] {
            let mut body = json!({"id": 1, "group_id": 1});
            body[field] = json!("\u{e9}".repeat(chars));
            let read = Patch::read(&object(body), Reader::Service);
            assert_eq!(read.is_ok(), good, "{field} of {chars} characters");
        }
    }
}

#[test]
fn only_digits_in_a_string_are_an_integer() {
    for wrong in ["7x", "0x7", "7.0", "1e3", "9223372036854775808", "--1"] {
        let errors = Patch::read(&object(json!({"id": wrong, "group_id": 1})), Reader::Service);
        let errors = errors.expect_err("no integer");
        assert_eq!(errors.message(), "The id field must be an integer.", "{wrong}");
    }
}

#[test]
fn log_extra_has_a_bound() {
    for (length, good) in [(MAX_LOG_EXTRA_BYTES - 2, true), (MAX_LOG_EXTRA_BYTES - 1, false)] {
        let body = json!({"id": 1, "group_id": 1, "log_extra": "x".repeat(length)});
        assert_eq!(Patch::read(&object(body), Reader::Service).is_ok(), good, "{length}");
    }
}
