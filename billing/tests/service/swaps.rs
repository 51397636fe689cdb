//! Two panels have changed places: both records change together, and no panel changes its identity.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::Method;

use crate::audit::entries;
use crate::common::board::Board;
use crate::common::{Answer, NEW, OLD, Running, report};
use crate::strangers::{THIRD, by};

const SWAPS: &str = "/api/v1/swaps";
const SERIAL_NUMBERS: [&str; 2] = ["S-OLD", "S-2"];

fn swap(billing: &Running) -> Answer {
    billing.call(Method::POST, SWAPS, Some(json!({"id": 1, "with_id": 2})))
}

/// Two doors, 1 at `OLD` and 2 at `NEW`.
fn two_doors() -> Running {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    with_doors(&billing);
    billing
}

fn with_doors(billing: &Running) {
    billing.old_intercom();
    billing.post(json!({"mac": NEW, "serial_number": SERIAL_NUMBERS[1], "model": "2"}));
    billing.patch(json!({"id": 2, "group_id": 6}));
}

/// The same with their panels on the broker.
fn with_panels() -> (Running, [Board; 2]) {
    let billing = two_doors();
    let boards = [("die-1", OLD), ("die-2", NEW)];
    let panels = boards.map(|(name, mac)| Board::connect(&billing, name, mac));
    let [one, other] = panels;
    let panels = [one.with_serial_number("S-OLD"), other.with_serial_number("S-2")];
    billing.until("both are known", |b| carried_by(b, "die-1") && carried_by(b, "die-2"));
    (billing, panels)
}

fn carried_by(billing: &Running, board: &str) -> bool {
    let sql = format!(
        "SELECT count(*) FROM boards WHERE board = '{board}' AND serial_number IS NOT NULL"
    );
    billing.database.number(&sql) == 1
}

fn request_ids(answer: &Answer) -> [String; 2] {
    assert_eq!(answer.status, 202, "{answer:?}");
    [0, 1].map(|at| answer.body["requests"][at]["request_id"].as_str().expect("an ID").to_owned())
}

/// What both doors have: MAC addresses, boards, states.
fn doors(billing: &Running) -> Value {
    let sql = "SELECT confirmed_mac, board, status FROM intercoms ORDER BY id";
    json!(billing.database.rows(sql))
}

fn refusal(billing: &Running, field: &str) -> String {
    let answer = swap(billing);
    assert_eq!(answer.status, 422, "{answer:?}");
    answer.body["errors"][field][0].as_str().expect("a reason").to_owned()
}

#[test]
fn both_records_change_together_when_both_panels_have_confirmed() {
    let (billing, [mut one, mut other]) = with_panels();
    let [first, second] = request_ids(&swap(&billing));
    assert_eq!(other.request(&first)["new_mac"], NEW, "the panel that has it is asked");
    assert_eq!(one.request(&second)["new_mac"], OLD);

    other.reports(&by("die-2", report(&first, "installed", NEW, "S-2")));
    other.is_over(&first);
    let unchanged = json!([[OLD, "die-1", "pending"], [NEW, "die-2", "pending"]]);
    assert_eq!(doors(&billing), unchanged);
    let waits_for = &billing.requests()[1]["waits_for"];
    assert_eq!(*waits_for, "the confirmation of the other door of the swap");

    one.reports(&report(&second, "installed", OLD, "S-OLD"));
    one.is_over(&second);
    let exchanged = json!([[NEW, "die-2", "installed"], [OLD, "die-1", "installed"]]);
    assert_eq!(doors(&billing), exchanged);
    let (first, second) = (billing.show("id=1").body, billing.show("id=2").body);
    let shown = |body: &Value| (body["serial_number"].clone(), body["model"].clone());
    assert_eq!(shown(&first), (json!("S-2"), json!("2")));
    assert_eq!(shown(&second), (json!("S-OLD"), json!("3516EV200")));
}

