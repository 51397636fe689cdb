//! Who may act for a board or a door: nobody but that board, whatever he says and however he says it.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::Method;

use crate::common::board::Board;
use crate::common::{NEW, OLD, Running, report};

pub(crate) const THIRD: &str = "02:00:00:00:00:03";

pub(crate) fn by(board: &str, report: Value) -> Value {
    let mut report = report;
    report["board"] = json!(board);
    report
}

/// What is known of the reports that arrived, the newest first: the board and the effect.
pub(crate) fn reports(billing: &Running) -> Vec<(String, String)> {
    let rows = billing.database.rows("SELECT board, effect FROM reports ORDER BY number DESC");
    let report = |row: Vec<Option<String>>| match <[Option<String>; 2]>::try_from(row) {
        Ok([Some(board), Some(effect)]) => (board, effect),
        row => panic!("{row:?}"),
    };
    rows.into_iter().map(report).collect()
}

/// The door's replacement is offered a request.
fn asked_of_the_spare() -> (Running, Board, String) {
    let billing = Running::start();
    billing.old_intercom();
    let request_id = billing.ask();
    let mut spare = Board::connect(&billing, "die-1", NEW);
    spare.request(&request_id);
    (billing, spare, request_id)
}

/// Another request takes its place, and another replacement is offered that.
fn asked_of_another_instead(billing: &Running) -> (Board, String) {
    billing.patch(json!({"id": 1, "group_id": 6, "new_mac": THIRD, "model": "3516EV200"}));
    let request_id = billing.newest_request_id();
    let mut other = Board::connect(billing, "die-3", THIRD);
    other.request(&request_id);
    (other, request_id)
}

#[test]
fn a_report_of_a_board_that_was_not_offered_the_request_has_no_effect() {
    let billing = Running::start();
    billing.old_intercom();
    let mut spare = Board::connect(&billing, "die-1", NEW);
    let request_id = billing.ask();
    spare.request(&request_id);
    let mut thief = Board::connect(&billing, "thief", THIRD);
    let before = billing.show("id=1").body;
    for outcome in ["installed", "rejected", "rolled_back", "failed", "deferred"] {
        thief.reports(&by("thief", report(&request_id, outcome, NEW, "new_serial_number")));
    }
    let mut nameless = by("thief", report("x", "installed", NEW, "new_serial_number"));
    nameless["request_id"] = Value::Null;
    thief.reports(&nameless);
    billing.until("all are kept", |b| reports(b).len() == 6);
    assert_eq!(billing.show("id=1").body, before);
    assert_eq!(billing.requests()[0]["offered_to"], json!(["die-1"]), "no offer follows from it");
    let (_, effect) = &reports(&billing)[5];
    assert_eq!(effect, "the request was not offered to this board");
}

#[test]
fn a_report_or_presence_that_names_another_board_than_its_channel_is_invalid() {
    let billing = Running::start();
    billing.old_intercom();
    let mut spare = Board::connect(&billing, "die-1", NEW);
    let request_id = billing.ask();
    spare.request(&request_id);
    let mut thief = Board::connect(&billing, "thief", THIRD);
    thief.reports(&report(&request_id, "installed", NEW, "new_serial_number"));
    let gone = json!({"state": "offline", "board": "die-1"});
    thief.says("presence", false, &gone);
    let mark = by("thief", report("mark", "installed", THIRD, "S"));
    thief.reports(&mark);
    billing.until("the mark", |b| !reports(b).is_empty());
    assert_eq!(reports(&billing).len(), 1, "the mark alone");
    assert_eq!(billing.show("id=1").body["status"], "pending");
    assert_eq!(billing.requests()[0]["offered_to"], json!(["die-1"]), "it is still there");
}

#[test]
fn a_board_that_claims_anothers_mac_is_offered_nothing_by_it() {
    let billing = Running::start();
    billing.old_intercom();
    let mut spare = Board::connect(&billing, "die-1", NEW);
    let mut thief = Board::connect(&billing, "thief", THIRD);
    let request_id = billing.ask();
    spare.request(&request_id);
    thief.carries(NEW);
    spare.is_there();
    spare.request(&request_id);
    assert_eq!(billing.requests()[0]["offered_to"], json!(["die-1"]));
    assert_eq!(billing.pending(&format!("mac={NEW}&board=other")).body, json!([]));
}

