//! What a seed stands for: a board, what happens around it, and where its power fails.

use std::io::ErrorKind;

use intercom_agent::agent::BackTo;
use intercom_agent::environment::Policy;
use intercom_agent::record::{Reading, Route};

use super::disk::Unsynced;
use super::driver::Cut;
use super::flash::Kept;
use super::link::{Driver, LinkState};
use super::power::{Fault, REACHES};
use super::random_numbers::Random;
use super::requests::{Ask, Asked, Topic, ask, mac};
use super::scenario::Scenario;
use super::script::{Action, Death};
use super::sources::SerialSource;
use super::world::{Hardware, Hooks};

const LETTERS: [char; 5] = ['A', 'B', 'C', 'D', 'E'];
/// Requests and troubles come within so many milliseconds.
const BUSY: u64 = 10 * 60_000;
/// By then nothing is in the way any more.
const CALM: u64 = 30 * 60_000;

/// A seed's life.
pub struct Plan {
    pub world: Hardware,
    /// One for each life of the board, until it is left alone.
    pub cuts: Vec<Cut>,
    /// Parts of the board fail while the power is on.
    pub faulty: bool,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut script = Vec::new();
        let is_bare = random.one_in(8);
        let routes = random.pick(&[[true, false], [true, false], [false, true], [true, true]]);
        let both = [Route::Mqtt, Route::Http];
        let routes: Vec<Route> =
            both.into_iter().zip(routes).filter_map(|(route, is)| is.then_some(route)).collect();
        for number in 0..1 + random.below(4) {
            let mut asked = request(&mut random, number, &routes);
            // A board that knows no ID of its own may not be meant.
            asked.may_be_ignored |= is_bare;
            for _ in 0..1 + random.below(2) * random.below(3) {
                script.push((random.below(BUSY), Action::Post(asked.clone())));
            }
        }
        if random.one_in(6) {
            let asked = ask("by-hand").to(random.pick(&LETTERS)).made();
            let offline = random.one_in(2);
            script.push((random.below(BUSY), Action::Apply { asked, offline }));
        }
        if random.one_in(6) {
            let back_to = random.pick(&[BackTo::Previous, BackTo::Factory]);
            let offline = random.one_in(2);
            script.push((random.below(BUSY), Action::RollBack { back_to, offline }));
        }
        let (link, has_ethaddr, serial) = board(&mut random);
        let at_first = in_the_way_at_first(&mut random, &mut script);
        let mut faulty = at_first.iter().any(|action| matches!(action, Action::LinkThere(_)));
        for _ in 0..random.below(4) {
            faulty |= trouble(&mut random, &routes, serial, &mut script);
        }
        if let SerialSource::Own(_) = serial
            && !random.one_in(4)
        {
            script.push((random.below(CALM), Action::Serial(found())));
        }
        for _ in 0..random.below(3) {
            let at = random.below(BUSY);
            let action = match random.below(2) {
                0 => Action::Cut(unsynced(&mut random)),
                _ => Action::Kill,
            };
            script.push((at, action));
        }
        script.push((CALM, Action::Calm));
        let cuts = (0..random.below(4)).map(|_| cut(&mut random)).collect();
        let scenario = Scenario {
            name: "random",
            kept: random.pick(&[
                Kept::Redundant,
                Kept::Redundant,
                Kept::Single,
                Kept::Nowhere,
                Kept::Damaged,
            ]),
            policy: random.pick(&[Policy::RedundantOnly, Policy::Always, Policy::Never]),
            is_bare,
            is_new: true,
            link,
            has_ethaddr,
            serial,
            at_first,
            routes,
            before: Vec::new(),
            script,
            endings: Vec::new(),
            records: 0,
            spoiled: false,
        };
        let mut world = scenario.prepared();
        world.cloud.weather = Some(Random::new(random.next()));
        Plan { world, cuts, faulty }
    }
}

/// What it has of its own, and where.
fn board(random: &mut Random) -> (LinkState, bool, SerialSource) {
    let own = LinkState::new(mac('A'));
    let link = LinkState { invents: random.one_in(4), ignores_uboot: random.one_in(3), ..own };
    let has_ethaddr = !random.one_in(4);
    let serial = random.pick(&[
        SerialSource::Environment,
        SerialSource::Environment,
        found(),
        SerialSource::Own(Reading::Absent),
        SerialSource::Own(Reading::Unreadable),
    ]);
    (link, has_ethaddr, serial)
}

fn found() -> SerialSource {
    SerialSource::Own(Reading::Found('A'))
}

/// What cannot be read when the board starts for the first time; the environment perhaps never.
fn in_the_way_at_first(random: &mut Random, script: &mut Vec<(u64, Action)>) -> Vec<Action> {
    let mut at_first = Vec::new();
    if random.one_in(4) {
        at_first.push(Action::Locked(true));
        if !random.one_in(3) {
            script.push((random.below(CALM), Action::Locked(false)));
        }
    }
    if random.one_in(8) {
        at_first.push(Action::LinkThere(false));
        script.push((random.below(CALM), Action::LinkThere(true)));
    }
    at_first
}

