//! One list of steps, run with the real agent and the real billing service against each broker:
//! `intercom-brokers FILE BROKER…` writes the table of what it found to FILE.
//!
//! A step is given a site of its own (`site`): a new broker (`broker`), billing on it, and panels.
//! What it holds against each other is what billing shows and what the boards really carry.

#![allow(clippy::expect_used, clippy::panic, reason = "how a step fails")]

mod broker;
mod outcome;
mod site;
mod steps;
mod table;

use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;
use std::{env, fs, thread};

use broker::Kind;
use outcome::{Outcome, Skipped};
use site::Site;
use steps::Step;
use table::{Row, Table};

/// Steps that run at the same time. Most of their time they wait.
const AT_ONCE: usize = 12;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let only = env::var("INTERCOM_BROKERS_STEP").unwrap_or_default();
    let (file, kinds) = match arguments.split_first() {
        Some((file, names)) if !names.is_empty() => {
            match names.iter().map(|name| name.parse()).collect::<Result<Vec<Kind>, ()>>() {
                Ok(kinds) => (file, kinds),
                Err(()) => return usage(),
            }
        }
        _ => return usage(),
    };
    let steps: Vec<_> = steps::ALL.iter().filter(|step| step.name.contains(&only)).collect();
    // The last ones first: those wait longest.
    let jobs = steps.iter().rev().flat_map(|step| kinds.iter().map(|kind| (*kind, *step)));
    let table = Table(run(jobs.collect()));

    let text = table.to_string();
    println!("\n{text}");
    if let Err(why) = fs::write(file, &text) {
        eprintln!("{file}: {why}");
        return ExitCode::FAILURE;
    }
    let failed = table.count(|outcome| outcome == Outcome::Failed);
    println!(
        "{} passed, {failed} failed, {} skipped",
        table.count(|outcome| outcome == Outcome::Passed),
        table.count(|outcome| matches!(outcome, Outcome::Skipped(_)))
    );
    ExitCode::from(u8::from(failed > 0))
}

fn usage() -> ExitCode {
    let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    eprintln!("usage: intercom-brokers FILE BROKER…\nbrokers: {}", names.join(", "));
    ExitCode::from(2)
}

fn run(jobs: Vec<(Kind, &'static Step)>) -> Vec<Row> {
    let (jobs, rows) = (Mutex::new(jobs.into_iter()), Mutex::new(Vec::new()));
    let next = || jobs.lock().expect("nobody panics with it").next();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((kind, step)) = next() {
                    let row = row(kind, step);
                    println!(
                        "{kind}: {}: {:?} ({:.1} s)",
                        step.name,
                        row.outcome,
                        row.took.as_secs_f32()
                    );
                    rows.lock().expect("nobody panics with it").push(row);
                }
            });
        }
    });
    rows.into_inner().expect("nobody panics with it")
}

/// Runs a step in a thread of its own, which may panic.
fn row(kind: Kind, step: &'static Step) -> Row {
    let began = Instant::now();
    let thread = thread::Builder::new()
        .name(format!("{kind}: {}", step.name))
        .spawn(move || (step.run)(&mut Site::new(kind)))
        .expect("a thread");
    let outcome = match thread.join() {
        Ok(Ok(())) => Outcome::Passed,
        Ok(Err(Skipped(why))) => Outcome::Skipped(why),
        Err(_) => Outcome::Failed,
    };
    Row { kind, step, outcome, took: began.elapsed() }
}