/// The MAC addresses that are this board's.
fn macs_of(billing: &Running, board: &str) -> i64 {
    billing.database.number(&format!("SELECT count(*) FROM macs WHERE board = '{board}'"))
}

#[test]
fn a_board_without_a_door_holds_few_mac_addresses_and_is_shown_when_it_claims_more() {
    let billing = Running::start();
    billing.old_intercom();
    billing.ask();
    let claims = |board: &str, mac: &str| billing.pending(&format!("mac={mac}&board={board}"));
    claims("thief", NEW);
    let kept = json!({"decision": "enrol", "board": "thief", "mac": THIRD});
    assert_eq!(billing.call(Method::POST, "/api/v1/agent/decisions", Some(kept)).status, 204);
    claims("thief", "02:00:00:00:01:00");
    let mut spare = Board::connect(&billing, "spare", "02:00:00:00:01:00");
    billing.until("it is known", |b| is_known(b, "spare"));
    for number in 1..40 {
        claims("thief", &format!("02:00:00:00:01:{number:02X}"));
    }
    assert_eq!(macs_of(&billing, "thief"), 6, "four, the enrolled one, and the door's new one");
    let waits = billing.call(Method::GET, "/api/v1/agent/decisions", None).text;
    assert!(waits.contains("name thief"), "{waits}");
    assert!(!waits.contains("spare claims"), "what was given back is its own: {waits}");
    let new_mac = json!({"id": 1, "group_id": 6, "new_mac": "02:00:00:00:01:00", "model": "M"});
    assert_eq!(billing.patch(new_mac).status, 200);
    spare.request(&billing.newest_request_id());
}

#[test]
fn a_doors_board_that_is_changed_by_hand_again_and_again_holds_few_mac_addresses() {
    let billing = Running::start();
    billing.old_intercom();
    billing.pending(&format!("mac={OLD}&board=die-old"));
    for number in 0..40 {
        let mac = format!("02:00:00:00:01:{number:02X}");
        let by_hand = report(&format!("by-hand-{number}"), "installed", &mac, "S-OLD");
        assert_eq!(billing.report(by("die-old", by_hand)).status, 204);
    }
    assert_eq!(billing.show("mac=02:00:00:00:01:27").status, 200, "its record has followed");
    assert_eq!(macs_of(&billing, "die-old"), 5, "four, and the one that its door has");
}

#[test]
fn a_replacement_that_says_another_serial_number_is_not_the_one() {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    billing.old_intercom();
    let request_id = billing.ask();
    let wrong = Board::connect(&billing, "die-2", NEW).with_serial_number("another");
    billing.until("it is told", |b| {
        b.requests()[0]["waits_for"].as_str().is_some_and(|text| text.contains("conflict"))
    });
    assert_eq!(billing.pending(&format!("mac={OLD}&board=die-old")).body, json!([]));
    wrong.with_serial_number("new_serial_number").request(&request_id);
}

#[test]
fn a_change_by_hand_on_the_doors_board_moves_the_record() {
    let billing = Running::start();
    billing.old_intercom();
    let mut door = Board::connect(&billing, "die-old", OLD);
    billing.until("it is known", |b| board_of_door(b).as_deref() == Some("die-old"));
    door.reports(&by("die-old", report("by-hand", "installed", THIRD, "S-HAND")));
    billing.until("the record", |b| b.show("id=1").body["mac"] == THIRD);
    door.is_over("by-hand");
    assert_eq!(billing.show("id=1").body["serial_number"], "S-HAND");
    door.carries(THIRD);
    billing.patch(json!({"id": 1, "group_id": 6, "new_serial_number": "S2", "model": "M"}));
    let request = door.request(&billing.newest_request_id());
    assert_eq!(request["target"]["mac"], THIRD, "the next request finds the panel");
}

