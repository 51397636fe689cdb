//! A service for polling panels that does not mind what it offers; the real one offers only what is
//! valid.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use crate::LIMIT;

/// A service for polling panels.
pub struct Listener {
    /// Where panels poll.
    pub url: String,
    list: Arc<Mutex<Vec<u8>>>,
    reports: Receiver<Value>,
}

impl Listener {
    /// On the loopback and any free port; nothing is pending.
    pub fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", socket.local_addr().expect("an address"));
        let list = Arc::new(Mutex::new(b"[]".to_vec()));
        let (send, reports) = channel();
        let shared = list.clone();
        thread::spawn(move || {
            for stream in socket.incoming() {
                let Ok(stream) = stream else { return };
                let (shared, send) = (shared.clone(), send.clone());
                // A panel that hangs up is no trouble of ours.
                thread::spawn(move || serve(stream, &shared, &send));
            }
        });
        Listener { url, list, reports }
    }

    /// What is pending from now on.
    pub fn offer(&self, list: impl Into<Vec<u8>>) {
        *self.list.lock().expect("nobody panics with it") = list.into();
    }

    /// Waits for the next report that fits.
    pub fn report(&self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let report = self.reports.recv_timeout(LIMIT).expect("a report");
            if fits(&report) {
                return report;
            }
        }
    }
}

fn serve(stream: TcpStream, list: &Mutex<Vec<u8>>, reports: &Sender<Value>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim() {
            "" => break,
            line => lines.push(line.to_lowercase()),
        }
    }
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(Some(0), |length| length.parse().ok())?];
    reader.read_exact(&mut body).ok()?;
    let mut stream = stream;
    if lines.first()?.starts_with("post ") {
        reports.send(serde_json::from_slice(&body).ok()?).ok()?;
        return stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").ok();
    }
    let list = list.lock().ok()?.clone();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        list.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&list)).ok()
}
