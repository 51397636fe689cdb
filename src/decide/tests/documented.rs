//! The documented table says what the code does, row by row.

use std::collections::BTreeSet;

use super::*;

/// The document that has the table.
const DOCUMENT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/protocol.md"));

/// The words for decisions, as the table uses them.
const WORDS: [&str; 11] = [
    "ignore",
    "reject",
    "hint",
    "already done",
    "overtaken",
    "keep",
    "acknowledge",
    "defer",
    "await",
    "already installed",
    "apply",
];

fn word(decision: &Decision) -> &'static str {
    match decision {
        Decision::Ignore(_) => "ignore",
        Decision::Reject(_) => "reject",
        Decision::AlreadyDone(_) | Decision::StillHolds(_) => "already done",
        Decision::Overtaken(_) => "overtaken",
        Decision::Hint => "hint",
        Decision::InProgress => "acknowledge",
        Decision::Keep => "keep",
        Decision::Defer(_) | Decision::DeferUnknown(..) => "defer",
        Decision::AwaitBoard => "await",
        Decision::AlreadyInstalled => "already installed",
        Decision::Apply(_) => "apply",
        Decision::LookUp(mac) => panic!("{mac} must be looked up: this is no decision yet"),
    }
}

/// Which decisions each row of the document names, with the row's number.
fn documented() -> Vec<(usize, BTreeSet<&'static str>)> {
    let table = DOCUMENT.split("| # | the request | decision |").nth(1).expect("the table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [number, _, decision] = cells[..] else { panic!("not three cells: {row}") };
        let named = WORDS.into_iter().filter(|word| has_word(decision, word)).collect();
        (number.parse().expect("a number"), named)
    })
    .collect()
}

fn has_word(text: &str, word: &str) -> bool {
    let is_end = |next: Option<char>| next.is_none_or(|next| !next.is_alphanumeric());
    text.match_indices(word).any(|(at, _)| {
        is_end(text[..at].chars().next_back()) && is_end(text[at + word.len()..].chars().next())
    })
}

/// What the code decides on an example of each decision that a row has.
fn decided() -> Vec<(usize, Decision)> {
    let live = |via| delivered(via, Timing::Live);
    let for_other = || json!({"mac": OTHER, "new_mac": NEW, "model": "3516EV200"});
    let replacement = |serial: &str, model: &str| json!({"mac": OTHER, "new_mac": MINE, "new_serial_number": serial, "model": model});
    let with = |key: &str, value: Value| {
        let mut body = to_new();
        body[key] = value;
        body
    };
    let with_seq =
        |key: &str, value: &str| json!({"id": 123, key: value, "model": "3516EV200", "seq": 5});
    let unsigned = Panel { require_signature: true, ..panel() };
    let done = panel().having_applied(with("request_id", json!("r-1")));
    let later = panel().having_applied(with_seq("new_mac", NEW));
    let changing = Panel { changing: true, ..panel() };
    let in_progress = Some(cause(&read(to_new()).expect("a request")));
    let changing_to_new = Panel { in_progress, ..changing.clone() };
    let stale = Delivered { is_fresh: false, ..live(Via::BoardTopic) };
    let bare = panel().without_serial_number();
    let mut random = panel();
    random.record.current.mac_origin = MacOrigin::Random;
    let unread = panel().whose_board_cannot_be_read();
    let taken = Panel { owner: MacOwner::AnotherBoard(None), ..panel() };
    let deferred = Delivered { deferrals: MAX_DEFERRALS, ..live(Via::MacTopic) };
    vec![
        (1, unsigned.on_my_topic(to_new())),
        (2, panel().on_my_topic(json!([]))),
        (2, panel().decide(json!([]), &live(Via::BoardTopic))),
        (2, panel().decide(json!([]), &live(Via::Installer))),
        (2, panel().decide(json!({"request_id": "r-1"}), &live(Via::PendingList))),
        (2, panel().decide(json!([]), &live(Via::PendingList))),
        (3, panel().decide(for_other(), &live(Via::BoardTopic))),
        (3, panel().decide(for_other(), &live(Via::PendingList))),
        (3, panel().on_my_topic(for_other())),
        (3, panel().decide(for_other(), &live(Via::Installer))),
        (4, done.decide(with("request_id", json!("r-1")), &live(Via::BoardTopic))),
        (4, later.decide(with_seq("new_serial_number", "S"), &live(Via::BoardTopic))),
        (4, panel().decide(with("issuer", json!("billing-1")), &stale)),
        (5, changing.on_my_topic(to_new())),
        (5, changing_to_new.on_my_topic(to_new())),
        (6, panel().on_my_topic(json!({"mac": MINE, "new_mac": NEW}))),
        (7, panel().on_my_topic(with("model", json!("DKS20211")))),
        (8, panel().on_my_topic(replacement("OTHER", "3516EV200"))),
        (9, panel().on_my_topic(replacement("OWN-1", "3516EV200"))),
        (9, unread.on_my_topic(replacement("OWN-1", "3516EV200"))),
        (10, unread.with_its_mac().on_my_topic(replacement("GIVEN", "3516EV200"))),
        (10, bare.on_my_topic(replacement("GIVEN", "3516EV200"))),
        (10, bare.on_my_topic(replacement("GIVEN", "DKS20211"))),
        (11, random.on_my_topic(to_new())),
        (11, unread.on_my_topic(to_new())),
        (12, taken.on_my_topic(to_new())),
        (12, taken.decide(to_new(), &deferred)),
        (13, panel().on_my_topic(json!({"mac": MINE}))),
        (14, panel().on_my_topic(to_new())),
    ]
}

#[test]
fn each_documented_row_names_the_decisions_that_the_code_makes() {
    let documented = documented();
    let numbers: Vec<usize> = documented.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=14).collect::<Vec<_>>(), "each row once, in order");
    let decided = decided();
    for (number, named) in documented {
        let of_row = decided.iter().filter(|(row, _)| *row == number);
        let made: BTreeSet<&str> = of_row.map(|(_, decision)| word(decision)).collect();
        assert_eq!(named, made, "row {number}");
    }
}
