//! Whether the agent may write the environment at all.

use std::fmt;

use uboot_env::{Health, Unsafe};

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

/// Why the environment is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The operator said so.
    Never,
    /// One copy, and the operator did not say `always`.
    SingleCopy,
    /// Writing could lose it, whatever the operator said.
    Unsafe(Unsafe),
}

/// Whether variables may be changed.
///
/// # Errors
/// Why nothing may be written.
pub fn may_write(policy: Policy, health: Health) -> Result<(), Refusal> {
    judge(policy, health, health.allows_write())
}

/// Whether a good backup of what was there may be put back.
///
/// # Errors
/// Why nothing may be written.
pub fn may_restore(policy: Policy, health: Health) -> Result<(), Refusal> {
    judge(policy, health, health.allows_restore())
}

fn judge(policy: Policy, health: Health, safe: Result<(), Unsafe>) -> Result<(), Refusal> {
    match (policy, safe) {
        (Policy::Never, _) => Err(Refusal::Never),
        (_, Err(why)) => Err(Refusal::Unsafe(why)),
        (Policy::RedundantOnly, Ok(())) if health.copies < 2 => Err(Refusal::SingleCopy),
        (Policy::RedundantOnly | Policy::Always, Ok(())) => Ok(()),
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Never => f.write_str("the configuration says `environment = \"never\"`"),
            Refusal::SingleCopy => f.write_str(
                "it has a single copy, which a power cut while it is written can lose; \
                 `environment = \"always\"` in the configuration accepts that",
            ),
            Refusal::Unsafe(why) => why.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_GOOD: Health = Health { copies: 2, good: 2, shared_block: false };
    const ONE_GOOD: Health = Health { copies: 1, good: 1, ..TWO_GOOD };

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
        let one_left = Health { good: 1, ..TWO_GOOD };
        assert_eq!(may_write(Policy::RedundantOnly, one_left), Ok(()));
    }

    #[test]
    fn two_copies_in_one_block_are_never_written() {
        let shared = Health { shared_block: true, ..TWO_GOOD };
        for policy in [Policy::RedundantOnly, Policy::Always] {
            let refused = Err(Refusal::Unsafe(Unsafe::SharedBlock));
            assert_eq!(may_write(policy, shared), refused);
            assert_eq!(may_restore(policy, shared), refused);
        }
    }

    #[test]
    fn a_damaged_one_is_written_only_from_its_backup() {
        let damaged = Health { good: 0, ..ONE_GOOD };
        let refused = Err(Refusal::Unsafe(Unsafe::Damaged));
        assert_eq!(may_write(Policy::Always, damaged), refused);
        assert_eq!(may_restore(Policy::Always, damaged), Ok(()));
        assert_eq!(may_restore(Policy::default(), damaged), Err(Refusal::SingleCopy));
    }
}
