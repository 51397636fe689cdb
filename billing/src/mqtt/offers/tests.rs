//! What is planned for which change, and what of it is said.

use std::time::SystemTime;

use intercom_test_support::Database;
use intercom_wire::json::FromJson;
use intercom_wire::{Mac, Nonce, Presence, PresenceState};
use serde_json::json;
use tokio::runtime::Runtime;

use super::*;
use crate::audit::Actor;
use crate::store::Store;
use crate::store::intercoms::Name;
use crate::store::macs::Believed;
use crate::store::tests::changed;

fn plan_of(wanted: &[(&str, &str)], over: &[&str], ask: &[&str]) -> Plan {
    Plan {
        ask_again: BTreeSet::new(),
        awaited: BTreeMap::new(),
        wanted: wanted
            .iter()
            .map(|(topic, payload)| ((*topic).to_owned(), payload.as_bytes().to_vec()))
            .collect(),
        over: over.iter().map(|topic| (*topic).to_owned()).collect(),
        ask: ask.iter().map(|board| board.parse().expect("a board")).collect(),
        due: Vec::new(),
    }
}

fn queued(said: &mut Said) -> Vec<(String, String)> {
    let text = |payload: Vec<u8>| String::from_utf8(payload).expect("text");
    said.queue.drain(..).map(|m| (m.topic, text(m.payload))).collect()
}

/// A service with the intercoms 1 and 2, each with a pending request for the MAC address
/// 06:00:00:00:00:01 or :02, and nothing to wake it.
struct World {
    runtime: Runtime,
    billing: Billing,
    database: Database,
}

impl World {
    fn new(grace_ms: i64) -> Self {
        let (database, runtime) = (Database::new(), Runtime::new().expect("one"));
        let store = Store::open(&database).expect("a store");
        let call = async {
            let billing = Billing::start(store, grace_ms, Believed::FirstSight, None).await?;
            for number in [1, 2] {
                let old = format!("02:00:00:00:00:0{number}");
                let new = format!("06:00:00:00:00:0{number}");
                billing
                    .create(json!({"mac": old}).as_object().expect("an object"), Actor::CommandLine)
                    .await?;
                let patch = json!({"id": number, "new_mac": new, "model": "M", "group_id": 1});
                let patch = patch.as_object().expect("an object").clone();
                billing.patch(patch, Actor::CommandLine).await?;
            }
            Ok::<_, Refusal>(billing)
        };
        let billing = runtime.block_on(call).expect("two requests");
        changed(&billing.store);
        World { runtime, billing, database }
    }

    /// Moves everything that has happened to a time that long ago.
    fn passes(&self, ms: i64) {
        for (table, column) in [
            ("offers", "offered_ms"),
            ("offers", "deferred_until_ms"),
            ("boards", "present_since_ms"),
        ] {
            self.database.execute(&format!("UPDATE {table} SET {column} = {column} - {ms}"));
        }
    }

    /// What is due for the first request, without any news.
    fn plan_the_first(&self) -> Plan {
        let open = self.billing.store.read(crate::store::offers::every_open_request);
        let open = self.runtime.block_on(open).expect("the requests");
        let all = open.into_iter().map(Changed::Request).collect();
        self.runtime.block_on(plan(&self.billing, all)).expect("a plan")
    }

    fn state(&self) -> (Option<String>, Option<String>) {
        let shown = self.billing.show(Name::Id(1));
        let status = self.runtime.block_on(shown).expect("an intercom").status;
        let listed = self.runtime.block_on(self.billing.history(Some(1), 1)).expect("a list");
        (status, listed.into_iter().next().and_then(|entry| entry.reason))
    }

    fn defers(&self, board: &str, seconds: u64) {
        let listed = self.runtime.block_on(self.billing.history(Some(1), 1)).expect("a list");
        let report = json!({
            "mac": NEW_1, "status": "deferred", "request_id": listed[0].request_id,
            "board": board, "previous": {"mac": OLD_1, "serial_number": null},
            "factory": "unknown", "deferred_seconds": seconds,
        });
        let report = FromJson::from_json(&report).expect("a report");
        self.runtime.block_on(self.billing.report(report)).expect("taken");
    }

    fn is_there(&self, board: &str, mac: &str, state: PresenceState) {
        let board: BoardName = board.parse().expect("a board");
        let presence = Presence {
            mac: Some(mac.parse::<Mac>().expect("a MAC")),
            nonce: Some(Nonce::of(1)),
            ..Presence::of(board.clone(), state)
        };
        let heard = self.billing.on_presence(board, Some(presence));
        self.runtime.block_on(heard).expect("a presence");
    }

