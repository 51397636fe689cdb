//! The requests that were handed to the agent and are not answered yet.

use std::collections::VecDeque;

use intercom_wire::MAX_REQUEST_BYTES;
use tokio::sync::oneshot;

use crate::agent::Handling;

/// How many requests may be undecided at once, and how many bytes in all: a parsed request takes a
/// multiple of its bytes.
const MAX_UNDECIDED: usize = 16;
const MAX_UNDECIDED_BYTES: usize = MAX_REQUEST_BYTES;

/// The requests of one list that were handed to the agent.
#[derive(Default)]
pub(super) struct Undecided {
    answers: VecDeque<(usize, oneshot::Receiver<Handling>)>,
    bytes: usize,
    some_kept: bool,
}

impl Undecided {
    pub(super) fn make_room(&mut self, size: usize) {
        while self.answers.len() >= MAX_UNDECIDED
            || (self.bytes + size > MAX_UNDECIDED_BYTES && !self.answers.is_empty())
        {
            self.await_first();
        }
    }

    pub(super) fn add(&mut self, size: usize, answer: oneshot::Receiver<Handling>) {
        self.bytes += size;
        self.answers.push_back((size, answer));
    }

    fn await_first(&mut self) {
        if let Some((size, answer)) = self.answers.pop_front() {
            self.bytes -= size;
            self.some_kept |= answer.blocking_recv() != Ok(Handling::Decided);
        }
    }

    pub(super) fn all_decided(mut self) -> bool {
        while !self.answers.is_empty() {
            self.await_first();
        }
        !self.some_kept
    }
}
