//! The brokers as they are shipped: what their rules allow, and what they do not. Real mosquitto and
//! real NATS (Debian's packages of these names), with the files of `billing/mosquitto` and
//! `billing/nats`.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests are tests too")]

mod broker;
mod certificates;
mod client;
mod cluster;
mod enrol_command;
mod enrolment;
mod nats;
mod node;
mod panels;
mod rules;
mod shipped;
