//! The real agent on networks as they are: brokers that die, links that lose, delay and swallow,
//! and TLS ends that are not what they should be.

#![allow(clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod addresses;
mod broker_dies;
mod brokers;
mod causes;
mod clock;
mod heard;
mod link;
mod lookups;
mod other_software;
mod reconnecting;
mod subscribing;
mod tls;
mod tls_end;
mod uplink;
