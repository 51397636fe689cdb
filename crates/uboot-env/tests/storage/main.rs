//! The environment on simulated flash and in files: where it is found, what is written, what is not,
//! and what a power cut leaves.

#![allow(clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod backup_file;
mod commit;
mod disk;
mod failure;
mod flash;
#[path = "../images/mod.rs"]
mod images;
mod layout;
mod power;
mod power_cuts;
mod recovery;
mod refusal;
mod world;
