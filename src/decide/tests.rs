//! The table, row by row, and what holds over all of it.

mod documented;

use intercom_wire::signature::{Flaw, Keys, SigningKey};
use intercom_wire::{
    BoardName, FactoryIdentity, Identity, Mac, Outcome, Request, RequestId, Unreadable,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::clock::WallTime;
use crate::record::{Cause, Current, Entry, Ledger, MacOrigin, Record, SeqMark, SerialOrigin};

const THEN: WallTime = WallTime::from_unix_seconds(1_800_000_000);
const MINE: &str = "AA:BB:CC:DD:EE:01";
const NEW: &str = "22:0D:CE:38:E7:15";
const OTHER: &str = "02:00:00:00:00:99";

/// A board with what it knows; the facts borrow from it.
#[derive(Debug, Clone)]
struct Panel {
    record: Record,
    volatile: Ledger,
    id: Option<OwnId>,
    models: Vec<String>,
    require_signature: bool,
    owner: MacOwner,
    changing: bool,
    in_progress: Option<Cause>,
    still_reading: bool,
}

fn mac(text: &str) -> Mac {
    text.parse().expect("a MAC")
}

fn panel() -> Panel {
    let identity = Identity { mac: mac(MINE), serial_number: "OWN-1".parse().ok() };
    let current = Current {
        identity: identity.clone(),
        mac_origin: MacOrigin::Board,
        serial_origin: Some(SerialOrigin::Board),
    };
    let board: BoardName = "die-1".parse().expect("a board name");
    let factory = Some(FactoryIdentity::Known(identity));
    Panel {
        record: Record::new(board, factory, current),
        volatile: Ledger::default(),
        id: Some(OwnId::Configured(123)),
        models: vec!["3516EV200".into()],
        require_signature: false,
        owner: MacOwner::Nobody,
        changing: false,
        in_progress: None,
        still_reading: false,
    }
}

impl Panel {
    fn facts(&self) -> Facts<'_> {
        Facts {
            require_signature: self.require_signature,
            current: &self.record.current,
            board: &self.record.board,
            id: self.id,
            models: &self.models,
            owner: self.owner.clone(),
            changing: self.changing,
            in_progress: self.in_progress.as_ref(),
            still_reading: self.still_reading,
            past: Past { durable: &self.record.ledger, volatile: &self.volatile },
        }
    }

    fn decide(&self, body: Value, delivered: &Delivered) -> Decision {
        decide(&read(body), delivered, &self.facts())
    }

    /// The request that is delivered live on the topic of the current MAC.
    fn on_my_topic(&self, body: Value) -> Decision {
        self.decide(body, &delivered(Via::MacTopic, Timing::Live))
    }

    fn without_serial_number(mut self) -> Self {
        self.record.current.identity.serial_number = None;
        self.record.current.serial_origin = None;
        self
    }

    /// Neither its MAC address nor its serial number could be read yet.
    fn whose_board_cannot_be_read(mut self) -> Self {
        self.still_reading = true;
        self.record.current.mac_origin = MacOrigin::Unread;
        self.record.current.serial_origin = Some(SerialOrigin::Unread);
        self.record.current.identity.serial_number = None;
        self
    }

    /// Its MAC address is known.
    fn with_its_mac(&self) -> Self {
        let mut panel = self.clone();
        panel.record.current.mac_origin = MacOrigin::Board;
        panel
    }

    /// As if `body` had been applied.
    fn having_applied(mut self, body: Value) -> Self {
        let request = read(body).expect("a request");
        let patch = request.content.as_ref().expect("valid");
        let previous = self.record.current.identity.clone();
        if let Some(new_mac) = patch.new_mac {
            self.record.current.identity.mac = new_mac;
            self.record.current.mac_origin = MacOrigin::Request;
        }
        if let Some(serial_number) = patch.new_serial_number.clone() {
            self.record.current.identity.serial_number = Some(serial_number);
            self.record.current.serial_origin = Some(SerialOrigin::Request);
        }
        let cause = cause(&request);
        let report = self.record.report(&cause, Outcome::Installed, previous, None);
        self.record.ledger.add(Entry::new(&cause, report, THEN));
        self.record.ledger.marks.decided(&cause);
        self
    }

    /// It has taken a change back.
    fn having_rolled_back(mut self, body: Value) -> Self {
        let cause = cause(&read(body).expect("a request"));
        let previous = self.record.current.identity.clone();
        let report = self.record.report(&cause, Outcome::RolledBack, previous, None);
        self.record.ledger.add(Entry::new(&cause, report, THEN));
        self.record.ledger.marks.decided(&cause);
        self
    }
}

