//! What happens, step by step, in words: for the log, for `status --follow`, for the demo.

use std::collections::VecDeque;

use intercom_wire::json_object;
use log::{info, warn};

/// How many steps are kept for whoever asks late.
const KEPT: usize = 64;

json_object! {
    /// One thing that happened.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Step {
        /// Rises by one with every step since the daemon started.
        pub number: u64,
        /// What happened.
        pub text: String,
        /// How many seconds a change in progress then had left to be confirmed.
        pub seconds_left: Option<u64>,
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)?;
        match self.seconds_left {
            Some(left) => write!(f, " ({left} s left to confirm it)"),
            None => Ok(()),
        }
    }
}

/// The last steps.
#[derive(Debug, Default)]
pub struct Steps {
    last: VecDeque<Step>,
    total: u64,
}

impl Steps {
    /// The steps after number `seen`, as far as they are still kept.
    pub fn after(&self, seen: u64) -> impl Iterator<Item = &Step> {
        self.last.iter().filter(move |step| step.number > seen)
    }

    /// The number of the last step.
    pub fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn tell(&mut self, text: String) {
        info!("{text}");
        self.keep(text);
    }

    pub(super) fn warn(&mut self, text: String) {
        warn!("{text}");
        self.keep(text);
    }

    fn keep(&mut self, text: String) {
        self.total += 1;
        self.last.push_back(Step { number: self.total, text, seconds_left: None });
        if self.last.len() > KEPT {
            self.last.pop_front();
        }
    }
}
