//! Scenarios of boards that do not say at once what they are, or never do, and of texts at their
//! bounds.

use intercom_agent::agent::BackTo;
use intercom_agent::environment::Policy;
use intercom_agent::record::Reading;
use intercom_wire::{Identity, Outcome};

use super::disk::Unsynced;
use super::flash::Kept;
use super::link::LinkState;
use super::requests::{Ask, Topic, ask, identity, longest_serial, mac, serial};
use super::scenario::Scenario;
use super::script::Action;
use super::sources::SerialSource;
use super::truth::nobodys;

/// What was in the way is not any more, so many milliseconds after the start.
const LATE: u64 = 30_000;
/// Requests do not wait for longer until the board itself is read, in milliseconds.
const GIVEN_UP: u64 = 600_000;

fn post(asked: Ask) -> (u64, Action) {
    (1000, Action::Post(asked.made()))
}

/// For another panel, which this board replaces: it carries the new MAC already.
fn replacing() -> Ask {
    let target = serde_json::json!({"mac": mac('Z').to_string()});
    let asked = ask("r").without("id").with("mac", mac('Z').to_string()).with("target", target);
    asked.new_mac('A').on(Topic::Mac(mac('A')))
}

fn to_b() -> (u64, Action) {
    post(ask("r").to('B'))
}

fn locked(locked: bool) -> Action {
    Action::Locked(locked)
}

fn answers(letter: Reading<char>) -> SerialSource {
    SerialSource::Own(letter)
}

/// The kernel has the address H of its own whatever U-Boot knows.
fn other_link() -> LinkState {
    LinkState { ignores_uboot: true, ..LinkState::new(mac('H')) }
}

/// The driver invents another address at each boot, whatever U-Boot knows.
fn inventing() -> LinkState {
    LinkState { invents: true, ..other_link() }
}

fn nobody(serial_number: Option<char>) -> Identity {
    with_serial(Identity { mac: nobodys(), serial_number: None }, serial_number)
}

fn with_serial(identity: Identity, letter: Option<char>) -> Identity {
    let serial_number = letter.map(|letter| serial(letter).parse().expect("a serial number"));
    Identity { serial_number, ..identity }
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    let mut all = of_the_environment();
    all.extend(of_the_serial_number());
    all.extend(of_invented_addresses());
    all.extend(of_the_link());
    all.extend(at_bounds());
    all
}

fn of_the_environment() -> Vec<Scenario> {
    let installed = [(identity('B'), Some(Outcome::Installed))];
    let late = |name, mut script: Vec<(u64, Action)>, endings: &[_], records| {
        script.push((LATE, locked(false)));
        let scenario = Scenario::new(name, script, endings, records);
        Scenario { link: other_link(), ..scenario }.first(vec![locked(true)])
    };
    let never = |name, asked: Ask, ending, records| {
        let scenario = Scenario::new(name, vec![post(asked)], &[ending], records);
        Scenario { link: other_link(), ..scenario }.first(vec![locked(true)])
    };
    let by_mac = |letter| {
        let mac = mac(letter);
        let target = serde_json::json!({"mac": mac.to_string()});
        let asked = ask("r").without("id").with("mac", mac.to_string()).with("target", target);
        asked.to('B').on(Topic::Mac(mac))
    };
    vec![
        late("the environment is read late", vec![], &[(identity('A'), None)], 2),
        late("the environment is read late, and a request waits", vec![to_b()], &installed, 5),
        late(
            "the environment is read late, and a request waits for the MAC in it",
            vec![post(by_mac('A'))],
            &installed,
            5,
        ),
        never("the environment is never read", ask("r").to('B'), installed[0].clone(), 4),
        never(
            "the environment is never read, and the request names the link's MAC alone",
            by_mac('H'),
            (nobody(None), Some(Outcome::Rejected)),
            1,
        ),
        Scenario {
            serial: answers(Reading::Found('A')),
            link: inventing(),
            ..late(
                "the environment is read late, and the driver invents an address meanwhile",
                vec![to_b()],
                &installed,
                5,
            )
        },
        taken_back(),
    ]
}

/// The lock is held for so long that a request is taken without what the environment says. Its change is
/// taken back, so that the link tells nothing in that boot, and the environment is written in the next.
fn taken_back() -> Scenario {
    let after_its_start = GIVEN_UP + 60_000;
    let script = vec![
        (500, Action::Unreachable(mac('B'), true)),
        post(ask("back").new_mac('B')),
        (after_its_start, locked(false)),
        (2 * GIVEN_UP, post(ask("r").new_serial('B')).1),
        (3 * GIVEN_UP, Action::Kill),
        (4 * GIVEN_UP, Action::Cut(Unsynced::Lost)),
    ];
    let scenario = Scenario::new(
        "the environment is read after a change that was taken back",
        script,
        &[(with_serial(identity('H'), Some('B')), Some(Outcome::Installed))],
        8,
    );
    Scenario { link: other_link(), has_ethaddr: false, ..scenario }.first(vec![locked(true)])
}

