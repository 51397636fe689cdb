//! The kernel calls that no safe library wraps; the only place with `unsafe`.
#![allow(unsafe_code, reason = "the kernel takes raw pointers; each block says why it is sound")]

pub mod arp;
pub mod fatal_signal;
pub mod link;
mod netlink;
pub mod physical_memory;
pub mod route;
