//! What a change costs the flash, and that nothing else costs it anything; as strace sees it.

use std::fs;

use intercom_test_support::{Process, in_a_namespace, traced};

use crate::kills::{CHANGES_PER_HOUR, Site};

const CALLS: &str = "write,pwrite64,fsync,fdatasync,rename,linkat,unlink";
const REJECTIONS: usize = 1000;
const BATCH: usize = 20;
const ALREADY_INSTALLED: usize = 2 * CHANGES_PER_HOUR;

#[test]
fn a_change_writes_three_records_and_one_environment_rejections_none_and_repeats_few() {
    in_a_namespace(
        "flash_writes::a_change_writes_three_records_and_one_environment_rejections_none_and_repeats_few",
        || {
            let mut site = Site::new();
            let panel = site.next_panel();
            // The first start writes the first record.
            assert!(panel.board.start().terminate().success());
            let trace = panel.board.path("trace");
            let command = traced(&panel.board.command(&["run"]), CALLS, &trace);
            let mut daemon = Process::start("intercom-agent", &mut { command });
            daemon.wait_for("board ");
            let written = || {
                let state = panel.board.path("state").display().to_string();
                let copies = panel.board.path("copy").display().to_string();
                let trace = fs::read_to_string(&trace).expect("strace runs");
                let on_flash = |line: &&str| line.contains(&state) || line.contains(&copies);
                trace.lines().filter(on_flash).map(str::to_owned).collect::<Vec<_>>()
            };
            let answered = || {
                // Answered only after whatever came before.
                panel.board.run(&["status"]);
            };
            answered();
            // A record that a killed process has left is made durable; here there is nothing to do.
            let mut at_the_start = written();
            at_the_start.retain(|line| !line.contains("fsync"));
            assert_eq!(at_the_start, [""; 0], "a start where all agree");
            let start = written().len();

            panel.ask();
            panel.reports("installed");
            daemon.wait_for("the report has arrived");
            answered();
            let of_a_change = written().split_off(start);
            let count = |what: &[&str]| {
                let fits = |line: &&String| what.iter().all(|word| line.contains(word));
                of_a_change.iter().filter(fits).count()
            };
            println!(
                "a change: {} records, {} environment, {} fsyncs, {} calls in all",
                count(&["rename", "record.json.new"]),
                count(&["write", "/copy"]),
                count(&["fsync"]),
                of_a_change.len()
            );
            let all = of_a_change.join("\n");
            assert_eq!(count(&["rename", "record.json.new"]), 3, "{all}");
            assert_eq!(count(&["write", "/copy"]), 1, "{all}");

            for batch in 0..REJECTIONS / BATCH {
                (0..BATCH).for_each(|number| panel.ask_in_vain(batch * BATCH + number));
                (0..BATCH).for_each(|_| panel.reports("rejected"));
            }
            answered();
            let end = start + of_a_change.len();
            assert_eq!(written()[end..], [""; 0], "{REJECTIONS} rejections");

            for batch in 0..ALREADY_INSTALLED / BATCH {
                (0..BATCH).for_each(|number| panel.ask_for_what_is(batch * BATCH + number));
                (0..BATCH).for_each(|_| panel.reports("installed"));
            }
            answered();
            let renamed =
                |call: &&String| call.contains("rename") && call.contains("record.json.new");
            let records = written()[end..].iter().filter(renamed).count();
            println!("{ALREADY_INSTALLED} requests already installed: {records} records");
            // Each that is written is written once more when its report has arrived.
            assert!(records <= 2 * CHANGES_PER_HOUR, "{records} records");
        },
    );
}
