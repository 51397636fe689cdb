//! Polls for pending requests.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use intercom_wire::signature::Flaw;

use super::peer::{Answer, Peer, answer, stuck};
use super::*;
use crate::decide::{Signature, Timing, Via};

fn list(ids: &[&str]) -> String {
    let elements: Vec<String> = ids.iter().map(|id| request(id)).collect();
    format!("[{}]", elements.join(","))
}

#[tokio::test]
async fn a_poll_names_the_panel_and_delivers_each_request_of_the_list() {
    let mut peer = Peer::start(vec![answer("200 OK", list(&["r1", "r2"]))]);
    let mut panel = Panel::start(&format!("{}/base/", peer.url), "");
    assert_eq!(panel.event().await, panel.reachable());
    let first = panel.delivery().await;
    assert_eq!((id(&first), id(&panel.delivery().await)), ("r1".into(), "r2".into()));
    assert_eq!(first.route, Some(Route::Http));
    assert_eq!(first.delivered.via, Via::PendingList);
    assert_eq!(first.delivered.timing, Timing::Again);
    assert_eq!(first.delivered.signature, Signature::Missing);
    let seen = peer.seen().await;
    let (path, query) = seen.line.split_once('?').unwrap();
    assert_eq!(path, "GET /base/api/v1/agent/pending");
    let (nonce, mut query): (Vec<&str>, Vec<&str>) =
        query.split('&').partition(|part| part.starts_with("nonce="));
    assert_eq!(nonce.len(), 1);
    query.sort_unstable();
    let mac = "mac=08%3A00%3A00%3A00%3A00%3A01";
    let serial_number = "serial_number=SN%201%2F2";
    assert_eq!(query, ["board=board-1", "id=7", mac, "poll_every=1", serial_number]);
    assert_eq!(
        seen.header("user-agent"),
        Some(concat!("intercom-agent/", env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(seen.header("accept"), Some("application/json"));
    assert_eq!(seen.header("accept-encoding"), None);
    assert_eq!(seen.header("authorization"), None);
    assert_eq!(seen.header("if-none-match"), None);
}

#[tokio::test]
async fn a_request_is_fresh_if_it_names_the_nonce_of_this_start_under_whatever_identity() {
    let (later, listed) = std::sync::mpsc::channel::<String>();
    let listed_later: Answer = Box::new(move |stream| {
        answer("200 OK", listed.recv().expect("a list"))(stream);
    });
    let mut peer = Peer::start(vec![answer("200 OK", "[]"), listed_later]);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.reachable());
    let seen = peer.seen().await;
    let nonce = seen.line.split(['?', '&']).find_map(|part| part.strip_prefix("nonce="));
    let with = |nonce: &str| request("r").replacen('{', &format!("{{\"nonce\":\"{nonce}\","), 1);
    let body = format!("[{},{},{}]", with(nonce.expect("one")), with("another"), request("bare"));
    panel.connect_as("08:00:00:00:00:02");
    later.send(body).expect("asked");
    assert_eq!(panel.event().await, panel.reachable());
    for is_fresh in [true, false, false] {
        assert_eq!(panel.delivery().await.delivered.is_fresh, is_fresh);
    }
}

#[tokio::test]
async fn a_string_in_place_of_an_object_is_a_signed_request() {
    let good = signing_key().sign(request("r1").as_bytes());
    let other = signing_key().sign(request("r2").as_bytes());
    let ((signed, _), (_, signature)) =
        (other.rsplit_once('.').unwrap(), good.rsplit_once('.').unwrap());
    let forged = format!("{signed}.{signature}");
    let body = format!("[\"{good}\", \"{forged}\",{},7]", request("r3"));
    let peer = Peer::start(vec![answer("200 OK", body)]);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.reachable());
    let first = panel.delivery().await;
    assert_eq!((id(&first), first.delivered.signature), ("r1".into(), Signature::Good));
    let second = panel.delivery().await;
    assert_eq!(second.delivered.signature, Signature::Bad(Flaw::Mismatch));
    assert!(second.request.is_err(), "nothing of it is read");
    let third = panel.delivery().await;
    assert_eq!((id(&third), third.delivered.signature), ("r3".into(), Signature::Missing));
    assert!(panel.delivery().await.request.is_err());
}

#[tokio::test]
async fn a_list_that_was_decided_as_a_whole_is_not_sent_again() {
    let mut peer = Peer::start(vec![
        answer("200 OK\nETag: W/\"5\"", list(&["r1", "r2"])),
        answer("304 Not Modified", ""),
        answer("304 Not Modified", ""),
        answer("200 OK\nETag: \"6\"", list(&["r2"])),
        answer("304 Not Modified", ""),
    ]);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.reachable());
    panel.delivery().await;
    panel.delivery().await;
    // An unchanged list proves the connection too.
    assert_eq!(panel.event().await, panel.reachable());
    assert_eq!(panel.event().await, panel.reachable());
    assert_eq!(panel.event().await, panel.reachable());
    assert_eq!(id(&panel.delivery().await), "r2");
    assert_eq!(panel.event().await, panel.reachable());
    for tag in [None, Some("W/\"5\""), Some("W/\"5\""), Some("W/\"5\""), Some("\"6\"")] {
        assert_eq!(peer.seen().await.header("if-none-match"), tag);
    }
}

