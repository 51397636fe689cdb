//! Replacements from a file: checked, shown, run, and told in a result file.

use intercom_test_support::is_on_postgres;
use serde_json::{Value, json};
use ureq::http::Method;

use crate::common::browser::{Browser, Shown};
use crate::common::{Answer, NEW, Running};

const CSV: &[(&str, &str)] = &[("Content-Type", "text/csv")];

fn mac(number: usize) -> String {
    format!("02:00:00:00:{:02X}:{:02X}", number / 256, number % 256)
}

fn new_mac(number: usize) -> String {
    format!("06:00:00:00:{:02X}:{:02X}", number / 256, number % 256)
}

/// A service with so many intercoms: number 1 has the MAC address `mac(1)`.
fn with_intercoms(count: usize) -> Running {
    let billing = Running::start();
    for number in 1..=count {
        let body = json!({"mac": mac(number), "serial_number": format!("S{number}"), "model": "M"});
        assert_eq!(billing.post(body).status, 201);
        assert_eq!(billing.patch(json!({"id": number, "group_id": 6})).status, 200);
    }
    billing
}

fn send(billing: &Running, text: impl Into<Vec<u8>>) -> Answer {
    billing.send(Method::POST, "/api/v1/imports", CSV, Some(text.into()))
}

fn show(billing: &Running, id: i64, query: &str) -> Value {
    let shown = billing.call(Method::GET, &format!("/api/v1/imports/{id}?{query}"), None);
    assert_eq!(shown.status, 200, "{shown:?}");
    shown.body
}

fn run(billing: &Running, id: i64) -> Answer {
    billing.call(Method::POST, &format!("/api/v1/imports/{id}/run"), None)
}

fn is_finished(billing: &Running, id: i64) -> bool {
    show(billing, id, "")["state"] == "finished"
}

fn result(billing: &Running, id: i64) -> String {
    billing.call(Method::GET, &format!("/api/v1/imports/{id}/result"), None).text
}

fn rows(answer: &Answer) -> &[Value] {
    answer.body["rows"].as_array().expect("rows")
}

