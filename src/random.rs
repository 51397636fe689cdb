//! Random numbers of the kernel, for names that nobody can guess.

use std::fmt;

use ring::rand::{SecureRandom, SystemRandom};

/// The kernel gives no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRandomNumbers;

/// A random number.
///
/// # Errors
/// As `getrandom(2)`.
pub fn number() -> Result<u64, NoRandomNumbers> {
    let mut bytes = [0_u8; 8];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomNumbers)?;
    Ok(u64::from_ne_bytes(bytes))
}

impl fmt::Display for NoRandomNumbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the kernel gives no random numbers")
    }
}

impl std::error::Error for NoRandomNumbers {}