#[test]
fn a_change_by_hand_that_is_told_again_later_does_not_move_the_record_back() {
    let billing = Running::start();
    billing.old_intercom();
    let mut door = Board::connect(&billing, "die-old", OLD);
    billing.until("it is known", |b| board_of_door(b).as_deref() == Some("die-old"));
    door.reports(&by("die-old", report("by-hand-1", "installed", THIRD, "S-HAND")));
    door.is_over("by-hand-1");
    door.reports(&by("die-old", report("by-hand-2", "installed", OLD, "S-OLD")));
    door.is_over("by-hand-2");
    door.reports(&by("die-old", report("by-hand-1", "installed", THIRD, "S-HAND")));
    door.is_over("by-hand-1");
    assert_eq!(billing.show("id=1").body["mac"], OLD);
}

/// Board `die-9` is the panel of intercom 2 at [`THIRD`], and has installed a request for another
/// serial number; the request's ID and issuer.
fn neighbour_of_another_door(billing: &Running) -> (String, Value) {
    billing.post(json!({"mac": THIRD, "serial_number": "S-9", "model": "3516EV200"}));
    let poll = || billing.pending(&format!("mac={THIRD}&board=die-9")).body;
    poll();
    billing.patch(json!({"id": 2, "group_id": 6, "new_serial_number": "N9", "model": "3516EV200"}));
    let request = poll()[0].clone();
    let request_id = request["request_id"].as_str().expect("an ID").to_owned();
    billing.report(by("die-9", report(&request_id, "installed", THIRD, "N9")));
    assert_eq!(billing.show("id=2").body["status"], "installed");
    (request_id, request["issuer"].clone())
}

#[test]
fn a_report_that_nobody_asked_for_takes_no_record_and_no_mac_of_another_board() {
    for (status, with_request) in [("installed", false), ("rolled_back", true)] {
        for serial_number in ["S-OLD", "N9"] {
            let billing = Running::start();
            billing.post(json!({"mac": OLD, "serial_number": "S-OLD", "model": "3516EV200"}));
            billing.pending(&format!("mac={OLD}&board=die-old"));
            let (request_id, issuer) = neighbour_of_another_door(&billing);
            let before = (billing.show("id=1").body, billing.show("id=2").body);
            let mut lie = by("die-9", report(&request_id, status, OLD, serial_number));
            match with_request {
                true => lie["issuer"] = issuer,
                false => lie["request_id"] = Value::Null,
            }
            assert_eq!(billing.report(lie).status, 204);
            assert_eq!(reports(&billing)[0].1, "a change by hand: it waits for an operator");
            assert_eq!((billing.show("id=1").body, billing.show("id=2").body), before);
            let asked = json!({"mac": OLD, "group_id": 6, "new_mac": NEW, "model": "3516EV200"});
            let asked = billing.patch(asked);
            assert_eq!((asked.status, &asked.body["id"]), (200, &json!(1)));
            assert_eq!(billing.pending(&format!("mac={OLD}&board=die-9")).body, json!([]));
        }
    }
}

#[test]
fn a_change_by_hand_to_the_serial_number_or_the_mac_of_another_waits_for_an_operator() {
    let billing = Running::start();
    billing.post(json!({"mac": OLD, "serial_number": "S-OLD", "model": "3516EV200"}));
    billing.pending(&format!("mac={NEW}&board=die-1"));
    neighbour_of_another_door(&billing);
    for (mac, serial_number) in [(THIRD, "S-OLD"), (NEW, "S-NEW")] {
        let mut by_hand = by("die-9", report("", "installed", mac, serial_number));
        by_hand["request_id"] = Value::Null;
        assert_eq!(billing.report(by_hand).status, 204);
        assert_eq!(reports(&billing)[0].1, "a change by hand: it waits for an operator");
        assert_eq!(billing.show("id=1").status, 200, "{mac}");
        assert_eq!(billing.show("id=2").body["mac"], THIRD);
    }
}

pub(crate) fn board_of_door(billing: &Running) -> Option<String> {
    billing.database.value("SELECT board FROM intercoms WHERE id = 1")
}

pub(crate) fn is_known(billing: &Running, board: &str) -> bool {
    billing.database.number(&format!("SELECT count(*) FROM boards WHERE board = '{board}'")) == 1
}

