//! A broker that means harm until its time is over, and then is honest.

use std::io::{self, BufReader};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use intercom_test_support::{LIMIT, OLD, request};
use serde_json::Value;

use crate::mqtt_attacks::{ATTACKS, Out};
use crate::packets::{Packet, head, publish};

/// How long one attack may go on.
const SLICE: Duration = Duration::from_secs(10);

pub struct HostileBroker {
    pub url: String,
    shared: Arc<Shared>,
    reports: Receiver<Value>,
}

struct Shared {
    until: Instant,
    slice: Duration,
    attacks: AtomicUsize,
    reports: Sender<Value>,
}

impl HostileBroker {
    pub fn start(hostile: Duration) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("mqtt://{}", socket.local_addr().expect("an address"));
        let (send, reports) = channel();
        let shared = Arc::new(Shared {
            until: Instant::now() + hostile,
            // The panel rests up to a second between two connections.
            slice: SLICE.min(hostile / (ATTACKS.len() as u32 + 6)),
            attacks: AtomicUsize::new(0),
            reports: send,
        });
        let for_connections = shared.clone();
        thread::spawn(move || {
            for stream in socket.incoming().map_while(Result::ok) {
                let shared = for_connections.clone();
                thread::spawn(move || serve(stream, &shared));
            }
        });
        HostileBroker { url, shared, reports }
    }

    pub fn attacks(&self) -> String {
        format!("{} attacks", self.shared.attacks.load(Ordering::Relaxed))
    }

    pub fn wait_until_it_is_honest(&self) {
        thread::sleep(self.shared.until.saturating_duration_since(Instant::now()));
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

/// One connection, until the panel or an attack ends it.
fn serve(stream: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    stream.set_write_timeout(Some(SLICE))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let out = Out(Arc::new(Mutex::new(stream)));
    let acknowledges = Arc::new(AtomicBool::new(true));
    let mut subscribed = false;
    loop {
        let packet = Packet::read(&mut reader)?;
        match packet.first >> 4 {
            1 => out.write(&[0x20, 2, 0, 0])?,
            8 => {
                let [high, low] = packet.id();
                let mut answer = vec![0x90, 2 + packet.filters() as u8, high, low];
                answer.extend(vec![1; packet.filters()]);
                out.write(&answer)?;
                if !std::mem::replace(&mut subscribed, true) {
                    let (out, shared, acknowledges) =
                        (out.clone(), shared.clone(), acknowledges.clone());
                    thread::spawn(move || attack(&out, &shared, &acknowledges));
                }
            }
            // A question to other panels at QoS 0: there are none. It comes back, or silence says nothing.
            3 if packet.first & 0x06 == 0 => {
                out.write(&[&head(packet.first, packet.body.len())[..], &packet.body].concat())?;
            }
            3 => {
                let (topic, [high, low], payload) = packet.publish();
                if topic.ends_with("/status") {
                    let _ = shared.reports.send(serde_json::from_slice(payload)?);
                }
                if acknowledges.load(Ordering::Acquire) {
                    out.write(&[0x40, 2, high, low])?;
                }
                if topic.ends_with("/presence") && !payload.is_empty() {
                    // A panel counts as reached once its own presence comes back.
                    out.write(&publish(&topic, 1, false, payload))?;
                }
            }
            10 => {
                let [high, low] = packet.id();
                out.write(&[0xb0, 2, high, low])?;
            }
            12 => out.write(&[0xd0, 0])?,
            _ => {}
        }
    }
}

/// One attack after the other for as long as the panel bears it, and then the honest request.
fn attack(out: &Out, shared: &Shared, acknowledges: &AtomicBool) -> io::Result<()> {
    while Instant::now() < shared.until {
        let number = shared.attacks.fetch_add(1, Ordering::Relaxed);
        let attack = ATTACKS[number % ATTACKS.len()];
        acknowledges.store(attack.acknowledges(), Ordering::Release);
        let end = shared.until.min(Instant::now() + shared.slice);
        attack.run(out, end)?;
        if !attack.acknowledges() {
            // The panel would wait for these acknowledgements.
            return out.0.lock().expect("nobody panics with it").shutdown(Shutdown::Both);
        }
        thread::sleep(Duration::from_millis(200));
    }
    // Retained: whoever subscribes hears of it.
    let topic = format!("intercoms/{OLD}/patch/honest");
    out.write(&publish(&topic, 1, true, request("honest").to_string().as_bytes()))
}