/// The errors of a row, each with its field.
fn wrong(row: &Value) -> Vec<(String, String)> {
    let errors = row["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    errors.iter().map(|error| (text(&error["field"]), text(&error["text"]))).collect()
}

#[test]
fn a_file_is_checked_and_shown_and_changes_nothing_until_it_is_run() {
    let billing = with_intercoms(2);
    let text = format!(
        "\u{FEFF}id;new_mac;new_serial_number;title\r\n\r\n1;{};N1;=North\r\n2;{};;\r\n",
        new_mac(1),
        new_mac(2)
    );
    let checked = send(&billing, text);
    assert_eq!(checked.status, 201, "{checked:?}");
    let told = |import: &Value| {
        ["state", "total", "wrong", "done", "failed"].map(|field| import[field].clone())
    };
    assert_eq!(told(&checked.body), [json!("checked"), json!(2), json!(0), json!(0), json!(0)]);
    let first = &rows(&checked)[0];
    assert_eq!(first["line"], 3);
    assert_eq!(first["plan"]["from"]["mac"], mac(1));
    assert_eq!(
        first["plan"]["to"],
        json!({"mac": new_mac(1), "serial_number": "N1", "model": "M"})
    );
    assert_eq!(rows(&checked)[1]["plan"]["to"]["serial_number"], "S2", "what is left out stays");
    assert_eq!(billing.requests().len(), 0);
    assert_eq!(billing.show("id=1").body["mac"], mac(1));

    assert_eq!(run(&billing, 1).status, 202);
    billing.until("it is finished", |billing| is_finished(billing, 1));
    let done = show(&billing, 1, "");
    assert_eq!(told(&done), [json!("finished"), json!(2), json!(0), json!(2), json!(0)]);
    assert_eq!(billing.show("id=1").body["mac"], new_mac(1));
    assert_eq!(billing.show("id=1").body["title"], "=North");
    let asked = billing.requests();
    let request_of = |id: i64| {
        let request = asked.iter().find(|request| request["intercom_id"] == id);
        request.expect("a request")["request_id"].as_str().expect("an ID").to_owned()
    };
    assert_eq!(asked[0]["asked_by"], "anybody, import 1");
    let expected = format!(
        "\u{FEFF}id;new_mac;new_serial_number;title;result;request_id;error\r\n\
         1;{};N1;'=North;requested;{};\r\n2;{};;;requested;{};\r\n",
        new_mac(1),
        request_of(1),
        new_mac(2),
        request_of(2)
    );
    assert_eq!(result(&billing, 1), expected);
    assert_eq!(run(&billing, 1).status, 200, "once more changes nothing");
    assert_eq!(billing.requests().len(), 2);
    // The result file itself may be sent.
    let again = send(&billing, expected);
    assert_eq!(again.body["wrong"], 0, "{again:?}");
    assert_eq!(run(&billing, 2).status, 202);
    billing.until("it is finished", |billing| is_finished(billing, 2));
    assert_eq!(result(&billing, 2).matches(";unchanged;").count(), 2);
    assert_eq!(billing.requests().len(), 2);
}

#[test]
fn a_row_that_asks_for_what_the_intercom_has_asks_no_panel() {
    let billing = with_intercoms(1);
    let checked = send(&billing, format!("id,new_mac,title\n1,{},North\n", mac(1)));
    assert_eq!(checked.body["wrong"], 0, "{checked:?}");
    assert_eq!(rows(&checked)[0]["plan"]["waits_for"], Value::Null);
    assert_eq!(run(&billing, 1).status, 202);
    billing.until("it is finished", |billing| is_finished(billing, 1));
    assert_eq!(show(&billing, 1, "")["rows"][0]["result"], "unchanged");
    assert_eq!(billing.requests(), Vec::<Value>::new());
    let shown = billing.show("id=1").body;
    assert_eq!((&shown["status"], &shown["title"]), (&json!("installed"), &json!("North")));
    let body = json!({"id": 1, "new_mac": mac(1), "model": "M", "group_id": 6});
    assert_eq!(billing.patch(body).body["status"], "pending", "the documented PATCH asks");
}

#[test]
fn each_wrong_row_is_told_by_its_line_and_field_and_then_none_is_run() {
    let billing = with_intercoms(4);
    let text = format!(
        "id,mac,new_mac,new_serial_number,expires\n\
         1,,{new},,\n\
         9,,{other},,\n\
         ,02:00:00:00:00:99,{other},,\n\
         2,,{taken},,\n\
         3,,02:00:00,,\n\
         4,,,,\n\
         4,,{new},,\n\
         3,,06:00:00:00:99:01,,2020-01-01T00:00:00Z\n\
         1,,06:00:00:00:99:02,SAME,\n\
         2,,06:00:00:00:99:03,SAME,\n\
         x,,{other},,\n\
         2,{mac},{other},,\n\
         3,,06:00:00:00:99:04,,,surplus\n",
        new = new_mac(1),
        other = new_mac(9),
        taken = mac(3),
        mac = mac(2),
    );
    let checked = send(&billing, text);
    assert_eq!((checked.status, &checked.body["wrong"]), (201, &json!(12)), "{checked:?}");
    let told: Vec<_> = rows(&checked)
        .iter()
        .map(|row| (row["line"].as_i64().expect("a line"), wrong(row)))
        .filter(|(_, wrong)| !wrong.is_empty())
        .collect();
    let expected = [
        (3, vec![("id", "No intercom has this id.")]),
        (
            4,
            vec![
                ("mac", "No intercom has this MAC address."),
                ("new_mac", "Line 3 asks for the same."),
            ],
        ),
        (5, vec![("new_mac", "The new mac has already been taken.")]),
        (6, vec![("new_mac", "The new mac field must be a valid MAC address.")]),
        (
            7,
            vec![(
                "new_mac",
                "The new mac field is required when new serial number is not present.",
            )],
        ),
        (8, vec![("new_mac", "Line 2 asks for the same.")]),
        (9, vec![("expires", "The expires field must be a time after now and after not before.")]),
        (10, vec![("id", "Line 2 is about the same intercom.")]),
        (
            11,
            vec![
                ("new_serial_number", "Line 10 asks for the same."),
                ("id", "Line 5 is about the same intercom."),
            ],
        ),
        (
            12,
            vec![
                ("id", "The id field must be an integer."),
                ("new_mac", "Line 3 asks for the same."),
            ],
        ),
        (
            13,
            vec![
                ("id", "Only one of id and mac may be there."),
                ("new_mac", "Line 3 asks for the same."),
            ],
        ),
        (14, vec![("row", "The row has a cell that has no name in the header.")]),
    ];
    let expected = expected.map(|(line, wrong)| {
        let owned = |(field, text): (&str, &str)| (field.to_owned(), text.to_owned());
        (line, wrong.into_iter().map(owned).collect())
    });
    assert_eq!(told, expected);
    assert_eq!(rows(&checked)[3]["errors"][0]["intercom_id"], 3, "who has it");
    let refused = run(&billing, 1);
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("rows are wrong, so none is run"), "{}", refused.text);
    assert_eq!(billing.requests().len(), 0);
    let wrong = show(&billing, 1, "wrong=true&limit=2");
    assert_eq!((&wrong["rows"][0]["line"], &wrong["next"]), (&json!(3), &json!("4")));
    let next = show(&billing, 1, "wrong=true&limit=2&cursor=4");
    assert_eq!(next["rows"][0]["line"], 5);
    let file = result(&billing, 1);
    let taken = format!(
        "2,,{},,,,,new_mac: The new mac has already been taken. Intercom 3 has it.",
        mac(3)
    );
    assert!(file.contains(&taken), "{file}");
    assert!(file.contains("9,,06:00:00:00:00:09,,,,,id: No intercom has this id.\r\n"), "{file}");
}