#[tokio::test]
async fn the_end_of_each_list_that_was_read_is_told() {
    let peer = Peer::start(vec![
        answer("200 OK\nETag: \"5\"", list(&["r1"])),
        answer("304 Not Modified", ""),
        answer("204 No Content", ""),
        answer("200 OK", "[7,"),
        answer("200 OK", "[]"),
    ]);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.reachable());
    panel.delivery().await;
    panel.listed().await;
    assert_eq!(panel.event().await, panel.reachable());
    assert_eq!(panel.event().await, panel.reachable());
    panel.listed().await;
    assert_eq!(panel.event().await, panel.reachable());
    panel.delivery().await;
    assert_eq!(panel.event().await, panel.lost(), "it broke off");
}

#[tokio::test]
async fn a_poll_in_mid_change_says_so_until_the_change_is_confirmed() {
    let mut peer = Peer::start(vec![answer("204 No Content", ""), answer("204 No Content", "")]);
    let mut panel = Panel::start(&peer.url, "");
    panel.connection = panel.connection.next();
    let mut changing = connect_as("08:00:00:00:00:02");
    changing.changing_from = "08:00:00:00:00:01".parse().ok();
    panel.handle.connect_as.send_replace(Some((changing, panel.connection)));
    assert_eq!(panel.event().await, panel.reachable());
    assert!(peer.seen().await.line.contains("&changing=true"));
    panel.command(RouteCommand::Claim(panel.connection));
    assert_eq!(panel.event().await, panel.reachable());
    assert!(!peer.seen().await.line.contains("changing"));
}

#[tokio::test]
async fn a_list_with_an_undecided_request_is_asked_for_again() {
    let mut peer = Peer::start(vec![
        answer("200 OK\nETag: \"5\"", list(&["r1", "r2"])),
        answer("200 OK\nETag: \"5\"", "[]"),
    ]);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.reachable());
    panel.handling = Handling::Kept;
    panel.delivery().await;
    panel.handling = Handling::Decided;
    panel.delivery().await;
    assert_eq!(panel.event().await, panel.reachable());
    assert_eq!(peer.seen().await.header("if-none-match"), None);
    assert_eq!(peer.seen().await.header("if-none-match"), None);
}

#[tokio::test]
async fn a_new_identity_and_ask_again_forget_the_list() {
    let tagged = || answer("200 OK\nETag: \"5\"", "[]");
    let mut peer = Peer::start(vec![tagged(), tagged(), tagged()]);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.reachable());
    panel.connect_as("08:00:00:00:00:02");
    assert_eq!(panel.event().await, panel.reachable());
    panel.command(RouteCommand::AskAgain);
    assert_eq!(panel.event().await, panel.reachable());
    assert!(peer.seen().await.line.contains("mac=08%3A00%3A00%3A00%3A00%3A01"));
    let anew = peer.seen().await;
    assert!(anew.line.contains("mac=08%3A00%3A00%3A00%3A00%3A02"));
    assert_eq!(anew.header("if-none-match"), None);
    assert_eq!(peer.seen().await.header("if-none-match"), None);
}

#[tokio::test]
async fn a_poll_in_flight_is_given_up_when_the_identity_changes() {
    let (never, hung_up) = stuck("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[");
    let mut peer = Peer::start(vec![never, answer("200 OK", "[]")]);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.reachable());
    panel.connect_as("08:00:00:00:00:02");
    // Neither a loss of the old connection nor anything else comes first.
    assert_eq!(panel.event().await, panel.reachable());
    timeout(PATIENCE, hung_up).await.expect("the old connection is closed").unwrap();
    assert!(peer.seen().await.line.contains("mac=08%3A00%3A00%3A00%3A00%3A01"));
    assert!(peer.seen().await.line.contains("mac=08%3A00%3A00%3A00%3A00%3A02"));
}

#[tokio::test]
async fn a_failure_is_reported_once_until_an_answer_comes() {
    let peer = Peer::start(vec![
        answer("500 Internal Server Error", ""),
        answer("503 Service Unavailable", ""),
        answer("204 No Content", ""),
        answer("502 Bad Gateway", ""),
    ]);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.lost());
    assert_eq!(panel.event().await, panel.reachable());
    assert_eq!(panel.event().await, panel.lost());
}

