//! The shipped operations of billing among strangers, in a simulated world: whatever anybody says on his
//! own topics, whatever a broker brings back and whenever anything dies, nobody acts for another.
//!
//! `random` follows seeds (a failure prints the line that replays it), `mutants` breaks one promise
//! after the other to see that the checks notice, `determinism` holds a seed against itself. README.md
//! has the rules, and says how a fault or a rule is added.
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod actions;
mod acts;
mod at_rest;
mod billing;
mod broker;
mod determinism;
mod ends;
mod hardware;
mod host;
mod linear;
#[allow(dead_code, reason = "the agent's simulation needs more of it")]
#[path = "../../../tests/simulation/log.rs"]
mod log;
mod mutant;
mod mutants;
mod network;
mod offered;
mod panel;
mod panel_http;
mod panel_mqtt;
mod plan;
mod power;
mod puppet;
mod random;
#[path = "../../../tests/simulation/random_numbers.rs"]
mod random_numbers;
mod rules;
mod scenarios;
mod service;
mod stories;
mod swaps;
mod upstream;
mod watch;
mod world;
