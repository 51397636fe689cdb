//! What a broker sends before it grants the panel's topics, or instead.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use intercom_test_support::{Board, MODEL, OLD};
use serde_json::{Value, json};

const BOARD_TOPIC: &str = "intercoms/by-board/gate-1/patch";

fn mac_topic(id: &str) -> String {
    format!("intercoms/{OLD}/patch/{id}")
}

/// A broker that says to each SUBSCRIBE what `subscribed` writes, given its packet ID, gives the panel's
/// presence back, and acknowledges it. Its URL.
fn broker(
    subscribed: impl Fn(&mut TcpStream, [u8; 2]) -> io::Result<()> + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("mqtt://{}", listener.local_addr().expect("an address"));
    let subscribed = Arc::new(subscribed);
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let subscribed = subscribed.clone();
            thread::spawn(move || {
                while let Some((first, rest)) = packet(&mut stream) {
                    let done = match first >> 4 {
                        1 => stream.write_all(&[0x20, 2, 0, 0]),
                        3 => stream.write_all(&echo(&rest)),
                        8 => subscribed(&mut stream, [rest[0], rest[1]]),
                        12 => stream.write_all(&[0xd0, 0]),
                        _ => Ok(()),
                    };
                    if done.is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

/// Reads one packet: its first byte, and what follows its length.
pub fn packet(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut byte = [0];
    stream.read_exact(&mut byte).ok()?;
    let (first, mut length, mut shift) = (byte[0], 0, 0);
    loop {
        stream.read_exact(&mut byte).ok()?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).ok()?;
    Some((first, rest))
}

/// The acknowledgement of a message at QoS 1, and the message at QoS 0.
fn echo(message: &[u8]) -> Vec<u8> {
    let (topic, rest) = message.split_at(2 + usize::from(message[1]));
    let (pkid, payload) = rest.split_at(2);
    [&[0x40, 2], pkid, &head(0x30, topic.len() + payload.len()), topic, payload].concat()
}

/// The beginning of a message at QoS 1, which has so many bytes of payload.
fn message(topic: &str, payload: usize) -> Vec<u8> {
    let head = head(0x32, 4 + topic.len() + payload);
    [&head[..], &[0, topic.len() as u8], topic.as_bytes(), &[0, 1]].concat()
}

fn head(first: u8, length: usize) -> Vec<u8> {
    let low = |shift: u32| (length >> shift) as u8 & 0x7f;
    vec![first, low(0) | 0x80, low(7) | 0x80, low(14)]
}

#[test]
fn a_request_is_not_acted_on_where_the_broker_refuses_a_topic() {
    // It needs no look-up, so that nothing but the refusal keeps the panel from beginning it.
    let request =
        json!({"request_id": "r-1", "mac": OLD, "new_serial_number": "NEW-1", "model": MODEL});
    let request = request.to_string();
    let url = broker(move |stream, [high, low]| {
        // The request first, as from a kept session; then the refusal of one topic.
        stream.write_all(&message(&mac_topic("r-1"), request.len()))?;
        stream.write_all(request.as_bytes())?;
        stream.write_all(&[0x90, 8, high, low, 1, 0x80, 0, 0, 0, 0])
    });
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&url);
    let mut daemon = board.start();
    for _ in 0..3 {
        daemon.wait_for(&format!("refuses the subscription to {BOARD_TOPIC}"));
    }
    let status = board.run(&["status", "--json"]).json();
    assert_eq!((&status["reached"], &status["counters"]["begun"]), (&json!([]), &json!(0)));
    assert_eq!(status["change"], Value::Null);
    assert_eq!(board.mac(), OLD);
}

#[test]
fn a_broker_that_only_refuses_the_topic_of_the_mac_address_is_reached_without_it() {
    let request = |id: &str| {
        let wrong_model = json!({
            "request_id": id, "mac": OLD, "new_serial_number": "NEW-1", "model": "another",
        });
        wrong_model.to_string()
    };
    let url = broker(move |stream, [high, low]| {
        // What its session kept is sent before and after it refuses the topic.
        let (before, after) = (request("r-1"), request("r-2"));
        stream.write_all(&message(&mac_topic("r-1"), before.len()))?;
        stream.write_all(before.as_bytes())?;
        stream.write_all(&[0x90, 8, high, low, 0x80, 1, 0, 0, 0, 0])?;
        let head = message(&mac_topic("r-2"), after.len());
        stream.write_all(&[&head[..head.len() - 1], &[2], after.as_bytes()].concat())
    });
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&url);
    let mut daemon = board.start();
    daemon.wait_for("requests by MAC address are not heard");
    for id in ["r-1", "r-2"] {
        daemon.wait_for(&format!("request {id} is rejected"));
    }
    board.wait_until_reached();
    let status = board.run(&["status", "--json"]).json();
    assert_eq!(status["routes"][0]["refused_topic"], mac_topic("#"));
    assert_eq!((&status["counters"]["begun"], &status["waiting"]), (&json!(0), &json!(0)));
    let words = board.run(&["doctor"]).out;
    assert!(words.contains("requests by MAC address are not heard"), "{words}");
    assert!(daemon.terminate().success());

    // Who says that he wants them is not reached without them.
    board.configure("mac_topics = true");
    let mut daemon = board.start();
    for _ in 0..3 {
        daemon.wait_for(&format!("refuses the subscription to {}", mac_topic("#")));
    }
    let status = board.run(&["status", "--json"]).json();
    assert_eq!((&status["reached"], &status["counters"]["begun"]), (&json!([]), &json!(0)));
}

#[test]
fn a_message_that_is_too_large_on_a_slow_link_delays_the_panel_and_nothing_else() {
    // Longer than a broker may take to grant the topics, and than two keep-alives.
    let (pieces, pause) = (70, Duration::from_millis(500));
    let url = broker(move |stream, [high, low]| {
        let piece = [b'x'; 5000];
        stream.write_all(&message(&mac_topic("large"), pieces * piece.len()))?;
        for _ in 0..pieces {
            stream.write_all(&piece)?;
            thread::sleep(pause);
        }
        stream.write_all(&[0x90, 8, high, low, 1, 1, 0, 0, 0, 0])
    });
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&url);
    board.configure("keep_alive = 5");
    let since = Instant::now();
    let mut daemon = board.start();
    board.wait_until_reached();
    assert!(since.elapsed() > 30 * Duration::from_secs(1), "{:?}", since.elapsed());
    let said = daemon.said().join("\n");
    assert!(said.contains("large is too large") && !said.contains("connecting again"), "{said}");
}
