//! What a power cut may not take is on the flash before the next step relies on it; as strace sees it. The
//! simulations cut the power of a disk in memory: whether the real one is told to sync they cannot see.

use std::fs;

use intercom_test_support::traced;
use uboot_env::Format;

use super::uboot_board::UBootBoard;

const CALLS: &str = "write,pwrite64,fsync,fdatasync,rename,linkat";
const CHANGE: [&str; 4] = ["apply", "--offline", "--new-mac", "22:0D:CE:38:E7:15"];

/// A call, and the last file that it names.
struct Call<'a> {
    name: &'a str,
    file: &'a str,
}

/// `14    rename("/…/record.json.new", "/…/record.json") = 0`, or `14    fsync(17</…/copy1>) = 0`.
fn call(line: &str) -> Option<Call<'_>> {
    let (name, arguments) = line.split_once(' ')?.1.trim_start().split_once('(')?;
    let file = match name {
        "rename" | "linkat" => arguments.split('"').nth_back(1)?,
        _ => arguments.split(['<', '>']).nth(1)?,
    };
    Some(Call { name, file })
}

/// Each write or rename below these places that is not followed by its sync.
fn not_synced<'a>(calls: &'a [Call<'a>]) -> Vec<&'a str> {
    let is_done = |(at, call): (usize, &Call)| {
        let later = &calls[at + 1..];
        let waited_for = match call.name {
            "write" | "pwrite64" => call.file,
            "rename" => call.file.rsplit_once('/').expect("a directory").0,
            _ => return true,
        };
        // More of the same may come first: another block, or the second of two names.
        let next = later.iter().find(|next| next.name != call.name && next.name != "linkat");
        next.is_some_and(|next| next.name.ends_with("sync") && next.file == waited_for)
    };
    let all = calls.iter().enumerate();
    all.filter(|one| !is_done(*one)).map(|(_, call)| call.file).collect()
}

fn a_change_of(format: Format, policy: &str, files: &[&str]) {
    let board = UBootBoard::new(format, policy);
    assert_eq!(board.run(&["restore"]).code, 0, "the first record");
    let trace = board.board.path("trace");
    let done = traced(&board.board.command(&CHANGE), CALLS, &trace).output().expect("strace runs");
    assert!(done.status.success(), "{done:?}");
    let root = board.board.path("").display().to_string();
    let text = fs::read_to_string(&trace).expect("a trace");
    let is_on_flash = |call: &Call| {
        let below = call.file.strip_prefix(&root).unwrap_or_default().trim_start_matches('/');
        below.starts_with("state") || below.starts_with("env")
    };
    let calls: Vec<Call> = text.lines().filter_map(call).filter(is_on_flash).collect();
    for file in files {
        let is_written = |call: &Call| call.name.contains("write") && call.file.ends_with(file);
        assert!(calls.iter().any(is_written), "{file} is not written:\n{text}");
    }
    assert_eq!(not_synced(&calls), [""; 0], "{text}");
}

#[test]
fn each_step_of_a_change_is_synced_with_two_copies_of_the_environment() {
    a_change_of(Format::Redundant, "redundant-only", &["/record.json.new", "/env1"]);
}

#[test]
fn each_step_of_a_change_is_synced_with_one_copy_and_its_backup() {
    a_change_of(Format::Single, "always", &["/record.json.new", "backup.new", "/env0"]);
}
