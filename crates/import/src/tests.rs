//! Import files as spreadsheets write them, and as nobody should.

use proptest::prelude::*;

use super::*;

fn cells(row: &Row) -> Vec<&str> {
    row.cells.iter().map(String::as_str).collect()
}

#[test]
fn a_file_is_read_as_each_spreadsheet_writes_it() {
    for text in [
        "id,new_mac,title\n1,22:0D:CE:38:E7:15,\"North, gate\"\n",
        "\u{FEFF}id;new_mac;title\r\n1;22:0D:CE:38:E7:15;North, gate\r\n",
        "id\tnew_mac\ttitle\r\n1\t22:0D:CE:38:E7:15\tNorth, gate",
        "\n \r\n ID , New MAC ,Title,,\r\n\r\n,,,,\r\n1, 22:0D:CE:38:E7:15 ,\"North, gate\",,\r\n,,,,\r\n",
        "\"id\";\"new-mac\";\"title\"\n\"1\";\"22:0D:CE:38:E7:15\";\"North, gate\"\n",
    ] {
        let file = read(text).expect("a file");
        assert_eq!(file.layout.columns, [Column::Id, Column::NewMac, Column::Title], "{text}");
        assert_eq!(file.layout.has_byte_order_mark, text.starts_with('\u{FEFF}'));
        assert_eq!(file.rows.len(), 1, "{text}");
        assert_eq!(cells(&file.rows[0]), ["1", "22:0D:CE:38:E7:15", "North, gate"], "{text}");
        assert_eq!(file.rows[0].fault, None, "{text}");
    }
}

#[test]
fn each_row_has_the_line_on_which_it_begins() {
    for end in ["\n", "\r\n", "\r"] {
        let lines = ["", "id,new_mac", "1,A", "", "", ",", "2,\"B", "b\"", "", "3,C"];
        let file = read(&lines.join(end)).expect("a file");
        let lines: Vec<u64> = file.rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, [3, 7, 10], "{end:?}");
    }
}

#[test]
fn a_row_that_does_not_fit_the_header_says_so() {
    let file = read("id,new_mac,,title\n1\n2,A,,,\n3,A,,T,x\n4,A,y,T\n5,\"A,,T\n6,B,,T\n");
    let rows = file.expect("a file").rows;
    let faults: Vec<Option<Fault>> = rows.iter().map(|row| row.fault).collect();
    let open = Some(Fault::LineBreak(Column::NewMac));
    assert_eq!(faults, [None, None, Some(Fault::Surplus), Some(Fault::Surplus), open]);
    assert_eq!(cells(&rows[0]), ["1", "", ""], "what is missing is empty");
}

#[test]
fn a_header_that_is_none_is_refused_with_the_reason() {
    for (text, expected) in [
        ("", FileError::Empty),
        ("\u{FEFF}\r\n \n", FileError::Empty),
        (",,\n1,2,3", FileError::UnknownColumn("1".to_owned())),
        ("id,new_mak\n1,A", FileError::UnknownColumn("new_mak".to_owned())),
        ("1,22:0D:CE:38:E7:15\n", FileError::UnknownColumn("1".to_owned())),
        ("id,new_mac,ID\n1,A,1", FileError::ColumnTwice(Column::Id)),
        ("new_mac,title\nA,T", FileError::NamesNoIntercom),
        ("id,title\n1,T", FileError::AsksForNothing),
        ("id,new_mac\n\n,\n", FileError::NoRows),
    ] {
        assert_eq!(read(text), Err(expected), "{text:?}");
    }
}

#[test]
fn there_are_as_many_rows_as_may_be_and_no_more() {
    let text = |rows: usize| format!("id,new_mac\n{}", "1,A\n".repeat(rows));
    assert_eq!(read(&text(MAX_ROWS)).map(|file| file.rows.len()), Ok(MAX_ROWS));
    assert_eq!(read(&text(MAX_ROWS + 1)), Err(FileError::TooManyRows));
}

#[test]
fn a_result_file_has_the_rows_as_given_and_what_came_of_them() {
    let file = read("\u{FEFF}id;new_mac;title\n1;A;=1+1\n2;B;\"a;b\"\n").expect("a file");
    let results = [("requested", "r-1"), ("failed", "")];
    let rows = file.rows.iter().zip(results).map(|(row, (result, request_id))| Came {
        cells: &row.cells,
        result,
        request_id,
        error: "-",
    });
    let written = write(&file.layout, rows).expect("a file");
    assert_eq!(
        String::from_utf8_lossy(&written),
        "\u{FEFF}id;new_mac;title;result;request_id;error\r\n\
         1;A;'=1+1;requested;r-1;'-\r\n\
         2;B;\"a;b\";failed;;'-\r\n"
    );
}

/// What a person or a spreadsheet may have in a cell, trimmed as it is read.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9:;,\t\"'=+@ -]{0,12}", "['=+@-]{1,4}", "\\PC{0,8}",]
        .prop_map(|text: String| text.trim().to_owned())
}

fn layout() -> impl Strategy<Value = Layout> {
    let separators =
        prop_oneof![Just(Separator::Comma), Just(Separator::Semicolon), Just(Separator::Tab)];
    (separators, any::<bool>()).prop_map(|(separator, has_byte_order_mark)| Layout {
        separator,
        has_byte_order_mark,
        columns: vec![Column::Mac, Column::NewMac, Column::Title],
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read_again(
        layout in layout(),
        rows in prop::collection::vec([cell(), cell(), cell()], 1..20),
    ) {
        let given: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
        let came = given.iter().map(|cells| Came { cells, result: "failed", request_id: "", error: "=x" });
        let text = String::from_utf8(write(&layout, came).expect("a file")).expect("UTF-8");
        let file = read(&text).expect("a file");
        prop_assert_eq!(&file.layout, &layout);
        let read: Vec<_> = file.rows.into_iter().map(|row| row.cells).collect();
        prop_assert_eq!(read, given);
    }

    #[test]
    fn any_text_is_a_file_or_is_refused(text in "[id,new_mac;\t\"'=\r\n \u{FEFF}é]{0,200}") {
        if let Ok(file) = read(&text) {
            let width = file.layout.columns.len();
            let lines = text.split(['\r', '\n']).count() as u64;
            let mut before = 0;
            for row in &file.rows {
                prop_assert_eq!(row.cells.len(), width);
                prop_assert!(before < row.line && row.line <= lines);
                before = row.line;
            }
        }
    }
}
