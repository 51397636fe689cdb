//! Panels that poll: who is offered a request, and what their reports change.

use std::time::Duration;

use crate::common::{AGENT, NEW, OLD, Running, documented_example, report};
use crate::strangers::board_of_door;
use serde_json::{Value, json};
use ureq::http::Method;

fn no_grace() -> Running {
    Running::start_with(|settings| settings.grace = Duration::ZERO)
}

/// The polls of the replacement on the wall and of the panel at the door.
fn new() -> String {
    format!("mac={NEW}&board=die-1")
}

fn old() -> String {
    format!("mac={OLD}&board=die-old")
}

/// Asks for the replacement, and the replacement polls.
fn asked(billing: &Running) -> String {
    billing.old_intercom();
    let request_id = billing.ask();
    assert_eq!(offered(billing, &new()), [request_id.as_str()]);
    request_id
}

fn offered(billing: &Running, query: &str) -> Vec<String> {
    let answer = billing.pending(query);
    assert_eq!(answer.status, 200, "{answer:?}");
    let requests = answer.body.as_array().expect("an array").iter();
    requests.map(|request| request["request_id"].as_str().expect("an ID").to_owned()).collect()
}

#[test]
fn a_request_is_the_patch_reduced_to_what_a_panel_needs() {
    let billing = Running::start();
    let id = billing.old_intercom();
    let request_id = billing.ask();
    let mut requests = billing.pending(&format!("mac={NEW}&board=die-2&nonce=n-1")).body;
    let seq = requests[0].as_object_mut().and_then(|request| request.remove("seq"));
    assert!(seq.is_some_and(|seq| seq.is_u64()));
    let issuer = requests[0].as_object_mut().and_then(|request| request.remove("issuer"));
    assert!(issuer.is_some_and(|issuer| issuer.is_string()));
    assert_eq!(
        requests,
        json!([{
            "mac": OLD,
            "new_mac": NEW,
            "new_serial_number": "new_serial_number",
            "model": "3516EV200",
            "log_extra": {"some": "information"},
            "request_id": request_id,
            "nonce": "n-1",
            "target": {"id": id, "mac": OLD}
        }])
    );
}

#[test]
fn the_old_panel_is_asked_only_when_no_replacement_shows_up_in_the_grace_time() {
    let billing = Running::start();
    billing.old_intercom();
    let request_id = billing.ask();
    assert_eq!(offered(&billing, &old()), [] as [&str; 0], "the hour is not over");
    assert_eq!(offered(&billing, &new()), [request_id]);
}

#[test]
fn the_old_panel_is_asked_once_the_grace_time_is_over() {
    let billing = no_grace();
    billing.old_intercom();
    let request_id = billing.ask();
    assert_eq!(offered(&billing, &old()), [request_id]);
}

#[test]
fn a_poll_shows_that_the_replacement_is_there_also_after_a_restart() {
    let mut billing = no_grace();
    billing.old_intercom();
    offered(&billing, &new());
    let request_id = billing.ask();
    assert_eq!(offered(&billing, &old()), [] as [&str; 0]);
    billing.restart();
    assert_eq!(offered(&billing, &old()), [] as [&str; 0]);
    assert_eq!(offered(&billing, &new()), [request_id]);
}

#[test]
fn a_serial_number_alone_is_for_the_named_panel_at_once() {
    let billing = Running::start();
    let id = billing.old_intercom();
    let body = json!({"id": id, "group_id": 6, "new_serial_number": "S2", "model": "M"});
    assert_eq!(billing.patch(body).status, 200);
    let request = billing.pending(&old()).body[0].clone();
    assert_eq!((&request["id"], &request["new_mac"]), (&json!(id), &Value::Null));
    assert_eq!(request["target"]["board"], "die-old", "it was the first with that MAC address");
}

#[test]
fn a_doors_board_is_known_by_its_name_alone() {
    let billing = no_grace();
    let id = billing.old_intercom();
    offered(&billing, &old());
    let request_id = billing.ask();
    let unknown = "02:00:00:00:00:99";
    for (query, is_offered) in [
        (format!("mac={unknown}&board=die-old"), true),
        (format!("mac={unknown}&id={id}&board=die-9"), false),
        (format!("mac={OLD}&board=die-9"), false),
        (old(), true),
    ] {
        let expected: &[&str] = if is_offered { &[&request_id] } else { &[] };
        assert_eq!(offered(&billing, &query), expected, "{query}");
    }
}

