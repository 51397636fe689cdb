//! The very code that ships in a simulated world: the power fails in every operation in turn, messages
//! are lost, doubled and reordered, the disk fills, links refuse, the board cannot be read; and the rules
//! hold.
//!
//! `exhaustive` cuts everywhere, `random` follows seeds (a failure prints the line that replays it),
//! `mutants` breaks the world on purpose to see that the checks notice, `determinism` holds a seed
//! against itself. README.md says how each is run, and how a fault or a rule is added.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

mod bounds;
mod cloud;
mod damage;
mod determinism;
mod disk;
mod driver;
mod exhaustive;
mod flash;
mod link;
mod log;
mod mutants;
mod network;
mod patience;
mod plan;
mod power;
mod proof;
mod proven;
mod random;
mod random_numbers;
mod replay;
mod requests;
mod rules;
mod scenario;
mod scenarios;
mod script;
mod seams;
mod sources;
mod state_dir;
mod truth;
mod unread;
mod upstream;
mod world;