#[test]
fn a_doors_board_that_has_forgotten_its_identity_is_asked_to_take_it_again() {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    billing.old_intercom();
    let mut door = Board::connect(&billing, "die-old", OLD);
    billing.until("it is known", |b| board_of_door(b).is_some());
    let first = billing.ask();
    door.request(&first);
    door.reports(&by("die-old", report(&first, "installed", NEW, "new_serial_number")));
    billing.until("installed", |b| b.show("id=1").body["status"] == "installed");
    let new_record = json!({
        "state": "online", "board": "die-old", "mac": OLD, "nonce": "n", "new_record": true,
    });
    door.says("presence", true, &new_record);
    billing.until("another request", |b| b.newest_request_id() != first);
    door.carries(OLD);
    let again = door.request(&billing.newest_request_id());
    assert_eq!((&again["new_mac"], &again["target"]["board"]), (&json!(NEW), &json!("die-old")));
    assert!(again["seq"].as_u64() > billing.requests()[1]["seq"].as_u64());
}

/// A door's board has installed a request, and says what it carried at first.
pub(crate) fn installed_on_the_door() -> Running {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    billing.old_intercom();
    billing.pending(&format!("mac={OLD}&board=die-old"));
    let first = billing.ask();
    billing.pending(&format!("mac={OLD}&board=die-old"));
    let mut installed = by("die-old", report(&first, "installed", NEW, "new_serial_number"));
    installed["factory"] = json!({"mac": OLD, "serial_number": "S-OLD"});
    assert_eq!(billing.report(installed).status, 204);
    billing.pending(&format!("mac={NEW}&board=die-old"));
    assert_eq!(billing.show("id=1").body["status"], "installed");
    billing
}

/// The boards were last seen a day earlier than they were.
fn a_day_passes(billing: &Running) {
    billing.database.execute("UPDATE macs SET seen_ms = seen_ms - 86400000");
}

#[test]
fn a_board_that_is_again_what_it_was_at_first_is_asked_when_its_door_was_silent_for_a_day() {
    let billing = installed_on_the_door();
    let poll = |mac: &str| billing.pending(&format!("mac={mac}&board=die-old")).body;
    assert_eq!(poll(OLD), json!([]), "another board of that name may have the identity");
    a_day_passes(&billing);
    assert_eq!(poll(THIRD), json!([]), "that is not what it was at first");
    let again = &poll(OLD)[0];
    assert_eq!((&again["new_mac"], &again["target"]["board"]), (&json!(NEW), &json!("die-old")));
    assert_eq!(again["new_serial_number"], "new_serial_number");
    let requests = billing.requests();
    assert_ne!(requests[0]["request_id"], requests[1]["request_id"]);
    assert!(requests[0]["seq"].as_u64() > requests[1]["seq"].as_u64());
    assert_eq!(poll(OLD)[0]["request_id"], again["request_id"], "it is asked once");
}

#[test]
fn the_identity_of_a_door_is_not_silent_while_its_board_is_connected() {
    let billing = installed_on_the_door();
    let mut door = Board::connect(&billing, "die-old", NEW);
    billing.until("it is there", |b| is_known(b, "die-old"));
    a_day_passes(&billing);
    door.carries(OLD);
    door.reports(&by("die-old", report("mark", "failed", OLD, "S-OLD")));
    door.is_over("mark");
    assert_eq!(billing.requests().len(), 1);
}

#[test]
fn after_a_change_by_hand_a_board_that_forgot_is_not_asked() {
    let billing = installed_on_the_door();
    let mut by_hand = by("die-old", report("", "installed", THIRD, "S-HAND"));
    by_hand["request_id"] = Value::Null;
    assert_eq!(billing.report(by_hand).status, 204);
    assert_eq!(billing.show("id=1").body["mac"], THIRD);
    a_day_passes(&billing);
    assert_eq!(billing.pending(&format!("mac={OLD}&board=die-old")).body, json!([]));
    assert_eq!(billing.requests().len(), 1);
}

