//! The broker's addresses.

use super::Broker;

/// The URLs of one broker, in the order in which they are tried: one at least, none twice, and either
/// all of them over TLS or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brokers {
    all: Vec<Broker>,
    tls: bool,
}

impl Brokers {
    /// # Errors
    /// What is wrong with the list, in words.
    pub fn new(all: Vec<Broker>) -> Result<Self, &'static str> {
        let tls = all.first().ok_or("the list is empty: it needs a URL")?.tls;
        if all.iter().any(|broker| broker.tls != tls) {
            return Err("either all of them are mqtts:// or none is");
        }
        match (1..all.len()).any(|at| all[..at].contains(&all[at])) {
            true => Err("it has a URL twice"),
            false => Ok(Brokers { all, tls }),
        }
    }

    /// All of them.
    pub fn all(&self) -> &[Broker] {
        &self.all
    }

    /// The one whose turn it is: behind the last comes the first again.
    pub fn at(&self, turn: usize) -> &Broker {
        &self.all[turn % self.all.len()]
    }

    /// Whether they are reached over TLS.
    pub fn tls(&self) -> bool {
        self.tls
    }
}
