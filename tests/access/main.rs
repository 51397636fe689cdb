//! What somebody who should not can do to a panel, and what not: the shipped configuration of
//! mosquitto, or brokers without passwords; the real billing service, real panels. `SECURITY.md` names
//! these tests.

#![allow(clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod fleet;
mod held_up;
mod lan;
mod nats;
mod neighbour;
mod open;
mod signer;
mod tokens;
mod used_again;
mod without_the_key;