fn cause(request: &Request) -> Cause {
    Cause {
        request_id: request.id.clone(),
        issuer: request.issuer.clone(),
        hash: request.hash.clone(),
        seq: request.seq,
        target: request.target.clone(),
        model: None,
        log_extra: None,
        routes: Vec::new(),
    }
}

fn read(body: Value) -> Result<Request, Unreadable> {
    Request::read(body.to_string().as_bytes())
}

fn delivered(via: Via, timing: Timing) -> Delivered {
    Delivered { via, timing, signature: Signature::Missing, is_fresh: true, deferrals: 0 }
}

/// The fields that a rejection names; none if it is no rejection.
fn rejected_on(decision: &Decision) -> Vec<String> {
    match decision {
        Decision::Reject(errors) => errors.fields().map(|(field, _)| field.to_owned()).collect(),
        _ => Vec::new(),
    }
}

fn to_new() -> Value {
    json!({"mac": MINE, "new_mac": NEW, "model": "3516EV200"})
}

fn identity(mac_text: &str, serial: &str) -> Identity {
    Identity { mac: mac(mac_text), serial_number: serial.parse().ok() }
}

#[test]
fn row_1_an_unsigned_or_badly_signed_request_is_ignored_before_anything_else() {
    let panel = Panel { require_signature: true, ..panel() };
    let ignored = Decision::Ignore(Ignored::NotSigned);
    let unsigned = delivered(Via::MacTopic, Timing::Live);
    assert_eq!(panel.decide(to_new(), &unsigned), ignored);
    assert_eq!(panel.decide(json!("garbage"), &unsigned), ignored);
    let signed = Delivered { signature: Signature::Good, ..delivered(Via::MacTopic, Timing::Live) };
    assert_eq!(panel.decide(to_new(), &signed), ignored, "a signed request must carry seq");
    let mut with_seq = to_new();
    with_seq["seq"] = json!(1);
    assert_eq!(panel.decide(with_seq.clone(), &signed), Decision::Apply(identity(NEW, "OWN-1")));
    with_seq["target"] = json!({"board": "die-1"});
    assert_eq!(panel.decide(with_seq.clone(), &signed), ignored, "a seq counts for an intercom");
    with_seq["issuer"] = json!("billing-1");
    assert!(matches!(panel.decide(with_seq.clone(), &signed), Decision::Apply(_)), "by its nonce");
    let stale = Delivered { is_fresh: false, ..signed };
    assert_eq!(panel.decide(with_seq, &stale), Decision::Hint);
    let by_hand = delivered(Via::Installer, Timing::Live);
    assert_eq!(panel.decide(to_new(), &by_hand), Decision::Apply(identity(NEW, "OWN-1")));
}

#[test]
fn row_1_a_badly_signed_request_is_ignored_whether_or_not_a_signature_is_required() {
    for require_signature in [false, true] {
        let panel = Panel { require_signature, ..panel() };
        for via in [Via::MacTopic, Via::BoardTopic, Via::PendingList, Via::Installer] {
            let signature = Signature::Bad(Flaw::Mismatch);
            let delivered = Delivered { signature, ..delivered(via, Timing::Live) };
            let ignored = Decision::Ignore(Ignored::BadlySigned(Flaw::Mismatch));
            assert_eq!(panel.decide(to_new(), &delivered), ignored);
            assert_eq!(panel.decide(json!("garbage"), &delivered), ignored);
        }
    }
}

