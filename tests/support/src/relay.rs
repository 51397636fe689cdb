//! Somebody in the middle of a connection: sees what passes, and delays or swallows it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

/// Which way something goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the panel.
    Up,
    /// To the panel.
    Down,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It arrives at once.
    Pass,
    /// It arrives so much later.
    Late(Duration),
    /// Nobody hears of it, and the connection stays.
    Swallowed,
}

/// Listens on the loopback in place of somebody else.
pub struct Relay {
    /// The port to connect to.
    pub port: u16,
}

impl Relay {
    /// To this address; `fate` is asked about every piece that passes.
    pub fn start(
        address: (String, u16),
        fate: impl Fn(Way, &[u8]) -> Fate + Send + Sync + 'static,
    ) -> Self {
        Self::start_to(vec![address], fate)
    }

    /// The same, to the first of these addresses where somebody listens when a connection is made.
    pub fn start_to(
        addresses: Vec<(String, u16)>,
        fate: impl Fn(Way, &[u8]) -> Fate + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let relay = Relay { port: listener.local_addr().expect("an address").port() };
        let fate = Arc::new(fate);
        thread::spawn(move || {
            for near in listener.incoming() {
                let Ok(near) = near else { return };
                let connect =
                    |(host, port): &(String, u16)| TcpStream::connect((host.as_str(), *port)).ok();
                // A broker that is away hangs up, as it would without a relay.
                let Some(far) = addresses.iter().find_map(connect) else { continue };
                let both = (near.try_clone().expect("a copy"), far.try_clone().expect("a copy"));
                pump(near, far, Way::Up, fate.clone());
                pump(both.1, both.0, Way::Down, fate.clone());
            }
        });
        relay
    }
}

fn pump(
    mut from: TcpStream,
    mut to: TcpStream,
    way: Way,
    fate: Arc<impl Fn(Way, &[u8]) -> Fate + Send + Sync + 'static>,
) {
    let (send, pieces) = channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let piece = buffer[..length].to_vec();
            let late = match fate(way, &piece) {
                Fate::Pass => Duration::ZERO,
                Fate::Late(late) => late,
                Fate::Swallowed => continue,
            };
            if send.send((Instant::now() + late, piece)).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, piece) in pieces {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                break;
            }
        }
        // Both halves: whoever is still reading from it learns that the other end is gone.
        let _ = to.shutdown(Shutdown::Both);
    });
}
