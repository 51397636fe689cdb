//! A pending list of a million requests, read by the agent, beside a bare serde_json pass over it.

use std::fmt;
use std::fs;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use serde::de::{Deserializer as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;

use crate::{Directory, Outcome, agent};

/// Longer than any machine takes.
const LIMIT: Duration = Duration::from_secs(1200);

/// Measures and prints.
pub fn table(requests: usize) -> Outcome<()> {
    let service = Service::start(requests)?;
    let (bytes, bare) = service.timed(|stream| pass::<Value>(stream, requests))?;
    let (_, scan) = service.timed(|stream| pass::<IgnoredAny>(stream, requests))?;

    let dir = Directory::new("list")?;
    let mut panel = Panel::start(&dir.0, &service.url)?;
    // The empty list: whatever a first poll needs is there before the long one.
    service.wait_for_poll()?;
    thread::sleep(Duration::from_secs(3));
    let idle = panel.memory()?;
    service.is_long.store(true, Ordering::Release);
    let start = service.wait_for_poll()?;
    let (end, peak) = panel.until_rejected(&service)?;
    let agent = end - start;

    let mb = bytes as f64 / 1e6;
    println!("a pending list of {requests} requests, {mb:.0} MB, over HTTP on the loopback\n");
    let row = |name: &str, time: Duration| {
        let ratio = time.as_secs_f64() / bare.as_secs_f64();
        let speed = mb / time.as_secs_f64();
        println!("{name:<40}{:>8.2} s{speed:>8.1} MB/s{ratio:>8.2}", time.as_secs_f64());
    };
    row("serde_json, each element a Value", bare);
    row("serde_json, each element ignored", scan);
    row("agent, to the report on the last one", agent);
    println!("\nmemory of the agent, KiB: {:>14}{:>10}{:>10}", "idle", "peak", "growth");
    for (name, idle, peak) in
        [("PSS", idle.pss, peak.pss), ("RSS (peak: VmHWM)", idle.rss, peak.rss)]
    {
        println!("{name:<24}{idle:>16}{peak:>10}{:>10}", peak.saturating_sub(idle));
    }
    Ok(())
}

/// A service for one panel. Each poll is answered with the list; each report ends the wait for it.
struct Service {
    url: String,
    address: std::net::SocketAddr,
    is_long: Arc<AtomicBool>,
    polls: std::sync::mpsc::Receiver<Instant>,
    reports: std::sync::mpsc::Receiver<Instant>,
    bytes: Arc<AtomicU64>,
}

impl Service {
    fn start(requests: usize) -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (poll, polls) = channel();
        let (report, reports) = channel();
        let (is_long, bytes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (long, sum) = (is_long.clone(), bytes.clone());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (poll, report, long, sum) =
                    (poll.clone(), report.clone(), long.clone(), sum.clone());
                thread::spawn(move || -> io::Result<()> {
                    let mut reader = BufReader::new(stream.try_clone()?);
                    let mut head = String::new();
                    while reader.read_line(&mut head)? > 2 {}
                    if head.starts_with("POST") {
                        let _ = report.send(Instant::now());
                        return (&stream)
                            .write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
                    }
                    let _ = poll.send(Instant::now());
                    let long = head.starts_with("GET /bare") || long.load(Ordering::Acquire);
                    sum.store(answer(&stream, if long { requests } else { 0 })?, Ordering::Release);
                    Ok(())
                });
            }
        });
        Ok(Service { url: format!("http://{address}"), address, is_long, polls, reports, bytes })
    }

    /// Reads the same list from a socket of its own: its bytes and how long that takes.
    fn timed(
        &self,
        read: impl Fn(BufReader<TcpStream>) -> Outcome<()>,
    ) -> Outcome<(u64, Duration)> {
        let start = Instant::now();
        let mut stream = TcpStream::connect(self.address)?;
        stream.write_all(b"GET /bare HTTP/1.1\r\n\r\n")?;
        let mut reader = BufReader::with_capacity(8 * 1024, stream);
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {}
        read(reader)?;
        let _ = self.polls.recv_timeout(LIMIT);
        Ok((self.bytes.load(Ordering::Acquire), start.elapsed()))
    }

    fn wait_for_poll(&self) -> Outcome<Instant> {
        Ok(self.polls.recv_timeout(LIMIT).map_err(|_| "the agent does not poll")?)
    }
}

