//! The kernel calls that no safe library wraps; the only place with `unsafe`.
#![allow(unsafe_code, reason = "the kernel takes raw pointers; each block says why it is sound")]

pub mod arp;
pub mod fatal_signal;
pub mod link;
pub mod link_events;
mod netlink;
pub mod physical_memory;
pub mod route;
pub mod terminal;
