//! MAC look-ups at a real broker: many at once end no connection, and none ends in a wrong answer.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use intercom_agent::agent::seams::{ConnectIdentity, Connection, Event, Upstream};
use intercom_agent::config;
use intercom_agent::decide::MacOwner;
use intercom_agent::root::Root;
use intercom_agent::upstream::{Place, RouteEvent, Routes, mqtt, route};
use intercom_test_support::{
    Board, Broker, Directory, Fate, MODEL, MacOwner as AnotherPanel, OLD, Relay, Watcher, Way,
};
use intercom_wire::signature::Keys;
use intercom_wire::{Identity, Mac};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// More than the MQTT client queues.
const LOOK_UPS: u8 = 128;
/// A look-up takes a second where nobody has the MAC address. They do not wait for each other.
const LIMIT: Duration = Duration::from_secs(30);
/// How many requests a panel keeps while it does not know the owner of their MAC addresses.
const WAITING: usize = 16;

fn mac(number: u8) -> Mac {
    format!("02:00:00:00:01:{number:02X}").parse().expect("a MAC")
}

/// Three of four are another board's.
fn owner(number: u8) -> MacOwner {
    match number % 4 {
        0 => MacOwner::Nobody,
        _ => MacOwner::AnotherBoard("gate-2".parse().ok()),
    }
}

/// A panel that has a broker and nothing else.
struct Panel {
    routes: Routes,
    told: mpsc::Receiver<RouteEvent>,
}

impl Panel {
    fn connected_to(url: &str) -> Self {
        let text = format!("[mqtt]\nurl = \"{url}\"\n");
        let settings = config::parse(&text, Path::new("test.toml")).expect("valid");
        let dir = Directory::new();
        let place = Place::new(Root::sandbox(dir.path()), None);
        let (handle, end) = route();
        let (events, told) = mpsc::channel(32);
        let settings = settings.mqtt.expect("MQTT");
        tokio::spawn(mqtt::run(settings, place, Keys::default(), end, events.clone()));
        let mut routes = Routes { mqtt: Some(handle), events: Some(events), ..Routes::default() };
        let connect_as = ConnectIdentity {
            has_mac: true,
            changing_from: None,
            new_record: false,
            identity: Identity { mac: OLD.parse().expect("a MAC"), serial_number: None },
            board: "gate-1".parse().expect("a name"),
            id: None,
            model: None,
        };
        routes.connect_as(connect_as, Connection::default());
        Panel { routes, told }
    }