#[test]
fn while_a_doors_board_is_unknown_an_id_stands_for_it_unless_another_fits_better() {
    let billing = no_grace();
    let id = billing.old_intercom();
    let other = "02:00:00:00:00:02";
    assert_eq!(billing.post(json!({"mac": other})).status, 201);
    let request_id = billing.ask();
    let unknown = "02:00:00:00:00:99";
    for (query, is_offered) in [
        (format!("mac={other}&id={id}&board=die-2"), false),
        (format!("mac={unknown}&board=die-9"), false),
        (format!("mac={unknown}&id=99&board=die-9"), false),
        (format!("mac={unknown}&id={id}&board=die-9"), true),
    ] {
        let expected: &[&str] = if is_offered { &[&request_id] } else { &[] };
        assert_eq!(offered(&billing, &query), expected, "{query}");
    }
}

#[test]
fn an_unchanged_list_is_not_sent_again() {
    let billing = Running::start();
    billing.old_intercom();
    let path = format!("/api/v1/agent/pending?{}", new());
    let poll = |tag: &str| billing.send(Method::GET, &path, &[AGENT, ("If-None-Match", tag)], None);
    let empty = poll("\"none\"");
    assert_eq!((empty.status, empty.text.as_str()), (200, "[]"));
    let tag = empty.etag.expect("a tag");
    let unchanged = poll(&tag);
    assert_eq!((unchanged.status, unchanged.etag.as_ref()), (304, Some(&tag)));
    billing.ask();
    let changed = poll(&tag);
    assert_eq!(changed.status, 200);
    assert_ne!(changed.etag, Some(tag));
}

#[test]
fn a_poll_must_say_who_polls() {
    let billing = Running::start();
    for query in [
        "",
        "mac=x&board=b",
        "mac=FF:FF:FF:FF:FF:FF&board=b",
        "mac=22:0D:CE:38:E7:15",
        "mac=22:0D:CE:38:E7:15&board=a.b",
        "mac=22:0D:CE:38:E7:15&board=who",
    ] {
        assert_eq!(billing.pending(query).status, 422, "{query}");
    }
}

#[test]
fn installed_confirms_and_deletes_the_spares_own_record() {
    let billing = Running::start();
    let id = billing.old_intercom();
    let spare = billing.post(json!({"mac": NEW, "serial_number": "new_serial_number"})).body;
    let request_id = billing.ask();
    assert_eq!(offered(&billing, &new()), [request_id.as_str()]);
    assert_eq!(
        billing.report(report(&request_id, "installed", NEW, "new_serial_number")).status,
        204
    );
    let shown = billing.show(&format!("mac={NEW}")).body;
    assert_eq!((&shown["id"], &shown["status"]), (&json!(id), &json!("installed")));
    assert_eq!(billing.show(&format!("id={}", spare["id"])).status, 404);
    assert_eq!(billing.show(&format!("mac={OLD}")).status, 404, "no intercom has that MAC now");
    assert_eq!(offered(&billing, &new()), [] as [&str; 0]);
    assert_eq!(billing.requests()[0]["board"], "die-1");
}

#[test]
fn a_spare_that_is_promised_to_a_door_gets_no_place_of_its_own() {
    let billing = Running::start();
    let door = billing.old_intercom();
    let spare = billing.post(json!({"mac": NEW, "serial_number": "new_serial_number"})).body;
    let its_place = json!({"id": spare["id"], "group_id": 1});
    billing.ask();
    let refused = billing.patch(its_place.clone());
    let why = "The spare has been promised to another intercom as its replacement.";
    assert_eq!((refused.status, &refused.body["errors"]), (422, &json!({"id": [why]})));
    let mut another = its_place.clone();
    another["model"] = json!("M");
    another["new_mac"] = json!("22:0D:CE:38:E7:99");
    let refused = billing.patch(another);
    assert_eq!((refused.status, &refused.body["errors"]), (422, &json!({"id": [why]})));
    assert_eq!(billing.delete(&format!("id={door}")).status, 204);
    assert_eq!(billing.patch(its_place).body["status"], "installed", "it is free again");
}

