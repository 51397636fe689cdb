//! The messages that pass through mosquitto, counted in its log: each that it receives from a client,
//! and each copy that it sends to one.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::watch;

/// Reads the log, from where the last count has ended.
pub(super) struct MessageLog {
    file: PathBuf,
    read: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Count {
    published: usize,
    delivered: usize,
}

impl MessageLog {
    pub(super) fn new(file: PathBuf) -> Self {
        MessageLog { file, read: 0 }
    }

    /// What has passed since the last call, for each of so many units.
    pub(super) fn table(&mut self, units: usize) -> Result<String> {
        let mut file = File::open(&self.file).context("mosquitto's log cannot be read")?;
        file.seek(SeekFrom::Start(self.read))?;
        let mut counts = BTreeMap::new();
        for line in BufReader::new(&file).lines() {
            count(&line?, &mut counts);
        }
        self.read = file.stream_position()?;
        Ok(table(&counts, units))
    }
}

/// Counts a line of the log, such as
/// `1764230400: Sending PUBLISH to gate-1 (d0, q1, r0, m3, 'intercoms/who', ... (0 bytes))`.
fn count(line: &str, counts: &mut BTreeMap<&'static str, Count>) {
    let Some((_, line)) = line.split_once(": ") else { return };
    let (is_published, rest) = match line.split_once(" PUBLISH ") {
        Some(("Received", rest)) => (true, rest),
        Some(("Sending", rest)) => (false, rest),
        _ => return,
    };
    let mut parts = rest.split('\'');
    let (Some(client), Some(topic), Some(size)) = (parts.next(), parts.next(), parts.next()) else {
        return;
    };
    if client.split(' ').nth(1) == Some(watch::CLIENT_ID) {
        return;
    }
    let count = counts.entry(kind(topic, size.contains("(0 bytes)"))).or_default();
    match is_published {
        true => count.published += 1,
        false => count.delivered += 1,
    }
}

/// What a message is for.
fn kind(topic: &str, is_empty: bool) -> &'static str {
    let levels: Vec<&str> = topic.split('/').collect();
    match levels[..] {
        ["intercoms", "who"] => "who, to all",
        ["intercoms", "by-board", _, "who"] => "who, to one board",
        ["intercoms", "by-board", _, "presence"] => "presence",
        ["intercoms", "by-board", _, "status"] => "report",
        ["intercoms", "by-board", _, "patch", _] if is_empty => "report read",
        ["intercoms", "by-board", _, "patch", _] => "request",
        ["intercoms", _, "who"] => "who has a MAC",
        ["intercoms", _, "here", _] => "here",
        _ => "other",
    }
}

fn table(counts: &BTreeMap<&'static str, Count>, units: usize) -> String {
    let each = |count: usize| {
        let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        count / f64::from(u32::try_from(units.max(1)).unwrap_or(u32::MAX))
    };
    let total = counts.values().fold(Count::default(), |sum, count| Count {
        published: sum.published + count.published,
        delivered: sum.delivered + count.delivered,
    });
    let mut table = String::new();
    for (kind, count) in counts.iter().chain([(&"all", &total)]) {
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "    {kind:<18} published {:>6.2}   delivered {:>6.2}",
            each(count.published),
            each(count.delivered)
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_counted_when_it_is_published_and_when_it_is_delivered() {
        let mut counts = BTreeMap::new();
        for line in [
            "1764230400: New client connected from 127.0.0.1:1 as fleet-1 (p4, c0, k60).",
            "1764230400: Received PUBLISH from billing (d0, q1, r0, m3, 'intercoms/by-board/fleet-1/patch/r-1', ... (412 bytes))",
            "1764230400: Sending PUBLISH to fleet-1 (d0, q1, r0, m1, 'intercoms/by-board/fleet-1/patch/r-1', ... (412 bytes))",
            "1764230400: Sending PUBLISH to fleet-watch (d0, q1, r0, m1, 'intercoms/by-board/fleet-1/patch/r-1', ... (412 bytes))",
            "1764230400: Sending PUBACK to billing (m3, rc0)",
            "1764230401: Received PUBLISH from billing (d0, q1, r0, m4, 'intercoms/by-board/fleet-1/patch/r-1', ... (0 bytes))",
            "1764230401: Received PUBLISH from fleet-1 (d0, q0, r0, m0, 'intercoms/02:00:00:00:00:01/who', ... (0 bytes))",
        ] {
            count(line, &mut counts);
        }
        let count = |published, delivered| Count { published, delivered };
        let expected = [
            ("report read", count(1, 0)),
            ("request", count(1, 1)),
            ("who has a MAC", count(1, 0)),
        ];
        assert_eq!(counts, BTreeMap::from(expected));
        let table = table(&counts, 2);
        let all = "all                published   1.50   delivered   0.50";
        assert_eq!(table.lines().last().map(str::trim), Some(all), "{table}");
    }
}
