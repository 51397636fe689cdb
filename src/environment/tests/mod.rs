//! The environment on simulated flash: what is written, what is not, and what a power cut leaves.

mod format;
mod layout;
mod power_cuts;
mod simulated;
mod store;
