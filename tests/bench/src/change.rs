//! One change after the other, by the agent, by the script, and by the bare calls.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use intercom_test_support::{LAN, ip, lan};
use serde_json::json;

use crate::broker::Broker;
use crate::contender::Contender;
use crate::lan::{own_etc, redundant_environment};
use crate::statistics::Sample;
use crate::strace::{Calls, under_strace};
use crate::{Directory, Outcome, agent, bare};

const MACS: [&str; 2] = ["AA:BB:CC:DD:EE:FE", "22:0D:CE:38:E7:15"];
/// How long the agent waits by design, in ms: only silence says that the broker retains no presence.
const LOOK_UP: f64 = 1000.0;

/// Changes under strace.
const TRACED: usize = 5;
/// For whatever comes after a report.
const BETWEEN: Duration = Duration::from_millis(150);

/// What was measured of one contender.
#[derive(Default)]
struct Figures {
    begun: Sample,
    confirmed: Sample,
    made_durable: Sample,
    durable: Sample,
    report: Sample,
    calls: [f64; 2],
}

/// Measures and prints.
pub fn table(runs: usize) -> Outcome<()> {
    let dir = Directory::new("bench")?;
    let dir = dir.0.as_path();
    lan();
    own_etc(dir)?;
    let broker = Broker::start()?;
    let script = race(dir, &broker, "script", runs, script)?;
    let agent = race(dir, &broker, "agent", runs, daemon)?;
    let mut calls = Sample::default();
    bare::timed(&dir.join("bare"), runs)?.into_iter().for_each(|time| calls.add(time));
    let counted = bare_calls(dir)?;
    print(runs, &agent, &script, (&calls, counted));
    Ok(())
}

fn race(
    dir: &Path,
    broker: &Broker,
    name: &str,
    runs: usize,
    command: impl Fn(&Path) -> Outcome<Command>,
) -> Outcome<Figures> {
    let own = dir.join(name);
    fs::create_dir_all(own.join("state"))?;
    ip(&format!("link set eth0 address {}", MACS[0]));
    redundant_environment(&own, MACS[0])?;
    let mut figures = Figures::default();
    let mut contender = Contender::start(command(&own)?, None)?;
    thread::sleep(Duration::from_secs(2));
    // The first one warms up whatever there is to be warmed up.
    let runs = runs + (runs + 1) % 2;
    for run in 0..=runs {
        let published = ask(broker, &format!("{name}-{run}"), run)?;
        let marks = contender.marks()?;
        let reported = broker.installed(&format!("{name}-{run}"))?;
        contender.says("the report has arrived")?;
        thread::sleep(BETWEEN);
        if run > 0 {
            figures.begun.add(marks.carries - published);
            figures.confirmed.add(marks.reached - marks.carries);
            figures.made_durable.add(marks.durable - marks.reached);
            figures.durable.add(marks.durable - published);
            figures.report.add(reported - published);
        }
    }
    drop(contender);

    let trace = own.join("trace");
    let mut contender = Contender::start(command(&own)?, Some(&trace))?;
    thread::sleep(Duration::from_secs(3));
    let mut before = Calls::default();
    // The first one is not counted here either.
    for run in 0..=TRACED {
        ask(broker, &format!("{name}-traced-{run}"), run + runs + 1)?;
        broker.installed(&format!("{name}-traced-{run}"))?;
        contender.says("the report has arrived")?;
        thread::sleep(4 * BETWEEN);
        if run == 0 {
            before = Calls::in_trace(&trace)?;
        }
    }
    figures.calls = Calls::in_trace(&trace)?.since(before, TRACED);
    Ok(figures)
}

/// Publishes the request for the next change; when.
fn ask(broker: &Broker, id: &str, run: usize) -> Outcome<Instant> {
    let (old, new) = (MACS[run % 2], MACS[(run + 1) % 2]);
    let request = json!({
        "request_id": id, "mac": old, "target": {"mac": old},
        "new_mac": new, "new_serial_number": format!("S-{run}"), "model": "3516EV200",
    });
    let now = Instant::now();
    broker.publish(&format!("intercoms/by-board/gate-1/patch/{id}"), &request)?;
    Ok(now)
}

fn script(dir: &Path) -> Outcome<Command> {
    let mut command = Command::new("bash");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/replace.sh"));
    command.arg(dir.join("state")).arg(LAN.to_string());
    Ok(command)
}

fn daemon(dir: &Path) -> Outcome<Command> {
    let (config, at) = (dir.join("intercom-agent.toml"), dir.display());
    fs::write(dir.join("serial"), "FACTORY-1\n")?;
    fs::write(
        &config,
        format!(
            "board_name = \"gate-1\"\nmodels = [\"3516EV200\"]\nsettle = 0\nchanges_per_hour = 100\n\
             state_dir = \"{at}/state\"\nruntime_dir = \"{at}/run\"\nhooks_dir = \"{at}/hooks\"\n\
             [serial_number]\nsources = [\"file:{at}/serial\"]\nenvironment_variable = \"serialno\"\n\
             [mqtt]\nurl = \"mqtt://{}:1883\"\n",
            LAN
        ),
    )?;
    let mut command = Command::new(agent()?);
    command.arg("run").arg("--config").arg(config);
    Ok(command)
}

fn bare_calls(dir: &Path) -> Outcome<[f64; 2]> {
    let trace = dir.join("trace");
    let count = |runs: usize| {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("bare").arg(dir.join("bare")).arg(runs.to_string());
        under_strace(&command, &trace).status()?;
        Calls::in_trace(&trace)
    };
    let before = count(0)?;
    Ok(count(TRACED)?.since(before, TRACED))
}

fn print(runs: usize, agent: &Figures, script: &Figures, (bare, bare_calls): (&Sample, [f64; 2])) {
    println!("{runs} changes each; ms, median (p90); ratios of the medians\n");
    println!("{:<44}{:>18}{:>18}{:>18}", "", "agent", "replace.sh", "script : agent");
    let rows = [
        ("published -> intention durable, link set", &agent.begun, &script.begun),
        ("link set -> new connection (confirmation)", &agent.confirmed, &script.confirmed),
        ("connected -> record, environment durable", &agent.made_durable, &script.made_durable),
        ("published -> durable change", &agent.durable, &script.durable),
        ("published -> report at a subscriber", &agent.report, &script.report),
    ];
    let cell = |sample: &Sample| format!("{:.2} ({:.2})", sample.median(), sample.p90());
    for (name, agent, script) in rows {
        let ratio = format!("{:.1}", script.median() / agent.median());
        println!("{name:<44}{:>18}{:>18}{ratio:>18}", cell(agent), cell(script));
    }
    for (at, name) in ["system calls per change", "of them fsync and the like"].iter().enumerate() {
        let [own, others] = [agent.calls[at], script.calls[at]];
        let ratio = format!("{:.1}", others / own);
        println!("{name:<44}{own:>18.1}{others:>18.1}{ratio:>18}");
    }
    let own = agent.begun.median() - LOOK_UP + agent.made_durable.median();
    println!(
        "\nbare calls: {} ms, {:.0} calls, {:.0} fsyncs",
        cell(bare),
        bare_calls[0],
        bare_calls[1]
    );
    println!(
        "the agent waits {LOOK_UP:.0} ms for the presence of another panel with the new MAC, which the script \
         does not; without that and the confirmation: {own:.2} ms, {:.1} times the bare calls",
        own / bare.median()
    );
}
