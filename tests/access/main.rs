//! What somebody who should not can do to a panel, and what not: the shipped configuration of
//! mosquitto, the real billing service, real panels. `SECURITY.md` names these tests.

#![allow(clippy::expect_used, clippy::panic, reason = "how a test fails")]

#[allow(dead_code, reason = "each test program uses a part of it")]
#[path = "../namespace/mod.rs"]
mod namespace;

#[allow(dead_code, unused_imports, reason = "each test program uses a part of it")]
#[path = "../panel/common/mod.rs"]
mod common;

#[allow(dead_code, reason = "each test program uses a part of it")]
#[path = "../network/certificates.rs"]
mod certificates;

mod fleet;
mod lan;
mod neighbour;
mod signer;
mod without_the_key;
