//! The pages for people.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::common::board::Board;
use crate::common::browser::{Browser, Shown};
use crate::common::{LIMIT, NEW, OLD, Running, report};

type Fields<'a> = &'a [(&'a str, &'a str)];

/// A page, or a form with its fields; and what nobody, a viewer and an operator get.
type Row<'a> = (&'a str, Option<Fields<'a>>, [u16; 3]);

fn shows(shown: &Shown, parts: &[&str]) {
    for part in parts {
        assert!(shown.text.contains(part), "{part} in {}", shown.text);
    }
}

#[test]
fn each_role_sees_its_pages_and_no_others() {
    let mut billing = Running::start();
    let operator = billing.add_token(&["--role", "operator"]);
    let viewer = billing.add_token(&["--role", "viewer"]);
    billing.bearer = Some(operator.clone());
    billing.old_intercom();
    let callers = [
        Browser::of(&billing),
        Browser::signed_in(&billing, &viewer),
        Browser::signed_in(&billing, &operator),
    ];
    let replace: Fields = &[("new_mac", NEW), ("model", "3516EV200"), ("group_id", "6")];
    let table: [Row; 36] = [
        ("/", None, [401, 200, 200]),
        ("/?q=1", None, [401, 303, 303]),
        ("/door?id=1", None, [401, 200, 200]),
        ("/door?id=9", None, [401, 404, 404]),
        ("/requests", None, [401, 200, 200]),
        ("/requests?state=pending&cursor=9", None, [401, 200, 200]),
        ("/imports", None, [401, 403, 200]),
        ("/import?id=9", None, [401, 403, 404]),
        ("/imports/result?id=9", None, [401, 403, 404]),
        ("/imports/run", Some(&[("id", "9")]), [401, 403, 404]),
        ("/tokens", None, [401, 403, 200]),
        ("/audit", None, [401, 200, 200]),
        ("/audit?action=none", None, [401, 422, 422]),
        ("/door?id=1", Some(replace), [401, 403, 303]),
        ("/door?id=9", Some(replace), [401, 403, 404]),
        ("/door/undo?id=9", Some(&[]), [401, 403, 404]),
        ("/requests/cancel", Some(&[("request_id", "unknown")]), [401, 403, 404]),
        ("/", Some(&[("decision", "dismiss_by_hand"), ("board", "die-9")]), [401, 403, 303]),
        ("/tokens", Some(&[("role", "viewer")]), [401, 403, 200]),
        ("/tokens/revoke", Some(&[("number", "9")]), [401, 403, 303]),
        ("/settings", None, [401, 200, 200]),
        ("/settings/quiet-hours", None, [401, 200, 200]),
        ("/settings/quiet-hours", Some(&[("group_id", "6")]), [401, 403, 422]),
        ("/settings/quiet-hours/remove", Some(&[("group", "6")]), [401, 403, 303]),
        ("/settings/retention", None, [401, 200, 200]),
        ("/settings/retention", Some(&[("ended_requests_days", "9")]), [401, 403, 303]),
        ("/settings/webhooks", None, [401, 200, 200]),
        ("/settings/webhooks", Some(&[("url", "crm.example")]), [401, 403, 422]),
        ("/settings/webhooks/remove", Some(&[("id", "1")]), [401, 403, 303]),
        ("/settings/webhooks/1", None, [401, 404, 404]),
        ("/settings/webhooks/x", None, [401, 404, 404]),
        ("/settings/webhooks/1?cursor=x", None, [401, 422, 422]),
        ("/sign-in", None, [200, 200, 200]),
        ("/style.css", None, [200, 200, 200]),
        ("/live.js", None, [200, 200, 200]),
        ("/scan.js", None, [200, 200, 200]),
    ];
    for (column, mut browser) in callers.into_iter().enumerate() {
        for (path, fields, expected) in table {
            let shown = match fields {
                Some(fields) => browser.press(path, fields),
                None => browser.get(path),
            };
            assert_eq!(shown.status, expected[column], "{column} {path}: {}", shown.text);
        }
    }
}