#[test]
fn the_same_swap_again_is_the_same_while_it_is_pending() {
    let (billing, _panels) = with_panels();
    let asked = request_ids(&swap(&billing));
    assert_eq!(request_ids(&swap(&billing)), asked);
    let other_way = billing.call(Method::POST, SWAPS, Some(json!({"id": 2, "with_id": 1})));
    assert_eq!(request_ids(&other_way), [asked[1].clone(), asked[0].clone()]);
}

#[test]
fn a_swap_over_http_is_confirmed_by_polling_panels() {
    let billing = two_doors();
    let poll = |mac: &str, serial: &str, board: &str| {
        billing.pending(&format!("mac={mac}&serial_number={serial}&board={board}")).body
    };
    let (one, other) = (|| poll(OLD, "S-OLD", "die-1"), || poll(NEW, "S-2", "die-2"));
    one();
    other();
    let [first, second] = request_ids(&swap(&billing));
    assert_eq!(one()[0]["request_id"], second);
    assert_eq!(other()[0]["request_id"], first);
    billing.report(report(&second, "installed", OLD, "S-OLD"));
    billing.report(by("die-2", report(&first, "installed", NEW, "S-2")));
    assert_eq!(billing.show("id=1").body["mac"], NEW);
    assert_eq!(billing.show("id=2").body["mac"], OLD);
}

#[test]
fn a_live_swap_is_refused_with_its_reason_and_nobody_is_asked() {
    let (billing, [mut one, mut other]) = with_panels();
    one.carries(THIRD);
    let is_moved = |b: &Running| {
        let sql = "SELECT mac FROM boards WHERE board = 'die-1'";
        b.database.value(sql).as_deref() == Some(THIRD)
    };
    billing.until("it carries another", is_moved);
    let reason = refusal(&billing, "id");
    assert!(reason.contains("would have to change its identity while it is in use"), "{reason}");
    one.carries(OLD);
    billing.until("it carries its own", |b| !is_moved(b));
    other.goes();
    billing.until("it has gone", |b| {
        let sql = "SELECT count(*) FROM boards WHERE board = 'die-2' AND nonce IS NULL";
        b.database.number(sql) == 1
    });
    let reason = refusal(&billing, "with_id");
    assert!(reason.contains("is not connected"), "{reason}");
    assert_eq!(billing.requests(), Vec::<Value>::new());
}

#[test]
fn what_cannot_be_exchanged_is_refused_with_its_reason() {
    let billing = two_doors();
    assert!(refusal(&billing, "id").contains("no known board"));
    for (body, field, part) in [
        (json!({"id": 1, "with_id": 1}), "with_id", "different"),
        (json!({"id": 9, "with_id": 1}), "id", "does not exist"),
        (json!({"id": 1}), "with_id", "required"),
        (json!({"with_id": 1}), "id", "required"),
    ] {
        let answer = billing.call(Method::POST, SWAPS, Some(body));
        let text = answer.body["errors"][field][0].as_str().expect("a reason").to_owned();
        assert!(answer.status == 422 && text.contains(part), "{text}");
    }
    let (billing, _panels) = with_panels();
    billing.post(json!({"mac": THIRD, "model": "3"}));
    let spare = json!({"id": 1, "with_id": 3});
    let answer = billing.call(Method::POST, SWAPS, Some(spare));
    assert!(answer.text.contains("is a spare"), "{answer:?}");
    billing.patch(json!({"id": 1, "group_id": 6, "model": "M", "new_serial_number": "S-9"}));
    assert!(refusal(&billing, "id").contains("has a pending request"));
}

