//! The lines of the demo.

/// Prints a text after who it is from. Further lines are indented.
pub(super) fn say(who: &str, what: &str) {
    println!("{who:>9} │ {}", what.replace('\n', "\n          │   "));
}