#[test]
fn a_door_is_found_by_what_it_has_or_had_and_by_its_name() {
    let billing = Running::start();
    billing.post(json!({"mac": OLD, "serial_number": "S-OLD", "external_id": "gate/7"}));
    billing.patch(json!({"id": 1, "group_id": 6, "title": "12 Mill Street"}));
    billing.patch(json!({"id": 1, "group_id": 6, "new_mac": NEW, "model": "M"}));
    let mut browser = Browser::of(&billing);
    for word in
        ["1", "aabb.ccdd.eeff", "AA-BB-CC-DD-EE-FF", NEW, "S-OLD", "gate%2F", "mill+str", "+1+"]
    {
        let found = browser.get(&format!("/?q={word}"));
        assert_eq!(found.header("location"), "/door?id=1", "{word}: {}", found.text);
    }
    shows(&browser.get("/?q=7%3Cb%3E"), &["No intercom has", "7&lt;b&gt;"]);
    let third = "02:00:00:00:00:03";
    let _spare = Board::connect(&billing, "die-3", third);
    billing.until("the spare", |_| {
        Browser::of(&billing).get(&format!("/?q={third}")).text.contains("was seen on board die-3")
    });
}

#[test]
fn two_intercoms_that_one_word_names_are_both_shown() {
    let billing = Running::start();
    billing.post(json!({"mac": OLD, "external_id": "2"}));
    billing.post(json!({"mac": NEW, "external_id": "x"}));
    shows(&Browser::of(&billing).get("/?q=2"), &["/door?id=1", "/door?id=2"]);
}

#[test]
fn a_panel_is_replaced_by_the_form_of_its_door() {
    let billing = Running::start();
    billing.old_intercom();
    let mut browser = Browser::of(&billing);
    shows(
        &browser.get("/door?id=1"),
        &["No panel has shown itself yet", OLD, "S-OLD", "installed"],
    );
    let wrong = [("new_mac", "02:00:00"), ("model", ""), ("group_id", "6")];
    let refused = browser.press("/door?id=1", &wrong);
    assert_eq!(refused.status, 422);
    shows(&refused, &["value=\"02:00:00\"", "The new mac field", "The model field is required"]);
    let nothing = [("new_mac", " "), ("new_serial_number", ""), ("model", "M"), ("group_id", "6")];
    let refused = browser.press("/door?id=1", &nothing);
    assert_eq!(refused.status, 422);
    shows(&refused, &["Give the MAC address of the spare, or its serial number."]);
    let fields = [
        ("new_mac", "22-0d-ce-38-e7-15"),
        ("new_serial_number", "S-NEW"),
        ("model", "3516EV200"),
        ("group_id", "6"),
    ];
    let done = browser.press("/door?id=1", &fields);
    assert_eq!((done.status.as_u16(), done.header("location")), (303, "/door?id=1"));
    let asked = ["pending", NEW, "S-NEW", "Until that is installed", "Waits for"];
    shows(&browser.get("/door?id=1"), &asked);
    assert_eq!(billing.show("id=1").body["mac"], NEW);
    let request_id = billing.newest_request_id();
    let cancelled = browser.press("/requests/cancel", &[("request_id", &request_id)]);
    assert_eq!((cancelled.status.as_u16(), cancelled.header("location")), (303, "/door?id=1"));
    assert_eq!(billing.show("id=1").body["mac"], OLD);
    shows(&browser.get("/requests?state=cancelled"), &[&request_id]);
    assert!(!browser.get("/requests?state=pending").text.contains(&request_id));
}

#[test]
fn what_was_there_before_is_asked_for_again_by_a_button() {
    let billing = Running::start();
    billing.old_intercom();
    let mut browser = Browser::of(&billing);
    let first = browser.press("/door/undo?id=1", &[]);
    assert_eq!(first.status, 409);
    shows(&first, &["had no other hardware before"]);
    let request_id = billing.ask();
    shows(&browser.press("/door/undo?id=1", &[]), &[&request_id, "cancel it first"]);
    let mut spare = Board::connect(&billing, "die-1", NEW);
    spare.request(&request_id);
    spare.reports(&report(&request_id, "installed", NEW, "new_serial_number"));
    spare.is_over(&request_id);
    shows(&browser.get("/door?id=1"), &["Go back to what was there before", OLD]);
    let back = browser.press("/door/undo?id=1", &[]);
    assert_eq!((back.status.as_u16(), back.header("location")), (303, "/door?id=1"));
    assert_eq!(billing.show("id=1").body["mac"], OLD);
}