#[test]
fn row_4_an_old_signed_request_that_is_sent_again_changes_nothing() {
    let body = |id: &str, seq: u64, mac: &str, new_mac: &str| {
        json!({
            "request_id": id, "seq": seq, "id": 123, "new_mac": new_mac, "model": "3516EV200",
            "target": {"id": 123, "mac": mac}
        })
    };
    let (forth, back) = (body("r-1", 1, MINE, NEW), body("r-2", 2, NEW, MINE));
    let key = SigningKey::new(&[7; 32]).expect("a seed");
    let keys: Keys = [(key.key_id().to_owned(), key.public_key())].into_iter().collect();
    let recorded = key.sign(forth.to_string().as_bytes());
    let open = |panel: &Panel| {
        let (payload, signature) = keys.open(recorded.as_bytes());
        assert_eq!(signature, Signature::Good, "whoever replays it need not forge it");
        let delivered = Delivered { signature, ..delivered(Via::MacTopic, Timing::Live) };
        decide(&Request::read(&payload), &delivered, &panel.facts())
    };
    let panel = Panel { require_signature: true, ..panel() };
    assert_eq!(open(&panel), Decision::Apply(identity(NEW, "OWN-1")));
    let panel = panel.having_applied(forth);
    assert!(matches!(open(&panel), Decision::AlreadyDone(_)), "by its id in the ledger");
    let mut panel = panel.having_applied(back);
    assert!(matches!(open(&panel), Decision::AlreadyDone(_)), "though it would fit again");
    for number in 3..40 {
        let body = body(&format!("r-{number}"), number, MINE, MINE);
        panel = panel.having_applied(body);
    }
    assert_eq!(
        open(&panel),
        Decision::Overtaken(39),
        "by its seq once the ledger has forgotten it"
    );
}

#[test]
fn row_2_what_cannot_be_read_is_rejected_on_my_own_topic_and_ignored_elsewhere() {
    for garbage in [json!([]), json!("text"), json!({"model": "x"}), json!({"mac": "here"})] {
        let own = panel().on_my_topic(garbage.clone());
        assert!(matches!(own, Decision::Reject(_)), "{garbage}: {own:?}");
        let listed = delivered(Via::PendingList, Timing::Again);
        assert_eq!(
            panel().decide(garbage, &listed),
            Decision::Ignore(Ignored::Unreadable),
            "billing could not tell which one the rejection is for"
        );
    }
}

#[test]
fn row_3_a_request_for_another_board_is_ignored_but_rejected_on_my_macs_own_topic() {
    let body = json!({"mac": OTHER, "new_mac": NEW, "model": "3516EV200"});
    assert_eq!(rejected_on(&panel().on_my_topic(body.clone())), ["mac"]);
    for via in [Via::BoardTopic, Via::PendingList] {
        let decision = panel().decide(body.clone(), &delivered(via, Timing::Again));
        assert_eq!(decision, Decision::Ignore(Ignored::NotOurs));
    }
}

#[test]
fn row_3_the_field_that_names_another_panel_is_the_one_that_is_told() {
    let body = json!({"id": 77, "new_mac": NEW, "model": "3516EV200"});
    assert_eq!(rejected_on(&panel().on_my_topic(body.clone())), ["id"]);
    let mut with_mac = body;
    with_mac["mac"] = json!(OTHER);
    assert_eq!(rejected_on(&panel().on_my_topic(with_mac)), ["mac"]);
}

#[test]
fn row_3_a_mac_that_was_given_up_is_not_mine() {
    let panel = panel().having_applied(to_new());
    let back = json!({"mac": MINE, "new_mac": OTHER, "model": "3516EV200"});
    assert_eq!(rejected_on(&panel.on_my_topic(back)), ["mac"]);
}

#[test]
fn row_3_a_learnt_id_does_not_stand_against_the_targets_mac() {
    let body = |mac: &str| json!({"id": 5, "new_mac": NEW, "model": "3516EV200", "target": {"id": 5, "mac": mac}});
    let listed = delivered(Via::PendingList, Timing::Again);
    let learnt = Panel { id: Some(OwnId::Learnt(5)), ..panel() };
    assert_eq!(learnt.decide(body(OTHER), &listed), Decision::Ignore(Ignored::NotOurs));
    assert!(matches!(learnt.decide(body(MINE), &listed), Decision::Apply(_)));
    let configured = Panel { id: Some(OwnId::Configured(5)), ..panel() };
    assert!(matches!(configured.decide(body(OTHER), &listed), Decision::Apply(_)));
}

