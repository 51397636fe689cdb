//! The tests that cannot run here.

use std::fs::OpenOptions;
use std::io::Write;

/// Names the file in which `tests/run` wants to hear of them.
pub(crate) const LIST: &str = "INTERCOM_TESTS_SKIPPED";

/// Adds a line to that file.
pub(crate) fn add(list: &str, why: &str) {
    let list = OpenOptions::new().create(true).append(true).open(list);
    let line = format!("{}\n", why.replace('\n', " ").trim_end());
    list.and_then(|mut list| list.write_all(line.as_bytes())).expect("the list is kept");
}
