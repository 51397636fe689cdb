//! The memory of a process over time.

use std::fmt;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const EVERY: Duration = Duration::from_millis(100);

/// Its resident memory in KiB, ten times a second.
pub struct Curve {
    samples: Vec<u64>,
    sampler: Option<(Arc<AtomicBool>, JoinHandle<Vec<u64>>)>,
}

impl Curve {
    /// From now on.
    pub fn of(pid: u32) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let end = ended.clone();
        let sampler = thread::spawn(move || {
            let mut samples = Vec::new();
            while !end.load(Ordering::Acquire) {
                samples.extend(resident(pid));
                thread::sleep(EVERY);
            }
            samples
        });
        Curve { samples: Vec::new(), sampler: Some((ended, sampler)) }
    }

    /// Up to now.
    pub fn end(mut self) -> Self {
        if let Some((ended, sampler)) = self.sampler.take() {
            ended.store(true, Ordering::Release);
            self.samples = sampler.join().expect("samples");
        }
        assert!(!self.samples.is_empty(), "the agent was never seen");
        self
    }

    pub fn min(&self) -> u64 {
        self.samples.iter().copied().min().unwrap_or_default()
    }

    pub fn max(&self) -> u64 {
        self.samples.iter().copied().max().unwrap_or_default()
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let median = |samples: &[u64]| {
            let mut sorted = samples.to_vec();
            sorted.sort_unstable();
            sorted.get(sorted.len() / 2).copied().unwrap_or_default()
        };
        let (least, middle, most) = (self.min(), median(&self.samples), self.max());
        write!(f, "RSS in KiB: min {least}, median {middle}, max {most}; medians of each tenth:")?;
        let tenth = self.samples.len().div_ceil(10).max(1);
        self.samples.chunks(tenth).try_for_each(|part| write!(f, " {}", median(part)))
    }
}

fn resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}