#[test]
fn any_other_outcome_puts_the_confirmed_identity_back_and_keeps_the_reason() {
    for outcome in ["rejected", "rolled_back", "failed"] {
        let billing = Running::start();
        let request_id = asked(&billing);
        let mut body = report(&request_id, outcome, OLD, "S-OLD");
        body["reason"] = json!("no answer under the new address");
        assert_eq!(billing.report(body).status, 204);
        let shown = billing.show(&format!("mac={OLD}")).body;
        assert_eq!((&shown["status"], &shown["serial_number"]), (&json!(outcome), &json!("S-OLD")));
        let entry = &billing.requests()[0];
        assert_eq!(entry["state"], outcome);
        assert_eq!(entry["reason"], "no answer under the new address");
        assert_eq!(billing.post(json!({"mac": NEW})).status, 201, "the new MAC is free again");
    }
}

#[test]
fn installed_from_any_board_that_was_offered_it_beats_a_rejection_from_another() {
    let billing = no_grace();
    billing.old_intercom();
    let request_id = billing.ask();
    assert_eq!(offered(&billing, &old()), [request_id.as_str()]);
    assert_eq!(offered(&billing, &new()), [request_id.as_str()]);
    let mut rejected = report(&request_id, "rejected", OLD, "S-OLD");
    rejected["board"] = json!("die-old");
    billing.report(rejected.clone());
    assert_eq!(billing.show("id=1").body["status"], "rejected");
    billing.report(report(&request_id, "installed", NEW, "new_serial_number"));
    assert_eq!(billing.show("id=1").body["status"], "installed");
    billing.report(rejected);
    assert_eq!(billing.show("id=1").body["status"], "installed", "and stays so");
}

#[test]
fn a_late_installed_never_takes_an_identity_that_another_intercom_has_now() {
    let billing = Running::start();
    let request_id = asked(&billing);
    billing.report(report(&request_id, "failed", OLD, "S-OLD"));
    let other = billing.post(json!({"mac": NEW})).body["id"].clone();
    billing.patch(json!({"id": other, "group_id": 1}));
    assert_eq!(
        billing.report(report(&request_id, "installed", NEW, "new_serial_number")).status,
        204
    );
    assert_eq!(billing.show("id=1").body["mac"], OLD);
}

#[test]
fn a_rollback_by_hand_changes_the_record() {
    let billing = Running::start();
    let request_id = asked(&billing);
    billing.report(report(&request_id, "installed", NEW, "new_serial_number"));
    billing.report(report(&request_id, "rolled_back", OLD, "S-OLD"));
    let shown = billing.show("id=1").body;
    assert_eq!((&shown["mac"], &shown["status"]), (&json!(OLD), &json!("rolled_back")));
}

#[test]
fn a_report_about_nothing_pending_is_taken_and_changes_nothing() {
    let billing = Running::start();
    asked(&billing);
    let before = billing.show("id=1").body;
    let mut nameless = report("x", "installed", NEW, "new_serial_number");
    nameless["request_id"] = Value::Null;
    let words = report(&billing.newest_request_id(), "dancing", NEW, "new_serial_number");
    let lies = report(&billing.newest_request_id(), "installed", OLD, "S-OLD");
    for body in [report("unknown", "installed", NEW, "S"), nameless, words, lies] {
        assert_eq!(billing.report(body.clone()).status, 204, "{body}");
        assert_eq!(billing.show("id=1").body, before, "{body}");
    }
}

#[test]
fn a_body_that_is_not_a_report_is_refused_with_its_errors() {
    let billing = Running::start();
    for wrong in [json!({}), json!({"board": "a b"}), json!({"board": "b", "mac": 7}), json!([])] {
        let answer = billing.report(wrong.clone());
        assert_eq!(answer.status, 422, "{wrong}");
        assert!(answer.body["errors"]["body"].is_array());
    }
}

