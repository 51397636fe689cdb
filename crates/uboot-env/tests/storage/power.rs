//! The supply of a simulated board. It can fail in the middle of any call.

use std::io;
use std::sync::{Arc, Mutex};

/// How far the call came in which the power failed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Tear {
    Nothing,
    FirstHalf,
    SecondHalf,
    EveryOtherByte,
    /// The call was done, and its answer was lost.
    All,
}

pub(super) const TEARS: [Tear; 5] =
    [Tear::Nothing, Tear::FirstHalf, Tear::SecondHalf, Tear::EveryOtherByte, Tear::All];

impl Tear {
    pub(super) fn reaches(self, at: usize, length: usize) -> bool {
        match self {
            Tear::Nothing => false,
            Tear::FirstHalf => at < length / 2,
            Tear::SecondHalf => at >= length / 2,
            Tear::EveryOtherByte => at % 2 == 1,
            Tear::All => true,
        }
    }
}

/// One supply for flash and disk.
#[derive(Clone)]
pub(super) struct Power(Arc<Mutex<Supply>>);

struct Supply {
    /// Calls until it fails.
    left: usize,
    tear: Tear,
    is_out: bool,
    used: usize,
}

impl Power {
    pub(super) fn on() -> Self {
        Power::failing_in(usize::MAX, Tear::Nothing)
    }

    pub(super) fn failing_in(left: usize, tear: Tear) -> Self {
        Power(Arc::new(Mutex::new(Supply { left, tear, is_out: false, used: 0 })))
    }

    pub(super) fn is_out(&self) -> bool {
        self.0.lock().expect("power").is_out
    }

    /// How many calls changed something.
    pub(super) fn used(&self) -> usize {
        self.0.lock().expect("power").used
    }

    pub(super) fn check(&self) -> io::Result<()> {
        if self.is_out() {
            return Err(io::Error::other("no power"));
        }
        Ok(())
    }

    /// Does one call as far as the power reaches.
    pub(super) fn call(&self, effect: impl FnOnce(Tear)) -> io::Result<()> {
        self.check()?;
        let mut supply = self.0.lock().expect("power");
        if supply.left == 0 {
            supply.is_out = true;
            effect(supply.tear);
            return Err(io::Error::other("no power"));
        }
        supply.left -= 1;
        supply.used += 1;
        effect(Tear::All);
        Ok(())
    }
}
