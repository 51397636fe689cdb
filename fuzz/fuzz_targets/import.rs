//! Any text is an import file or is refused; what is written of one is read as the same rows.
#![no_main]

use intercom_import::{Came, read, write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(file) = read(text) else { return };
    let lines = text.split(['\r', '\n']).count() as u64;
    assert!(file.rows.iter().all(|row| 0 < row.line && row.line <= lines));
    assert!(file.rows.is_sorted_by(|one, next| one.line < next.line));
    let rows = file.rows.iter().map(|row| Came {
        cells: &row.cells,
        result: "failed",
        request_id: "",
        error: text,
    });
    let written = String::from_utf8(write(&file.layout, rows).unwrap()).unwrap();
    let again = read(&written).unwrap();
    assert_eq!(again.layout, file.layout);
    assert!(again.rows.iter().map(|row| &row.cells).eq(file.rows.iter().map(|row| &row.cells)));
});