    fn is_changing(&self, board: &str) {
        let board: BoardName = board.parse().expect("a board");
        let presence = Presence {
            changing: true,
            nonce: Some(Nonce::of(2)),
            ..Presence::of(board.clone(), PresenceState::Online)
        };
        let heard = self.billing.on_presence(board, Some(presence));
        self.runtime.block_on(heard).expect("a presence");
    }

    /// The boards that are offered a request, told that one is over, and asked.
    fn planned(&self) -> [Vec<String>; 3] {
        let plan = plan(&self.billing, changed(&self.billing.store));
        let plan = self.runtime.block_on(plan).expect("a plan");
        let board = |topic: &String| match ToPanel::read(topic) {
            Some(ToPanel::Board(board)) => board.to_string(),
            other => panic!("{topic} is for {other:?}"),
        };
        [
            plan.wanted.keys().map(board).collect(),
            plan.over.iter().map(board).collect(),
            plan.ask.iter().map(BoardName::to_string).collect(),
        ]
    }
}

const NEW_1: &str = "06:00:00:00:00:01";
const OLD_1: &str = "02:00:00:00:00:01";
const NOBODY: Vec<String> = Vec::new();

fn only(board: &str) -> Vec<String> {
    vec![board.to_owned()]
}

#[test]
fn only_requests_that_something_has_changed_for_are_planned() {
    let world = World::new(3_600_000);
    assert_eq!(world.planned(), [NOBODY, NOBODY, NOBODY], "nothing has changed");
    world.is_there("die-9", NEW_1, PresenceState::Online);
    assert_eq!(world.planned(), [only("die-9"), NOBODY, NOBODY]);
    world.is_there("die-9", NEW_1, PresenceState::Online);
    assert_eq!(world.planned(), [NOBODY, NOBODY, NOBODY], "no news");
    world.is_there("die-9", "06:00:00:00:00:77", PresenceState::Online);
    assert_eq!(world.planned(), [NOBODY, only("die-9"), NOBODY], "it carries another one");
    world.is_there("die-9", NEW_1, PresenceState::Online);
    assert_eq!(world.planned(), [only("die-9"), NOBODY, NOBODY]);
    world.runtime.block_on(world.billing.delete(Name::Id(1), Actor::CommandLine)).expect("deleted");
    assert_eq!(world.planned(), [NOBODY, only("die-9"), NOBODY]);
}

#[test]
fn a_board_in_mid_change_is_offered_nothing_until_that_has_ended() {
    let world = World::new(0);
    world.is_there("die-9", NEW_1, PresenceState::Online);
    assert_eq!(world.planned(), [only("die-9"), NOBODY, NOBODY]);
    world.is_changing("die-9");
    assert_eq!(world.planned(), [NOBODY, NOBODY, NOBODY], "and nothing is struck out");
    world.is_there("die-9", NEW_1, PresenceState::Online);
    assert_eq!(world.planned(), [only("die-9"), NOBODY, NOBODY]);
}

#[test]
fn a_doors_board_that_has_not_shown_itself_is_asked_and_then_offered() {
    let world = World::new(0);
    world.is_there("die-1", OLD_1, PresenceState::Online);
    world.is_there("die-1", OLD_1, PresenceState::Offline);
    assert_eq!(world.planned(), [NOBODY, NOBODY, only("die-1")]);
    world.is_there("die-1", OLD_1, PresenceState::Online);
    assert_eq!(world.planned(), [only("die-1"), NOBODY, NOBODY]);
}

fn now_ms() -> i64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time");
    i64::try_from(since_1970.as_millis()).expect("a time")
}

const HALF_AN_HOUR_MS: i64 = 1_800_000;

#[test]
fn a_board_that_is_there_and_gives_no_answer_ends_the_request() {
    let world = World::new(0);
    world.is_there("die-9", NEW_1, PresenceState::Online);
    let due = world.plan_the_first().due;
    assert_eq!(due.len(), 1, "it is planned for again when the time is over");
    world.passes(HALF_AN_HOUR_MS - 60_000);
    world.plan_the_first();
    assert_eq!(world.state(), (Some("pending".into()), None));
    world.passes(60_000);
    world.plan_the_first();
    assert_eq!(world.state(), (Some("rejected".into()), Some("no answer".into())));
}

