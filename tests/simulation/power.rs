//! The power supply: every operation of the board draws on it, and it can fail in any of them.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// How far an operation came that was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Nothing,
    Half,
    /// It was done, and nobody heard of it.
    Whole,
}

pub const REACHES: [Reach; 3] = [Reach::Nothing, Reach::Half, Reach::Whole];

/// A call that fails while the power is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub at: u64,
    pub kind: io::ErrorKind,
    pub reach: Reach,
}

/// One supply for all parts of a board.
#[derive(Debug, Clone, Default)]
pub struct Power(Arc<Mutex<Supply>>);

#[derive(Debug, Default)]
struct Supply {
    used: u64,
    cut: Option<(u64, Reach)>,
    fault: Option<Fault>,
    out: bool,
}

impl Power {
    fn supply(&self) -> MutexGuard<'_, Supply> {
        self.0.lock().expect("one thread")
    }

    /// On again; operations are counted from 0.
    pub fn restart(&self) {
        *self.supply() = Supply::default();
    }

    /// Fails in the operation with this number.
    pub fn cut_at(&self, operation: u64, reach: Reach) {
        self.supply().cut = Some((operation, reach));
    }

    /// One call returns an error.
    pub fn fault(&self, fault: Option<Fault>) {
        self.supply().fault = fault;
    }

    pub fn is_out(&self) -> bool {
        self.supply().out
    }

    /// How many operations were begun.
    pub fn used(&self) -> u64 {
        self.supply().used
    }

    /// Reading changes nothing, but needs power.
    pub fn check(&self) -> io::Result<()> {
        if self.is_out() { Err(io::Error::other("no power")) } else { Ok(()) }
    }

    /// Does one operation as far as the power reaches.
    pub fn call(&self, effect: impl FnOnce(Reach)) -> io::Result<()> {
        self.check()?;
        let (reach, result) = {
            let mut supply = self.supply();
            let number = supply.used;
            supply.used += 1;
            match (supply.cut, supply.fault) {
                (Some((at, reach)), _) if at == number => {
                    supply.out = true;
                    (reach, Err(io::Error::other("no power")))
                }
                (_, Some(fault)) if fault.at == number => (fault.reach, Err(fault.kind.into())),
                _ => (Reach::Whole, Ok(())),
            }
        };
        effect(reach);
        result
    }

    /// An operation that tells nothing back and is done or is not.
    pub fn tell(&self, effect: impl FnOnce()) {
        let _ = self.call(|reach| {
            if reach == Reach::Whole || !self.is_out() {
                effect();
            }
        });
    }
}