fn of_the_serial_number() -> Vec<Scenario> {
    let rejected = [(identity('A'), Some(Outcome::Rejected))];
    let first = |name, at_first, script, ending: (Identity, _), records| {
        let scenario = Scenario::new(name, script, &[ending], records);
        Scenario { serial: answers(at_first), ..scenario }.first(vec![])
    };
    let wrong = || post(replacing().new_serial('B'));
    let known = || (LATE, Action::Serial(answers(Reading::Found('A'))));
    let nameless = || with_serial(identity('A'), None);
    vec![
        first(
            "the serial number has a source of its own",
            Reading::Found('A'),
            vec![wrong()],
            rejected[0].clone(),
            1,
        ),
        first(
            "the serial number is read late",
            Reading::Unreadable,
            vec![wrong(), known()],
            rejected[0].clone(),
            2,
        ),
        first(
            "the serial number is never read, and would have to be compared",
            Reading::Unreadable,
            vec![wrong()],
            (nameless(), Some(Outcome::Rejected)),
            1,
        ),
        first(
            "the serial number is never read, and the MAC changes",
            Reading::Unreadable,
            vec![post(ask("r").new_mac('B'))],
            (with_serial(identity('B'), None), Some(Outcome::Installed)),
            4,
        ),
        first(
            "the board has no serial number",
            Reading::Absent,
            vec![wrong()],
            (with_serial(identity('A'), Some('B')), Some(Outcome::Installed)),
            4,
        ),
        Scenario {
            serial: answers(Reading::Absent),
            ..Scenario::new("the serial number comes later", vec![wrong()], &rejected, 1)
        }
        .after(vec![Action::Serial(answers(Reading::Found('A')))]),
    ]
}

fn of_invented_addresses() -> Vec<Scenario> {
    let installed = [(identity('B'), Some(Outcome::Installed))];
    let bare = |name, script, ending, records| {
        let scenario = Scenario::new(name, script, &[ending], records);
        Scenario {
            link: inventing(),
            has_ethaddr: false,
            serial: answers(Reading::Found('A')),
            ..scenario
        }
    };
    let unreachable = || (500, Action::Unreachable(mac('B'), true));
    let back = |back_to| vec![(1000, Action::RollBack { back_to, offline: false })];
    let before = || vec![Action::Post(ask("old").to('B').made())];
    vec![
        bare("an address is invented at each boot", vec![to_b()], installed[0].clone(), 4),
        bare(
            "an address is invented at each boot, and there is no environment",
            vec![to_b()],
            installed[0].clone(),
            4,
        )
        .keeping(Kept::Nowhere, Policy::Always),
        bare(
            "an address is invented at each boot, and the change is taken back",
            vec![unreachable(), to_b(), (400_000, Action::Kill)],
            (nobody(Some('A')), Some(Outcome::RolledBack)),
            3,
        ),
        bare(
            "an address is invented at each boot, and the serial number changes",
            vec![post(ask("r").new_serial('B'))],
            (nobody(Some('B')), Some(Outcome::Installed)),
            4,
        ),
        bare(
            "back by hand to an address that was invented",
            back(BackTo::Previous),
            (identity('B'), None),
            0,
        )
        .after(before()),
        bare(
            "an address is invented, and the link comes late in another boot",
            vec![
                (100, Action::LinkThere(false)),
                (200, Action::Cut(Unsynced::Lost)),
                (LATE, Action::LinkThere(true)),
                (LATE, Action::Unreachable(mac('B'), true)),
                (LATE + 1000, to_b().1),
            ],
            (nobody(Some('A')), Some(Outcome::RolledBack)),
            3,
        ),
        Scenario {
            // The power takes it away again.
            endings: ['E', '?']
                .map(|letter| (with_serial(identity(letter), Some('B')), Some(Outcome::Installed)))
                .to_vec(),
            ..bare(
                "an address is invented, and other software gives the link one",
                vec![
                    (500, Action::Meddle(mac('E'))),
                    post(ask("r").new_serial('B')),
                    (400_000, Action::Kill),
                ],
                (with_serial(identity('E'), Some('B')), Some(Outcome::Installed)),
                4,
            )
        },
        Scenario {
            has_ethaddr: true,
            ..bare(
                "an address is invented, and the environment has one",
                vec![to_b()],
                installed[0].clone(),
                4,
            )
        }
        .first(vec![]),
    ]
}

fn of_the_link() -> Vec<Scenario> {
    let installed = [(identity('B'), Some(Outcome::Installed))];
    let late = |name, records| {
        let script = vec![to_b(), (LATE, Action::LinkThere(true))];
        Scenario::new(name, script, &installed, records).first(vec![Action::LinkThere(false)])
    };
    vec![
        late("the link comes late", 4),
        Scenario {
            serial: answers(Reading::Found('A')),
            ..late("the link comes late, and there is no environment", 4)
        }
        .keeping(Kept::Nowhere, Policy::Always),
    ]
}

fn at_bounds() -> Vec<Scenario> {
    let longest =
        Identity { serial_number: longest_serial(&serial('B')).parse().ok(), ..identity('B') };
    let before = |number: u32| {
        let letter = if number.is_multiple_of(2) { 'C' } else { 'D' };
        Action::Post(ask(&format!("old-{number}")).to(letter).at_bounds().made())
    };
    vec![
        Scenario::new(
            "each text is as long as it may be",
            vec![post(ask("r").to('B').at_bounds())],
            &[(longest, Some(Outcome::Installed))],
            3,
        )
        .after((0..8).map(before).collect()),
    ]
}
