//! The lines of `fw_env.config` mean what they mean to the tools, and an error names its line.

#![allow(clippy::expect_used, reason = "how a test fails")]

use proptest::prelude::*;
use uboot_env::{ConfigError, ConfigErrorKind, Location, parse_config};

fn at(device: &str, offset: i64, size: usize) -> Location {
    Location { device: device.into(), offset, size }
}

fn copies(text: &str) -> Vec<Location> {
    let layout = parse_config(text).expect(text);
    layout.map_or(vec![], |layout| layout.copies().to_vec())
}

fn kind(line: &str) -> ConfigErrorKind {
    parse_config(line).expect_err(line).kind
}

#[test]
fn one_line_is_a_single_copy_and_two_are_redundant() {
    let nor = "# NOR\n\n/dev/mtd1\t0x0000 0x4000\t0x4000\n";
    assert_eq!(copies(nor), [at("/dev/mtd1", 0, 0x4000)]);
    let two = "/dev/mtd1 0x0 0x1000 0x10000 1\n/dev/mtd2 0x10000 0x1000 0x10000 1\n/dev/x 0 10";
    assert_eq!(copies(two), [at("/dev/mtd1", 0, 0x1000), at("/dev/mtd2", 0x10000, 0x1000)]);
    assert_eq!(copies("# nothing\n"), []);
}

#[test]
fn numbers_are_what_they_are_to_the_tools() {
    for (offset, value) in [("16", 16), ("0x10", 16), ("020", 16), ("0", 0), ("-0x20", -32)] {
        let line = format!("/dev/mmcblk0 {offset} 4000 # size: always hexadecimal");
        assert_eq!(copies(&line), [at("/dev/mmcblk0", value, 0x4000)], "{line}");
    }
}

#[test]
fn an_error_names_the_line_and_what_is_wrong_with_it() {
    use ConfigErrorKind as Kind;
    for (line, kind) in [
        ("/dev/mtd1", Kind::MissingField),
        ("/dev/mtd1 0x0", Kind::MissingField),
        ("dev/mtd1 0x0 0x4000", Kind::RelativeDevice("dev/mtd1".into())),
        ("/dev/mtd1 zero 0x4000", Kind::Offset("zero".into())),
        ("/dev/mtd1 0x 0x4000", Kind::Offset("0x".into())),
        ("/dev/mtd1 --1 0x4000", Kind::Offset("--1".into())),
        ("/dev/mtd1 0x0 0", Kind::Size("0".into())),
        ("/dev/mtd1 0x0 64K", Kind::Hexadecimal("64K".into())),
        ("/dev/mtd1 0x0 0xffffffff", Kind::Size("0xffffffff".into())),
        ("/dev/mtd1 0x0 0x4000 block", Kind::Hexadecimal("block".into())),
        ("/dev/mtd1 0x0 0x4000 0x1000 2", Kind::TooFewSectors),
    ] {
        let found = parse_config(&format!("# where it is\n{line}\n"));
        assert_eq!(found, Err(ConfigError { line: 2, kind }), "{line}");
    }
    let unequal = parse_config("/dev/mtd1 0 1000\n/dev/mtd2 0 2000\n");
    assert_eq!(unequal, Err(ConfigError { line: 2, kind: Kind::UnequalSizes }));
}

#[test]
fn yaml_is_recognised_and_refused_by_its_name() {
    let libubootenv = "uboot:\n  size : 0x4000\n  devices:\n    - path : /dev/mtd1\n";
    for text in [libubootenv, "---\nuboot:\n", "%YAML 1.2\n---\n", "size : 0x4000\n"] {
        assert_eq!(kind(text), ConfigErrorKind::Yaml, "{text}");
    }
    let words = kind(libubootenv).to_string();
    assert!(words.contains("YAML") && words.contains("`device offset size`"), "{words}");
}

#[test]
fn a_ubi_volume_is_recognised_and_refused_by_its_name() {
    for device in ["/dev/ubi0_1", "/dev/ubi0:env", "ubi0:env"] {
        let found = kind(&format!("{device} 0 1000\n"));
        assert_eq!(found, ConfigErrorKind::UbiVolume(device.into()));
        assert!(found.to_string().contains("UBI volume"));
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*", words in "(/[a-z]|[-+0x9a#:]{1,5}|[ \n]){0,40}") {
        let _ = parse_config(&text);
        let _ = parse_config(&words);
    }
}
