//! Moments, boot ids and the wall clock.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::root::Root;

#[test]
fn time_goes_forward_within_one_boot() {
    let clock = RealClock::start(&Root::system()).expect("a boot id");
    let earlier = clock.now();
    assert!(earlier > Moment::BOOT);
    assert!(clock.now() >= earlier);
    assert_eq!(clock.boot_id(), clock.boot_id());
}

#[test]
fn a_sandbox_may_have_a_boot_of_its_own() {
    let sandbox = crate::testing::Sandbox::new();
    let real = RealClock::start(&Root::system()).expect("a boot id");
    let shared = RealClock::start(sandbox.root()).expect("the machine's boot id");
    assert_eq!(shared.boot_id(), real.boot_id());
    sandbox.write("/proc/sys/kernel/random/boot_id", "second-boot\n");
    let own = RealClock::start(sandbox.root()).expect("its own boot id");
    assert_eq!(own.boot_id().as_str(), "second-boot");
}

#[test]
fn moments_never_wrap() {
    let end = Moment::from_millis(u64::MAX);
    assert_eq!(end + Duration::from_secs(1), end);
    assert_eq!(Moment::BOOT - Duration::from_secs(1), Moment::BOOT);
    assert_eq!(Moment::BOOT.since(end), Duration::ZERO);
}

#[test]
fn a_date_in_a_leap_year_is_right() {
    for (seconds, shown) in [
        (0, "1970-01-01T00:00:00Z"),
        (68_169_599, "1972-02-28T23:59:59Z"),
        (68_169_600, "1972-02-29T00:00:00Z"),
        (951_868_800, "2000-03-01T00:00:00Z"),
        (1_767_225_599, "2025-12-31T23:59:59Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
    ] {
        assert_eq!(WallTime::from_unix_seconds(seconds).to_string(), shown);
    }
}

#[test]
fn a_boot_id_is_plain_text() {
    for wrong in ["", "a b", "a\n", "a'b", "é", &"x".repeat(65)] {
        assert_eq!(wrong.parse::<BootId>(), Err(InvalidBootId), "{wrong}");
    }
}

proptest! {
    #[test]
    fn what_is_added_is_the_distance(start in 0..u64::MAX / 2, millis in 0..u64::MAX / 2) {
        let start = Moment::from_millis(start);
        let wait = Duration::from_millis(millis);
        prop_assert_eq!((start + wait).since(start), wait);
        prop_assert_eq!(start + wait - wait, start);
    }

    #[test]
    fn later_is_shown_later(a in 0..253_402_300_799_u64, b in 0..253_402_300_799_u64) {
        let shown = |seconds| WallTime::from_unix_seconds(seconds).to_string();
        prop_assert_eq!(a.cmp(&b), shown(a).cmp(&shown(b)));
    }
}