#[test]
fn row_4_a_request_in_the_ledger_is_answered_again() {
    let mut body = to_new();
    body["request_id"] = json!("r-1");
    body["target"] = json!({"mac": MINE, "board": "die-1"});
    let panel = panel().having_applied(body.clone());
    let Decision::AlreadyDone(report) = panel.on_my_topic(body) else { panic!("not answered") };
    assert_eq!(report.request_id, "r-1".parse().ok());
    assert_eq!(report.outcome(), Some(Outcome::Installed));
}

#[test]
fn row_4_a_seq_that_is_not_above_the_highest_is_overtaken() {
    let body = |id: &str, seq: u64| {
        json!({
            "id": 123, "new_serial_number": format!("S-{id}"), "model": "3516EV200",
            "request_id": id, "seq": seq
        })
    };
    let panel = panel().having_applied(body("r-7", 7));
    assert_eq!(panel.on_my_topic(body("r-6", 6)), Decision::Overtaken(7));
    assert_eq!(panel.on_my_topic(body("again", 7)), Decision::Overtaken(7));
    assert!(matches!(panel.on_my_topic(body("r-8", 8)), Decision::Apply(_)));
}

#[test]
fn row_4_what_the_board_tries_again_by_itself_was_decided_only_if_a_higher_seq_was() {
    let body = |id: &str, seq: u64| {
        json!({
            "id": 123, "new_serial_number": format!("S-{id}"), "model": "3516EV200",
            "request_id": id, "seq": seq
        })
    };
    let panel = panel().having_rolled_back(body("r-7", 7));
    assert!(matches!(panel.on_my_topic(body("r-7", 7)), Decision::AlreadyDone(_)));
    let again = delivered(Via::MacTopic, Timing::Retried);
    let decision = panel.decide(body("r-7", 7), &again);
    assert!(matches!(decision, Decision::Apply(_)), "{decision:?}");
    assert_eq!(panel.decide(body("r-6", 6), &again), Decision::Overtaken(7));
}

#[test]
fn row_4_what_an_issuer_asks_counts_only_as_the_answer_to_what_the_panel_said() {
    let fresh = delivered(Via::BoardTopic, Timing::Live);
    let stale = Delivered { is_fresh: false, ..fresh.clone() };
    let body = |issuer: Option<&str>| {
        let mut body = to_new();
        body["issuer"] = json!(issuer);
        body
    };
    assert!(matches!(panel().decide(body(Some("billing-1")), &fresh), Decision::Apply(_)));
    assert_eq!(panel().decide(body(Some("billing-1")), &stale), Decision::Hint);
    assert!(matches!(panel().decide(body(None), &stale), Decision::Apply(_)), "by hand");
    let done = panel().having_applied(body(Some("billing-1")));
    assert_eq!(done.decide(body(Some("billing-1")), &stale), Decision::Hint, "no report either");
}

#[test]
fn row_4_each_issuer_counts_its_seq_for_itself() {
    let body = |issuer: Option<&str>, seq: u64| {
        json!({
            "id": 123, "new_serial_number": format!("S-{seq}"), "model": "3516EV200",
            "issuer": issuer, "seq": seq
        })
    };
    let panel = panel().having_applied(body(Some("billing-1"), 7));
    assert_eq!(panel.on_my_topic(body(Some("billing-1"), 6)), Decision::Overtaken(7));
    for other in [Some("billing-2"), None] {
        assert!(matches!(panel.on_my_topic(body(other, 6)), Decision::Apply(_)), "{other:?}");
    }
}

#[test]
fn row_5_the_request_in_progress_is_told_from_the_others() {
    let body = |id: Option<&str>, new_mac: &str| json!({"id": 123, "new_mac": new_mac, "model": "3516EV200", "request_id": id, "seq": 5});
    for id in [Some("r-1"), None] {
        let in_progress = Some(cause(&read(body(id, NEW)).expect("a request")));
        let mut panel = Panel { changing: true, in_progress, ..panel() };
        panel.record.ledger.marks.decided(&cause(&read(body(id, NEW)).expect("a request")));
        assert_eq!(panel.on_my_topic(body(id, NEW)), Decision::InProgress);
        let mut later = body(Some("r-2"), OTHER);
        later["seq"] = json!(6);
        assert_eq!(panel.on_my_topic(later), Decision::Keep);
    }
}

