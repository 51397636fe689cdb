//! Every row of the decision table that touches the board, and what can be in its way.

use intercom_agent::agent::BackTo;
use intercom_agent::environment::Policy;
use intercom_agent::record::Route;
use intercom_wire::{Identity, Outcome};

use super::disk::Unsynced;
use super::flash::Kept;
use super::link::Driver;
use super::requests::{Asked, BOARD, Topic, ask, identity, mac, serial};
use super::scenario::{Ending, Scenario};
use super::script::Action;
use super::world::Hooks;

fn post(asked: Asked) -> Action {
    Action::Post(asked)
}

fn by_hand(offline: bool) -> Action {
    Action::Apply { asked: ask("r").to('B').made(), offline }
}

fn back(back_to: BackTo) -> Action {
    Action::RollBack { back_to, offline: false }
}

fn with_serial(mac: char, serial_of: char) -> Identity {
    Identity {
        serial_number: Some(serial(serial_of).parse().expect("a serial number")),
        ..identity(mac)
    }
}

/// The one with this name.
pub fn named(name: &str) -> Scenario {
    all().into_iter().find(|scenario| scenario.name == name).expect("a scenario of this name")
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    let (a, b, c) = (identity('A'), identity('B'), identity('C'));
    let installed = (b.clone(), Some(Outcome::Installed));
    let rolled_back = (a.clone(), Some(Outcome::RolledBack));
    let failed = (a.clone(), Some(Outcome::Failed));
    let rejected = (a.clone(), Some(Outcome::Rejected));
    let already_installed = (a.clone(), Some(Outcome::Installed));
    let nothing = (a.clone(), None);
    let to_b = || post(ask("r").to('B').made());
    let one = |name, endings: &[Ending], records| {
        Scenario::new(name, vec![(1000, to_b())], endings, records)
    };
    let despite = |name, trouble: Vec<Action>, endings: &[Ending], records| {
        let mut script: Vec<_> = trouble.into_iter().map(|action| (500, action)).collect();
        script.push((1000, to_b()));
        Scenario::new(name, script, endings, records)
    };
    let simple = |name, asked, endings: &[Ending], records| {
        Scenario::new(name, vec![(1000, post(asked))], endings, records)
    };
    // It names the intercom by the address that the request before it gives.
    let back_to_a = |tag: &str| {
        let target = serde_json::json!({"mac": mac('B').to_string()});
        let asked = ask(tag).without("id").with("mac", mac('B').to_string());
        asked.with("target", target).to('A').made()
    };
    let long_ago = |letter: char| {
        let tag = format!("old-{letter}");
        post(ask(&tag).to(letter).made())
    };
    let both = [Route::Mqtt, Route::Http];
    let bare = |scenario: Scenario| Scenario { is_bare: true, ..scenario };
    let other_panel = |tag: &str| {
        let target = serde_json::json!({"mac": mac('Z').to_string()});
        let asked = ask(tag).without("id").with("mac", mac('Z').to_string());
        asked.with("target", target).new_mac('A').on(Topic::Mac(mac('A')))
    };
    let with_serial_long_ago =
        ask("old").new_serial('B').with("target", serde_json::json!({"board": BOARD}));
    let nameless = Identity { serial_number: None, ..a.clone() };
    let mut all = vec![
        one("MAC and serial number", std::slice::from_ref(&installed), 3),
        simple(
            "MAC alone",
            ask("r").new_mac('B').made(),
            &[(with_serial('B', 'A'), Some(Outcome::Installed))],
            3,
        ),
        simple(
            "serial number alone",
            ask("r").new_serial('B').made(),
            &[(with_serial('A', 'B'), Some(Outcome::Installed))],
            3,
        ),
        bare(simple(
            "the replacement has no serial number",
            other_panel("r").new_serial('B').made(),
            &[(with_serial('A', 'B'), Some(Outcome::Installed))],
            3,
        )),
        bare(simple(
            "the replacement is already installed",
            other_panel("r").made(),
            &[(nameless.clone(), Some(Outcome::Installed))],
            2,
        )),
        simple(
            "nothing differs",
            ask("r").to('A').made(),
            std::slice::from_ref(&already_installed),
            2,
        ),
        simple(
            "another model",
            ask("r").to('B').with("model", "M-2").made(),
            std::slice::from_ref(&rejected),
            0,
        ),
        one("over HTTP", std::slice::from_ref(&installed), 3).over(&[Route::Http]).listed(),
        one("on both routes", std::slice::from_ref(&installed), 3).over(&both),
        simple(
            "sent once, on the MAC's topic",
            ask("r").to('B').on(Topic::Mac(mac('A'))).live().made(),
            // Lost with the power before anybody was told that it had arrived.
            std::slice::from_ref(&installed),
            3,
        ),
        one("a single copy, always", std::slice::from_ref(&installed), 3)
            .keeping(Kept::Single, Policy::Always),
        one("a single copy, redundant only", std::slice::from_ref(&installed), 3)
            .keeping(Kept::Single, Policy::RedundantOnly),
        one("the environment never", std::slice::from_ref(&installed), 3)
            .keeping(Kept::Redundant, Policy::Never),
        one("a damaged environment", std::slice::from_ref(&installed), 3)
            .keeping(Kept::Damaged, Policy::Always),
        one("no environment", std::slice::from_ref(&installed), 3)
            .keeping(Kept::Nowhere, Policy::Always),
        despite(
            "unreachable afterwards",
            vec![Action::Unreachable(mac('B'), true)],
            std::slice::from_ref(&rolled_back),
            3,
        ),
        despite(
            "the traffic leaves by another link",
            vec![Action::ByAnotherLink(true)],
            std::slice::from_ref(&rolled_back),
            3,
        ),
        despite(
            "a hook fails",
            vec![Action::Hooks(Hooks::Fail)],
            std::slice::from_ref(&rolled_back),
            3,
        ),
        despite(
            "the hooks hang",
            vec![Action::Hooks(Hooks::Hang)],
            std::slice::from_ref(&rolled_back),
            3,
        ),
        Scenario::new(
            "a hook says not now for a while",
            vec![
                (500, Action::Hooks(Hooks::NotNow)),
                (1000, to_b()),
                (200_000, Action::Hooks(Hooks::Work)),
            ],
            std::slice::from_ref(&installed),
            3,
        ),
        despite(
            "the link refuses",
            vec![Action::Driver(Driver::RefusesOne(mac('B')))],
            std::slice::from_ref(&rolled_back),
            3,
        ),
        despite(
            "the link ignores it",
            vec![Action::Driver(Driver::Ignores)],
            std::slice::from_ref(&rolled_back),
            3,
        ),
        Scenario::new(
            "somebody else sets the link",
            vec![(1000, to_b()), (7000, Action::Meddle(mac('C')))],
            &[rolled_back.clone(), installed.clone()],
            3,
        ),
        Scenario::new(
            "the link loses its address",
            vec![(1000, Action::LoseAddress), (2000, to_b())],
            std::slice::from_ref(&installed),
            3,
        ),
        Scenario::new(
            "somebody else sets the link before and after",
            vec![
                (500, Action::Meddle(mac('C'))),
                (1200, to_b()),
                (90_000, Action::Meddle(mac('C'))),
            ],
            std::slice::from_ref(&installed),
            3,
        ),
        despite("the disk is full", vec![Action::Capacity(4096)], std::slice::from_ref(&failed), 0),
        despite(
            "the disk is read-only",
            vec![Action::ReadOnly(true)],
            std::slice::from_ref(&failed),
            0,
        ),
        despite(
            "the disk is volatile",
            vec![Action::Volatile(true)],
            std::slice::from_ref(&failed),
            0,
        ),
        Scenario::new(
            "another board lets go of the MAC",
            vec![
                (500, Action::Taken(mac('B'), true)),
                (1000, to_b()),
                (30_000, Action::Taken(mac('B'), false)),
            ],
            std::slice::from_ref(&installed),
            3,
        ),
        despite(
            "another board keeps the MAC",
            vec![Action::Taken(mac('B'), true)],
            std::slice::from_ref(&rejected),
            0,
        ),
        Scenario::new(
            "an outage during the change",
            vec![
                (1000, to_b()),
                (2500, Action::Down(Route::Mqtt, true)),
                (60_000, Action::Down(Route::Mqtt, false)),
            ],
            std::slice::from_ref(&installed),
            3,
        ),
        Scenario::new(
            "the same again and again",
            vec![
                (1000, to_b()),
                (2000, to_b()),
                (20_000, to_b()),
                (40_000, post(ask("r").to('B').without("request_id").live().made())),
            ],
            std::slice::from_ref(&installed),
            3,
        ),
        Scenario::new(
            "two at once",
            vec![(1000, post(ask("first").to('C').made())), (1100, to_b())],
            &[installed.clone(), (c.clone(), Some(Outcome::Installed))],
            6,
        ),
        // The second one may be lost with the power, as long as it is not acknowledged.
        Scenario::new(
            "there and back, without a seq",
            vec![(1000, to_b()), (1100, post(back_to_a("back")))],
            &[(a.clone(), Some(Outcome::Installed)), installed.clone()],
            6,
        ),
        Scenario::new(
            "a higher seq ends the one that waits",
            vec![
                (1000, post(ask("low").to('C').with("seq", 1).made())),
                (1100, post(ask("r").to('B').with("seq", 2).made())),
            ],
            std::slice::from_ref(&installed),
            3,
        ),
        Scenario::new(
            "by hand, offline",
            vec![
                (500, Action::Down(Route::Mqtt, true)),
                (1000, by_hand(true)),
                (400_000, Action::Down(Route::Mqtt, false)),
            ],
            &[installed.clone(), nothing.clone()],
            3,
        ),
        Scenario::new("by hand", vec![(1000, by_hand(false))], &[installed.clone(), nothing], 4)
            .over(&both),
        Scenario::new(
            "rolled back by hand",
            vec![(1000, back(BackTo::Previous))],
            &[(b.clone(), None), (c.clone(), None)],
            3,
        )
        .after(vec![long_ago('B'), long_ago('C')]),
        Scenario::new(
            "back to the factory identity",
            vec![(1000, back(BackTo::Factory))],
            &[(a.clone(), None), (c.clone(), None)],
            3,
        )
        .after(vec![long_ago('B'), long_ago('C')]),
        Scenario::new(
            "rolled back by hand to where nobody is reached",
            vec![(500, Action::Unreachable(mac('A'), true)), (1000, back(BackTo::Previous))],
            &[(b.clone(), None)],
            2,
        )
        .after(vec![long_ago('B')]),
        Scenario {
            is_bare: true,
            ..Scenario::new(
                "back to no serial number while the environment cannot be written",
                vec![
                    (500, Action::Locked(true)),
                    (1000, back(BackTo::Previous)),
                    (60_000, Action::Locked(false)),
                    (61_000, Action::Cut(Unsynced::Lost)),
                ],
                &[
                    (nameless.clone(), None),
                    (Identity { serial_number: b.serial_number.clone(), ..nameless }, None),
                ],
                3,
            )
        }
        .after(vec![Action::Post(with_serial_long_ago.made())]),
        Scenario::new(
            "the end of the link's hooks comes in a change whose own fail",
            vec![
                (1000, Action::Meddle(mac('C'))),
                (1500, Action::Hooks(Hooks::Fail)),
                (2999, back(BackTo::Previous)),
            ],
            &[(b.clone(), None)],
            2,
        )
        .after(vec![long_ago('B')]),
        Scenario {
            is_new: true,
            ..one("from the first start", std::slice::from_ref(&installed), 4)
        },
        Scenario {
            is_new: true,
            ..one(
                "from the first start, without an environment",
                std::slice::from_ref(&installed),
                4,
            )
            .keeping(Kept::Nowhere, Policy::Always)
        },
        Scenario { spoiled: true, ..one("a damaged record", std::slice::from_ref(&installed), 5) }
            .after(vec![long_ago('C')]),
    ];
    all.extend(super::proven::all());
    all.extend(super::unread::all());
    all
}