#[test]
fn two_rows_that_mean_an_exchange_of_panels_are_told_the_call_for_it() {
    let billing = with_intercoms(3);
    let text = format!("id,new_mac\n1,{}\n3,{}\n2,{}\n", mac(2), mac(1), mac(1));
    let checked = send(&billing, text);
    let swap = |one: i64, other: i64| {
        format!("Intercoms {one} and {other} exchange their panels: POST /api/v1/swaps does that.")
    };
    let texts: Vec<_> = rows(&checked).iter().map(|row| wrong(row).remove(0).1).collect();
    assert_eq!(texts, [swap(1, 2), "The new mac has already been taken.".to_owned(), swap(2, 1)]);
}

#[test]
fn what_is_no_import_file_is_refused_with_the_reason() {
    let billing = with_intercoms(1);
    for (text, says) in [
        ("", "The file is empty."),
        ("id,new_mak\n1,x", "which is no column"),
        ("id,new_mac\n", "no rows"),
        ("title,new_mac\nT,x", "needs id or mac"),
    ] {
        let refused = send(&billing, text);
        assert_eq!(refused.status, 422, "{text}");
        assert!(refused.body["errors"]["body"][0].as_str().expect("a text").contains(says));
    }
    let latin = b"id,new_mac,title\n1,06:00:00:00:00:01,Stra\xDFe\n".to_vec();
    assert!(send(&billing, latin).text.contains("UTF-8"));
    let many = format!("id,new_mac\n{}", "1,A\n".repeat(10_001));
    assert!(send(&billing, many).text.contains("more than 10000 rows"));
    assert_eq!(send(&billing, "x".repeat(2 * 1024 * 1024 + 1)).status, 413);
    let as_json = billing.call(Method::POST, "/api/v1/imports", Some(json!({})));
    assert_eq!(as_json.status, 415);
    assert_eq!(billing.call(Method::GET, "/api/v1/imports", None).body["imports"], json!([]));
    for path in ["/api/v1/imports/1", "/api/v1/imports/x", "/api/v1/imports/1/result"] {
        assert_eq!(billing.call(Method::GET, path, None).status, 404, "{path}");
    }
    assert_eq!(run(&billing, 1).status, 404);
}