#[test]
fn after_a_rollback_by_hand_a_new_record_asks_for_nothing() {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    billing.old_intercom();
    let mut door = Board::connect(&billing, "die-old", OLD);
    billing.until("it is known", |b| board_of_door(b).is_some());
    let first = billing.ask();
    door.request(&first);
    door.reports(&by("die-old", report(&first, "installed", NEW, "new_serial_number")));
    door.reports(&by("die-old", report(&first, "rolled_back", OLD, "S-OLD")));
    billing.until("rolled back", |b| b.show("id=1").body["status"] == "rolled_back");
    let new_record = json!({
        "state": "online", "board": "die-old", "mac": THIRD, "nonce": "n", "new_record": true,
    });
    door.says("presence", true, &new_record);
    door.reports(&by("die-old", report("mark", "failed", OLD, "S-OLD")));
    door.is_over("mark");
    assert_eq!(billing.requests().len(), 1);
}

#[test]
fn a_report_under_another_issuer_is_neither_applied_nor_answered() {
    let billing = Running::start();
    billing.old_intercom();
    let mut door = Board::connect(&billing, "die-old", OLD);
    billing.until("it is known", |b| board_of_door(b).is_some());
    let mut foreign = by("die-old", report("foreign", "installed", THIRD, "S"));
    foreign["issuer"] = json!("another-billing");
    door.reports(&foreign);
    door.reports(&by("die-old", report("by-hand", "installed", OLD, "S-OLD")));
    door.is_over("by-hand");
    assert_eq!(billing.show("id=1").body["mac"], OLD);
}

#[test]
fn a_late_installed_counts_however_its_request_has_ended() {
    let (billing, mut spare, first) = asked_of_the_spare();
    let (mut other, second) = asked_of_another_instead(&billing);
    other.reports(&by("die-3", report(&second, "failed", THIRD, "S3")));
    billing.until("the second has failed", |b| b.show("id=1").body["status"] == "failed");
    spare.reports(&report(&first, "installed", NEW, "new_serial_number"));
    billing.until("the first counts", |b| b.show("id=1").body["mac"] == NEW);
    assert_eq!(billing.show("id=1").body["status"], "installed");
    assert_eq!(board_of_door(&billing).as_deref(), Some("die-1"));
}

#[test]
fn an_installed_that_a_later_one_has_overtaken_changes_nothing() {
    let (billing, mut spare, first) = asked_of_the_spare();
    let (mut other, second) = asked_of_another_instead(&billing);
    other.reports(&by("die-3", report(&second, "installed", THIRD, "new_serial_number")));
    billing.until("the second", |b| b.show("id=1").body["status"] == "installed");
    spare.reports(&report(&first, "installed", NEW, "new_serial_number"));
    spare.is_over(&first);
    assert_eq!(billing.show("id=1").body["mac"], THIRD);
}

#[test]
fn what_a_panel_rejects_as_overtaken_is_asked_for_again_above_its_mark() {
    let billing = Running::start();
    billing.old_intercom();
    let first = billing.ask();
    let mut spare = Board::connect(&billing, "die-1", NEW);
    let request = spare.request(&first);
    let mark = request["seq"].as_u64().expect("a number") + 1000;
    let mut overtaken = report(&first, "rejected", NEW, "new_serial_number");
    overtaken["seq_mark"] = json!(mark);
    spare.reports(&overtaken);
    billing.until("another request", |b| b.newest_request_id() != first);
    let again = spare.request(&billing.newest_request_id());
    assert!(again["seq"].as_u64() > Some(mark), "{again}");
    assert_eq!((&again["new_mac"], &again["issuer"]), (&json!(NEW), &request["issuer"]));
}

#[test]
fn a_panel_that_rejects_every_number_as_overtaken_is_asked_a_few_times_in_an_hour() {
    let (billing, mut spare, mut request_id) = asked_of_the_spare();
    let mut asked = 1;
    while billing.show("id=1").body["status"] == "pending" {
        assert!(asked < 20, "without end");
        spare.is_there();
        let seq = spare.request(&request_id)["seq"].as_u64().expect("a number");
        let mut overtaken = report(&request_id, "rejected", NEW, "new_serial_number");
        overtaken["seq_mark"] = json!(seq + 1);
        spare.reports(&overtaken);
        billing.until("it is read", |b| {
            b.newest_request_id() != request_id || b.show("id=1").body["status"] == "rejected"
        });
        request_id = billing.newest_request_id();
        asked += 1;
    }
    let hour = "UPDATE requests SET asked_ms = asked_ms - 3600000";
    billing.database.execute(hour);
    let last = billing.ask();
    let seq = spare.request(&last)["seq"].as_u64().expect("a number");
    let mut overtaken = report(&last, "rejected", NEW, "new_serial_number");
    overtaken["seq_mark"] = json!(seq + 1);
    spare.reports(&overtaken);
    billing.until("it is asked again", |b| b.newest_request_id() != last);
}