#[test]
fn row_4_a_bare_request_by_hand_works_each_time_live_and_cannot_flap_retained() {
    let forth = to_new();
    let back = json!({"mac": NEW, "new_mac": MINE, "model": "3516EV200"});
    let panel = panel().having_applied(forth.clone()).having_applied(back);
    assert_eq!(panel.on_my_topic(forth.clone()), Decision::Apply(identity(NEW, "OWN-1")));
    for via in [Via::MacTopic, Via::PendingList] {
        let decision = panel.decide(forth.clone(), &delivered(via, Timing::Again));
        assert!(matches!(decision, Decision::AlreadyDone(_)), "{decision:?}");
    }
}

#[test]
fn row_4_the_same_content_under_another_id_is_done_while_its_outcome_holds() {
    let body =
        |id: &str| json!({"id": 123, "new_mac": NEW, "model": "3516EV200", "request_id": id});
    let panel = panel().having_applied(body("r-1"));
    let Decision::StillHolds(report) = panel.on_my_topic(body("r-2")) else { panic!("not done") };
    assert_eq!(report.request_id, "r-2".parse().ok(), "answered under its own id");
}

#[test]
fn row_5_a_request_during_a_change_is_kept() {
    let panel = Panel { changing: true, ..panel() };
    assert_eq!(panel.on_my_topic(to_new()), Decision::Keep);
    let invalid = json!({"mac": MINE, "new_mac": NEW});
    assert_eq!(panel.on_my_topic(invalid), Decision::Keep);
}

#[test]
fn row_6_an_invalid_request_is_rejected_with_every_error() {
    let body = json!({"mac": MINE, "new_mac": "FF:FF:FF:FF:FF:FF", "flat_from": "one"});
    assert_eq!(rejected_on(&panel().on_my_topic(body)), ["flat_from", "new_mac", "model"]);
    let both = json!({"id": 123, "mac": MINE, "new_mac": NEW, "model": "3516EV200"});
    assert_eq!(rejected_on(&panel().on_my_topic(both)), ["id", "mac"]);
}

#[test]
fn row_7_another_model_is_rejected_and_case_and_punctuation_do_not_count() {
    let body = |model: &str| json!({"mac": MINE, "new_mac": NEW, "model": model});
    assert_eq!(rejected_on(&panel().on_my_topic(body("DKS20211"))), ["model"]);
    assert!(matches!(panel().on_my_topic(body("3516-ev200")), Decision::Apply(_)));
    let unknown = Panel { models: Vec::new(), ..panel() };
    let Decision::Reject(errors) = unknown.on_my_topic(body("3516EV200")) else { panic!("taken") };
    assert!(errors.message().contains("does not know its model"));
}

#[test]
fn row_8_the_wrong_board_on_the_wall_is_rejected() {
    let body = json!({
        "mac": OTHER, "new_mac": MINE, "new_serial_number": "WANTED", "model": "3516EV200"
    });
    assert_eq!(rejected_on(&panel().on_my_topic(body)), ["new_serial_number"]);
}

#[test]
fn row_9_the_replacement_on_the_wall_is_already_installed() {
    let body = |serial: Value| json!({"mac": OTHER, "new_mac": MINE, "new_serial_number": serial, "model": "3516EV200"});
    assert_eq!(panel().on_my_topic(body(json!("OWN-1"))), Decision::AlreadyInstalled);
    assert_eq!(panel().on_my_topic(body(json!(null))), Decision::AlreadyInstalled);
    let without = panel().without_serial_number();
    assert_eq!(without.on_my_topic(body(json!(null))), Decision::AlreadyInstalled);
}

#[test]
fn row_10_a_replacement_without_a_serial_number_of_its_own_gets_one() {
    let body = |model: &str| json!({"mac": OTHER, "new_mac": MINE, "new_serial_number": "GIVEN", "model": model});
    let bare = panel().without_serial_number();
    assert_eq!(bare.on_my_topic(body("3516EV200")), Decision::Apply(identity(MINE, "GIVEN")));
    assert_eq!(rejected_on(&bare.on_my_topic(body("DKS20211"))), ["model"]);
    let mut given_before = panel();
    given_before.record.current.serial_origin = Some(SerialOrigin::Request);
    assert_eq!(
        given_before.on_my_topic(body("3516EV200")),
        Decision::Apply(identity(MINE, "GIVEN"))
    );
}