#[test]
fn a_door_says_whether_its_panel_is_there() {
    let billing = Running::start();
    billing.old_intercom();
    let mut board = Board::connect(&billing, "die-1", OLD);
    let has = |text: &str| Browser::of(&billing).get("/door?id=1").text.contains(text);
    billing.until("it is on line", |_| has("on line"));
    board.goes();
    billing.until("it is off line", |_| has("off line"));
}

#[test]
fn what_has_been_pending_for_long_is_on_the_first_page() {
    let billing = Running::start();
    billing.old_intercom();
    let request_id = billing.ask();
    let mut browser = Browser::of(&billing);
    shows(&browser.get("/"), &["Nothing waits for you"]);
    let hour_ago = "UPDATE requests SET asked_ms = asked_ms - 3600000";
    billing.database.execute(hour_ago);
    shows(&browser.get("/"), &["Pending for long", "for 60 min", &request_id]);
}

#[test]
fn an_operator_makes_and_revokes_tokens() {
    let billing = Running::start();
    let mut browser = Browser::of(&billing);
    for (fields, says) in [
        (&[("role", "viewer")][..], "The first token is an operator"),
        (&[("role", "panel")], "needs the name of its board"),
        (&[("role", "panel"), ("board", "a/b")], "no board"),
        (&[("role", "operator"), ("board", "die-1")], "Only a panel"),
        (&[("role", "king")], "Choose a role"),
        (&[("role", "operator"), ("name", "a\tb")], "control characters"),
    ] {
        let refused = browser.press("/tokens", fields);
        assert_eq!(refused.status, 422, "{fields:?}");
        shows(&refused, &[says]);
    }
    let made = browser.press("/tokens", &[("role", "operator"), ("name", "the <office>")]);
    shows(&made, &["shown this once", "the &lt;office&gt;"]);
    let (_, rest) = made.text.split_once("<p class=\"mac\">").expect("the token");
    let token = rest.split_once('<').expect("its end").0;
    assert_eq!(browser.get("/tokens").status, 401, "everybody needs one now");
    let mut browser = Browser::signed_in(&billing, token);
    assert!(!browser.get("/tokens").text.contains(token));
    assert_eq!(browser.press("/tokens/revoke", &[("number", "1")]).header("location"), "/tokens");
    assert_eq!(browser.get("/tokens").status, 401, "the session has ended with it");
}

#[test]
fn an_open_page_is_told_that_something_has_changed() {
    let billing = Running::start();
    let mut stream = TcpStream::connect(billing.http()).expect("a connection");
    stream.set_read_timeout(Some(LIMIT)).expect("set");
    write!(stream, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
    let mut lines = BufReader::new(stream).lines().map(|line| line.expect("a line"));
    assert_eq!(lines.next().as_deref(), Some("HTTP/1.1 200 OK"));
    assert!(lines.any(|line| line == "content-type: text/event-stream"));
    billing.old_intercom();
    assert!(lines.any(|line| line == "data: changed"));
}

#[test]
fn who_has_changed_what_is_one_list_with_filters() {
    let mut billing = Running::start();
    let name = "the <b>office</b> & co";
    billing.bearer = Some(billing.add_token(&["--role", "operator", "--name", name]));
    billing.old_intercom();
    for number in 0..51 {
        let body = json!({"id": 1, "group_id": 6, "title": format!("Gate {number}")});
        assert_eq!(billing.patch(body).status, 200);
    }
    let token = billing.bearer.clone().expect("a token");
    let mut browser = Browser::signed_in(&billing, &token);
    let who = "token 1 (operator, &quot;the &lt;b&gt;office&lt;/b&gt; &amp; co&quot;)";
    let query = "/audit?action=change&intercom=1&actor=token+1";
    let first = browser.get(query);
    shows(&first, &[who, "href=\"/door?id=1\"", "title, group_id", "selected>change<"]);
    let (_, older) = first.text.split_once("<a class=\"button\" href=\"").expect("more");
    let (older, _) = older.split_once('"').expect("an address");
    assert!(older.starts_with("/audit?action=change&amp;actor=token+1&amp;intercom=1&amp;cursor="));
    let last = browser.get(&older.replace("&amp;", "&"));
    assert_eq!(last.text.matches("<li ").count(), 2, "52 changes, 50 on the first page");
    assert!(!last.text.contains("Older"), "{}", last.text);
    shows(&browser.get("/door?id=1"), &["href=\"/audit?intercom=1\""]);
    shows(&browser.get("/audit?actor=command+line"), &["add token", "By command line"]);
}