#[test]
fn a_change_by_hand_keeps_no_model_that_the_documented_api_would_not_take() {
    let billing = Running::start();
    for length in [255, 256] {
        let mut by_hand = by("die-9", report("by-hand", "installed", THIRD, "S-9"));
        by_hand["model"] = json!("M".repeat(length));
        assert_eq!(billing.report(by_hand).status, 204);
        let kept = billing.database.rows("SELECT length(model) FROM by_hand");
        assert_eq!(kept, [[(length == 255).then(|| "255".to_owned())]]);
        billing.database.execute("DELETE FROM reports");
    }
}

#[test]
fn a_mark_that_no_number_of_ours_can_have_made_is_not_followed() {
    let (billing, mut spare, first) = asked_of_the_spare();
    let mut overtaken = report(&first, "rejected", NEW, "new_serial_number");
    overtaken["seq_mark"] = json!(i64::MAX);
    spare.reports(&overtaken);
    billing.until("rejected", |b| b.show("id=1").body["status"] == "rejected");
    let second = billing.ask();
    let request = spare.request(&second);
    assert!(request["seq"].as_u64() < Some(1 << 40), "the numbers go on as before: {request}");
}

#[test]
fn what_an_outcome_is_about_is_confirmed_whatever_the_board_carries_since() {
    let (billing, mut spare, request_id) = asked_of_the_spare();
    let mut installed = report(&request_id, "installed", THIRD, "S3");
    installed["outcome_identity"] = json!({"mac": NEW, "serial_number": "new_serial_number"});
    spare.reports(&installed);
    billing.until("installed", |b| b.show("id=1").body["status"] == "installed");
    let shown = billing.show("id=1").body;
    assert_eq!(
        (&shown["mac"], &shown["serial_number"]),
        (&json!(NEW), &json!("new_serial_number"))
    );
}

#[test]
fn what_the_doors_board_carries_is_confirmed_if_it_was_asked_for_once() {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    billing.old_intercom();
    let mut door = Board::connect(&billing, "die-old", OLD);
    billing.until("it is known", |b| board_of_door(b).is_some());
    let first = billing.ask();
    door.request(&first);
    billing.patch(json!({"id": 1, "group_id": 6, "new_mac": THIRD, "model": "3516EV200"}));
    let second = billing.newest_request_id();
    door.request(&second);
    let mut rejected = by("die-old", report(&second, "rejected", NEW, "new_serial_number"));
    rejected["outcome_identity"] = json!({"mac": OLD, "serial_number": "S-OLD"});
    door.reports(&rejected);
    billing.until("rejected", |b| b.show("id=1").body["status"] == "rejected");
    assert_eq!(billing.show("id=1").body["mac"], NEW, "it had carried out the first");
}

#[test]
fn a_deferred_request_stays_pending() {
    let (billing, mut spare, request_id) = asked_of_the_spare();
    let mut deferred = report(&request_id, "deferred", NEW, "new_serial_number");
    deferred["deferred_seconds"] = json!(60);
    spare.reports(&deferred);
    billing.until("it is kept", |b| !reports(b).is_empty());
    assert_eq!(reports(&billing)[0].1, "the board decides later");
    assert_eq!(billing.show("id=1").body["status"], "pending");
    spare.is_there();
    spare.request(&request_id);
}

#[test]
fn two_boards_with_one_name_are_offered_nothing() {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    billing.old_intercom();
    let mut door = Board::connect(&billing, "die-old", OLD);
    for mac in [THIRD, OLD] {
        door.carries(mac);
    }
    billing.until("it is known", |b| board_of_door(b).is_some());
    billing.ask();
    billing.until("it waits for the end of the conflict", |b| {
        let waits_for = b.requests()[0]["waits_for"].clone();
        waits_for.as_str().is_some_and(|text| text.contains("two boards have the name die-old"))
    });
    assert_eq!(billing.requests()[0]["offered_to"], json!([]));
}