#[tokio::test]
async fn a_poll_waits_as_long_as_the_service_says() {
    let busy = "429 Too Many Requests\nRetry-After: 2";
    let peer = Peer::start(vec![answer(busy, ""), answer("200 OK", "[]")]);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.lost());
    let refused = std::time::Instant::now();
    // `AskAgain` does not bring it forward.
    panel.command(RouteCommand::AskAgain);
    assert_eq!(panel.event().await, panel.reachable());
    assert!(refused.elapsed() > Duration::from_millis(1900), "{:?}", refused.elapsed());
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let mut elsewhere = Peer::start(vec![answer("200 OK", "[]")]);
    let moved = format!("302 Found\nLocation: {}/", elsewhere.url);
    let peer = Peer::start(vec![answer(&moved, ""), answer("200 OK", "[]")]);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.lost());
    assert_eq!(panel.event().await, panel.reachable());
    assert!(elsewhere.nothing_seen());
}

#[tokio::test]
async fn the_token_is_read_for_each_poll() {
    let dir = std::env::temp_dir().join(format!("intercom-agent-token-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let write = |token: &str, mode| {
        fs::write(dir.join("token"), token).unwrap();
        fs::set_permissions(dir.join("token"), fs::Permissions::from_mode(mode)).unwrap();
    };
    write("first\n", 0o600);
    let mut peer = Peer::start(vec![answer("401 Unauthorized", ""), answer("200 OK", "[]")]);
    let root = Root::sandbox(&dir);
    let mut panel = Panel::start_in(root.clone(), &peer.url, "token_file = \"/token\"");
    assert_eq!(panel.event().await, panel.lost());
    assert_eq!(peer.seen().await.header("authorization"), Some("Bearer first"));
    write("second", 0o600);
    assert_eq!(panel.event().await, panel.reachable());
    assert_eq!(peer.seen().await.header("authorization"), Some("Bearer second"));

    // A token that others may read is not used, and there is no poll without it.
    write("third", 0o644);
    let mut peer = Peer::start(vec![answer("200 OK", "[]")]);
    let mut panel = Panel::start_in(root, &peer.url, "token_file = \"/token\"");
    assert_eq!(panel.event().await, panel.lost());
    assert!(peer.nothing_seen());
    fs::remove_dir_all(&dir).unwrap();
}

/// What `status` says after a poll that this answer has failed.
async fn last_error_after(failure: &str, body: &str) -> String {
    let name = format!("intercom-agent-said-{failure}-{}", std::process::id());
    let dir = std::env::temp_dir().join(name.replace(|char: char| !char.is_alphanumeric(), "-"));
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("token"), "S3cret").unwrap();
    fs::set_permissions(dir.join("token"), fs::Permissions::from_mode(0o600)).unwrap();
    let peer = Peer::start(vec![answer(failure, body)]);
    let root = Root::sandbox(&dir);
    let mut panel = Panel::start_in(root, &peer.url, "token_file = \"/token\"");
    assert_eq!(panel.event().await, panel.lost());
    fs::remove_dir_all(&dir).unwrap();
    let status = panel.handle.health.status(Route::Http, tokio::time::Instant::now());
    status.last_error.expect("an error").text
}

#[tokio::test]
async fn a_token_that_the_service_quotes_is_not_shown() {
    let quoted = r#"{"message":"denied: authorization: Bearer S3cret, not S3cret"}"#;
    let said = last_error_after("403 Forbidden", quoted).await;
    assert!(said.contains("(it says: denied: authorization: Bearer …, not …)"), "{said}");
}

#[tokio::test]
async fn a_redirect_is_shown_without_user_and_query() {
    for (location, shown) in [
        ("https://u:p4ss@gate.example:8443/in?key=k3y#f", "https://gate.example:8443/in,"),
        ("https://gate.example/S3cret", "https://gate.example/…,"),
        ("/in?key=k3y", "/in,"),
        ("//u:p4ss@gate.example/in", "another address,"),
        ("u:p4ss@gate.example", "another address,"),
    ] {
        let said = last_error_after(&format!("302 Found\nLocation: {location}"), "").await;
        assert!(said.contains(&format!("redirects to {shown}")), "{said}");
        assert!(!said.contains("p4ss") && !said.contains("k3y"), "{said}");
    }
}

#[tokio::test]
async fn a_compressed_list_is_refused_and_the_message_says_what_to_change() {
    let peer = Peer::start(vec![
        answer("200 OK\nContent-Encoding: gzip", [0x1f, 0x8b, 8].as_slice()),
        answer("200 OK", "[]"),
    ]);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.lost());
    let status = panel.handle.health.status(Route::Http, tokio::time::Instant::now());
    let said = status.last_error.expect("an error").text;
    assert!(said.contains("switch compression off"), "{said}");
    assert_eq!(panel.event().await, panel.reachable());
}
