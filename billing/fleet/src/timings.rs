//! How long things took, and when they happened.

use std::fmt;
use std::time::Duration;

/// Durations of one kind of thing; shown as their distribution.
#[derive(Debug, Default, Clone)]
pub(super) struct Timings(Vec<Duration>);

impl Timings {
    pub(super) fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    pub(super) fn append(&mut self, mut others: Timings) {
        self.0.append(&mut others.0);
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Timings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let Some(last) = sorted.len().checked_sub(1) else {
            return f.write_str("none");
        };
        for (name, per_mille) in [("p50", 500), ("p90", 900), ("p99", 990), ("max", 1000)] {
            let millis = sorted[last * per_mille / 1000].as_secs_f64() * 1000.0;
            write!(f, "{name} {millis:.1} ms  ")?;
        }
        Ok(())
    }
}

/// How many in each second.
pub(super) fn rate(count: usize, seconds: f64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / seconds.max(0.001)
}

/// How many lines of a curve are shown.
const LINES: usize = 40;
const WIDEST: usize = 60;

/// How many things happened in each second.
pub(super) fn curve(happened: &[Duration]) -> String {
    let mut seconds = Vec::new();
    for at in happened {
        let second = usize::try_from(at.as_secs()).unwrap_or(usize::MAX).min(LINES - 1);
        if seconds.len() <= second {
            seconds.resize(second + 1, 0_usize);
        }
        seconds[second] += 1;
    }
    let most = seconds.iter().max().copied().unwrap_or(0).max(1);
    let line = |(second, count): (usize, &usize)| {
        let bar = "#".repeat((count * WIDEST).div_ceil(most));
        format!("  {second:>3} s {count:>6} {bar}\n")
    };
    seconds.iter().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_names_its_percentiles() {
        let mut timings = Timings::default();
        assert_eq!(timings.to_string(), "none");
        for millis in (1..=1001).rev() {
            timings.add(Duration::from_millis(millis));
        }
        assert_eq!(
            timings.to_string(),
            "p50 501.0 ms  p90 901.0 ms  p99 991.0 ms  max 1001.0 ms  "
        );
    }

    #[test]
    fn a_curve_has_a_line_for_each_second() {
        let at = [100, 900, 2500].map(Duration::from_millis);
        let half = "#".repeat(WIDEST / 2);
        let expected =
            format!("    0 s      2 {half}{half}\n    1 s      0 \n    2 s      1 {half}\n");
        assert_eq!(curve(&at), expected);
    }
}
