//! The rules as a table, and properties over all of them.

use intercom_wire::{BoardName, Identity, Mac, Outcome, Patch, Reader, SerialNumber};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn mac(last: u8) -> Mac {
    Mac::try_from([0xAA, 0, 0, 0, 0, last]).expect("a MAC")
}

fn serial(text: &str) -> Option<SerialNumber> {
    Some(text.parse().expect("a serial number"))
}

fn board(name: &str) -> Option<BoardName> {
    Some(name.parse().expect("a board name"))
}

fn carried(last: u8, serial_number: &str) -> Carried {
    let identity = Identity { mac: mac(last), serial_number: serial(serial_number) };
    Carried { identity, model: Some("3516EV200".into()) }
}

/// From MAC 1, serial S1 to MAC 2, serial S2.
fn change(state: State) -> IdentityRequest {
    IdentityRequest {
        request_id: "r-1".parse().expect("an ID"),
        from: carried(1, "S1"),
        to: carried(2, "S2"),
        new_mac: Some(mac(2)),
        new_serial_number: serial("S2"),
        state,
    }
}

fn ended(outcome: Outcome) -> State {
    State::Ended { outcome, board: board("spare") }
}

fn report(outcome: Outcome, from: &str) -> ReportedOutcome {
    ReportedOutcome { outcome, board: board(from), mac: None, serial_number: None, carried: None }
}

fn patch(fields: serde_json::Value) -> Patch {
    let mut body = fields.as_object().expect("an object").clone();
    body.insert("id".into(), json!(1));
    body.insert("model".into(), json!("3516EV200"));
    Patch::read(&body, Reader::Panel).expect("valid")
}

#[test]
fn a_request_names_what_the_patch_names() {
    let now = carried(1, "S1");
    let asked = ask(&now, &now, &patch(json!({"new_serial_number": "S2"})));
    assert_eq!((asked.new_mac, asked.new_serial_number), (None, serial("S2")));
    assert_eq!(asked.to, carried(1, "S2"));
}

#[test]
fn a_request_that_names_what_the_panel_has_already_still_names_it() {
    let now = carried(1, "S1");
    let asked = ask(&now, &now, &patch(json!({"new_mac": mac(1)})));
    assert_eq!((asked.new_mac, asked.new_serial_number), (Some(mac(1)), None));
}

#[test]
fn a_later_request_names_what_only_the_superseded_one_named() {
    let (confirmed, desired) = (carried(1, "S1"), carried(2, "S1"));
    let asked = ask(&confirmed, &desired, &patch(json!({"new_serial_number": "S2"})));
    assert_eq!((asked.new_mac, asked.new_serial_number), (Some(mac(2)), serial("S2")));
    assert_eq!(asked.to, carried(2, "S2"));
}

/// `apply_report` for a report on the newest request.
fn applied(state: State, report: &ReportedOutcome) -> Effect {
    let change = change(state);
    apply_report(&carried(1, "S1"), &change, &change, report)
}

#[test]
fn a_pending_request_ends_with_its_report() {
    for (outcome, carried) in [
        (Outcome::Installed, carried(2, "S2")),
        (Outcome::Rejected, carried(1, "S1")),
        (Outcome::RolledBack, carried(1, "S1")),
        (Outcome::Failed, carried(1, "S1")),
    ] {
        assert_eq!(applied(State::Pending, &report(outcome, "any")), Effect::Ends(carried));
    }
}

#[test]
fn installed_counts_only_with_what_was_asked_for() {
    for (mac, serial_number, counts) in [
        (Some(mac(2)), serial("S2"), true),
        (Some(mac(2)), None, true),
        (None, None, true),
        (Some(mac(1)), serial("S2"), false),
        (Some(mac(2)), serial("S1"), false),
    ] {
        let report = ReportedOutcome { mac, serial_number, ..report(Outcome::Installed, "any") };
        let effect = applied(State::Pending, &report);
        assert_eq!(matches!(effect, Effect::Ends(_)), counts, "{report:?}: {effect:?}");
    }
}

#[test]
fn installed_from_any_board_beats_what_another_said_before() {
    for before in [Outcome::Rejected, Outcome::RolledBack, Outcome::Failed] {
        let effect = applied(ended(before), &report(Outcome::Installed, "other"));
        assert_eq!(effect, Effect::Ends(carried(2, "S2")), "after {before}");
    }
}

#[test]
fn nothing_beats_installed_but_the_same_board_rolling_back() {
    let installed = ended(Outcome::Installed);
    for (outcome, from) in [
        (Outcome::Installed, "spare"),
        (Outcome::Rejected, "spare"),
        (Outcome::Rejected, "other"),
        (Outcome::Failed, "other"),
        (Outcome::RolledBack, "other"),
    ] {
        let effect = applied(installed.clone(), &report(outcome, from));
        assert!(matches!(effect, Effect::Nothing(_)), "{outcome} from {from}: {effect:?}");
    }
    let by_hand = report(Outcome::RolledBack, "spare");
    assert_eq!(applied(installed.clone(), &by_hand), Effect::RolledBack(carried(1, "S1")));
    let to_factory = ReportedOutcome { mac: Some(mac(9)), serial_number: serial("S9"), ..by_hand };
    assert_eq!(applied(installed, &to_factory), Effect::RolledBack(carried(9, "S9")));
}

