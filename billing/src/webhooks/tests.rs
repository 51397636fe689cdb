//! Deliveries by a clock of the tests' own: a receiver that is away, and one that refuses.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::http::StatusCode;
use intercom_test_support::Database;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::audit::Actor;
use crate::host::Host;
use crate::host::tests::Clock;
use crate::operations::{Attempt, Billing, Poll, When};
use crate::store::Store;
use crate::store::intercoms::Name;
use crate::store::macs::Believed;
use crate::store::pending::Caller;
use crate::store::webhooks::New;
use crate::webhooks::secret::Secret;

const BEGINNING_MS: i64 = 1_800_000_000_000;
const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const TAKEN: Attempt = Attempt::Delivered(StatusCode::OK);

struct World {
    runtime: Runtime,
    clock: Arc<Clock>,
    billing: Billing,
    /// What the receiver has taken: the intercom, and what has happened there.
    received: Vec<(i64, String)>,
    attempts: usize,
    database: Database,
}

impl World {
    /// Doors with the IDs from 1, and a webhook.
    fn with_doors(doors: u8) -> Self {
        let (database, runtime) = (Database::new(), Runtime::new().expect("one"));
        let clock = Arc::new(Clock(AtomicI64::new(BEGINNING_MS)));
        let store = Store::open_on(&database, clock.clone()).expect("a store");
        let billing = runtime
            .block_on(Billing::start(store, 5_000, Believed::FirstSight, None))
            .expect("billing");
        let world = World { runtime, clock, billing, received: Vec::new(), attempts: 0, database };
        for number in 1..=doors {
            let body = json!({"mac": format!("02:00:00:00:00:0{number}")});
            let made =
                world.billing.create(body.as_object().expect("an object"), Actor::CommandLine);
            world.runtime.block_on(made).expect("an intercom");
        }
        let secret = Secret::random().expect("bytes");
        let new = New { url: "http://crm.example/".into(), secret, offline_after_ms: 900 * SECOND };
        world
            .runtime
            .block_on(world.billing.add_webhook(new, Actor::CommandLine))
            .expect("a webhook");
        world
    }

    /// A request that is made, and superseded by the next one.
    fn ask(&self, id: i64, number: u8) {
        let new_mac = format!("06:00:00:00:0{id}:0{number}");
        let body = json!({"id": id, "new_mac": new_mac, "model": "M", "group_id": 1});
        let body = body.as_object().expect("an object").clone();
        self.runtime.block_on(self.billing.patch(body, Actor::CommandLine)).expect("a request");
    }

    fn now(&self) -> i64 {
        self.clock.now_ms() - BEGINNING_MS
    }

    /// The next attempt, which the clock goes on to; false if nothing waits.
    fn attempt(&mut self, receiver: impl Fn(i64, &Value) -> Attempt) -> bool {
        let planned = self.runtime.block_on(self.billing.planned_deliveries()).expect("a plan");
        let planned = planned.into_iter().next().expect("a webhook");
        match planned.when {
            When::Never => return false,
            When::At(at_ms) => self.clock.0.store(at_ms, Ordering::Relaxed),
            When::Now(due) => {
                let body: Value = serde_json::from_str(&due.body).expect("JSON");
                let attempt = receiver(self.now(), &body);
                self.attempts += 1;
                if matches!(attempt, Attempt::Delivered(_)) {
                    let id = body["data"]["intercom_id"].as_i64().expect("a door");
                    let to = body["data"]["to_mac"].as_str().expect("a MAC");
                    let kind = body["type"].as_str().expect("a type");
                    self.received.push((id, format!("{to} {kind}")));
                }
                let kept = self.billing.attempted(&planned.receiver, &due, attempt);
                self.runtime.block_on(kept).expect("it is kept");
            }
        }
        true
    }

