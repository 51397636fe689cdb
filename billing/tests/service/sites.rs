//! What a page of another site, which a browser on the network shows, cannot make the service do.

use std::io::{Read, Write};
use std::net::TcpStream;

use ureq::http::Method;

use crate::common::{AGENT, INTERCOMS, OLD, Running, documented_example};
use crate::roles::contents;

#[test]
fn without_tokens_only_an_agent_may_poll() {
    let billing = Running::start();
    billing.old_intercom();
    let path = format!("/api/v1/agent/pending?mac={OLD}&board=die-1");
    for (agent, status) in
        [("Mozilla/5.0", 403), ("", 403), ("x intercom-agent/1", 403), (AGENT.1, 200)]
    {
        let before = contents(&billing);
        let answer = billing.send(Method::GET, &path, &[("User-Agent", agent)], None);
        assert_eq!(answer.status, status, "{agent}");
        assert_eq!(contents(&billing) == before, status == 403, "{agent}: a presence");
    }
}

/// A page of another site may send it without asking first, like a GET.
#[test]
fn without_tokens_a_poll_by_head_needs_an_agent_too() {
    let billing = Running::start();
    billing.old_intercom();
    let before = contents(&billing);
    let mut stream = TcpStream::connect(billing.http()).expect("a connection");
    let poll = format!("HEAD /api/v1/agent/pending?mac={OLD}&board=die-1 HTTP/1.1");
    write!(stream, "{poll}\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert_eq!(contents(&billing), before);
}

#[test]
fn a_body_that_is_not_sent_as_json_is_refused() {
    let billing = Running::start();
    let body = || Some(serde_json::to_vec(&documented_example()).expect("JSON"));
    for (method, path) in [
        (Method::PATCH, INTERCOMS),
        (Method::POST, INTERCOMS),
        (Method::DELETE, INTERCOMS),
        (Method::POST, "/api/v1/agent/status"),
    ] {
        for (kind, refused) in [
            ("text/plain", true),
            ("application/x-www-form-urlencoded", true),
            ("", true),
            ("application/jsonp", true),
            ("application/json", false),
            ("Application/JSON; charset=utf-8", false),
        ] {
            let answer = billing.send(method.clone(), path, &[("Content-Type", kind)], body());
            assert_eq!(answer.status == 415, refused, "{method} {path} {kind}: {}", answer.text);
        }
    }
}

#[test]
fn a_call_for_another_host_or_from_another_site_is_refused() {
    let billing =
        Running::start_with(|settings| settings.hosts = vec!["billing.example".to_owned()]);
    let own = billing.http().to_string();
    for (host, origin, status) in [
        ("evil.example", None, 421),
        ("192.0.2.1", None, 421),
        ("billing.example", None, 404),
        ("BILLING.example:443", None, 404),
        ("localhost", None, 404),
        (&own, None, 404),
        (&own, Some("http://evil.example".to_owned()), 403),
        (&own, Some("http://localhost:1".to_owned()), 403),
        (&own, Some("null".to_owned()), 403),
        (&own, Some(format!("http://{own}")), 404),
        ("billing.example", Some("https://billing.example".to_owned()), 404),
    ] {
        let origin_header = origin.iter().map(|origin| ("Origin", origin.as_str()));
        let headers: Vec<_> = [("Host", host)].into_iter().chain(origin_header).collect();
        let body = serde_json::to_vec(&documented_example()).expect("JSON");
        let answer = billing.send(Method::PATCH, INTERCOMS, &headers, Some(body));
        assert_eq!(answer.status, status, "{host} {origin:?}: {}", answer.text);
    }
}
