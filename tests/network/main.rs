//! The real agent on networks as they are: brokers that die, links that lose, delay and swallow,
//! and TLS ends that are not what they should be.

#![allow(clippy::expect_used, clippy::panic, reason = "how a test fails")]

#[path = "../namespace/mod.rs"]
mod namespace;

#[allow(dead_code, unused_imports, reason = "each test program uses a part of it")]
#[path = "../panel/common/mod.rs"]
mod common;

mod broker_dies;
mod certificates;
mod clock;
mod link;
mod reconnecting;
mod tls;
mod tls_end;