#[test]
fn row_10_a_serial_number_that_cannot_be_read_is_not_one_that_is_absent() {
    let body =
        json!({"mac": OTHER, "new_mac": MINE, "new_serial_number": "GIVEN", "model": "3516EV200"});
    let unread = panel().whose_board_cannot_be_read().with_its_mac();
    assert_eq!(unread.on_my_topic(body.clone()), Decision::AwaitBoard);
    let given_up = Panel { still_reading: false, ..unread };
    assert_eq!(rejected_on(&given_up.on_my_topic(body)), ["new_serial_number"]);
}

#[test]
fn row_11_a_board_that_cannot_be_read_yet_waits_and_is_then_known_by_its_name_alone() {
    let by_id = || json!({"id": 123, "new_mac": NEW, "model": "3516EV200"});
    let by_hand = delivered(Via::Installer, Timing::Live);
    let unread = panel().whose_board_cannot_be_read();
    for body in [to_new(), by_id()] {
        assert_eq!(unread.on_my_topic(body), Decision::AwaitBoard);
    }
    assert_eq!(unread.decide(to_new(), &by_hand), Decision::AwaitBoard);
    assert!(matches!(unread.decide(by_id(), &by_hand), Decision::Apply(_)));
    let given_up = Panel { still_reading: false, ..unread };
    assert_eq!(rejected_on(&given_up.on_my_topic(to_new())), ["mac"]);
    assert!(matches!(given_up.on_my_topic(by_id()), Decision::Apply(_)));
}

#[test]
fn row_11_a_placeholder_or_random_mac_names_nobody() {
    for origin in [MacOrigin::Placeholder, MacOrigin::Random] {
        let mut panel = panel();
        panel.record.current.mac_origin = origin;
        assert_eq!(rejected_on(&panel.on_my_topic(to_new())), ["mac"]);
        let by_id = json!({"id": 123, "new_mac": NEW, "model": "3516EV200"});
        assert!(matches!(panel.on_my_topic(by_id), Decision::Apply(_)));
        let other_id = json!({
            "id": 7, "new_mac": NEW, "model": "3516EV200", "target": {"id": 7, "mac": MINE}
        });
        assert_eq!(rejected_on(&panel.on_my_topic(other_id)), ["mac"]);
    }
}

#[test]
fn row_12_a_mac_that_another_board_has_is_deferred_and_then_rejected() {
    let new_mac = mac(NEW);
    let nobody_looked = Panel { owner: MacOwner::NotLookedUp, ..panel() };
    assert_eq!(nobody_looked.on_my_topic(to_new()), Decision::LookUp(new_mac));
    let other: Option<BoardName> = "die-2".parse().ok();
    let taken = Panel { owner: MacOwner::AnotherBoard(other.clone()), ..panel() };
    for deferrals in 0..MAX_DEFERRALS {
        let delivered = Delivered { deferrals, ..delivered(Via::MacTopic, Timing::Live) };
        assert_eq!(taken.decide(to_new(), &delivered), Decision::Defer(other.clone()));
    }
    let at_last = Delivered { deferrals: MAX_DEFERRALS, ..delivered(Via::MacTopic, Timing::Live) };
    assert_eq!(rejected_on(&taken.decide(to_new(), &at_last)), ["new_mac"]);
}

#[test]
fn row_12_a_mac_whose_owner_could_not_be_found_out_is_deferred_and_then_rejected() {
    let panel = Panel { owner: MacOwner::Unknown(None), ..panel() };
    for deferrals in 0..MAX_DEFERRALS {
        let delivered = Delivered { deferrals, ..delivered(Via::MacTopic, Timing::Live) };
        assert_eq!(panel.decide(to_new(), &delivered), Decision::DeferUnknown(mac(NEW), None));
    }
    let at_last = Delivered { deferrals: MAX_DEFERRALS, ..delivered(Via::MacTopic, Timing::Live) };
    assert_eq!(rejected_on(&panel.decide(to_new(), &at_last)), ["new_mac"]);
}

