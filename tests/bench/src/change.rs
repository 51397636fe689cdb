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
use crate::lan::{in_memory, own_etc, redundant_environment};
use crate::statistics::Sample;
use crate::strace::{Calls, PerChange, under_strace};
use crate::{Directory, Outcome, agent, bare};

const MACS: [&str; 2] = ["AA:BB:CC:DD:EE:FE", "22:0D:CE:38:E7:15"];
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
    /// The waits for other boards' silence: before the change, and after the new connection.
    waits: [Sample; 2],
    /// From the request to the durable change, without these waits and without the confirmation.
    own: Sample,
    /// The bare calls, each time just after a change.
    bare: Sample,
    calls: PerChange,
}

/// Measures and prints.
pub fn table(runs: usize) -> Outcome<()> {
    let dir = Directory::new("bench")?;
    let dir = dir.0.as_path();
    lan();
    own_etc(dir)?;
    let broker = Broker::start()?;
    bare::add_link();
    bare::prepare(&dir.join("bare"))?;
    let script = race(dir, &broker, "script", runs, script)?;
    let agent = race(dir, &broker, "agent", runs, daemon)?;
    print(runs, &agent, &script, bare_calls(dir)?);
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
    in_memory(&own.join("run"))?;
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
        let bare = bare::timed(&dir.join("bare"), run)?;
        if run > 0 {
            let [before, after] = marks.waits;
            figures.waits[0].add(before);
            figures.waits[1].add(after);
            let all = (marks.carries - published) + (marks.durable - marks.reached);
            figures.own.add(all - before - after);
            figures.bare.add(bare);
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
    command.arg(dir).arg(LAN.to_string());
    Ok(command)
}

fn daemon(dir: &Path) -> Outcome<Command> {
    let (config, at) = (dir.join("intercom-agent.toml"), dir.display());
    fs::write(dir.join("serial"), "FACTORY-1\n")?;
    fs::write(
        &config,
        format!(
            "board_name = \"gate-1\"\nmodels = [\"3516EV200\"]\nsettle = 0\nchanges_per_hour = 100\nlog_level = \"debug\"\n\
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

fn bare_calls(dir: &Path) -> Outcome<PerChange> {
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

fn print(runs: usize, agent: &Figures, script: &Figures, bare: PerChange) {
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
    let (own, others) = (agent.calls, script.calls);
    let rows = [
        ("system calls per change", own.all, others.all),
        ("of them in the waits below", own.in_look_ups, others.in_look_ups),
        ("of them fsync and the like", own.syncs, others.syncs),
    ];
    for (name, own, others) in rows {
        println!("{name:<44}{own:>18.1}{others:>18.1}");
    }
    let [before, after] = &agent.waits;
    println!(
        "\nOnly silence says that no other board has the new MAC. The script does not ask; the agent waits for it\n\
         {} ms before the change and, as `settle` is 0, {} ms after the new connection: the ARP table is read\n\
         while the neighbours are asked, and the panels are asked over MQTT.",
        cell(before),
        cell(after)
    );
    println!(
        "Without these waits and the confirmation: {} ms, {:.1} times the bare calls ({} ms, {:.0} calls, {:.0} \
         fsyncs).",
        cell(&agent.own),
        agent.own.median() / agent.bare.median(),
        cell(&agent.bare),
        bare.all,
        bare.syncs
    );
    println!(
        "The fsyncs beyond the bare ones: one for the room that is reserved before a change, two for the record\n\
         when the report has arrived. Most other calls are events of the connection that is made anew."
    );
}