    /// The panel with this MAC address polls.
    fn polls(&self, number: u8, board: &str) {
        let caller = Caller {
            board: board.parse().expect("a board"),
            mac: format!("02:00:00:00:00:0{number}").parse().expect("a MAC"),
            id: None,
        };
        let (serial_number, changing, nonce) = (None, false, None);
        let poll = Poll { caller, serial_number, changing, nonce, every_ms: 60 * SECOND };
        self.runtime.block_on(self.billing.pending_for(poll)).expect("a poll");
    }

    /// What is due is delivered.
    fn events(&self) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let planned = self.runtime.block_on(self.billing.planned_deliveries()).expect("a plan");
            let planned = planned.into_iter().next().expect("a webhook");
            let When::Now(due) = planned.when else { return events };
            events.push(serde_json::from_str(&due.body).expect("JSON"));
            let kept = self.billing.attempted(&planned.receiver, &due, TAKEN);
            self.runtime.block_on(kept).expect("it is kept");
        }
    }

    /// What was received of each door, in the order in which it came.
    fn of_each_door(&self) -> BTreeMap<i64, Vec<String>> {
        let mut doors: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for (id, what) in &self.received {
            doors.entry(*id).or_default().push(what.clone());
        }
        doors
    }
}

/// What happens at a door that is asked for these in turn.
fn story(id: i64, numbers: std::ops::RangeInclusive<u8>) -> Vec<String> {
    let mac = |number: u8| format!("06:00:00:00:0{id}:0{number}");
    let mut told = Vec::new();
    for number in numbers.clone() {
        if number > *numbers.start() {
            told.push(format!("{} superseded", mac(number - 1)));
        }
        told.push(format!("{} requested", mac(number)));
    }
    told
}

#[test]
fn a_receiver_that_is_away_for_an_hour_gets_each_event_in_order_for_each_door() {
    let mut world = World::with_doors(3);
    let is_away = |now: i64, _: &Value| match now < HOUR {
        true => Attempt::NotReached("connection refused".to_owned()),
        false => TAKEN,
    };
    for number in 1..=9 {
        for id in 1..=3 {
            world.ask(id, number);
        }
        world.clock.0.fetch_add(60 * SECOND, Ordering::Relaxed);
        world.attempt(is_away);
    }
    let failed = world.runtime.block_on(world.billing.webhooks()).expect("the webhooks");
    assert_eq!((failed[0].waiting, failed[0].delivered), (51, 0), "17 of each door");
    assert_eq!(failed[0].trouble.as_deref(), Some("connection refused"));
    assert!(failed[0].next_attempt_at.is_some());
    while world.attempt(is_away) {}
    let expected = BTreeMap::from([1, 2, 3].map(|id| (id, story(id, 1..=9))));
    assert_eq!(world.of_each_door(), expected);
    let tried = world.attempts - world.received.len();
    assert!(tried < 16, "the pauses grow: {tried} failed attempts");
    assert!(world.now() < HOUR + 900 * SECOND, "the longest pause is 15 minutes");
    let after = world.runtime.block_on(world.billing.webhooks()).expect("the webhooks");
    let Some(after) = after.first() else { panic!("a webhook") };
    assert_eq!((after.waiting, after.delivered, after.failures), (0, 51, 0));
    assert_eq!(after.trouble, None);
}

#[test]
fn what_is_refused_holds_up_its_own_door_alone() {
    let mut world = World::with_doors(2);
    for number in 1..=2 {
        world.ask(1, number);
        world.ask(2, number);
    }
    let refuses = |now: i64, body: &Value| match body["data"]["intercom_id"] == 1 && now < HOUR {
        true => Attempt::Refused(StatusCode::BAD_REQUEST),
        false => TAKEN,
    };
    while world.now() < HOUR / 2 {
        assert!(world.attempt(refuses));
    }
    assert_eq!(world.of_each_door(), BTreeMap::from([(2, story(2, 1..=2))]));
    while world.attempt(refuses) {}
    let expected = BTreeMap::from([1, 2].map(|id| (id, story(id, 1..=2))));
    assert_eq!(world.of_each_door(), expected);
}

