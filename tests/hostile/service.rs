//! A service for polling panels that means harm until its time is over, and then is honest.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use intercom_test_support::{LIMIT, NEW, OLD, OTHER, request};
use serde_json::{Value, json};

/// How long one attack may go on.
const SLICE: Duration = Duration::from_secs(10);
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";

#[derive(Clone, Copy)]
enum Attack {
    Garbage,
    SlowHead,
    SlowList,
    EndlessHeaders,
    EndlessHeader,
    EndlessList,
    EndlessRejections,
    EndlessElement,
    TooLong,
    DeepNesting,
    Compressed,
    Cut,
}

const ATTACKS: [Attack; 12] = [
    Attack::Garbage,
    Attack::SlowHead,
    Attack::EndlessHeaders,
    Attack::EndlessHeader,
    Attack::EndlessList,
    Attack::EndlessRejections,
    Attack::EndlessElement,
    Attack::TooLong,
    Attack::DeepNesting,
    Attack::Compressed,
    Attack::SlowList,
    Attack::Cut,
];

pub struct HostileService {
    pub url: String,
    until: Instant,
    attacks: Arc<AtomicUsize>,
    reports: Receiver<Value>,
}

impl HostileService {
    pub fn start(hostile: Duration) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", socket.local_addr().expect("an address"));
        let until = Instant::now() + hostile;
        let slice = SLICE.min(hostile / (ATTACKS.len() as u32 + 4));
        let attacks = Arc::new(AtomicUsize::new(0));
        let (send, reports) = channel();
        let count = attacks.clone();
        thread::spawn(move || {
            let polls = Arc::new(AtomicUsize::new(0));
            for stream in socket.incoming().map_while(Result::ok) {
                let (send, polls, count) = (send.clone(), polls.clone(), count.clone());
                thread::spawn(move || -> io::Result<()> {
                    stream.set_write_timeout(Some(SLICE))?;
                    let (head, body) = read_request(&stream)?;
                    let mut stream = stream;
                    if head.starts_with("POST") {
                        if Instant::now() >= until {
                            let _ = send.send(serde_json::from_slice(&body)?);
                        }
                        return stream
                            .write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
                    }
                    if Instant::now() >= until {
                        return write!(stream, "{OK}\r\n[{}]", request("honest"));
                    }
                    // Every other poll is answered well, or the panel would ask less and less often.
                    let poll = polls.fetch_add(1, Ordering::Relaxed);
                    if poll % 2 == 0 {
                        return write!(stream, "{OK}\r\n[]");
                    }
                    count.fetch_add(1, Ordering::Relaxed);
                    let end = until.min(Instant::now() + slice);
                    attack(ATTACKS[poll / 2 % ATTACKS.len()], &mut stream, end)
                });
            }
        });
        HostileService { url, until, attacks, reports }
    }

    pub fn attacks(&self) -> usize {
        self.attacks.load(Ordering::Relaxed)
    }

    pub fn wait_until_it_is_honest(&self) {
        thread::sleep(self.until.saturating_duration_since(Instant::now()));
    }

    /// The report on the honest request.
    pub fn report(&self) -> Value {
        loop {
            let report = self.reports.recv_timeout(LIMIT).expect("a report");
            if report["request_id"] == "honest" {
                return report;
            }
        }
    }
}

fn read_request(stream: &TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    let lower = head.to_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok((head, body))
}

fn attack(attack: Attack, stream: &mut TcpStream, end: Instant) -> io::Result<()> {
    let other = |id: usize| {
        json!({"request_id": format!("o-{id}"), "target": {"mac": OTHER}, "mac": OTHER, "new_mac": NEW,
            "model": "other", "log_extra": "x".repeat(100)})
    };
    let wrong =
        |id: usize| json!({"request_id": format!("w-{id}"), "mac": OLD, "new_mac": "nonsense"});
    let deep = format!("{}{}", "[".repeat(32_000), "]".repeat(32_000));
    let legal = format!("{{\"log_extra\":{}}}", format!("[{}],", "[1],".repeat(60)).repeat(60));
    match attack {
        Attack::Garbage => repeat(stream, end, noise),
        Attack::SlowHead => slowly(stream, end, OK.as_bytes()),
        Attack::SlowList => {
            write!(stream, "{OK}\r\n")?;
            slowly(stream, end, format!("[{}]", request("slow")).as_bytes())
        }
        Attack::EndlessHeaders => {
            stream.write_all(OK.as_bytes())?;
            repeat(stream, end, |n| format!("X-{n}: {n}\r\n").into_bytes())
        }
        Attack::EndlessHeader => {
            write!(stream, "{OK}X-Long: ")?;
            repeat(stream, end, |_| vec![b'x'; 4096])
        }
        Attack::EndlessList => list(stream, end, |n| other(n).to_string()),
        Attack::EndlessRejections => list(stream, end, |n| wrong(n).to_string()),
        Attack::EndlessElement => {
            write!(stream, "{OK}\r\n[{{\"request_id\":\"")?;
            repeat(stream, end, |_| vec![b'x'; 4096])
        }
        Attack::TooLong => list(stream, end, |_| format!("\"{}\"", "x".repeat(64 * 1024 - 1))),
        Attack::DeepNesting => {
            list(stream, end, |n| if n % 2 == 0 { deep.clone() } else { legal.clone() })
        }
        Attack::Compressed => {
            write!(stream, "{OK}Content-Encoding: gzip\r\n\r\n")?;
            repeat(stream, end, noise)
        }
        Attack::Cut => write!(stream, "{OK}Content-Length: 999999\r\n\r\n[{},", other(0)),
    }
}

fn list(stream: &mut TcpStream, end: Instant, element: impl Fn(usize) -> String) -> io::Result<()> {
    write!(stream, "{OK}\r\n[{}", element(0))?;
    repeat(stream, end, |n| format!(",{}", element(n)).into_bytes())
}

fn repeat(
    stream: &mut TcpStream,
    end: Instant,
    piece: impl Fn(usize) -> Vec<u8>,
) -> io::Result<()> {
    (0..).take_while(|_| Instant::now() < end).try_for_each(|n| stream.write_all(&piece(n)))
}

/// One byte a second.
fn slowly(stream: &mut TcpStream, end: Instant, bytes: &[u8]) -> io::Result<()> {
    for byte in bytes {
        if Instant::now() >= end {
            return Ok(());
        }
        stream.write_all(&[*byte])?;
        thread::sleep(Duration::from_secs(1));
    }
    Ok(())
}

/// Bytes without sense, different each time.
fn noise(n: usize) -> Vec<u8> {
    let mut state = n as u64 ^ 0x9E37_79B9_7F4A_7C15;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(1000)
    .collect()
}
