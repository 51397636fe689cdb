//! Faulty and hostile servers: the panel loses the poll and nothing else.

use std::io::Write;

use super::peer::{Answer, Peer, answer, raw, stuck};
use super::*;

/// The route says that it is lost, and then gets a good answer.
async fn lost_and_found(bad: Answer) {
    let peer = Peer::start(vec![bad, answer("200 OK", "[]")]);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.lost());
    assert_eq!(panel.event().await, panel.reachable());
}

#[tokio::test]
async fn an_answer_that_is_not_a_list_is_a_failure() {
    lost_and_found(raw("")).await;
    lost_and_found(raw("SSH-2.0-OpenSSH_9.2\r\n")).await;
    lost_and_found(answer("200 OK", "<html>Please log in")).await;
    lost_and_found(answer("200 OK", "")).await;
    lost_and_found(answer("304 Not Modified", "")).await;
    lost_and_found(answer("200 OK\nContent-Encoding: gzip", "[]")).await;
}

#[tokio::test]
async fn endless_headers_end_the_poll() {
    lost_and_found(Box::new(|stream| {
        let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while sent.is_ok() {
            sent = stream.write_all(b"X-More: and more\r\n");
        }
    }))
    .await;
    lost_and_found(Box::new(|stream| {
        let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Long: ");
        while sent.is_ok() {
            sent = stream.write_all(&[b'x'; 1000]);
        }
    }))
    .await;
}

#[tokio::test]
async fn silence_ends_the_poll() {
    let (silent, hung_up) = stuck("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[");
    let peer = Peer::start(vec![silent]);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.reachable());
    assert_eq!(panel.event().await, panel.lost());
    timeout(PATIENCE, hung_up).await.expect("the connection is closed").unwrap();
}

#[tokio::test]
async fn requests_before_the_list_breaks_off_count() {
    let cut = format!("[{},{}", request("r1"), &request("r2")[..30]);
    let bodies = [
        raw(format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{cut}")),
        raw(format!("HTTP/1.1 200 OK\r\n\r\n{cut}")),
        raw(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{cut}")),
        raw(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{cut}", cut.len())),
    ];
    for body in bodies {
        let peer = Peer::start(vec![body, answer("200 OK\nETag: \"1\"", "[]")]);
        let mut panel = Panel::start(&peer.url, "");
        assert_eq!(panel.event().await, panel.reachable());
        assert_eq!(id(&panel.delivery().await), "r1");
        assert_eq!(panel.event().await, panel.lost());
        assert_eq!(panel.event().await, panel.reachable());
    }
}

#[tokio::test]
async fn an_unreadable_element_does_not_hide_the_next_one() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let legal = format!("{{\"log_extra\":{}{}}}", "[".repeat(126), "]".repeat(126));
    let huge = format!("\"{}\"", "x".repeat(10_000_000));
    let body = format!("[{deep},{legal},{huge},{{\"mac\":tru}},7,{}]", request("r1"));
    let peer =
        Peer::start(vec![answer("200 OK\nETag: \"1\"", body), answer("304 Not Modified", "")]);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.reachable());
    let mut why = Vec::new();
    for _ in 0..5 {
        why.push(panel.delivery().await.request.unwrap_err().errors.message());
    }
    assert!(why[0].contains("200000 bytes long"), "{why:?}");
    assert!(why[2].contains("10000002 bytes long"), "{why:?}");
    assert!(why[3].contains("valid JSON"), "{why:?}");
    assert!(why[4].contains("JSON object"), "{why:?}");
    assert_eq!(id(&panel.delivery().await), "r1");
    assert_eq!(panel.event().await, panel.reachable());
}

#[tokio::test]
async fn a_list_of_any_length_is_read_at_the_agents_pace() {
    const MANY: usize = 50_000;
    let endless: Answer = Box::new(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[");
        for number in 0..MANY {
            let comma = if number == 0 { "" } else { "," };
            let _ = write!(stream, "{comma}{}", request(&format!("r{number}")));
        }
        let _ = stream.write_all(b"]");
    });
    let peer = Peer::start(vec![endless, answer("200 OK", "[]")]);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.reachable());
    for number in 0..MANY {
        assert_eq!(id(&panel.delivery().await), format!("r{number}"));
    }
    assert_eq!(panel.event().await, panel.reachable());
}

#[tokio::test]
async fn the_route_ends_with_the_agent() {
    let (silent, hung_up) = stuck("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[");
    let peer = Peer::start(vec![silent]);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.reachable());
    drop(panel.handle);
    timeout(PATIENCE, hung_up).await.expect("the connection is closed").unwrap();
    assert!(timeout(PATIENCE, panel.events.recv()).await.expect("ends in time").is_none());
}