#[test]
fn a_board_that_is_away_or_has_deferred_is_given_its_time() {
    let world = World::new(0);
    world.is_there("die-9", NEW_1, PresenceState::Online);
    world.plan_the_first();
    world.passes(HALF_AN_HOUR_MS);
    world.defers("die-9", 60);
    world.plan_the_first();
    assert_eq!(world.state(), (Some("pending".into()), None), "it has given an answer");
    world.is_there("die-9", NEW_1, PresenceState::Offline);
    world.passes(2 * HALF_AN_HOUR_MS);
    world.plan_the_first();
    assert_eq!(world.state(), (Some("pending".into()), None), "it is not there");
    world.is_there("die-9", NEW_1, PresenceState::Online);
    world.plan_the_first();
    assert_eq!(world.state(), (Some("pending".into()), None), "it has just come back");
}

/// The board that the first request waits for.
fn awaited(world: &World) -> Option<Awaited> {
    let listed = world.runtime.block_on(world.billing.history(Some(1), 1)).expect("a list");
    let request_id = listed[0].request_id.clone();
    let all = [Changed::Request(request_id.clone())].into();
    let planned = world.runtime.block_on(plan(&world.billing, all)).expect("a plan");
    planned.awaited[&request_id].clone()
}

#[test]
fn whose_turn_it_is_goes_with_the_plan_and_when_that_board_was_heard_last() {
    let world = World::new(0);
    let before_ms = now_ms();
    world.is_there("die-9", NEW_1, PresenceState::Online);
    let there = awaited(&world).expect("a board");
    assert_eq!(there.board.as_str(), "die-9");
    assert!((before_ms..=now_ms()).contains(&there.heard_ms), "it has shown itself");
    world.is_there("die-9", NEW_1, PresenceState::Online);
    assert_eq!(awaited(&world), Some(there), "it answers the question, and not the request");
    world.defers("die-9", 60);
    let deferred = awaited(&world).expect("a board");
    assert!(deferred.heard_ms > now_ms() + 600_000, "it tells again every ten minutes");
    world.is_changing("die-9");
    assert_eq!(awaited(&world), Some(deferred), "in mid-change, too");
    world.runtime.block_on(world.billing.delete(Name::Id(1), Actor::CommandLine)).expect("deleted");
    assert_eq!(awaited(&world), None, "it is over");
}

#[test]
fn a_spare_that_is_waited_for_is_the_one_that_is_asked() {
    let world = World::new(0);
    world.is_there("die-9", "06:00:00:00:00:77", PresenceState::Online);
    world.is_there("die-9", "06:00:00:00:00:77", PresenceState::Offline);
    world.database.execute(&format!("UPDATE macs SET mac = '{NEW_1}'"));
    let spare = Awaited { board: "die-9".parse().expect("a board"), heard_ms: 0, at_once: false };
    assert_eq!(awaited(&world), Some(spare));
}

#[test]
fn in_the_grace_time_the_board_that_had_the_mac_address_is_asked_at_once() {
    let world = World::new(60_000);
    world.is_there("die-9", "06:00:00:00:00:77", PresenceState::Online);
    world.database.execute(&format!("UPDATE macs SET mac = '{NEW_1}', of_a_door = 1"));
    let owner = Awaited { board: "die-9".parse().expect("a board"), heard_ms: 0, at_once: true };
    assert_eq!(awaited(&world), Some(owner));
}

#[test]
fn a_request_that_ends_without_an_answer_is_at_nobodys_turn() {
    let world = World::new(0);
    world.is_there("die-9", NEW_1, PresenceState::Online);
    world.plan_the_first();
    world.passes(HALF_AN_HOUR_MS);
    assert_eq!(awaited(&world), None);
}

#[test]
fn only_what_was_not_said_yet_is_said() {
    let (a, b) = ("intercoms/by-board/a/patch/r-1", "intercoms/by-board/b/patch/r-1");
    let mut said = Said::default();
    said.set_plan(plan_of(&[(a, "1")], &[b], &["c"]));
    let who = "intercoms/by-board/c/who";
    let all = [(a, "1"), (b, ""), (who, "")];
    assert_eq!(queued(&mut said), all.map(|(topic, text)| (topic.into(), text.into())));
    said.set_plan(plan_of(&[(a, "1")], &[b], &["c"]));
    assert_eq!(queued(&mut said), []);
    said.set_plan(plan_of(&[(a, "2")], &[], &[]));
    assert_eq!(queued(&mut said), [(a.into(), "2".into())]);
    said.forget(&"a".parse().expect("a board"));
    said.set_plan(plan_of(&[(a, "2")], &[], &[]));
    assert_eq!(queued(&mut said), [(a.into(), "2".into())], "a board that shows itself anew");
}
