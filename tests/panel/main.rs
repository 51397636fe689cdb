//! The real agent on whole boards, with a real broker and the real billing service.

#![allow(clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod bad_input;
mod billing;
mod commands;
mod config;
mod conflict;
mod control;
mod crash;
mod diagnosis;
mod files;
mod flash_writes;
mod http;
mod issuer;
mod kills;
mod mqtt;
mod order;
mod page;
mod proof;
mod proxy;
mod put_right;
mod ready;
mod relative_root;
mod replacement;
mod schema;
mod service_manager;
mod signals;
mod truth;
mod words;