    /// The next owner that is found out. No connection is lost meanwhile.
    async fn owner(&mut self) -> (Mac, MacOwner) {
        loop {
            match self.told.recv().await.expect("the route runs") {
                RouteEvent::Event(Event::Reachable { .. }) => {}
                RouteEvent::Event(Event::LookedUp { mac, owner }) => return (mac, owner),
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Asks for all of them before the panel is reached, and waits for all the answers.
async fn look_up_all(broker: &Broker) -> BTreeMap<Mac, MacOwner> {
    let mut panel = Panel::connected_to(&broker.url());
    (0..LOOK_UPS).for_each(|number| panel.routes.look_up(mac(number)));
    let mut owners = BTreeMap::new();
    while owners.len() < LOOK_UPS.into() {
        let (mac, owner) = panel.owner().await;
        owners.insert(mac, owner);
    }
    owners
}

#[tokio::test]
async fn many_look_ups_at_once_are_answered_on_one_connection() {
    let broker = Broker::start();
    let owned = (0..LOOK_UPS).filter(|number| owner(*number) != MacOwner::Nobody);
    let owned = owned.map(|number| mac(number).to_string()).collect();
    let _other = AnotherPanel::start(&broker, "gate-2", owned);
    let owners = timeout(LIMIT, look_up_all(&broker)).await.expect("answers in time");
    for number in 0..LOOK_UPS {
        assert_eq!(owners[&mac(number)], owner(number), "{}", mac(number));
    }
}

#[tokio::test]
async fn silence_of_a_broker_that_delivers_nothing_at_qos_0_any_more_says_nothing_about_the_owner()
{
    let broker = Broker::start();
    let is_over = Arc::new(AtomicBool::new(false));
    let swallows = is_over.clone();
    // A PUBLISH at QoS 0, MQTT 3.1.1 section 3.3.1.
    let relay = Relay::start(broker.address(), move |way, piece| {
        let is_at_qos_0 = way == Way::Down && matches!(piece[0], 0x30 | 0x31);
        match is_at_qos_0 && swallows.load(Ordering::Relaxed) {
            true => Fate::Swallowed,
            false => Fate::Pass,
        }
    });
    let mut panel = Panel::connected_to(&format!("mqtt://127.0.0.1:{}", relay.port));
    panel.routes.look_up(mac(0));
    assert_eq!(timeout(LIMIT, panel.owner()).await, Ok((mac(0), MacOwner::Nobody)));
    is_over.store(true, Ordering::Relaxed);
    panel.routes.look_up(mac(0));
    let (_, owner) = timeout(LIMIT, panel.owner()).await.expect("an answer in time");
    assert!(matches!(owner, MacOwner::Unknown(Some(_))), "{owner:?}");
}

/// What a panel may do at a broker.
const RULES: [&str; 7] = [
    "topic readwrite intercoms/by-board/#",
    "topic read intercoms/who",
    "topic read intercoms/+/patch/#",
    "topic write intercoms/+/who",
    "topic read intercoms/+/who",
    "topic write intercoms/+/here/+",
    "topic read intercoms/+/here/+",
];

/// The owner that a panel finds out if these are the broker's rules. mosquitto grants what they deny,
/// and drops it.
async fn owner_under(rules: &[&str], owned: Vec<String>) -> MacOwner {
    let dir = Directory::new();
    fs::write(dir.path().join("rules"), rules.join("\n") + "\n").expect("written");
    let broker = Broker::start_from(dir, "allow_anonymous true\nacl_file DIR/rules\n");
    let _other = AnotherPanel::start(&broker, "gate-2", owned);
    let mut panel = Panel::connected_to(&broker.url());
    panel.routes.look_up(mac(1));
    timeout(LIMIT, panel.owner()).await.expect("an answer in time").1
}

#[tokio::test]
async fn silence_under_rules_that_withhold_questions_or_answers_says_nothing_about_the_owner() {
    let gate_2 = || MacOwner::AnotherBoard("gate-2".parse().ok());
    assert_eq!(owner_under(&RULES, vec![mac(1).to_string()]).await, gate_2());
    assert_eq!(owner_under(&RULES, vec![]).await, MacOwner::Nobody);
    for missing in 3..RULES.len() {
        let mut rules = RULES.to_vec();
        let missing = rules.remove(missing);
        let owner = owner_under(&rules, vec![mac(1).to_string()]).await;
        let MacOwner::Unknown(Some(withheld)) = owner else {
            panic!("without {missing}: {owner:?}")
        };
        // The rule is named that is missing; for the answers, where this panel writes them.
        let [_, right, topic] = missing.split(' ').collect::<Vec<_>>()[..] else { panic!() };
        let granted = if right == "write" { &withheld.write } else { &withheld.read };
        let own =
            if right == "write" { topic.replace("here/+", "here/gate-1") } else { topic.into() };
        assert_eq!(*granted, own, "without {missing}: {withheld}");
        assert!(withheld.topic.starts_with(&format!("intercoms/{}/", mac(1))), "{withheld}");
    }
}

/// Starts a panel to which this many requests were sent, each for another board's MAC address. It
/// defers all that it keeps. Its status then.
fn status_with(requests: u8, broker: &Broker) -> Value {
    let watcher = Watcher::new(broker);
    let owned = (0..requests).map(|number| mac(number).to_string()).collect();
    let _other = AnotherPanel::start(broker, "gate-2", owned);
    for number in 0..requests {
        let (id, new_mac) = (format!("r-{number}"), mac(number));
        let request = json!({"request_id": id, "mac": OLD, "new_mac": new_mac, "model": MODEL});
        watcher.retain(&format!("intercoms/{OLD}/patch/{id}"), request.to_string());
    }
    watcher.so_far();
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let mut daemon = board.start();
    (0..WAITING).for_each(|_| drop(daemon.wait_for("deferred")));
    assert_eq!(board.mac(), OLD);
    board.run(&["status", "--json"]).json()
}

#[test]
fn a_broker_that_waits_for_acknowledgements_still_tells_who_has_a_mac() {
    // By default it sends 20 messages before it waits, which is fewer than there are.
    let status = status_with(40, &Broker::start());
    assert_eq!((&status["waiting"], &status["counters"]["begun"]), (&json!(WAITING), &json!(0)));
}

#[test]
fn many_requests_at_once_are_delivered_once() {
    let settings = "allow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\n";
    let status = status_with(200, &Broker::start_with(settings));
    assert_eq!((&status["waiting"], &status["counters"]["begun"]), (&json!(WAITING), &json!(0)));
    assert_eq!(status["counters"]["delivered"], 200, "{status}");
}
