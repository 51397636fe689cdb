//! Whether the environment may be written at all.

use std::fmt;

/// What the operator allows: `environment = "…"` in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// Only where one whole copy stays untouched while the other is written.
    #[default]
    RedundantOnly,
    /// Also a single copy, which a power cut between erase and write can lose.
    Always,
    /// Not at all.
    Never,
}

/// What the decision rests on.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Copies that the layout has: 1 or 2.
    pub copies: usize,
    /// How many of them have a checksum that fits.
    pub good: usize,
    /// Two copies in one erase block, which are erased together.
    pub shared_block: bool,
    /// What shall be written is a good backup of what was there.
    pub from_backup: bool,
}

/// Why the environment is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The operator said so.
    Never,
    /// One copy, and the operator did not say `always`.
    SingleCopy,
    /// Two copies that one erase would take together.
    SharedBlock,
    /// No checksum fits, and there is no backup.
    Damaged,
}

/// The environment policy.
///
/// # Errors
/// Why nothing may be written.
pub fn may_write(policy: Policy, facts: Facts) -> Result<(), Refusal> {
    match policy {
        Policy::Never => Err(Refusal::Never),
        _ if facts.shared_block => Err(Refusal::SharedBlock),
        _ if facts.good == 0 && !facts.from_backup => Err(Refusal::Damaged),
        Policy::RedundantOnly if facts.copies < 2 => Err(Refusal::SingleCopy),
        Policy::RedundantOnly | Policy::Always => Ok(()),
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Never => "the configuration says `environment = \"never\"`",
            Refusal::SingleCopy => {
                "it has a single copy, which a power cut while it is written can lose; \
                 `environment = \"always\"` in the configuration accepts that"
            }
            Refusal::SharedBlock => {
                "its two copies are in one erase block, so that erasing one takes both; \
                 correct the layout in /etc/fw_env.config"
            }
            Refusal::Damaged => {
                "no copy has a checksum that fits and there is no backup, so what is there is not \
                 known; save it once from U-Boot (`saveenv`) or with `fw_setenv`"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_GOOD: Facts = Facts { copies: 2, good: 2, shared_block: false, from_backup: false };
    const ONE_GOOD: Facts = Facts { copies: 1, good: 1, ..TWO_GOOD };

    #[test]
    fn never_is_never() {
        assert_eq!(may_write(Policy::Never, TWO_GOOD), Err(Refusal::Never));
    }

    #[test]
    fn a_single_copy_is_written_only_where_the_operator_says_always() {
        let default = Policy::default();
        assert_eq!(may_write(default, ONE_GOOD), Err(Refusal::SingleCopy));
        assert_eq!(may_write(Policy::Always, ONE_GOOD), Ok(()));
    }

    #[test]
    fn of_two_copies_one_good_one_is_enough() {
        assert_eq!(may_write(Policy::RedundantOnly, TWO_GOOD), Ok(()));
        let one_left = Facts { good: 1, ..TWO_GOOD };
        assert_eq!(may_write(Policy::RedundantOnly, one_left), Ok(()));
    }

    #[test]
    fn two_copies_in_one_block_are_never_written() {
        let shared = Facts { shared_block: true, ..TWO_GOOD };
        for policy in [Policy::RedundantOnly, Policy::Always] {
            assert_eq!(may_write(policy, shared), Err(Refusal::SharedBlock));
        }
    }

    #[test]
    fn a_damaged_one_is_written_only_from_its_backup() {
        let damaged = Facts { good: 0, ..ONE_GOOD };
        let healing = Facts { from_backup: true, ..damaged };
        assert_eq!(may_write(Policy::Always, damaged), Err(Refusal::Damaged));
        assert_eq!(may_write(Policy::Always, healing), Ok(()));
        assert_eq!(may_write(Policy::default(), healing), Err(Refusal::SingleCopy));
    }
}