#[test]
fn a_second_patch_supersedes_the_first_and_the_same_again_does_not() {
    let billing = Running::start();
    let first = asked(&billing);
    assert_eq!(billing.ask(), first, "sent again by a caller that got no answer");
    let third = "02:00:00:00:00:03";
    // Named by the MAC address that was asked for, which is the one that the API shows.
    let body = json!({"mac": NEW, "group_id": 6, "new_mac": third, "model": "3516EV200"});
    assert_eq!(billing.patch(body).body["mac"], third);
    let requests = billing.requests();
    assert_eq!(
        (&requests[0]["state"], &requests[1]["state"]),
        (&json!("pending"), &json!("superseded"))
    );
    assert_eq!(offered(&billing, &new()), [] as [&str; 0]);
    let third_board = format!("mac={third}&board=die-3");
    let second = billing.pending(&third_board).body[0].clone();
    assert_eq!(second["target"]["mac"], OLD, "addressed to the confirmed MAC");
    assert_eq!(second["new_serial_number"], "new_serial_number", "that is still wanted");
    // The panel had carried out the first before it could receive the second.
    billing.report(report(&first, "installed", NEW, "new_serial_number"));
    assert_eq!(billing.show("id=1").body["mac"], third, "still pending");
    let again = billing.pending(&third_board).body[0].clone();
    assert_eq!(again["request_id"], second["request_id"]);
    assert_eq!(again["target"]["mac"], NEW, "it is found where it is now");
}

#[test]
fn the_documented_patch_from_a_panel_is_its_report() {
    let billing = Running::start();
    billing.old_intercom();
    let request_id = billing.ask();
    let from_panel = |mac: &str| {
        json!({
            "mac": mac, "new_mac": NEW, "new_serial_number": "new_serial_number",
            "model": "3516EV200", "log_extra": {"some": "information", "request_id": request_id}
        })
    };
    for _ in 0..2 {
        let answer = billing.patch(from_panel(OLD));
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("installed")));
    }
    assert_eq!(billing.patch(from_panel(NEW)).status, 200);
    assert_eq!(billing.requests().len(), 1, "none of them is a request");
}

#[test]
fn who_has_installed_what_a_patch_told_first_is_the_doors_board() {
    let billing = Running::start();
    billing.old_intercom();
    billing.pending(&old());
    let request_id = billing.ask();
    assert_eq!(offered(&billing, &new()), [request_id.as_str()]);
    let mut patch = documented_example();
    patch["log_extra"] = json!({"request_id": request_id});
    assert_eq!(billing.patch(patch).body["status"], "installed");
    assert_eq!(board_of_door(&billing).as_deref(), Some("die-old"));
    billing.report(report(&request_id, "installed", NEW, "new_serial_number"));
    assert_eq!(board_of_door(&billing).as_deref(), Some("die-1"));
}

#[test]
fn a_patch_that_only_mentions_a_request_is_not_a_report() {
    let billing = Running::start();
    billing.old_intercom();
    let request_id = billing.ask();
    let mut body = documented_example();
    body["new_serial_number"] = json!("another");
    body["log_extra"] = json!({"request_id": request_id});
    assert_eq!(billing.patch(body).body["status"], "pending");
    assert_eq!(billing.requests().len(), 2);
}

#[test]
fn deleting_an_intercom_withdraws_its_request() {
    let billing = Running::start();
    let request_id = asked(&billing);
    assert_eq!(billing.delete("id=1").status, 204);
    assert_eq!(offered(&billing, &new()), [] as [&str; 0]);
    assert_eq!(billing.requests()[0]["state"], "withdrawn");
    assert_eq!(
        billing.report(report(&request_id, "installed", NEW, "new_serial_number")).status,
        204
    );
}

#[test]
fn a_restart_loses_neither_records_nor_queue() {
    let mut billing = Running::start();
    billing.old_intercom();
    billing.ask();
    let query = new();
    let (shown, pending) = (billing.show("id=1").body, billing.pending(&query).body);
    billing.restart();
    assert_eq!(billing.show("id=1").body, shown);
    assert_eq!(billing.pending(&query).body, pending);
}

#[test]
fn a_board_in_mid_change_claims_nothing_and_is_still_listed_what_is_open() {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    billing.old_intercom();
    billing.pending(&format!("mac={OLD}&board=die-old"));
    let request_id = billing.ask();
    let listed = |query: &str| billing.pending(&format!("{query}&board=die-old")).body;
    assert_eq!(listed(&format!("mac={OLD}"))[0]["request_id"], request_id);
    let claim = || billing.database.value("SELECT mac FROM boards WHERE board = 'die-old'");
    let mid_change = format!("mac={NEW}&changing=true");
    assert_eq!(listed(&mid_change)[0]["request_id"], request_id);
    assert_eq!(claim().as_deref(), Some(OLD));
    listed(&format!("mac={NEW}"));
    assert_eq!(claim().as_deref(), Some(NEW));
}
