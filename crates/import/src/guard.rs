//! Cells that a spreadsheet would take for formulas. A file from elsewhere could have one calculate what
//! its sender likes, so what is written has a `'` before it, as spreadsheets themselves mark a text.

use std::borrow::Cow;

fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// The cell as it may be opened in a spreadsheet.
pub(crate) fn guarded(text: &str) -> Cow<'_, str> {
    match is_formula(text.trim_start_matches('\'')) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

/// The text that was guarded.
pub(crate) fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text.trim_start_matches('\'')) => text,
        _ => cell,
    }
}