#[test]
fn row_12_looks_at_nobody_when_the_mac_stays() {
    let panel = Panel { owner: MacOwner::NotLookedUp, ..panel() };
    let body =
        json!({"mac": MINE, "new_mac": MINE, "new_serial_number": "S", "model": "3516EV200"});
    assert_eq!(panel.on_my_topic(body), Decision::Apply(identity(MINE, "S")));
}

#[test]
fn row_13_a_board_that_does_not_differ_is_already_installed() {
    let body =
        json!({"mac": MINE, "new_mac": MINE, "new_serial_number": "OWN-1", "model": "3516EV200"});
    assert_eq!(panel().on_my_topic(body), Decision::AlreadyInstalled);
    assert_eq!(
        panel().on_my_topic(json!({"mac": MINE, "title": "Door"})),
        Decision::AlreadyInstalled
    );
}

#[test]
fn row_14_what_differs_is_applied() {
    assert_eq!(panel().on_my_topic(to_new()), Decision::Apply(identity(NEW, "OWN-1")));
    let serial_only = json!({"id": 123, "new_serial_number": "S", "model": "3516EV200"});
    assert_eq!(panel().on_my_topic(serial_only), Decision::Apply(identity(MINE, "S")));
    let by_board = json!({
        "id": 9, "new_mac": NEW, "new_serial_number": "S", "model": "3516EV200",
        "target": {"board": "die-1"}
    });
    assert_eq!(panel().on_my_topic(by_board), Decision::Apply(identity(NEW, "S")));
}

fn any_panel() -> impl Strategy<Value = Panel> {
    let origins = prop::sample::select(vec![
        MacOrigin::Board,
        MacOrigin::Placeholder,
        MacOrigin::Random,
        MacOrigin::Request,
    ]);
    let ids =
        prop::sample::select(vec![None, Some(OwnId::Configured(123)), Some(OwnId::Learnt(123))]);
    let owners = prop::sample::select(vec![
        MacOwner::NotLookedUp,
        MacOwner::Unknown(None),
        MacOwner::Nobody,
        MacOwner::AnotherBoard("die-2".parse().ok()),
    ]);
    (origins, ids, owners, any::<[bool; 5]>()).prop_map(|(origin, id, owner, flags)| {
        let [signature, changing, bare, done, no_model] = flags;
        let mut panel = Panel { id, owner, changing, require_signature: signature, ..panel() };
        if bare {
            panel = panel.without_serial_number();
        }
        if done {
            panel = panel
                .having_applied(json!({"id": 123, "model": "m", "request_id": "r-1", "seq": 3}));
        }
        if no_model {
            panel.models.clear();
        }
        panel.record.current.mac_origin = origin;
        panel
    })
}

fn any_body() -> impl Strategy<Value = Value> {
    let macs =
        || prop::option::of(prop::sample::select(vec![MINE, NEW, OTHER, "FF:FF:FF:FF:FF:FF"]));
    let models = prop::option::of(prop::sample::select(vec!["3516EV200", "3516ev-200", "DKS"]));
    let ids = || prop::option::of(prop::sample::select(vec![123, 7]));
    let serials = prop::option::of(prop::sample::select(vec!["OWN-1", "S"]));
    let request = (
        prop::option::of(prop::sample::select(vec!["r-1", "r-2"])),
        prop::option::of(1..6_u64),
        prop::option::of(prop::sample::select(vec!["billing-1", "billing-2"])),
        prop::option::of((ids(), macs())),
    );
    (ids(), macs(), macs(), serials, models, request).prop_map(
        |(id, mac, new_mac, serial, model, (request_id, seq, issuer, target))| {
            let mut body = json!({
                "id": id, "mac": mac, "new_mac": new_mac, "new_serial_number": serial,
                "model": model, "request_id": request_id, "seq": seq, "issuer": issuer
            });
            if let Some((id, mac)) = target {
                body["target"] = json!({"id": id, "mac": mac});
            }
            body
        },
    )
}

