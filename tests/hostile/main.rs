//! The real agent with a service or a broker that means harm: its memory stays as it is, its log stays
//! readable, and the next honest request is served.
//!
//! Twenty seconds for each; `tests/hostile/run SECONDS` takes longer and prints the memory curve.

#![allow(clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod broker;
mod curve;
mod mqtt_attacks;
mod packets;
mod service;

use std::env;
use std::time::{Duration, Instant};

use intercom_test_support::{Board, NEW, OLD};

use crate::broker::HostileBroker;
use crate::curve::Curve;
use crate::service::HostileService;

/// Names how long each peer is hostile, in seconds.
const DURATION: &str = "INTERCOM_HOSTILE_SECONDS";
/// How soon an honest request must be served afterwards: what was let go for want of room is asked for
/// again within a minute.
const SERVED_WITHIN: Duration = Duration::from_secs(90);
/// How much more than idle the agent may ever take, in KiB. The most is taken by 64 KiB of JSON that
/// is nothing but small values: each is 2 bytes there and 32 once it is parsed, held twice at the most.
const GROWTH: u64 = 8192;
/// How many lines it may log in a second, all in all.
const LINES_PER_SECOND: u64 = 20;

fn duration() -> Duration {
    let seconds = env::var(DURATION).ok().map(|text| text.parse().expect("a number of seconds"));
    Duration::from_secs(seconds.unwrap_or(20))
}

#[test]
fn a_hostile_service_takes_no_memory_and_fills_no_log() {
    let board = Board::sandboxed("gate-1", OLD);
    let service = HostileService::start(duration());
    let board = board.with_polling(&service.url);
    let (mut daemon, since) = (board.start(), Instant::now());
    let curve = Curve::of(daemon.id());
    service.wait_until_it_is_honest();
    let attacks = service.attacks();
    let (curve, honest) = (curve.end(), Instant::now());
    let report = service.report();
    assert_eq!((&report["status"], &report["mac"]), (&"installed".into(), &NEW.into()), "{report}");
    assert!(daemon.is_running());
    println!("hostile service: {attacks} attacks in {:?}; {curve}", duration());
    println!("an honest request is served after {:.1} s", honest.elapsed().as_secs_f32());
    assert!(honest.elapsed() < SERVED_WITHIN);
    assert_eq!(board.mac(), NEW);
    is_bounded(&curve, daemon.said(), since);
}

#[test]
fn a_hostile_broker_takes_no_memory_and_fills_no_log() {
    let board = Board::sandboxed("gate-1", OLD);
    let broker = HostileBroker::start(duration());
    let board = board.with_mqtt(&broker.url);
    let (mut daemon, since) = (board.start(), Instant::now());
    let curve = Curve::of(daemon.id());
    broker.wait_until_it_is_honest();
    let attacks = broker.attacks();
    let (curve, honest) = (curve.end(), Instant::now());
    let report = broker.report();
    assert_eq!((&report["status"], &report["mac"]), (&"installed".into(), &NEW.into()), "{report}");
    assert!(daemon.is_running());
    println!("hostile broker: {attacks} in {:?}; {curve}", duration());
    println!("an honest request is served after {:.1} s", honest.elapsed().as_secs_f32());
    assert!(honest.elapsed() < SERVED_WITHIN);
    assert_eq!(board.mac(), NEW);
    is_bounded(&curve, daemon.said(), since);
}

#[track_caller]
fn is_bounded(curve: &Curve, said: &[String], since: Instant) {
    let bytes: usize = said.iter().map(String::len).sum();
    println!("its log: {} lines, {bytes} bytes", said.len());
    assert!(curve.max() - curve.min() < GROWTH, "{curve}");
    let lines = 100 + LINES_PER_SECOND * since.elapsed().as_secs();
    assert!((said.len() as u64) < lines, "{} lines, such as {:?}", said.len(), said.last());
}