#[test]
fn a_second_answer_of_another_kind_changes_nothing() {
    let effect = applied(ended(Outcome::Rejected), &report(Outcome::Failed, "other"));
    assert!(matches!(effect, Effect::Nothing(_)), "{effect:?}");
}

#[test]
fn a_withdrawn_request_changes_nothing() {
    let effect = applied(State::Withdrawn, &report(Outcome::Installed, "any"));
    assert!(matches!(effect, Effect::Nothing(_)), "{effect:?}");
}

/// Its successor: from MAC 1 to MAC 3.
fn successor(state: State) -> IdentityRequest {
    let request_id = "r-2".parse().expect("an ID");
    IdentityRequest { request_id, to: carried(3, "S2"), new_mac: Some(mac(3)), ..change(state) }
}

#[test]
fn a_panel_that_carried_out_an_earlier_request_is_found_where_it_is_now() {
    let installed = report(Outcome::Installed, "any");
    for (state, newest) in [
        (State::Superseded, State::Pending),
        (State::Superseded, ended(Outcome::Rejected)),
        (ended(Outcome::Rejected), State::Pending),
    ] {
        let effect =
            apply_report(&carried(1, "S1"), &successor(newest), &change(state), &installed);
        assert_eq!(effect, Effect::Late(carried(2, "S2")));
    }
    let old = change(State::Superseded);
    let nothing = [
        apply_report(
            &carried(1, "S1"),
            &successor(State::Pending),
            &old,
            &report(Outcome::Rejected, "any"),
        ),
        apply_report(
            &carried(2, "S2"),
            &successor(State::Pending),
            &change(ended(Outcome::Installed)),
            &installed,
        ),
    ];
    for effect in nothing {
        assert!(matches!(effect, Effect::Nothing(_)), "{effect:?}");
    }
}

#[test]
fn of_a_cancelled_request_only_installed_counts() {
    let applied = |outcome| {
        let request = change(State::Cancelled);
        apply_report(&carried(1, "S1"), &request, &request, &report(outcome, "any"))
    };
    assert_eq!(applied(Outcome::Installed), Effect::Ends(carried(2, "S2")));
    for outcome in [Outcome::Rejected, Outcome::RolledBack, Outcome::Failed] {
        assert_eq!(applied(outcome), Effect::Nothing(Ignored::Ended));
    }
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop::sample::select(vec![
        Outcome::Installed,
        Outcome::Rejected,
        Outcome::RolledBack,
        Outcome::Failed,
    ])
}

fn any_state() -> impl Strategy<Value = State> {
    prop_oneof![
        Just(State::Pending),
        Just(State::Superseded),
        Just(State::Withdrawn),
        Just(State::Cancelled),
        any_outcome().prop_map(ended),
    ]
}

fn any_report() -> impl Strategy<Value = ReportedOutcome> {
    (any_outcome(), any::<bool>(), prop::option::of(1..4_u8), any::<bool>()).prop_map(
        |(outcome, spare, last, told)| ReportedOutcome {
            outcome,
            board: board(if spare { "spare" } else { "other" }),
            mac: last.map(mac),
            serial_number: serial("S2").filter(|_| told),
            carried: None,
        },
    )
}

proptest! {
    #[test]
    fn a_record_never_confirms_what_nobody_had_or_asked_for(
        newest in any_state(), superseded in any::<bool>(), report in any_report(),
    ) {
        let (newest, reported) = if superseded {
            (successor(newest), change(State::Superseded))
        } else {
            (change(newest.clone()), change(newest))
        };
        let carried = match apply_report(&carried(1, "S1"), &newest, &reported, &report) {
            Effect::Nothing(_) => return Ok(()),
            Effect::Ends(carried) | Effect::Late(carried) | Effect::RolledBack(carried) => carried,
        };
        let known = [&newest.from, &newest.to, &reported.from, &reported.to];
        let told = report.outcome == Outcome::RolledBack && report.mac == Some(carried.identity.mac);
        prop_assert!(known.contains(&&carried) || told, "{:?}", carried);
    }

    #[test]
    fn a_report_that_arrives_twice_counts_once(state in any_state(), report in any_report()) {
        let before = change(state);
        let confirmed = match apply_report(&carried(1, "S1"), &before, &before, &report) {
            Effect::Ends(confirmed) | Effect::RolledBack(confirmed) => confirmed,
            Effect::Late(_) | Effect::Nothing(_) => return Ok(()),
        };
        let state = State::Ended { outcome: report.outcome, board: report.board.clone() };
        let after = IdentityRequest { state, ..before };
        let again = apply_report(&confirmed, &after, &after, &report);
        prop_assert!(matches!(again, Effect::Nothing(_)), "{:?}", again);
    }
}