fn any_delivered() -> impl Strategy<Value = Delivered> {
    let vias = vec![Via::MacTopic, Via::BoardTopic, Via::PendingList, Via::Installer];
    let signatures = vec![Signature::Missing, Signature::Bad(Flaw::Mismatch), Signature::Good];
    let timings = vec![Timing::Live, Timing::Again];
    let sample = prop::sample::select::<Via>;
    let signatures = prop::sample::select(signatures);
    (sample(vias), prop::sample::select(timings), signatures, any::<bool>(), 0..5_u8).prop_map(
        |(via, timing, signature, is_fresh, deferrals)| Delivered {
            via,
            timing,
            signature,
            is_fresh,
            deferrals,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn deciding_twice_gives_the_same_answer(
        panel in any_panel(), body in any_body(), delivered in any_delivered()
    ) {
        let request = read(body);
        let once = decide(&request, &delivered, &panel.facts());
        prop_assert_eq!(decide(&request, &delivered, &panel.facts()), once);
    }

    #[test]
    fn only_a_valid_request_of_the_right_model_is_applied(
        panel in any_panel(), body in any_body(), delivered in any_delivered()
    ) {
        let request = read(body.clone());
        if let Decision::Apply(to) = decide(&request, &delivered, &panel.facts()) {
            let patch = request.expect("readable").content.expect("valid");
            let model = patch.model.expect("a model").to_lowercase().replace('-', "");
            prop_assert_eq!(model, "3516ev200");
            prop_assert!(!panel.models.is_empty());
            prop_assert!(!panel.changing, "one change at a time");
            prop_assert!(body["issuer"].is_null() || delivered.is_fresh, "an old offer");
            prop_assert!(!matches!(delivered.signature, Signature::Bad(_)));
            prop_assert!(
                !panel.require_signature
                    || delivered.signature == Signature::Good
                    || delivered.via == Via::Installer
            );
            prop_assert_ne!(&to, &panel.record.current.identity, "something differs");
            prop_assert!(patch.new_mac.is_none_or(|mac| mac == to.mac));
            prop_assert!(patch.new_serial_number.is_none_or(|s| Some(s) == to.serial_number));
            if to.mac != panel.record.current.identity.mac {
                prop_assert_eq!(panel.owner, MacOwner::Nobody, "nobody else's MAC is taken");
            }
        }
    }

    #[test]
    fn what_was_decided_is_never_applied_again(body in any_body(), delivered in any_delivered()) {
        let panel = Panel { owner: MacOwner::Nobody, ..panel() };
        let request = read(body.clone());
        let decision = decide(&request, &delivered, &panel.facts());
        let has_id = request.as_ref().is_ok_and(|r| r.id.is_some());
        if matches!(decision, Decision::Apply(_)) && has_id {
            let after = panel.having_applied(body);
            let again = decide(&request, &delivered, &after.facts());
            prop_assert!(!matches!(again, Decision::Apply(_)), "{again:?}");
        }
    }

    #[test]
    fn another_boards_request_changes_nothing(body in any_body(), delivered in any_delivered()) {
        let mut panel = panel();
        panel.id = None;
        let request = read(body.clone());
        let names_me = body.to_string().contains(MINE);
        let decision = decide(&request, &delivered, &panel.facts());
        if !names_me {
            prop_assert!(
                !matches!(decision, Decision::Apply(_) | Decision::AlreadyInstalled),
                "{decision:?}"
            );
        }
    }
}

#[test]
fn a_ledger_keeps_the_last_outcomes_and_the_highest_seq() {
    let mut panel = panel();
    for number in 0..40_u64 {
        let body =
            json!({"id": 123, "model": "m", "request_id": format!("r-{number}"), "seq": number});
        panel = panel.having_applied(body);
    }
    let ledger = &panel.record.ledger;
    let last = SeqMark::of(&read(json!({"id": 123, "seq": 0})).expect("a request"));
    assert_eq!(ledger.entries().len(), Ledger::MAX_ENTRIES);
    let id = |text: &str| text.parse::<RequestId>().expect("an id");
    assert!(ledger.by_id(&id("r-39")).is_some());
    assert!(ledger.by_id(&id("r-0")).is_none());
    assert_eq!(last.and_then(|last| ledger.marks.highest(&last)), Some(39));
}