/// A way in which one half ends, and how both requests end: the first intercom's, the second's.
type End = (fn(&Running, &mut [Board; 2], &[String; 2]), [&'static str; 2]);

#[test]
fn whatever_ends_one_half_ends_both_and_both_records_stay() {
    let ends: [End; 5] = [
        (
            |_, [_, other], [first, _]| {
                other.reports(&by("die-2", report(first, "rejected", NEW, "S-2")));
            },
            ["rejected", "withdrawn"],
        ),
        (|billing, _, _| drop(billing.delete("id=2")), ["withdrawn", "withdrawn"]),
        (
            |billing, _, [first, _]| {
                let path = format!("/api/v1/requests/{first}/cancel");
                assert_eq!(billing.call(Method::POST, &path, None).status, 200);
            },
            ["cancelled", "withdrawn"],
        ),
        (
            |billing, _, _| {
                let body = json!({"id": 1, "group_id": 6, "new_mac": THIRD, "model": "M"});
                assert_eq!(billing.patch(body).status, 200);
            },
            ["superseded", "withdrawn"],
        ),
        (
            |_, [one, _], _| {
                let mut by_hand = report("by-hand", "installed", THIRD, "S-OLD");
                by_hand["previous"] = json!({"mac": OLD, "serial_number": "S-OLD"});
                one.reports(&by_hand);
            },
            ["withdrawn", "withdrawn"],
        ),
    ];
    for (end, states) in ends {
        let (billing, mut panels) = with_panels();
        let ids = request_ids(&swap(&billing));
        panels[1].request(&ids[0]);
        panels[0].request(&ids[1]);
        end(&billing, &mut panels, &ids);
        let state = |b: &Running, id: &str| {
            let all = b.requests();
            let own = all.iter().find(|request| request["request_id"] == id).expect("a request");
            own["state"].as_str().expect("a state").to_owned()
        };
        for (id, expected) in ids.iter().zip(states) {
            billing.until(expected, |b| state(b, id) == expected);
        }
        assert_eq!(doors(&billing)[1][0], NEW, "{states:?}");
        // What comes late changes neither.
        let before = doors(&billing);
        panels[1].reports(&by("die-2", report(&ids[0], "installed", NEW, "S-2")));
        panels[1].is_over(&ids[0]);
        assert_eq!(doors(&billing), before, "{states:?}");
    }
}

#[test]
fn who_has_asked_for_a_swap_is_told_at_both_doors() {
    let (billing, _panels) = with_panels();
    let swapped = swap(&billing).body;
    assert_eq!(swap(&billing).status, 202, "the same swap");
    for (index, detail) in ["with intercom 2", "with intercom 1"].into_iter().enumerate() {
        let id = index + 1;
        let told = entries(&billing, &format!("action=swap&intercom={id}"));
        let request_id = &swapped["requests"][index]["request_id"];
        let told: Vec<Value> = told
            .iter()
            .map(|entry| json!([entry["actor"], entry["request_id"], entry["detail"]]))
            .collect();
        assert_eq!(told, [json!(["anybody", request_id, detail])]);
    }
}

#[test]
fn a_panel_that_confirms_its_half_by_patch_again_and_again_is_told_once() {
    let mut billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    let operator = billing.add_token(&["--role", "operator"]);
    let panels =
        ["die-1", "die-2"].map(|board| billing.add_token(&["--role", "panel", "--board", board]));
    billing.bearer = Some(operator.clone());
    with_doors(&billing);
    let [one, other] = panels;
    for (panel, mac, serial) in [(one, OLD, "S-OLD"), (other.clone(), NEW, "S-2")] {
        billing.bearer = Some(panel);
        billing.pending(&format!("mac={mac}&serial_number={serial}"));
    }
    billing.bearer = Some(operator.clone());
    let [first, _] = request_ids(&swap(&billing));
    billing.bearer = Some(other);
    billing.pending(&format!("mac={NEW}&serial_number=S-2"));
    let report = json!({
        "id": 1, "new_mac": NEW, "new_serial_number": "S-2", "model": "2",
        "log_extra": {"request_id": first}
    });
    for _ in 0..3 {
        assert_eq!(billing.patch(report.clone()).status, 200);
    }
    billing.bearer = Some(operator);
    let told = entries(&billing, "action=report");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["board"], "die-2");
}