#[test]
fn a_row_that_would_do_something_else_than_was_shown_is_refused_and_the_others_are_run() {
    let billing = with_intercoms(3);
    let row = |number: usize| format!("{},{}\n", mac(number), new_mac(number));
    let text = format!("mac,new_mac\n{}{}{}", row(1), row(2), row(3));
    assert_eq!(send(&billing, text).body["wrong"], 0);
    // Somebody asks for another identity, and somebody takes one of those.
    let asked = json!({"id": 1, "group_id": 6, "new_mac": NEW, "model": "M"});
    assert_eq!(billing.patch(asked).status, 200);
    billing.post(json!({"mac": new_mac(2)}));
    billing.patch(json!({"mac": new_mac(2), "group_id": 6}));
    assert_eq!(run(&billing, 1).status, 202);
    billing.until("it is finished", |billing| is_finished(billing, 1));
    let shown = show(&billing, 1, "");
    assert_eq!((&shown["done"], &shown["failed"]), (&json!(3), &json!(2)));
    let errors: Vec<_> = (0..3).map(|row| shown["rows"][row]["error"].as_str()).collect();
    let changed = "The intercom or its request has changed since the file was checked.";
    assert_eq!(errors, [Some(changed), Some("The new mac has already been taken."), None]);
    assert_eq!(billing.show("id=1").body["mac"], NEW, "the later request stays");
    assert_eq!(show(&billing, 1, "wrong=true")["rows"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_run_that_a_restart_has_cut_off_goes_on_and_runs_no_row_twice() {
    let mut billing = with_intercoms(3);
    let row = |number: usize| format!("{number},{}\n", new_mac(number));
    send(&billing, format!("id,new_mac\n{}{}{}", row(1), row(2), row(3)));
    run(&billing, 1);
    billing.until("it is finished", |billing| is_finished(billing, 1));
    billing.stop();
    // As if the service had ended before the last row and the last line of the import.
    let cut_off = "UPDATE imports SET state = 'running', done = 2, finished_ms = NULL;
        UPDATE import_rows SET result = NULL, request_id = NULL WHERE line = 4;";
    billing.database.execute(cut_off);
    billing.restart();
    billing.until("it is finished", |billing| is_finished(billing, 1));
    let shown = show(&billing, 1, "");
    assert_eq!((&shown["done"], &shown["failed"]), (&json!(3), &json!(0)));
    assert_eq!(shown["rows"][0]["result"], "requested");
    assert_eq!(shown["rows"][2]["result"], "unchanged", "its request was pending already");
    assert_eq!(billing.requests().len(), 3);
}

#[test]
fn the_audit_log_says_who_has_run_the_import_and_each_row() {
    let mut billing = with_intercoms(1);
    billing.bearer = Some(billing.add_token(&["--role", "operator", "--name", "the office"]));
    send(&billing, format!("id,new_mac\n1,{}\n", new_mac(1)));
    let begun = run(&billing, 1);
    billing.until("it is finished", |billing| is_finished(billing, 1));
    let entries = crate::audit::entries(&billing, "actor=token+1");
    let told: Vec<_> = entries
        .iter()
        .map(|entry| ["action", "who", "detail"].map(|field| entry[field].as_str().expect("text")))
        .collect();
    let who = "token 1 (operator, \"the office\")";
    let detail = format!("to MAC {}, serial number S1: group_id, model, new_mac", new_mac(1));
    assert_eq!(
        told,
        [
            ["replace", &format!("{who}, import 1"), &detail],
            ["run_import", who, "import 1: 1 rows"],
        ]
    );
    assert!(entries.iter().all(|entry| entry["call"].as_str() == begun.call.as_deref()));
}

#[test]
fn many_rows_are_checked_and_run_while_other_calls_are_answered() {
    const ROWS: usize = 200;
    let billing = with_intercoms(1);
    let fill = format!(
        "WITH RECURSIVE n (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < {ROWS})
         INSERT INTO intercoms (id, confirmed_mac, desired_mac, confirmed_model, desired_model, status,
             source, group_id, seq)
         SELECT n, m, m, 'M', 'M', 'installed', 'auto', 6, 1 FROM
             (SELECT n, '02:00:00:00:' || {} AS m FROM n) AS macs",
        match is_on_postgres() {
            true => "to_char(n / 256, 'FM00:') || upper(lpad(to_hex(n % 256), 2, '0'))",
            false => "printf('%02X:%02X', n / 256, n % 256)",
        }
    );
    billing.database.execute(&fill);
    let all: String = (1..=ROWS).map(|n| format!("{n},{}\n", new_mac(n))).collect();
    let checked = std::thread::scope(|scope| {
        let sent = scope.spawn(|| send(&billing, format!("id,new_mac\n{all}")));
        while !sent.is_finished() {
            assert_eq!(billing.patch(json!({"id": 1, "group_id": 6})).status, 200);
        }
        sent.join().expect("an answer")
    });
    assert_eq!((checked.status, &checked.body["wrong"]), (201, &json!(0)), "{checked:?}");
    assert_eq!((rows(&checked).len(), &checked.body["next"]), (50, &json!("51")), "one page");
    assert_eq!(run(&billing, 1).status, 202);
    billing.until("it is finished", |billing| {
        assert_eq!(billing.patch(json!({"id": 1, "group_id": 6})).status, 200);
        is_finished(billing, 1)
    });
    assert_eq!(show(&billing, 1, "")["failed"], 0);
    assert_eq!(result(&billing, 1).matches(",requested,").count(), ROWS);
}

fn shows(shown: &Shown, parts: &[&str]) {
    for part in parts {
        assert!(shown.text.contains(part), "{part} in {}", shown.text);
    }
}

#[test]
fn a_file_is_checked_and_run_on_the_page() {
    let billing = with_intercoms(2);
    let mut browser = Browser::of(&billing);
    let wrong = browser.send_file("/imports", "", "id,new_mak\n1,x\n");
    assert_eq!(wrong.status, 422);
    shows(&wrong, &["role=\"alert\"", "new_mak", "enctype=\"multipart/form-data\""]);
    let text = format!("id\tnew_mac\n1\t{}\n9\t{}\n", new_mac(1), new_mac(2));
    let sent = browser.send_file("/imports", "", &text);
    assert_eq!((sent.status.as_u16(), sent.header("location")), (303, "/import?id=1"));
    let first = browser.get("/import?id=1");
    shows(&first, &["1 row of 2 cannot be run", "Line 3", "No intercom has this id.", &new_mac(1)]);
    assert!(!first.text.contains("action=\"/imports/run\""), "{}", first.text);
    assert_eq!(browser.press("/imports/run", &[("id", "1")]).status, 409);

    let text = format!("id,new_mac,title\n1,{},<b>\n2,{},\n", new_mac(1), new_mac(2));
    let sent = browser.send_file("/imports", &text, "the file counts");
    assert_eq!(sent.header("location"), "/import?id=2");
    shows(
        &browser.get("/import?id=2"),
        &["Run 2 rows", "Nothing is wrong with any row", "off line", "Will wait for"],
    );
    let run = browser.press("/imports/run", &[("id", "2")]);
    assert_eq!((run.status.as_u16(), run.header("location")), (303, "/import?id=2"));
    billing.until("it is finished", |billing| is_finished(billing, 2));
    shows(&browser.get("/import?id=2"), &["Every row was run.", "requested", "value=\"2\""]);
    shows(&browser.get("/imports"), &["Import 2", "done", "Import 1", "1 wrong"]);
    let file = browser.get("/imports/result?id=2");
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"import-2.csv\"");
    assert_eq!(file.text, result(&billing, 2));
}

#[test]
fn what_the_page_cannot_read_is_told_on_the_page_that_has_the_form() {
    let billing = with_intercoms(1);
    let mut browser = Browser::of(&billing);
    let pasted = browser.send_file("/imports", "", "id,new_mak\n1,<x>\n");
    shows(&pasted, &["new_mak", ">id,new_mak\n1,&lt;x&gt;\n</textarea>"]);
    let latin_1 = browser.send_file("/imports", b"id,title\n1,B\xFCro\n", "");
    shows(&latin_1, &["role=\"alert\"", "save it as &quot;CSV UTF-8&quot;", "</textarea>"]);
    let large = browser.send_file("/imports", vec![b'x'; 3 << 20], "");
    shows(&large, &["role=\"alert\"", "must not be greater than", "</textarea>"]);
}

#[test]
fn a_form_with_a_file_is_only_taken_from_the_own_page() {
    let billing = with_intercoms(1);
    let mut browser = Browser::of(&billing);
    browser.origin = "http://evil.example".to_owned();
    assert_eq!(browser.send_file("/imports", "", "id,new_mac\n1,x\n").status, 403);
    let kind = [("Content-Type", "multipart/form-data; boundary=part")];
    let url = format!("http://{}/imports", billing.http());
    let without_origin =
        ureq::http::Request::post(url).header(kind[0].0, kind[0].1).body("--part--");
    let answer = billing.agent.run(without_origin.expect("a request")).expect("an answer");
    assert_eq!(answer.status(), 403);
}
