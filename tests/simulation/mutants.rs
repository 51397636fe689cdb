//! The checks bite: each of these worlds breaks one promise that the agent relies on, or that it keeps
//! itself, and is caught.

use intercom_agent::environment::Policy;

use super::disk::{Mutant, Unsynced};
use super::driver::{Cut, Run};
use super::exhaustive::{Depth, cut_everywhere_in};
use super::power::Reach;
use super::proof;
use super::scenarios::named;
use super::script::Death;
use super::world::Hardware;

/// What is found broken when the power is cut everywhere once.
fn caught(scenario: &str, mutate: impl Fn(&mut Hardware)) -> Vec<String> {
    let scenario = named(scenario);
    let sound = scenario.prepared();
    let depth = Depth { second_step: 0, shown: usize::MAX };
    let (_, broken) = cut_everywhere_in(&scenario, &sound, depth);
    assert_eq!(broken, Vec::<String>::new(), "without the mutation");
    let mut mutated = sound.copy();
    mutate(&mut mutated);
    let (_, broken) = cut_everywhere_in(&scenario, &mutated, depth);
    broken
}

fn is_caught(what: &str, scenario: &str, mutate: impl Fn(&mut Hardware)) {
    let broken = caught(scenario, mutate);
    assert!(broken.iter().any(|broken| broken.contains(what)), "{what:?} is not in {broken:#?}");
}

#[test]
fn mutant_files_are_not_synced() {
    is_caught("rule 6", "MAC and serial number", |world| world.disk.mutant = Mutant::NoSync);
}

#[test]
fn mutant_names_are_not_synced() {
    is_caught(
        "rule 3: request r was acknowledged, and is forgotten",
        "MAC and serial number",
        |world| {
            world.disk.mutant = Mutant::NoSyncDir;
        },
    );
}

#[test]
fn mutant_the_record_is_overwritten_in_place() {
    is_caught("rule 6", "MAC and serial number", |world| world.disk.mutant = Mutant::InPlace);
}

#[test]
fn mutant_acknowledged_before_begin() {
    is_caught(
        "rule 3: request r was acknowledged, and is forgotten",
        "MAC and serial number",
        |world| {
            world.cloud.acknowledges_early = true;
        },
    );
}

#[test]
fn mutant_the_environment_is_written_before_its_backup() {
    is_caught("rule 4: the environment is lost", "a single copy, always", |world| {
        world.disk.mutant = Mutant::Late("environment.backup");
    });
}

#[test]
fn mutant_the_environment_is_written_against_the_policy() {
    is_caught("was written under", "a single copy, always", |world| {
        world.watch.policy = Some(Policy::RedundantOnly);
    });
}

#[test]
fn mutant_a_report_leaves_the_outbox_before_it_has_arrived() {
    is_caught("rule 3: request r has no outcome", "sent once, on the MAC's topic", |world| {
        world.cloud.believes_reports = true;
    });
}

#[test]
fn mutant_a_change_is_confirmed_without_a_connection() {
    is_caught("it ended with", "unreachable afterwards", |world| {
        world.cloud.believes_connections = true;
    });
}

#[test]
fn mutant_a_volatile_disk_is_not_noticed() {
    is_caught("it ended with", "the disk is volatile", |world| {
        world.disk.mutant = Mutant::SaysDurable;
    });
}

#[test]
fn mutant_what_could_not_be_read_is_taken_for_absent() {
    for scenario in ["the environment is read late", "the serial number is read late"] {
        is_caught("rule 7: the factory identity is", scenario, |world| {
            world.sources.hides_unreadable = true;
        });
    }
}

#[test]
fn mutant_an_invented_address_is_taken_for_the_boards_own() {
    for place in ["record", "runtime files"] {
        let what = format!("and the {place} has it");
        is_caught(&what, "an address is invented at each boot", |world| {
            world.sources.hides_invented = true;
        });
    }
}

#[test]
fn mutant_an_invented_address_is_written_over_the_one_in_the_environment() {
    let scenario = "the environment is read late, and the driver invents an address meanwhile";
    is_caught("and the environment has it", scenario, |world| {
        world.sources.hides_unreadable = true;
        world.sources.hides_invented = true;
    });
}

#[test]
fn mutant_a_text_is_not_bounded() {
    is_caught("rule 10: a model of 300 is in the record", "MAC and serial number", |world| {
        world.cloud.model_chars = Some(300);
    });
}

fn rule_8_catches(mutant: proof::Mutant, what: &str, scenario: &str) {
    is_caught(&format!("rule 8: {what}"), scenario, |world| world.cloud.proof = mutant);
}

#[test]
fn mutant_a_connection_counts_before_anything_has_come_back_on_it() {
    let scenario = "a path that goes silent before the new connection";
    let what = "rule 8: 02:00:00:00:00:42 is installed, and upstream heard []";
    is_caught(what, scenario, |world| world.cloud.proof = proof::Mutant::NoFirstEcho);
}

#[test]
fn mutant_an_answer_that_never_came_counts_when_settle_is_over() {
    let scenario = "a path that goes silent during settle";
    let what = "02:00:00:00:00:42 is installed, and upstream heard";
    rule_8_catches(proof::Mutant::NoSecondEcho, what, scenario);
}

#[test]
fn mutant_an_old_nonce_counts() {
    let scenario = "a path that goes silent during settle";
    let what = "02:00:00:00:00:42 is installed, and upstream heard";
    rule_8_catches(proof::Mutant::OldNonce, what, scenario);
}

#[test]
fn mutant_the_deadline_is_not_looked_at() {
    let scenario = "asleep during settle, and woken after the deadline";
    let what = "02:00:00:00:00:42 is installed 1";
    rule_8_catches(proof::Mutant::NoDeadline, what, scenario);
}

#[test]
fn mutant_another_boards_answer_is_not_heard() {
    let scenario = "another board takes the MAC during settle, and keeps it";
    let what = "02:00:00:00:00:42 is installed, and another board has it";
    rule_8_catches(proof::Mutant::NoOthers, what, scenario);
}

#[test]
fn mutant_another_link_counts() {
    let scenario = "the traffic leaves by another link";
    let what = "02:00:00:00:00:42 is installed, and the traffic leaves by another link";
    rule_8_catches(proof::Mutant::AnotherLink, what, scenario);
}

/// The power fails just after the link was touched, in every boot.
#[test]
fn mutant_a_boot_touches_the_link_before_it_is_counted() {
    let world = named("MAC and serial number").prepared();
    let broken_with = |mutant| {
        let mut broken = Vec::new();
        let mut base = Run::new(world.copy());
        base.live(&[]);
        for first in 0..base.operations[0] {
            let cut = |at| Cut { at, reach: Reach::Whole, death: Death::Power(Unsynced::Lost) };
            for later in 0..12 {
                let mut mutated = world.copy();
                mutated.disk.mutant = mutant;
                let mut run = Run::new(mutated);
                run.live(&[[cut(first)].as_slice(), &[cut(later); 6]].concat());
                broken.extend(run.broken());
            }
        }
        broken
    };
    assert_eq!(broken_with(Mutant::None), Vec::<String>::new());
    let broken = broken_with(Mutant::LateAtBoot);
    assert!(broken.iter().any(|broken| broken.contains("boots tried the change")), "{broken:#?}");
}
