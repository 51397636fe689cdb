//! What the daemon tells its service manager, over a real socket.

use std::os::unix::net::UnixDatagram;

use intercom_test_support::{Board, Broker, LIMIT, OLD, request};

/// Waits for the next datagram that begins with `start`; the rest of it.
fn heard(manager: &UnixDatagram, start: &str) -> String {
    let mut buffer = [0; 1024];
    loop {
        let length = manager.recv(&mut buffer).expect("a datagram in time");
        let text = std::str::from_utf8(&buffer[..length]).expect("text");
        if let Some(rest) = text.strip_prefix(start) {
            return rest.to_owned();
        }
    }
}

fn listen(board: &Board) -> UnixDatagram {
    let manager = UnixDatagram::bind(board.path("notify")).expect("a socket");
    manager.set_read_timeout(Some(LIMIT)).expect("a limit");
    manager
}

#[test]
fn a_daemon_is_ready_and_alive_while_its_broker_is_away() {
    let board = Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9");
    let manager = listen(&board);
    let daemon = board.start_with(&[
        ("NOTIFY_SOCKET", board.path("notify").to_str().expect("a path")),
        ("WATCHDOG_USEC", "200000"),
    ]);
    heard(&manager, "READY=1");
    let status = heard(&manager, "STATUS=MQTT not reached since 20");
    assert!(status.contains("nothing listens there"), "{status}");
    for _ in 0..3 {
        heard(&manager, "WATCHDOG=1");
    }
    assert!(daemon.terminate().success());
    heard(&manager, "STOPPING=1");
}

#[test]
fn the_status_tells_a_change_and_then_that_upstream_is_reached() {
    let broker = Broker::start();
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let manager = listen(&board);
    let _daemon =
        board.start_with(&[("NOTIFY_SOCKET", board.path("notify").to_str().expect("a path"))]);
    heard(&manager, "STATUS=MQTT reached since 20");
    let apply = request("r-1").to_string();
    assert_eq!(board.run_with(&["apply", "-"], apply.as_bytes()).code, 0);
    let status = heard(&manager, "STATUS=changing to MAC 22:0D:CE:38:E7:15");
    assert!(status.ends_with(" s left to confirm it"), "{status}");
    heard(&manager, "STATUS=MQTT reached since 20");
}
