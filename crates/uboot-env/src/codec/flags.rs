//! Which of two redundant copies counts, and what marks the next one.

/// What the flag byte of a redundant copy means. The medium decides, not the environment. Source:
/// `fw_env_open` and `fw_env_flush` of U-Boot's `tools/env/fw_env.c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flags {
    /// NOR flash, where a bit can be cleared in place: 1 is active, 0 is obsolete.
    ActiveObsolete,
    /// All else: a counter that wraps; the larger one counts.
    Counter,
}

/// The flag of the copy that counts, on NOR flash.
const ACTIVE: u8 = 1;
/// The flag of the other one.
pub(crate) const OBSOLETE: u8 = 0;

const ERASED: u8 = 0xff;

impl Flags {
    /// The copy that counts, 0 or 1, by the flags of the copies whose checksum fits (`None` for one
    /// whose checksum does not). `None` if no checksum fits.
    pub fn active(self, copies: [Option<u8>; 2]) -> Option<usize> {
        let (first, second) = match copies {
            [Some(first), Some(second)] => (first, second),
            [Some(_), None] => return Some(0),
            [None, Some(_)] => return Some(1),
            [None, None] => return None,
        };
        let is_second = match self {
            // Both active: the power failed before the older one was marked, and either is whole.
            // libubootenv differs from this only for flags that nothing writes.
            Flags::ActiveObsolete => match (first, second) {
                (OBSOLETE, ACTIVE) => true,
                (ERASED, _) => false,
                (_, ERASED) => true,
                _ => false,
            },
            Flags::Counter => match (first, second) {
                (u8::MAX, 0) => true,
                (0, u8::MAX) => false,
                _ => second > first,
            },
        };
        Some(usize::from(is_second))
    }

    /// The flag for a copy that is to count in place of one with the flag `active`.
    pub fn next(self, active: u8) -> u8 {
        match self {
            Flags::ActiveObsolete => ACTIVE,
            Flags::Counter => active.wrapping_add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_copy_beats_a_damaged_one_whatever_its_flag() {
        for flags in [Flags::ActiveObsolete, Flags::Counter] {
            assert_eq!(flags.active([Some(0), None]), Some(0));
            assert_eq!(flags.active([None, Some(0)]), Some(1));
            assert_eq!(flags.active([None, None]), None);
        }
    }

    #[test]
    fn on_nor_flash_the_active_one_counts_and_the_first_if_both_say_so() {
        for (first, second, active) in [
            (1, 0, 0),
            (0, 1, 1),
            (1, 1, 0),
            (0, 0, 0),
            (0xff, 1, 0),
            (1, 0xff, 1),
            (0xff, 0xff, 0),
        ] {
            let found = Flags::ActiveObsolete.active([Some(first), Some(second)]);
            assert_eq!(found, Some(active), "flags {first} and {second}");
        }
    }

    #[test]
    fn elsewhere_the_larger_counter_counts_also_when_it_wraps() {
        for (first, second, active) in [(7, 6, 0), (6, 7, 1), (7, 7, 0), (255, 0, 1), (0, 255, 0)] {
            let found = Flags::Counter.active([Some(first), Some(second)]);
            assert_eq!(found, Some(active), "flags {first} and {second}");
        }
    }

    /// On either medium, wherever the counter stands.
    #[test]
    fn the_next_flag_counts_instead() {
        for flag in 0..=u8::MAX {
            let next = Flags::Counter.next(flag);
            assert_eq!(Flags::Counter.active([Some(flag), Some(next)]), Some(1));
            assert_eq!(Flags::Counter.active([Some(next), Some(flag)]), Some(0));
        }
        let next = Flags::ActiveObsolete.next(ACTIVE);
        let found = Flags::ActiveObsolete.active([Some(OBSOLETE), Some(next)]);
        assert_eq!(found, Some(1));
    }
}