#[test]
fn the_log_is_kept_as_long_as_ended_requests_and_what_waits_for_as_long_as_it_waits() {
    let mut world = World::with_doors(2);
    world.ask(1, 1);
    world.ask(2, 1);
    let takes_one = |_: i64, body: &Value| match body["data"]["intercom_id"] == 1 {
        true => TAKEN,
        false => Attempt::Refused(StatusCode::BAD_REQUEST),
    };
    world.attempt(takes_one);
    world.attempt(takes_one);
    let log = |world: &World| {
        let page = world.runtime.block_on(world.billing.deliveries(1, None, 10));
        let page = page.expect("a page").deliveries.into_iter();
        let part = page.map(|one| (one.entry.intercom_id, one.entry.status, one.entry.attempts));
        part.collect::<Vec<_>>()
    };
    let (refused, taken) = ((Some(2), Some(400), 1), (Some(1), Some(200), 1));
    let delete_old = |world: &World, after_ms: i64| {
        world.clock.0.fetch_add(after_ms, Ordering::Relaxed);
        world.runtime.block_on(world.billing.delete_old()).expect("deleted");
    };
    delete_old(&world, 90 * 24 * HOUR);
    assert_eq!(log(&world), [refused, taken]);
    delete_old(&world, 1);
    assert_eq!(log(&world), [refused]);
    while world.attempt(|_, _| TAKEN) {}
    delete_old(&world, 0);
    assert_eq!(log(&world), []);
}

#[test]
fn what_waits_survives_a_restart_and_what_was_done_meanwhile_counts() {
    let mut world = World::with_doors(1);
    world.ask(1, 1);
    world.attempt(|_, _| Attempt::NotReached("away".to_owned()));
    let store = Store::open_on(&world.database, world.clock.clone()).expect("a store");
    let again = Billing::start(store, 5_000, Believed::FirstSight, None);
    world.billing = world.runtime.block_on(again).expect("billing");
    world
        .runtime
        .block_on(world.billing.delete(Name::Id(1), Actor::CommandLine))
        .expect("it is deleted");
    while world.attempt(|_, _| TAKEN) {}
    let first = "06:00:00:00:01:01";
    let told = vec![format!("{first} requested"), format!("{first} withdrawn")];
    assert_eq!(world.of_each_door(), BTreeMap::from([(1, told)]));
}

#[test]
fn a_doors_panel_that_has_been_away_for_long_is_told_once_each_time() {
    let world = World::with_doors(2);
    let place = json!({"id": 1, "group_id": 1});
    let placed =
        world.billing.patch(place.as_object().expect("an object").clone(), Actor::CommandLine);
    world.runtime.block_on(placed).expect("a door");
    // The second one is a spare: nobody waits for it.
    for (number, board) in [(1, "die-1"), (2, "die-2")] {
        world.polls(number, board);
    }
    let mut told = Vec::new();
    for _ in 0..2 {
        let gone = world.now() + 180 * SECOND;
        world.polls(1, "die-1");
        world.clock.0.store(BEGINNING_MS + gone + 900 * SECOND - 1, Ordering::Relaxed);
        assert_eq!(world.events(), Vec::<Value>::new(), "not yet");
        world.clock.0.fetch_add(1, Ordering::Relaxed);
        told.extend(world.events());
        world.clock.0.fetch_add(HOUR, Ordering::Relaxed);
        assert_eq!(world.events(), Vec::<Value>::new(), "once");
    }
    let offline = |event: &Value| (event["type"].clone(), event["data"].clone());
    let data = json!({"intercom_id": 1, "board": "die-1"});
    let expected = (json!("offline"), data);
    assert_eq!(told.iter().map(offline).collect::<Vec<_>>(), [expected.clone(), expected]);
}