fn unsynced(random: &mut Random) -> Unsynced {
    let seed = random.next();
    random.pick(&[
        Unsynced::Lost,
        Unsynced::Kept,
        Unsynced::Empty,
        Unsynced::Torn,
        Unsynced::Prefix,
        Unsynced::Any(seed),
    ])
}

fn cut(random: &mut Random) -> Cut {
    let death = if random.one_in(4) { Death::Process } else { Death::Power(unsynced(random)) };
    Cut { at: random.below(90), reach: random.pick(&REACHES), death }
}

fn request(random: &mut Random, number: u64, routes: &[Route]) -> Asked {
    let letter = random.pick(&LETTERS);
    let asked = ask(&format!("r{number}"));
    let asked = match random.below(6) {
        0 => asked.new_mac(letter),
        1 => asked.new_serial(letter),
        2 => asked.to(letter).with("model", "another"),
        _ => asked.to(letter),
    };
    let asked = if random.one_in(4) { asked.with("seq", number + 1) } else { asked };
    let asked = if random.one_in(6) { asked.without("request_id") } else { asked };
    let asked = if random.one_in(5) { by_mac(asked, random.pick(&LETTERS)) } else { asked };
    let topic = random.pick(&[Topic::Board, Topic::Mac(mac('A')), Topic::List]);
    let topic = match (topic, routes) {
        (Topic::List, [Route::Mqtt]) => Topic::Board,
        (_, [Route::Http]) => Topic::List,
        (topic, _) => topic,
    };
    let asked = if random.one_in(6) { asked.at_bounds() } else { asked };
    let asked = asked.on(topic);
    let asked = if random.one_in(3) { asked.live() } else { asked };
    asked.made()
}

/// The request names its intercom by a MAC address alone.
fn by_mac(asked: Ask, letter: char) -> Ask {
    let mac = mac(letter).to_string();
    let target = serde_json::json!({"mac": mac});
    asked.without("id").with("mac", mac).with("target", target)
}

/// Something is in the way for a while; whether it is a part of the board that fails.
fn trouble(
    random: &mut Random,
    routes: &[Route],
    serial: SerialSource,
    script: &mut Vec<(u64, Action)>,
) -> bool {
    let start = random.below(BUSY);
    let end = start + 1 + random.below(CALM - start);
    let letter = mac(random.pick(&LETTERS));
    let kind = random.pick(&[ErrorKind::Other, ErrorKind::StorageFull]);
    let reach = random.pick(&REACHES);
    let fault = Fault { at: random.below(30), kind, reach };
    let (begins, ends, is_fault) = match random.below(20) {
        0 | 1 => {
            let route = random.pick(routes);
            (Action::Down(route, true), Action::Down(route, false), false)
        }
        2 | 3 => (Action::Unreachable(letter, true), Action::Unreachable(letter, false), false),
        4 => (Action::Taken(letter, true), Action::Taken(letter, false), false),
        5 => (Action::Hooks(Hooks::Fail), Action::Hooks(Hooks::Work), false),
        6 => {
            let hooks = random.pick(&[Hooks::Hang, Hooks::NotNow]);
            (Action::Hooks(hooks), Action::Hooks(Hooks::Work), false)
        }
        7 => {
            let driver = [Driver::Refuses, Driver::RefusesOne(letter), Driver::Ignores];
            (Action::Driver(random.pick(&driver)), Action::Driver(Driver::Takes), true)
        }
        8 => (Action::Meddle(letter), Action::Meddle(letter), true),
        9 => (Action::Capacity(random.below(30_000) as usize), Action::Capacity(1 << 20), true),
        10 => (Action::ReadOnly(true), Action::ReadOnly(false), true),
        11 => (Action::RuntimeFilesFail(true), Action::RuntimeFilesFail(false), true),
        12 => (Action::Locked(true), Action::Locked(false), false),
        13 => {
            (Action::Serial(SerialSource::Own(Reading::Unreadable)), Action::Serial(serial), false)
        }
        17 => (Action::ByAnotherLink(true), Action::ByAnotherLink(false), false),
        18 => (Action::LoseAddress, Action::LoseAddress, false),
        15 => (Action::Silent(true), Action::Silent(false), false),
        16 => {
            let sleep = 1 + random.below(10 * 60_000);
            (Action::Sleep(sleep), Action::Sleep(1), false)
        }
        14 => (Action::LinkThere(false), Action::LinkThere(true), true),
        _ => match random.below(2) {
            0 => (Action::Swallow(true), Action::Swallow(false), true),
            _ => (Action::Fault(Some(fault)), Action::Fault(None), true),
        },
    };
    script.push((start, begins));
    script.push((end, ends));
    is_fault
}
