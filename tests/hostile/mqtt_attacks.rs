//! What a broker can do to a panel once that has subscribed.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use intercom_test_support::{NEW, OLD, OTHER, request};
use serde_json::json;

use crate::packets::{head, publish};

/// Where packets go to the panel, whole ones, whoever writes them.
#[derive(Clone)]
pub struct Out(pub Arc<Mutex<TcpStream>>);

impl Out {
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().expect("nobody panics with it").write_all(bytes)
    }
}

#[derive(Debug, Clone, Copy)]
pub enum Attack {
    /// No MQTT at all.
    Garbage,
    /// A request, one byte a second.
    Slow,
    /// 64 KiB and a byte.
    TooLarge,
    /// A packet of 250 MB, and it comes.
    EndlessPacket,
    /// 60 KB of brackets, again and again.
    DeepNesting,
    /// 10,000 requests a second for somebody else.
    Flood,
    /// 10,000 requests a second that must be rejected, and no report is ever acknowledged.
    Rejections,
    /// 10,000 requests a second that cannot be read.
    Unreadable,
    /// Retained messages on as many topics as there is time for.
    Retained,
    /// Answers to what nobody asked.
    Acknowledgements,
}

pub const ATTACKS: [Attack; 10] = [
    Attack::Garbage,
    Attack::Slow,
    Attack::TooLarge,
    Attack::EndlessPacket,
    Attack::DeepNesting,
    Attack::Flood,
    Attack::Rejections,
    Attack::Unreadable,
    Attack::Retained,
    Attack::Acknowledgements,
];

impl Attack {
    /// Whether the panel's own messages are acknowledged meanwhile.
    pub fn acknowledges(self) -> bool {
        !matches!(self, Attack::Rejections)
    }

    pub fn run(self, out: &Out, end: Instant) -> io::Result<()> {
        let own = format!("intercoms/{OLD}/patch/x");
        let board = "intercoms/by-board/gate-1/patch/x";
        let other =
            json!({"target": {"mac": OTHER}, "mac": OTHER, "new_mac": OTHER, "model": "other"});
        let other = other.to_string();
        match self {
            Attack::Garbage => paced(out, end, |n| {
                (0..100_u32)
                    .map(|i| (n.wrapping_mul(2_654_435_761) ^ i.wrapping_mul(40_503)) as u8)
                    .collect()
            }),
            Attack::Slow => {
                for byte in publish(&own, 1, false, request("slow").to_string().as_bytes()) {
                    if Instant::now() >= end {
                        break;
                    }
                    out.write(&[byte])?;
                    thread::sleep(Duration::from_secs(1));
                }
                Ok(())
            }
            Attack::TooLarge => out.write(&publish(&own, 1, false, &[b'x'; 64 * 1024 + 1])),
            Attack::EndlessPacket => {
                out.write(&head(0x32, 250_000_000))?;
                paced(out, end, |_| vec![b'x'; 1000])
            }
            Attack::DeepNesting => {
                let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
                paced(out, end, |n| publish(board, n as u16, false, deep.as_bytes()))
            }
            Attack::Flood => paced(out, end, |n| publish(board, n as u16, false, other.as_bytes())),
            Attack::Rejections => paced(out, end, |n| {
                let wrong = json!({"request_id": format!("w-{n}"), "mac": OLD, "new_mac": NEW, "model": "wrong"});
                publish(&own, n as u16, false, wrong.to_string().as_bytes())
            }),
            Attack::Unreadable => {
                paced(out, end, |n| publish(&own, n as u16, false, b"{\"mac\": tru"))
            }
            Attack::Retained => paced(out, end, |n| {
                publish(&format!("{board}/{n}"), n as u16, true, other.as_bytes())
            }),
            Attack::Acknowledgements => paced(out, end, |n| {
                let [high, low] = (n as u16).to_be_bytes();
                vec![0x40, 2, high, low]
            }),
        }
    }
}

/// 10,000 packets a second.
fn paced(out: &Out, end: Instant, packet: impl Fn(u32) -> Vec<u8>) -> io::Result<()> {
    let start = Instant::now();
    let mut sent = 0_u32;
    while Instant::now() < end {
        let due = (start.elapsed().as_secs_f64() * 10_000.0) as u32;
        let batch: Vec<u8> = (sent..due).take(100).flat_map(&packet).collect();
        sent = due.min(sent + 100);
        out.write(&batch)?;
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
