//! Signing in on the page.

use std::io::{Read, Write};
use std::net::TcpStream;

use ureq::http::Method;

use crate::common::browser::Browser;
use crate::common::{LIMIT, OLD, Running};

const BUTTON: [(&str, &str); 3] = [("decision", "enrol"), ("board", "die-9"), ("mac", OLD)];

/// A service with a token of each role: operator, viewer, panel.
fn with_tokens() -> (Running, [String; 3]) {
    let billing = Running::start();
    let operator = billing.add_token(&["--role", "operator"]);
    let viewer = billing.add_token(&["--role", "viewer"]);
    let panel = billing.add_token(&["--role", "panel", "--board", "die-1"]);
    (billing, [operator, viewer, panel])
}

#[test]
fn a_browser_without_a_session_gets_the_form_and_is_asked_for_no_password() {
    let (billing, _) = with_tokens();
    for cookie in [None, Some("intercom_session=wrong".to_owned())] {
        let mut browser = Browser::of(&billing);
        browser.cookie = cookie;
        let shown = browser.get("/?q=%22gate%22");
        assert_eq!((shown.status.as_u16(), shown.header("www-authenticate")), (401, "Bearer"));
        assert!(shown.text.contains("action=\"/sign-in\""), "{}", shown.text);
        assert!(shown.text.contains("name=\"next\" value=\"/?q=%22gate%22\""), "{}", shown.text);
        assert_eq!(browser.press("/", &BUTTON).status, 401);
        assert_eq!(browser.get("/events").status, 401);
    }
}

#[test]
fn an_operator_and_a_viewer_sign_in_and_a_panel_does_not() {
    let (billing, [operator, viewer, panel]) = with_tokens();
    for (token, pressed) in [(&operator, 303), (&viewer, 403)] {
        let mut browser = Browser::signed_in(&billing, token);
        assert_eq!(browser.get("/").status, 200);
        let shown = browser.press("/", &BUTTON);
        assert_eq!(shown.status, pressed, "{}", shown.text);
    }
    for token in [&panel, "wrong", ""] {
        let mut browser = Browser::of(&billing);
        let shown = browser.press("/sign-in", &[("token", token), ("next", "/")]);
        assert_eq!((shown.status.as_u16(), &browser.cookie), (401, &None), "{token}");
        assert!(shown.text.contains("role=\"alert\""), "{}", shown.text);
    }
}

#[test]
fn the_cookie_is_for_the_page_of_this_site_alone() {
    let (billing, [operator, ..]) = with_tokens();
    let mut browser = Browser::of(&billing);
    let set = browser.press("/sign-in", &[("token", &operator)]);
    let set = set.header("set-cookie");
    for attribute in ["; Path=/;", "; HttpOnly", "; SameSite=Strict", "; Max-Age=43200"] {
        assert!(set.contains(attribute), "{attribute} in {set}");
    }
    assert!(!set.contains("Secure") && !set.contains(&operator), "{set}");

    browser.origin = browser.origin.replace("http:", "https:");
    let over_tls = browser.press("/sign-in", &[("token", &operator)]);
    assert!(over_tls.header("set-cookie").ends_with("; Secure"));
    let cookie = browser.cookie.clone().expect("a session");
    let headers = [("Cookie", cookie.as_str())];
    for path in ["/api/v1/agent/decisions", "/api/v1/agent/requests"] {
        let answer = billing.send(Method::GET, path, &headers, None);
        assert_eq!(answer.status, 401, "{path}: a session is no token");
    }

    browser.origin = "http://evil.example".to_owned();
    assert_eq!(browser.press("/", &BUTTON).status, 403);
    assert_eq!(browser.press("/sign-out", &[]).status, 403);
    assert_eq!(browser.press("/sign-in", &[("token", &operator)]).status, 403);
}

#[test]
fn a_session_leads_to_the_page_that_was_asked_for_and_to_no_other_site() {
    let (billing, [operator, ..]) = with_tokens();
    for (next, expected) in
        [("/?q=1", "/?q=1"), ("//evil.example", "/"), ("https://evil.example", "/")]
    {
        let fields = [("token", operator.as_str()), ("next", next)];
        assert_eq!(Browser::of(&billing).press("/sign-in", &fields).header("location"), expected);
    }
}

#[test]
fn a_session_ends_by_a_sign_out_and_with_its_token() {
    let (billing, [operator, ..]) = with_tokens();
    let mut first = Browser::signed_in(&billing, &operator);
    let mut second = Browser::signed_in(&billing, &operator);
    let cookie = first.cookie.clone();
    assert!(first.get("/").text.contains("action=\"/sign-out\""));
    let shown = first.press("/sign-out", &[]);
    assert_eq!((shown.status.as_u16(), &first.cookie), (303, &None));
    first.cookie = cookie;
    assert_eq!(first.get("/").status, 401, "the cookie that was kept");
    assert_eq!(second.get("/").status, 200);
    assert!(billing.token(&["revoke", "1"]).status.success());
    assert_eq!(second.get("/").status, 401);
}

#[test]
fn the_database_has_no_session_that_somebody_could_use() {
    let (billing, [operator, ..]) = with_tokens();
    let browser = Browser::signed_in(&billing, &operator);
    let cookie = browser.cookie.expect("a session");
    let secret = cookie.split_once('=').expect("a value").1.as_bytes();
    assert!(!billing.database.has(secret));
}

#[test]
fn a_session_ends_at_its_time_and_a_token_has_a_bounded_number_of_them() {
    let (billing, [operator, ..]) = with_tokens();
    let mut browser = Browser::signed_in(&billing, &operator);
    billing.database.execute("UPDATE sessions SET ends_ms = 0");
    assert_eq!(browser.get("/").status, 401);
    for _ in 0..101 {
        Browser::signed_in(&billing, &operator);
    }
    assert_eq!(billing.database.number("SELECT count(*) FROM sessions"), 100);
}

#[test]
fn without_tokens_the_page_needs_no_session_and_says_so() {
    let billing = Running::start();
    let shown = Browser::of(&billing).get("/");
    assert_eq!(shown.status, 200);
    assert!(shown.text.contains("No token has been made"), "{}", shown.text);
    assert!(!shown.text.contains("/sign-out"), "there is no session");
}

#[test]
fn a_page_loads_nothing_from_elsewhere_and_has_no_script_or_style_inside() {
    let billing = Running::start();
    let mut browser = Browser::of(&billing);
    let shown = browser.get("/");
    let policy = shown.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(shown.header("cache-control"), "no-store");
    assert!(!shown.text.contains("<style") && !shown.text.contains("http://"), "{}", shown.text);
    let style = browser.get("/style.css");
    assert_eq!(
        (style.status.as_u16(), style.header("content-type")),
        (200, "text/css; charset=utf-8")
    );
}

#[test]
fn the_events_of_a_session_end_with_it() {
    let (billing, [operator, ..]) = with_tokens();
    let mut browser = Browser::signed_in(&billing, &operator);
    let cookie = browser.cookie.clone().expect("a session");
    let mut events = TcpStream::connect(billing.http()).expect("it listens");
    let host = billing.http();
    write!(
        events,
        "GET /events HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
    )
    .expect("sent");
    events.set_read_timeout(Some(LIMIT)).expect("set");
    let mut read = [0; 12];
    events.read_exact(&mut read).expect("an answer");
    assert_eq!(&read, b"HTTP/1.1 200");
    browser.press("/sign-out", &[]);
    events.read_to_end(&mut Vec::new()).expect("it ends in time");
}
