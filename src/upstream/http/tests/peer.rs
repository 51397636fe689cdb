//! A server that answers one connection after the other, each as the test wants.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::PATIENCE;

/// What the server does with a connection whose request it has read.
pub(super) type Answer = Box<dyn FnOnce(&mut TcpStream) + Send>;

/// A request as it was seen.
#[derive(Debug)]
pub(super) struct Seen {
    /// `GET /path?query`, without the version.
    pub(super) line: String,
    head: Vec<String>,
    pub(super) body: Vec<u8>,
}

/// The server. After its last answer, it answers with an empty list, or accepts the report.
pub(super) struct Peer {
    pub(super) url: String,
    seen: mpsc::UnboundedReceiver<Seen>,
}

impl Peer {
    /// A server with these answers to polls.
    pub(super) fn start(polls: Vec<Answer>) -> Self {
        Self::taking_reports(polls, Vec::new())
    }

    /// A server with these answers to polls, and these to reports.
    pub(super) fn taking_reports(polls: Vec<Answer>, reports: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, seen) = mpsc::unbounded_channel();
        let (mut polls, mut reports) = (polls.into_iter(), reports.into_iter());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                reader.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
                let Some(request) = Seen::read(&mut reader) else { continue };
                let answer = match request.line.starts_with('P') {
                    true => reports.next().unwrap_or_else(|| answer("204 No Content", "")),
                    false => polls.next().unwrap_or_else(|| answer("200 OK", "[]")),
                };
                if sender.send(request).is_err() {
                    return;
                }
                answer(reader.get_mut());
            }
        });
        Peer { url, seen }
    }

    /// The next request.
    pub(super) async fn seen(&mut self) -> Seen {
        let seen = timeout(PATIENCE, self.seen.recv()).await;
        seen.expect("no request in time").expect("the server ended")
    }

    /// Whether nothing has been asked since.
    pub(super) fn nothing_seen(&mut self) -> bool {
        self.seen.try_recv().is_err()
    }
}

impl Seen {
    fn read(from: &mut impl BufRead) -> Option<Self> {
        let mut lines = from.lines();
        let line = lines.next()?.ok()?;
        let head: Vec<String> =
            lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let mut seen = Seen {
            line: line.strip_suffix(" HTTP/1.1").unwrap_or(&line).to_owned(),
            head,
            body: Vec::new(),
        };
        let length = seen.header("content-length").and_then(|length| length.parse().ok());
        from.take(length.unwrap_or(0)).read_to_end(&mut seen.body).ok()?;
        Some(seen)
    }

    /// A header's value; the name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// A whole answer; `head` is the status line and any headers but the length, one a line.
pub(super) fn answer(head: &str, body: impl Into<Vec<u8>>) -> Answer {
    let (head, body) = (head.replace('\n', "\r\n"), body.into());
    Box::new(move |stream| {
        let length = body.len();
        let head =
            format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        // The client may close the connection before it has read everything.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
    })
}

/// Exactly these bytes, and then the end of the connection.
pub(super) fn raw(bytes: impl Into<Vec<u8>>) -> Answer {
    let bytes = bytes.into();
    Box::new(move |stream| {
        let _ = stream.write_all(&bytes);
    })
}

/// These bytes, and then nothing until the client closes the connection; the test learns when.
pub(super) fn stuck(bytes: &'static str) -> (Answer, oneshot::Receiver<()>) {
    let (hung_up, told) = oneshot::channel();
    let answer: Answer = Box::new(move |stream| {
        let _ = stream.write_all(bytes.as_bytes());
        // Ends with an error or with the end of the connection, when the client has gone.
        let _ = stream.read(&mut [0]);
        let _ = hung_up.send(());
    });
    (answer, told)
}