/// The list: requests for other panels, and a last one for this panel that it must reject.
fn answer(stream: &TcpStream, requests: usize) -> io::Result<u64> {
    let mut out = Counted { out: BufWriter::with_capacity(64 * 1024, stream), bytes: 0 };
    out.out.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n",
    )?;
    out.write_all(b"[")?;
    for number in 0..requests {
        let (separator, last) = (if number == 0 { "" } else { "," }, number + 1 == requests);
        let mac = number as u32;
        let [a, b, c, d] = mac.to_be_bytes();
        let target = match last {
            true => "AA:BB:CC:DD:EE:FE".to_owned(),
            false => format!("AC:DE:{a:02X}:{b:02X}:{c:02X}:{d:02X}"),
        };
        write!(
            out,
            "{separator}{{\"request_id\":\"5e8c1f0a-77aa-4d0e-9b1d-{number:012}\",\"seq\":{number},\
             \"target\":{{\"id\":{number},\"mac\":\"{target}\"}},\"mac\":\"{target}\",\
             \"new_mac\":\"22:0D:{a:02X}:{b:02X}:{c:02X}:{d:02X}\",\"new_serial_number\":\"SN-{number:08}\",\
             \"model\":\"other\",\"log_extra\":{{\"ticket\":\"T-{number:08}\",\"by\":\"installer\",\"note\":\"entrance 3\"}}}}"
        )?;
    }
    out.write_all(b"]")?;
    out.flush()?;
    Ok(out.bytes)
}

/// Counts what is written.
struct Counted<W> {
    out: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// One streamed pass; nothing of the array is held.
fn pass<T: serde::de::DeserializeOwned>(from: impl Read, wanted: usize) -> Outcome<()> {
    struct Each<T>(std::marker::PhantomData<T>);
    impl<'de, T: serde::de::DeserializeOwned> Visitor<'de> for Each<T> {
        type Value = usize;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<usize, A::Error> {
            let mut count = 0;
            while list.next_element::<T>()?.is_some() {
                count += 1;
            }
            Ok(count)
        }
    }
    let count = serde_json::Deserializer::from_reader(from)
        .deserialize_seq(Each::<T>(std::marker::PhantomData))?;
    match count == wanted {
        true => Ok(()),
        false => Err(format!("{count} elements").into()),
    }
}

/// The agent on a sandboxed board.
struct Panel(Child);

/// In KiB.
#[derive(Clone, Copy)]
struct Memory {
    pss: u64,
    rss: u64,
}

impl Panel {
    fn start(dir: &Path, url: &str) -> Outcome<Self> {
        for sub in ["sys/class/net/eth0", "etc", "state"] {
            fs::create_dir_all(dir.join(sub))?;
        }
        fs::write(dir.join("sys/class/net/eth0/address"), "aa:bb:cc:dd:ee:fe\n")?;
        fs::write(dir.join("etc/serial"), "FACTORY-1\n")?;
        fs::write(
            dir.join("etc/intercom-agent.toml"),
            format!(
                "board_name = \"gate-1\"\nmodels = [\"3516EV200\"]\nstate_dir = \"/state\"\nruntime_dir = \"/run\"\n\
                 [serial_number]\nsources = [\"file:/etc/serial\"]\n[http]\nurl = \"{url}\"\npoll_every = 5\n"
            ),
        )?;
        let mut command = Command::new(agent()?);
        command.arg("run").arg("--root").arg(dir);
        Ok(Panel(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    }

    /// What it takes now, and the most of RSS that it ever took.
    fn memory(&self) -> Outcome<Memory> {
        let file = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", self.0.id()));
        let number = |text: &str, name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Ok(Memory {
            pss: number(&file("smaps_rollup")?, "Pss:").ok_or("no PSS")?,
            rss: number(&file("status")?, "VmHWM:").ok_or("no VmHWM")?,
        })
    }

    /// Looks at its memory until the report has come; when, and the most that it took.
    fn until_rejected(&mut self, service: &Service) -> Outcome<(Instant, Memory)> {
        let end = Instant::now() + LIMIT;
        let mut peak = self.memory()?;
        while Instant::now() < end {
            let reported = service.reports.recv_timeout(Duration::from_millis(50));
            let now = self.memory()?;
            peak = Memory { pss: peak.pss.max(now.pss), rss: peak.rss.max(now.rss) };
            if let Ok(at) = reported {
                return Ok((at, peak));
            }
        }
        Err("the last request is not reported".into())
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
